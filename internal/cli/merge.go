package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
)

type mergeOptions struct {
	narration
	destination
	gates
	shards          []string
	fromEnvironment []string
}

func newMerge(s *streams) *cobra.Command {
	var opt mergeOptions
	cmd := &cobra.Command{
		Use:   "merge SHARD... [flags]",
		Short: "Make the result of a run from its shards",
		Long: `Make the result of a run from its shards, in any order.

SHARD is a file that intershap explain --shard K/N -o FILE wrote. The result is
that of one run, to the last bit; the model and the data are not needed. All
shards of the run are, each once. They are read one after the other. The
result's provenance.command is this one; the commands of the shards are kept
nowhere.`,
		Example: `  intershap explain model.onnx cohort/ --shard 1/2 -o shard-1.json
  intershap explain model.onnx cohort/ --shard 2/2 -o shard-2.json
  intershap merge shard-1.json shard-2.json -o run.json`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, 2 wrong usage, 3 --fail-above or --fail-below not met,\n  4 done with warnings under --strict",
		},
		Args: wantShards,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			opt.shards = args
			if err := refuseEmpty(cmd.Flags(), "out"); err != nil {
				return err
			}
			opt.fromEnvironment, err = readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runMerge(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	addAtLeast(flags, &opt.gates)
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the result as JSON, beside the table; -: standard output")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addGates(flags, &opt.gates)
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

// wantShards checks that there is something to merge.
func wantShards(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return nil
	}
	fault := usagef("missing argument SHARD")
	fault.command = cmd.CommandPath()
	return fault
}

// check refuses what is wrong with the command line alone.
func (o *mergeOptions) check() error {
	if err := o.gates.check(); err != nil {
		return err
	}
	if err := checkOut(o.out, "the result is JSON"); err != nil {
		return err
	}
	return checkWritable("out", o.out, o.force, o.shards...)
}

func runMerge(ctx context.Context, s *streams, opt *mergeOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	tell := newTeller(s, opt.narration)
	ex, err := intershap.MergeFiles(ctx, opt.shards, func(path string, lo, hi int) {
		tell.step("%s: samples %s to %s", path, grouped(int64(lo)), grouped(int64(hi-1)))
	})
	if err != nil {
		return err
	}
	answer(&ex.Explanation, opt.atLeast)
	ex.Provenance.Command = commandLine(opt.fromEnvironment, s.typed)
	if err := publish(s, opt.destination, opt.narration, ex, circumstances{guessed: ex.TaskGuessed()}); err != nil {
		return err
	}
	return opt.judge(ex)
}
