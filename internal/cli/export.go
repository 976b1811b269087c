package cli

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/export"
	"github.com/intershap/intershap/result"
)

// The values of --to.
const (
	toShap       = "shap"
	toShapiq     = "shapiq"
	toShapiqGame = "shapiq-game"
)

var (
	exportForms  = []string{toShap, toShapiq, toShapiqGame}
	featureNames = names(export.Modalities, export.Parts)
)

// exportExtensions are those of the files of each form.
var exportExtensions = map[string][]string{
	toShap: {".npz"}, toShapiq: {".json"}, toShapiqGame: {".json", ".npz"},
}

type exportOptions struct {
	narration
	run, samples, out string
	to, target        string
	sample            string
	oneSample         bool
	features          export.Features
	force             bool
}

func newExport(s *streams) *cobra.Command {
	var opt exportOptions
	cmd := &cobra.Command{
		Use:   "export RESULT --to FORM -o FILE [flags]",
		Short: "Write a result in the shape of another tool",
		Long: `Write a result in the shape of another tool, for its plots and methods. RESULT
is the JSON document of explain; --samples adds the values of every sample.

--to shap writes NumPy arrays named as the arguments of shap.Explanation: of
every sample, of the one that --sample names or, without samples, of the data
set's mean. --to shapiq writes the InteractionValues of one sample or of the
mean. --to shapiq-game writes a game, the value of every coalition, as JSON or
NPZ.

pandas, Polars, DuckDB and R read samples files as they are. docs/recipes.md has
the lines that open each.`,
		Example: `  intershap export run.json --samples run.npz --to shap -o shap.npz
  intershap export run.json --to shap --features parts -o mean.npz
  intershap export run.json --samples run.npz --to shapiq --sample 5001 \
    -o iv.json`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, also where the samples are not of this run, 2 wrong usage",
		},
		Args: wantArgs("RESULT"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.run = args[0]
			if err := refuseEmpty(cmd.Flags(), "out", "samples", "target"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			opt.oneSample = cmd.Flags().Changed("sample") // an id may be empty
			return err
		},
		RunE: offerHelp(func(context.Context) error { return runExport(s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &opt.to, "to", "", "FORM", "shape of the file: shap, shapiq or shapiq-game", readWord(exportForms...))
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` to write; -: standard output")
	flags.StringVar(&opt.samples, "samples", "", "`FILE` with the values of every sample, as explain --samples writes it")
	flags.StringVar(&opt.sample, "sample", "", "`ID` of the one sample to write")
	flags.StringVar(&opt.target, "target", "", "`NAME` of the one target to write, such as class:ward")
	define(flags, &opt.features, "features", export.Modalities.String(), "F",
		"columns of shap's values: modalities, or parts, which are modalities alone and pairs", readNamed(export.ParseFeatures, featureNames...))
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	for name, words := range map[string][]string{"to": exportForms, "features": featureNames} {
		if err := cmd.RegisterFlagCompletionFunc(name, completeWords(words...)); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
	return cmd
}

// check refuses what is wrong with the command line alone.
func (o *exportOptions) check(s *streams) error {
	switch {
	case o.to == "":
		fault := usagef("missing flag --to FORM")
		fault.hint = "FORM is one of " + strings.Join(exportForms, ", ")
		return fault
	case o.out == "":
		return usagef("missing flag --out FILE")
	case o.oneSample && o.samples == "":
		fault := usagef("--sample %q: one sample is in a samples file", o.sample)
		fault.hint = "add --samples FILE, as explain --samples wrote it"
		return fault
	case o.to == toShapiqGame && o.samples == "":
		fault := usagef("--to %s: the values of coalitions are in a samples file", o.to)
		fault.hint = "add --samples FILE, as explain --samples wrote it, .npz or .jsonl"
		return fault
	}
	if err := checkSamples(o.samples); err != nil {
		return err
	}
	wanted := exportExtensions[o.to]
	if o.out == standardOutput {
		if o.to == toShap && s.outTerminal {
			return usagef("--out -: %s is binary, and standard output is a terminal", wanted[0])
		}
		return nil
	}
	if !slices.Contains(wanted, strings.ToLower(filepath.Ext(o.out))) {
		return usagef("--out %s: want a name that ends in %s for --to %s", o.out, strings.Join(wanted, " or "), o.to)
	}
	return checkWritable("out", o.out, o.force, o.run, o.samples)
}

func runExport(s *streams, opt *exportOptions) error {
	if err := opt.check(s); err != nil {
		return err
	}
	tell := newTeller(s, opt.narration)
	ex, samples, err := readRun(tell, opt.run, opt.samples)
	if err != nil {
		return err
	}
	x, err := export.New(ex, samples)
	if err != nil {
		return err
	}
	place, err := opt.place(x)
	if err != nil {
		return err
	}
	write := func(w io.Writer) error { return opt.write(x, w, place) }
	if opt.out == standardOutput {
		return write(s.out)
	}
	if err := result.WriteFile(opt.out, write); err != nil {
		return err
	}
	if opt.quiet {
		return nil
	}
	p := newPage(s, opt.color)
	p.pairs([][2]string{{"file", opt.out}, {"holds", opt.holds(ex, samples)}})
	return p.flush()
}

// place finds the sample and the target that were named.
func (o *exportOptions) place(x *export.Export) (place export.Place, err error) {
	place = export.Place{Sample: export.All, Target: export.All}
	if o.oneSample {
		if place.Sample, err = x.Sample(o.sample); err != nil {
			return place, err
		}
	}
	if o.target != "" {
		place.Target, err = x.Target(o.target)
	}
	return place, err
}

func (o *exportOptions) write(x *export.Export, w io.Writer, place export.Place) error {
	switch {
	case o.to == toShap:
		return x.Shap(w, place, o.features)
	case o.to == toShapiq:
		return x.InteractionValues(w, place)
	case strings.EqualFold(filepath.Ext(o.out), ".npz"):
		return x.GameNPZ(w, place)
	}
	return x.Game(w, place)
}

// holds says what was written.
func (o *exportOptions) holds(ex *result.Explanation, samples *result.Samples) string {
	what := map[string]string{toShap: "shap.Explanation, " + o.features.String(), toShapiq: "shapiq.InteractionValues", toShapiqGame: "shapiq.Game"}[o.to]
	switch {
	case o.oneSample:
		what += ", sample " + o.sample
	case samples != nil && o.to == toShap:
		what += ", " + count(int64(samples.Len()), "sample")
	default:
		what += ", mean over " + count(int64(ex.Targets[0].Samples), "sample")
	}
	targets := ex.Targets[0].Target
	if n := len(ex.Targets); n > 1 && o.target == "" {
		targets = count(int64(n), "target")
	} else if o.target != "" {
		targets = o.target
	}
	return what + ", " + targets
}
