package cli

import (
	"context"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/report"
	"github.com/intershap/intershap/result"
)

type reportOptions struct {
	narration
	run, samples, out string
	force             bool
}

func newReport(s *streams) *cobra.Command {
	var opt reportOptions
	cmd := &cobra.Command{
		Use:   "report RESULT [flags]",
		Short: "Write a page that tells and draws a result",
		Long: `Write a page that tells and draws a result: the verdict, how to read it, the
breakdown of the data set, by predicted class and by pair, what to do about
warnings, and what made the numbers. With --samples it has their distribution
too, and every sample can be searched for and looked at.

RESULT is the JSON document of explain. The page is one HTML file that asks
nobody for anything: it opens from disk, prints, and can be sent by mail. It
holds the ids of samples and the paths of files that the document has.`,
		Example: `  intershap report run.json -o report.html
  intershap report run.json --samples run.npz -o report.html --force`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, also where the samples are not of this run, 2 wrong usage",
		},
		Args: wantArgs("RESULT"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.run = args[0]
			if err := refuseEmpty(cmd.Flags(), "out", "samples"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(context.Context) error { return runReport(s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opt.samples, "samples", "", "`FILE` with the values of every sample, as explain --samples writes it")
	flags.StringVarP(&opt.out, "out", "o", "report.html", "`FILE` for the page; -: standard output")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

// check refuses what is wrong with the command line alone.
func (o *reportOptions) check() error {
	if err := checkSamples(o.samples); err != nil {
		return err
	}
	if ext := filepath.Ext(o.out); o.out != standardOutput && !strings.EqualFold(ext, ".html") && !strings.EqualFold(ext, ".htm") {
		return usagef("--out %s: want a name that ends in .html, or - for standard output", o.out)
	}
	return checkWritable("out", o.out, o.force, o.run, o.samples)
}

func runReport(s *streams, opt *reportOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	tell := newTeller(s, opt.narration)
	ex, samples, err := readRun(tell, opt.run, opt.samples)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return report.Write(w, ex, samples) }
	if opt.out == standardOutput {
		return write(s.out)
	}
	if err := result.WriteFile(opt.out, write); err != nil {
		return err
	}
	inside := "none; --samples FILE adds them"
	if samples != nil {
		inside = opt.samples + ", " + count(int64(samples.Len()), "sample")
	}
	p := newPage(s, opt.color)
	p.pairs([][2]string{{"page", opt.out}, {"result", opt.run}, {"samples", inside}})
	return p.flush()
}

// readRun reads a result and, where a file is named, the samples of the same run.
func readRun(tell teller, run, file string) (*result.Explanation, *result.Samples, error) {
	ex, err := result.ReadFile(run)
	if err != nil || file == "" {
		return ex, nil, err
	}
	tell.step("samples %s", file)
	samples, err := result.ReadSamples(file)
	if err != nil {
		return nil, nil, err
	}
	if err := samples.Belongs(ex); err != nil {
		return nil, nil, &hintedError{err, "give the file that the run of " + run + " wrote: explain MODEL DATA --samples FILE"}
	}
	return ex, samples, nil
}
