package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// ExitCodesNote is the annotation that holds the exit codes of a command's help.
const ExitCodesNote = "exit-codes"

// NewCommand returns the command tree, for generators of manual pages and
// completions; [Run] runs it.
func NewCommand() *cobra.Command {
	return newRoot(newStreams(strings.NewReader(""), io.Discard, io.Discard, nil))
}

func newRoot(s *streams) *cobra.Command {
	root := &cobra.Command{
		Use:   program + " COMMAND",
		Short: "Measure the interaction between modalities in a model's behaviour",
		Long: `Measure the interaction between modalities in a multimodal model's behaviour.

Give a model and data; the answer is the share of the model's behaviour that
needs several modalities together, and what each modality does alone, with
intervals. No labels are needed.`,
		Example: `  intershap explain model.onnx test.npz --background train.npz
  intershap inspect model.onnx test.npz`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage; more: intershap help exit-codes"},
		Args:        cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return unknownCommand(cmd, args)
		},
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	root.SetIn(s.in)
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(flagFault)
	root.SetHelpFunc(func(cmd *cobra.Command, _ []string) {
		// Cobra takes no error here; help asked for is data all the same.
		s.helpFault = writeHelp(s.out, cmd)
	})
	root.AddCommand(newDemo(s), newExplain(s), newMerge(s), newInspect(s), newCompare(s), newRival(s), newIndex(s), newSynth(s), newTrain(s), newPaper(s), newServe(s), newExport(s), newPlot(s), newReport(s), newSetup(s), newVersion(s), newCompletion(s))
	help := newHelp(s)
	root.SetHelpCommand(help)
	// Cobra adds the help command when it runs, too late for generators.
	root.AddCommand(help)
	for _, cmd := range root.Commands() {
		cmd.Flags().BoolP("help", "h", false, "say what the command does")
	}
	root.Flags().BoolP("help", "h", false, "say what the program does")
	return root
}

func unknownCommand(root *cobra.Command, args []string) error {
	var known []string
	for _, cmd := range root.Commands() {
		known = append(known, cmd.Name())
	}
	fault := usagef("no command given")
	if len(args) > 0 {
		fault = usagef("unknown command %q", args[0])
		fault.hint = didYouMean(nearest(args[0], known))
	}
	fault.command = root.CommandPath()
	return fault
}

// wantArgs checks the number of arguments; names are those of the synopsis,
// those in brackets may be left out.
func wantArgs(names ...string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		var fault *usageError
		for i, name := range names {
			if i >= len(args) && !strings.HasPrefix(name, "[") {
				fault = usagef("missing argument %s", name)
				break
			}
		}
		if len(args) > len(names) {
			fault = usagef("unexpected argument %q", args[len(names)])
			if len(names) > 0 {
				fault.hint = "quote an argument that holds blanks; flags may stand anywhere"
			}
		}
		if fault == nil {
			return nil
		}
		fault.command = cmd.CommandPath()
		return fault
	}
}

// offerHelp returns what cobra runs for run: the faults that run finds in the
// command line offer the help of its command.
func offerHelp(run func(ctx context.Context) error) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		err := run(cmd.Context())
		var usage *usageError
		if errors.As(err, &usage) {
			usage.command = cmd.CommandPath()
		}
		return err
	}
}

// writeHelp writes the help of a command: what it does, synopsis, examples,
// flags, exit codes.
func writeHelp(w io.Writer, cmd *cobra.Command) error {
	var b strings.Builder
	b.WriteString(cmd.Long)
	fmt.Fprintf(&b, "\n\nUsage:\n  %s\n", cmd.UseLine())
	fmt.Fprintf(&b, "\nExamples:\n%s\n", cmd.Example)
	if !cmd.HasParent() {
		writeCommands(&b, cmd)
	}
	fmt.Fprintf(&b, "\nFlags:\n%s", cmd.LocalFlags().FlagUsagesWrapped(defaultWidth))
	fmt.Fprintf(&b, "\nExit codes:\n  %s\n", cmd.Annotations[ExitCodesNote])
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCommands(b *strings.Builder, root *cobra.Command) {
	b.WriteString("\nCommands:\n")
	for _, cmd := range root.Commands() {
		if !cmd.Hidden {
			fmt.Fprintf(b, "  %-13s%s\n", cmd.Name(), cmd.Short)
		}
	}
	b.WriteString("\nTopics (intershap help TOPIC):\n")
	for _, t := range topics {
		fmt.Fprintf(b, "  %-13s%s\n", t.name, t.short)
	}
}
