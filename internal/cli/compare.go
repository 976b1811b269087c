package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

type compareOptions struct {
	narration
	args                 []string
	samples              []string
	labels               string
	options              compare.Options
	out                  string
	format               compareFormat
	json, csv, markdown  bool
	failAbove, failBelow bound
	fromEnvironment      []string
}

func newCompare(s *streams) *cobra.Command {
	var opt compareOptions
	cmd := &cobra.Command{
		Use:   "compare [LABEL=]FILE[,FILE...] [LABEL=]FILE[,FILE...] ... [flags]",
		Short: "Say whether one explanation differs from another",
		Long: `Say whether one explanation differs from another: each score, contribution and
pair on both sides, and the difference with its interval. Every side after the
first is held against the first.

A side is the JSON document of explain, or several of them: replicates, such as
networks trained with different seeds. The table says which question it answers.
Of two files: would other samples give another difference? Of two groups: would
other replicates? "~" is a difference of which nothing can be said.

Two files are compared sample by sample where both have a file of samples
(explain --samples) whose ids agree: the draws of the bootstrap are then the
same for both. Without such files the difference is made from the intervals
that the results carry, which is less exact.`,
		Example: `  intershap compare early.json late.json
  intershap compare early=a1.json,a2.json,a3.json late=b1.json,b2.json,b3.json
  intershap compare old.json new.json --fail-above 0.05 --fail-below -0.05`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, also where the comparison is refused, 2 wrong usage,\n  3 --fail-above or --fail-below not met",
		},
		Args: wantSides,
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			opt.args = args
			if err := refuseEmpty(cmd.Flags(), "out", "labels"); err != nil {
				return err
			}
			opt.fromEnvironment, err = readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runCompare(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringArrayVar(&opt.samples, "samples", nil, "`LABEL=FILE[,FILE...]` with the samples of a side's results, in their order (default: the files that the results name)")
	flags.StringVar(&opt.labels, "labels", "", "`FILE` of data with a column label, for accuracy; needs files of samples")
	define(flags, &opt.options.Level, "level", "0.95", "L", "confidence level of intervals", readLevel)
	define(flags, &opt.options.Draws, "draws", strconv.Itoa(compare.DefaultDraws), "N", "draws of the bootstrap", readCount(1))
	define(flags, &opt.options.Seed, "seed", "1", "N", "seed of the draws", readSeed)
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the result beside the table: .json, .csv or .md; -: JSON on standard output")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.BoolVar(&opt.csv, "csv", false, "print CSV instead of the table")
	flags.BoolVar(&opt.markdown, "markdown", false, "print Markdown instead of the table")
	flags.BoolVar(&opt.options.Force, "force", false, "compare what is refused otherwise, and overwrite a file that exists")
	define(flags, &opt.failAbove, "fail-above", "", "X", "exit with 3 when the headline of a side is higher than the first's by more than X (-1 to 1)", readDifference)
	define(flags, &opt.failBelow, "fail-below", "", "X", "exit with 3 when the difference of a headline is below X (-1 to 1)", readDifference)
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

// wantSides checks that there is something to compare.
func wantSides(cmd *cobra.Command, args []string) error {
	const fewest = 2
	if len(args) >= fewest {
		return nil
	}
	fault := usagef("want at least two sides, got %d", len(args))
	fault.command = cmd.CommandPath()
	return fault
}

// readDifference reads a bound of a difference of fractions.
func readDifference(text string) (bound, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(math.Abs(x) <= 1) {
		return bound{}, fmt.Errorf("want a difference of fractions from -1 to 1, such as 0.05, got %q", text)
	}
	return bound{at: x, set: true}, nil
}

// check refuses what is wrong with the command line alone.
func (o *compareOptions) check(sides []sideNames) error {
	var chosen []string
	for _, f := range []struct {
		name   string
		set    bool
		format compareFormat
	}{{"--json", o.json, compareJSON}, {"--csv", o.csv, compareCSV}, {"--markdown", o.markdown, compareMarkdown}} {
		if f.set {
			chosen, o.format = append(chosen, f.name), f.format
		}
	}
	if o.out == standardOutput {
		chosen, o.format = append(chosen, "--out -"), compareJSON
	}
	if len(chosen) > 1 && !(len(chosen) == 2 && o.json && o.out == standardOutput) {
		return usagef("%s: want one form on standard output", strings.Join(chosen, " and "))
	}
	if o.out != "" && o.out != standardOutput && formatOf(o.out) == compareTable {
		return usagef("--out %s: want a name that ends in .json, .csv or .md, or - for standard output", o.out)
	}
	if o.failAbove.set && o.failBelow.set && o.failAbove.at < o.failBelow.at {
		return usagef("--fail-above %v and --fail-below %v: no number is within both", o.failAbove.at, o.failBelow.at)
	}
	if beyond := float64(o.options.Draws) * (1 - o.options.Level) / 2; beyond < compare.LeastBeyond-1e-9 {
		return usagef("--draws %d: want at least %.0f for --level %v", o.options.Draws, math.Ceil(2*compare.LeastBeyond/(1-o.options.Level)-1e-6), o.options.Level)
	}
	inputs := []string{o.labels}
	for _, s := range sides {
		inputs = slices.Concat(inputs, s.paths, s.samples)
	}
	return checkWritable("out", o.out, o.options.Force, inputs...)
}

// formatOf returns the form that the ending of a file stands for.
func formatOf(path string) compareFormat {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".json":
		return compareJSON
	case ".csv":
		return compareCSV
	case ".md", ".markdown":
		return compareMarkdown
	}
	return compareTable
}

func runCompare(ctx context.Context, s *streams, opt *compareOptions) error {
	names, err := readSides(opt.args, opt.samples)
	if err != nil {
		return err
	}
	if err := opt.check(names); err != nil {
		return err
	}
	reader := &sideReader{tell: newTeller(s, opt.narration), force: opt.options.Force}
	if opt.labels != "" {
		if reader.labels, err = readLabels(ctx, opt.labels); err != nil {
			return err
		}
	}
	var sides []compare.Side
	for _, n := range names {
		side, err := reader.read(n)
		if err != nil {
			return err
		}
		sides = append(sides, side)
	}
	opt.options.Workers = runtime.GOMAXPROCS(0)
	d := &compare.Document{
		Schema: compare.Schema, Version: intershap.Version(), Command: commandLine(opt.fromEnvironment, s.typed),
		Level: opt.options.Level, Seed: opt.options.Seed,
	}
	for i := range sides {
		d.Sides = append(d.Sides, compare.SourcesOf(&sides[i]))
	}
	for _, other := range sides[1:] {
		c, err := compare.Compare(ctx, sides[0], other, opt.options)
		if err != nil {
			return comparisonFault(err)
		}
		c.Warnings = append(c.Warnings, reader.warningsOf(c)...)
		d.Comparisons = append(d.Comparisons, c)
	}
	if err := opt.publish(s, d); err != nil {
		return err
	}
	return checkDifferences(d, opt.failAbove, opt.failBelow)
}

// comparisonFault adds the remedy to what keeps sides from being compared.
func comparisonFault(err error) error {
	var refused *compare.RefusedError
	var agreement *compare.AgreementError
	switch {
	case errors.As(err, &refused):
		hint := "--force compares them nevertheless"
		if refused.Hint != "" {
			hint = refused.Hint + "; " + hint
		}
		return &hintedError{err: err, hint: hint}
	case errors.As(err, &agreement):
		return &hintedError{err: err, hint: "explain both with --target label, or with one class:NAME, and compare those"}
	}
	return err
}

// publish writes the comparison where it was asked for.
func (o *compareOptions) publish(s *streams, d *compare.Document) error {
	if o.out != "" && o.out != standardOutput {
		write := compareWriters[formatOf(o.out)]
		if err := result.WriteFile(o.out, func(w io.Writer) error { return write(w, d) }); err != nil {
			return err
		}
	}
	if o.format == compareTable {
		p := newPage(s, o.color)
		writeComparison(p, d)
		return p.flush()
	}
	if err := compareWriters[o.format](s.out, d); err != nil {
		return err
	}
	if o.format == compareMarkdown {
		return nil // it has footnotes
	}
	// Comparisons share a side, and so some of their warnings.
	var all []diag.Warning
	for _, c := range d.Comparisons {
		for _, w := range c.Warnings {
			if !slices.Contains(all, w) {
				all = append(all, w)
			}
		}
	}
	return o.warn(s, all)
}

// checkDifferences returns a gateError for every headline whose difference is out of
// bounds. An undefined difference is within none.
func checkDifferences(d *compare.Document, above, below bound) error {
	if !above.set && !below.set {
		return nil
	}
	var faults []error
	for _, c := range d.Comparisons {
		for i := range c.Targets {
			t := &c.Targets[i]
			what := fmt.Sprintf("%s - %s, target %s: difference of %s InterSHAP", c.Other, c.Base, t.Target, wording.HeadlineName(t.Headline))
			x, ok := headlineDelta(t).Value()
			switch {
			case !ok:
				faults = append(faults, &gateError{fmt.Sprintf("%s is %s, so no bound holds", what, undefined)})
			case above.set && x > above.at:
				faults = append(faults, &gateError{fmt.Sprintf("%s is %v, above %v", what, besides(x, above.at), above.at)})
			case below.set && x < below.at:
				faults = append(faults, &gateError{fmt.Sprintf("%s is %v, below %v", what, besides(x, below.at), below.at)})
			}
		}
	}
	return errors.Join(faults...)
}

func headlineDelta(t *compare.Target) score.Share {
	if r := t.HeadlineRow(); r != nil {
		return r.Delta
	}
	return score.Share{}
}
