package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/synth"
)

type synthOptions struct {
	narration
	kind, setting, out  string
	modalities, samples int
	seed                uint64
	variant             synth.Variant
	labelling           synth.Labelling
	format              synth.Format
	json, force         bool
	// labelTyped is set when --label stands on the command line.
	labelTyped bool
}

var (
	synthKinds     = []string{synth.KindHDXOR, synth.KindSUM}
	variantNames   = names(synth.Appendix, synth.Code)
	labellingNames = names(synth.ExactlyOne, synth.Parity)
	formatNames    = names(synth.NPZ, synth.Parquet)
)

func newSynth(s *streams) *cobra.Command {
	var opt synthOptions
	cmd := &cobra.Command{
		Use:   "synth { hd-xor | sum } --setting S -o FOLDER [flags]",
		Short: "Make data with known answers",
		Long: `Make data with known answers: the synthetic data of the paper, in splits for
training, validation and test.

hd-xor hides bits in noise and makes the label of the bits. S says which
modalities carry them: uniqueness-1, uniqueness-2, ..., synergy, redundancy, or
random for labels that depend on nothing. FOLDER also gets the clean bits of the
test split and, as baseline.onnx, the function that made the labels of them.

sum makes the label of sums of the modalities' own numbers: uniqueness-1,
uniqueness-2, mix-1, mix-2, synergy, redundancy.`,
		Example: `  intershap synth hd-xor --setting synergy --modalities 3 -o xor3/
  intershap explain xor3/baseline.onnx xor3/bits.npz
  intershap synth sum --setting mix-1 --variant code -o mix/`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage"},
		ValidArgs:   synthKinds,
		Args:        wantArgs("KIND"),
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.kind = args[0]
			// A variable is for all commands; a flag is for this one.
			opt.labelTyped = cmd.Flags().Changed("label")
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runSynth(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&opt.setting, "setting", "", "which modalities carry what the label is made of: `S`, see above")
	flags.StringVarP(&opt.out, "out", "o", "", "`FOLDER` for the files; it is made where it is not there")
	define(flags, &opt.modalities, "modalities", "2", "M", "number of modalities of hd-xor", readCount(2))
	define(flags, &opt.labelling, "label", synth.ExactlyOne.String(), "RULE", "label of the bits of hd-xor: exactly-one or parity",
		readNamed(synth.ParseLabelling, labellingNames...))
	define(flags, &opt.variant, "variant", synth.Appendix.String(), "V", "sizes and noise as in the paper's appendix or its code",
		readNamed(synth.ParseVariant, variantNames...))
	define(flags, &opt.samples, "samples", strconv.Itoa(synth.DefaultSamples), "N", "samples, cut into 70, 15 and 15 %", readCount(synth.MinSamples))
	define(flags, &opt.seed, "seed", "1", "N", "the same data for the same seed, on every machine", readSeed)
	define(flags, &opt.format, "format", synth.NPZ.String(), "F", "of the data files: npz or parquet", readNamed(synth.ParseFormat, formatNames...))
	flags.BoolVar(&opt.json, "json", false, "print JSON")
	flags.BoolVar(&opt.force, "force", false, "replace the data that FOLDER has")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	for name, complete := range map[string]cobra.CompletionFunc{
		"setting": completeSetting,
		"label":   completeWords(labellingNames...),
		"variant": completeWords(variantNames...),
		"format":  completeWords(formatNames...),
		"out": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return nil, cobra.ShellCompDirectiveFilterDirs
		},
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
	return cmd
}

// completeSetting proposes the settings of the kind that is typed, for the number
// of modalities typed so far.
func completeSetting(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	kind := synth.KindHDXOR
	if len(args) > 0 {
		kind = args[0]
	}
	m, err := strconv.Atoi(cmd.Flags().Lookup("modalities").Value.String())
	if err != nil {
		m = 2
	}
	return completeWords(settingNames(kind, m)...)(cmd, args, typed)
}

// settingNames returns the settings of a kind of data.
func settingNames(kind string, modalities int) []string {
	settings := synth.HDXORSettings(modalities)
	if kind == synth.KindSUM {
		settings = synth.SUMSettings()
	}
	var out []string
	for _, s := range settings {
		out = append(out, string(s))
	}
	return out
}

// check refuses what is wrong with the command line alone.
func (o *synthOptions) check() error {
	if !slices.Contains(synthKinds, o.kind) {
		unknown := &wordError{got: o.kind, valid: synthKinds}
		return &usageError{err: unknown, hint: unknown.hint()}
	}
	valid := settingNames(o.kind, min(o.modalities, synth.MaxModalities))
	isSum := o.kind == synth.KindSUM
	switch {
	case isSum && o.modalities != 2:
		return usagef("--modalities %d: sum has two modalities", o.modalities)
	case o.modalities > synth.MaxModalities:
		return usagef("--modalities %d: want at most %d", o.modalities, synth.MaxModalities)
	case o.setting == "":
		fault := usagef("--setting is missing")
		fault.hint = "want " + strings.Join(valid, ", ")
		return fault
	case !slices.Contains(valid, o.setting):
		unknown := &wordError{got: o.setting, valid: valid}
		return &usageError{err: fmt.Errorf("--setting: %w", unknown), hint: unknown.hint()}
	case o.labelTyped && isSum:
		return usagef("--label %v: the labels of sum are made of sums, not of bits", o.labelling)
	case o.labelTyped && o.setting == string(synth.Random):
		return usagef("--label %v: labels of the setting random are coin flips", o.labelling)
	}
	return o.checkFolder()
}

// checkFolder refuses, before anything is drawn, a folder that cannot be written,
// or one with data that nobody said to replace.
func (o *synthOptions) checkFolder() error {
	if o.out == "" {
		fault := usagef("--out is missing")
		fault.hint = "name a folder, for example -o data/"
		return fault
	}
	info, err := os.Stat(o.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		// The folder is made in the one that it lies in.
		return checkWritable("out", filepath.Clean(o.out), false)
	case err != nil:
		return usagef("--out %s: %w", o.out, err)
	case !info.IsDir():
		fault := usagef("--out %s: want a folder, got a file", o.out)
		fault.hint = "name a folder, for example -o data/"
		return fault
	}
	var have []string
	for _, name := range synth.FileNames() {
		info, err := os.Lstat(filepath.Join(o.out, name))
		switch {
		case err == nil && info.IsDir():
			return usagef("--out %s: %s in it is a folder", o.out, name)
		case err == nil:
			have = append(have, name)
		}
	}
	if len(have) > 0 && !o.force {
		fault := usagef("--out %s: the folder has data already: %s", o.out, strings.Join(have, ", "))
		fault.hint = "--force replaces them; or name another folder"
		return fault
	}
	return probe("out", filepath.Join(o.out, synth.DescriptionFile))
}

func runSynth(ctx context.Context, s *streams, opt *synthOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	set, err := opt.draw()
	if errors.Is(err, synth.ErrOptions) {
		return usagef("%w", err)
	}
	if err != nil {
		return err
	}
	// A signal has ended the command by here, or nothing is left half.
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := opt.write(newTeller(s, opt.narration), set); err != nil {
		return err
	}
	description := set.Describe(opt.format)
	if opt.json {
		return writeJSON(s, description)
	}
	p := newPage(s, opt.color)
	writeSynth(p, opt.out, description)
	return p.flush()
}

// draw makes the data.
func (o *synthOptions) draw() (*synth.Set, error) {
	if o.kind == synth.KindSUM {
		return synth.SUM(synth.SUMOptions{
			Setting: synth.Setting(o.setting), Samples: o.samples, Seed: o.seed, Variant: o.variant,
		})
	}
	return synth.HDXOR(synth.HDXOROptions{
		Setting: synth.Setting(o.setting), Modalities: o.modalities, Samples: o.samples,
		Seed: o.seed, Variant: o.variant, Labelling: o.labelling,
	})
}

// write writes the files of the set, and removes those of another set that this one
// does not have: nobody could tell afterwards. The description goes first and comes
// last, so that a folder with one is complete.
func (o *synthOptions) write(tell teller, set *synth.Set) error {
	if err := os.Mkdir(o.out, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cli: the folder cannot be made: %w", err)
	}
	files := set.Files(o.format)
	for _, name := range synth.FileNames() {
		stays := slices.ContainsFunc(files, func(f synth.File) bool { return f.Name == name })
		if stays && name != synth.DescriptionFile {
			continue
		}
		if err := os.Remove(filepath.Join(o.out, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("cli: a file of other data cannot be removed: %w", err)
		}
	}
	for _, f := range files {
		path := filepath.Join(o.out, f.Name)
		if err := result.WriteFile(path, f.Write); err != nil {
			return err
		}
		tell.step("%s written", path)
	}
	return nil
}

// writeSynth says what was made.
func writeSynth(p *page, folder string, d *synth.Description) {
	var modalities []string
	for _, m := range d.Modalities {
		modalities = append(modalities, fmt.Sprintf("%s %d", m.Name, m.Elements))
	}
	p.pairs([][2]string{
		{"data", fmt.Sprintf("%s, setting %s, label %s, variant %s, seed %d", d.Kind, d.Setting, d.Label, d.Variant, d.Seed)},
		{"modalities", strings.Join(modalities, ", ")},
		{"folder", folder},
	})
	p.blank()
	number := func(text string) cell { return cell{head: text, number: true} }
	rows := [][]cell{{{head: "file"}, number("samples"), number("label 0"), number("label 1")}}
	for _, f := range d.Files {
		rows = append(rows, []cell{
			{head: f.File}, number(grouped(int64(f.Samples))),
			number(percent(float64(f.Classes[0]) / float64(f.Samples))), number(percent(float64(f.Classes[1]) / float64(f.Samples))),
		})
	}
	p.grid(rows)
	p.blank()
	if d.Baseline == nil {
		p.line("labels are no function of bits here: there is no file of bits and no baseline")
		return
	}
	p.line("%s is the function that made the labels, on the clean bits of the test split", *d.Baseline)
}
