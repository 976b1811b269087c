package cli

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/model/onnx"
)

type setupOptions struct{ from, dir string }

func newSetup(s *streams) *cobra.Command {
	var opt setupOptions
	cmd := &cobra.Command{
		Use:   "setup [--from FILE|URL] [--dir DIR]",
		Short: "Put ONNX Runtime's library where the program finds it",
		Long: `Put ONNX Runtime's native library for this platform into the user's data
folder, and print where it is and its SHA-256.

Without --from the library is the one in the pinned Go module, taken from the
module cache or fetched by the go command, and its SHA-256 must be the one in
the source. Running it again does no harm. A program that only ever runs where
the Go module cache is needs no setup.`,
		Example: `  intershap setup
  intershap setup --from libonnxruntime.so --dir /opt/intershap`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 no library, or not the right one, 2 wrong usage"},
		Args:        wantArgs(),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return runSetup(cmd.Context(), s, opt) },
	}
	cmd.Flags().StringVar(&opt.from, "from", "", "`FILE` or http(s) URL of the library instead of the pinned module")
	cmd.Flags().StringVar(&opt.dir, "dir", "", "`DIR` to put it into (default: the user's data folder)")
	return cmd
}

func runSetup(ctx context.Context, s *streams, opt setupOptions) error {
	lib, err := onnx.InstallLibrary(ctx, opt.from, opt.dir)
	if err != nil {
		return err
	}
	p := newPage(s, colorNever)
	p.pairs([][2]string{{"library", lib.Path}, {"sha256", lib.SHA256}, {"from", lib.Source}})
	if err := p.flush(); err != nil {
		return err
	}
	if usual, err := onnx.DataDir(); err != nil || filepath.Clean(usual) != filepath.Dir(lib.Path) {
		// The search does not look there.
		_, err := fmt.Fprintf(s.err, "To use it: --%s %s, or set %s\n", libraryFlag, escape(quoteShell(lib.Path)), onnx.LibraryVariable)
		return err
	}
	return nil
}
