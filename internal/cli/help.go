package cli

import (
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// A topic is a page of help that belongs to no command.
type topic struct{ name, short string }

// topics are the pages, in the order in which they are listed. Their text is
// in the folder topics.
var topics = []topic{
	{"background", "what fills absent modalities, and how many rows"},
	{"conventions", "which numbers there are, and which to read"},
	{"environment", "environment variables"},
	{"exit-codes", "what a script can rely on"},
	{"formats", "models, data, and the files that are written"},
	{"warnings", "every warning, and what mends it"},
}

//go:embed topics/*.txt
var topicFiles embed.FS

// text returns the page.
func (t topic) text() (string, error) {
	raw, err := topicFiles.ReadFile("topics/" + t.name + ".txt")
	return string(raw), err
}

func newHelp(s *streams) *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND | TOPIC]",
		Short: "Tell about a command or a topic",
		Long:  "Tell about a command or a topic.",
		Example: `  intershap help explain
  intershap help exit-codes`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 2 no such command or topic"},
		Args:        wantArgs("[COMMAND | TOPIC]"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return writeHelp(s.out, cmd.Root())
			}
			return help(s, cmd, args[0])
		},
		ValidArgsFunction: func(cmd *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
			return helpNames(cmd.Root()), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

func help(s *streams, cmd *cobra.Command, name string) error {
	for _, t := range topics {
		if t.name == name {
			text, err := t.text()
			if err != nil {
				return fmt.Errorf("cli: topic %s: %w", name, err)
			}
			_, err = io.WriteString(s.out, text)
			return err
		}
	}
	for _, c := range cmd.Root().Commands() {
		if c.Name() == name && c.IsAvailableCommand() {
			return writeHelp(s.out, c)
		}
	}
	known := helpNames(cmd.Root())
	fault := usagef("no command or topic %q (have %s)", name, strings.Join(known, ", "))
	fault.hint = didYouMean(nearest(name, known))
	return fault
}

// helpNames returns everything that help knows.
func helpNames(root *cobra.Command) []string {
	var out []string
	for _, c := range root.Commands() {
		if c.IsAvailableCommand() {
			out = append(out, c.Name())
		}
	}
	for _, t := range topics {
		out = append(out, t.name)
	}
	return out
}
