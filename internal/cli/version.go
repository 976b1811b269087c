package cli

import (
	"encoding/json"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
)

// versionReport is what `version --json` prints.
type versionReport struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Cgo      bool   `json:"cgo"`
}

func newVersion(s *streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "version [--json]",
		Short: "Print the version",
		Long: `Print the version, the Go version and platform it was built for, and whether it
was built with cgo, without which no ONNX file can be opened.`,
		Example: `  intershap version
  intershap version --json`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 2 wrong usage"},
		Args:        wantArgs(),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: func(*cobra.Command, []string) error {
			v := versionReport{
				Version: intershap.Version(), Go: runtime.Version(),
				Platform: runtime.GOOS + "/" + runtime.GOARCH, Cgo: builtWithCgo,
			}
			if asJSON {
				return writeJSON(s, v)
			}
			cgo := "without cgo"
			if v.Cgo {
				cgo = "with cgo"
			}
			p := newPage(s, colorNever)
			p.line("%s %s %s %s %s", program, v.Version, v.Go, v.Platform, cgo)
			return p.flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON: version, go, platform, cgo")
	return cmd
}

// writeJSON writes one document to standard output.
func writeJSON(s *streams, v any) error {
	enc := json.NewEncoder(s.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
