package cli

import (
	"embed"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/model/process"
	"github.com/intershap/intershap/rival"
)

// A topic is a page of help that belongs to no command.
type topic struct {
	name, short string
	// more returns what is generated and stands below the file; it may be nil.
	more func() string
	// page is the whole text of a topic that has no file; "" for the others.
	page string
}

// topics are the pages, in the order in which they are listed. Their text is
// in the folder topics.
var topics = []topic{
	{name: "background", short: "what fills absent modalities, and how many rows"},
	{name: "conventions", short: "which numbers there are, and which to read"},
	{name: "environment", short: "environment variables"},
	{name: "exit-codes", short: "what a script can rely on"},
	{name: "formats", short: "models, data, and the files that are written"},
	{name: "python", short: "a module that serves models written in Python", page: process.Python},
	{name: "scores", short: "what each score of rival is, and needs", more: scoreCards},
	{name: "warnings", short: "every warning, and what mends it"},
}

//go:embed topics/*.txt
var topicFiles embed.FS

// text returns the page.
func (t topic) text() (string, error) {
	if t.page != "" {
		return t.page, nil
	}
	raw, err := topicFiles.ReadFile("topics/" + t.name + ".txt")
	if err != nil || t.more == nil {
		return string(raw), err
	}
	return string(raw) + t.more(), nil
}

// scoreCards writes the cards of the scores that rival computes, wrapped as the files
// of topics are.
func scoreCards() string {
	p := &page{terminal: true, width: defaultWidth}
	for _, card := range rival.Cards() {
		p.blank()
		p.line("%s: %s", card.Name, card.Title)
		beyond := card.Beyond
		if card.Ours {
			beyond = "ours, not the source's: " + beyond
		}
		for _, field := range [][2]string{
			{"source", card.Source}, {"says", card.Says}, {"unit", card.Unit}, {"range", card.Range},
			{"zero for", orNone(card.Zero)}, {"labels for", orNone(card.Labels)}, {"reads", card.Reads}, {"beyond two", beyond},
		} {
			p.hang(fmt.Sprintf("  %-12s", field[0]), field[1])
		}
	}
	return p.buffer.String()
}

// orNone stands for what a card leaves empty.
func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
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
