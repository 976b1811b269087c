package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/plot"
	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
)

type plotOptions struct {
	narration
	result, samples     string
	kind, out, format   string
	target              string
	class, sample       string
	hasClass, hasSample bool
	size                figureSize
	dpi                 int
	theme               plot.Theme
	palette             plot.Palette
	interactions        plot.Interactions
	force               bool
	typedDPI, typedForm bool
}

// allKinds is the kind that stands for every kind.
const allKinds = "all"

// The formats of figures, which are their extensions.
const (
	formatSVG = "svg"
	formatPNG = "png"
	formatPDF = "pdf"
)

var figureFormats = []string{formatSVG, formatPNG, formatPDF}

// kindNames are the kinds that --kind takes.
func kindNames() []string {
	var out []string
	for _, k := range plot.Kinds() {
		out = append(out, string(k))
	}
	return append(out, allKinds)
}

func newPlot(s *streams) *cobra.Command {
	var opt plotOptions
	cmd := &cobra.Command{
		Use:   "plot RESULT -o FILE [flags]",
		Short: "Draw figures of a result",
		Long: `Draw figures of a result, which is what explain wrote with -o run.json.

  waterfall  from the base value by each effect to the output, a row an effect
  force      the same as one band: what raises the output against what lowers it
  matrix     phi with values and shares
  network    modalities as nodes, interactions as edges
  beeswarm   local scores and phi over samples; needs --samples
  bars       contributions and interaction of each predicted class, to 100 %
  spectrum   effects of single modalities against those of pairs
  groups     the same as bars, of each group of --by and of the samples that
             lack the same modalities
  all        each of them, as files in a folder

A figure is about the data set, or with --class about the samples with one
predicted class, or with --sample about one sample.`,
		Example: `  intershap plot run.json -o waterfall.svg
  intershap plot run.json --kind force --samples run.npz --sample 5017 -o f.pdf
  intershap plot run.json --kind all --samples run.npz -o figures/`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage"},
		Args:        wantArgs("RESULT"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.result = args[0]
			if err := refuseEmpty(cmd.Flags(), "out", "samples", "target"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			changed := func(name string) bool { return cmd.Flags().Changed(name) }
			opt.hasClass, opt.hasSample = changed("class"), changed("sample")
			opt.typedDPI, opt.typedForm = changed("dpi"), changed("format")
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runPlot(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &opt.kind, "kind", string(plot.Waterfall), "KIND", "of the above", readWord(kindNames()...))
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the figure: .svg, .png or .pdf, -: standard output; a folder for all kinds")
	define(flags, &opt.format, "format", formatSVG, "F", "of what goes to a folder or to standard output: svg, png or pdf", readWord(figureFormats...))
	flags.StringVar(&opt.target, "target", "", "`TARGET` that is drawn (default: the only one)")
	flags.StringVar(&opt.class, "class", "", "predicted `CLASS` whose samples are drawn")
	flags.StringVar(&opt.sample, "sample", "", "`ID` of the sample that is drawn; needs --samples")
	flags.StringVar(&opt.samples, "samples", "", "`FILE` that explain wrote with --samples")
	define(flags, &opt.interactions, "interactions", string(plot.Pairs), "HOW", "pairs: one by one, or one: all together",
		readNamed(readInteractions, string(plot.Pairs), string(plot.One)))
	define(flags, &opt.size, "size", "", "WxH", "in px (1/96 inch) or mm, such as 800x500 or 180x120mm; W alone: as high as needed (default: as large as needed)", readFigureSize)
	define(flags, &opt.dpi, "dpi", "192", "N", "dots an inch of PNG (default with a --size in px: 96, which is that size)", readDPI)
	define(flags, &opt.theme, "theme", plot.Light.String(), "T", "light or dark", readNamed(plot.ParseTheme, plot.Light.String(), plot.Dark.String()))
	define(flags, &opt.palette, "palette", plot.PaletteNames()[0], "P",
		"colours: "+strings.Join(plot.PaletteNames(), ", ")+"; or three or more of your own, such as '#009e73,purple,orange,blue'; the first raises, the second lowers the output, the third is interaction", plot.ParsePalette)
	flags.BoolVar(&opt.force, "force", false, "overwrite files that exist")
	addNarration(flags, &opt.narration)
	for name, complete := range map[string]cobra.CompletionFunc{
		"kind":         completeWords(kindNames()...),
		"format":       completeWords(figureFormats...),
		"theme":        completeWords(plot.Light.String(), plot.Dark.String()),
		"palette":      completeWords(plot.PaletteNames()...),
		"interactions": completeWords(string(plot.Pairs), string(plot.One)),
		"color":        completeWords(colorAuto, colorAlways, colorNever),
		"target": completeNames(func(ex *result.Explanation) (out []string) {
			for _, t := range ex.Targets {
				out = append(out, t.Target)
			}
			return out
		}),
		"class": completeNames(func(ex *result.Explanation) []string { return ex.Classes }),
		"samples": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return append([]string{"jsonl"}, dataExtensions...), cobra.ShellCompDirectiveFilterFileExt
		},
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
	return cmd
}

// completeNames proposes what a result has of something.
func completeNames(have func(*result.Explanation) []string) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ex, err := result.ReadFile(args[0])
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return completeWords(have(ex)...)(cmd, args, typed)
	}
}

func readInteractions(text string) (plot.Interactions, error) {
	if how := plot.Interactions(text); how == plot.Pairs || how == plot.One {
		return how, nil
	}
	return "", errors.New("unknown word")
}

// toFolder reports whether figures go to a folder.
func (o *plotOptions) toFolder() bool { return o.kind == allKinds }

// check refuses what is wrong with the command line alone, and settles the format.
func (o *plotOptions) check() error {
	switch {
	case o.hasClass && o.hasSample:
		return usagef("--class and --sample: want one of them")
	case o.hasSample && o.samples == "":
		fault := usagef("--sample %s: a sample is drawn from a samples file", o.sample)
		fault.hint = "add --samples FILE, which explain wrote with --samples"
		return fault
	case o.out == "":
		fault := usagef("--out is missing")
		fault.hint = "name a file, for example -o figure.svg, or a folder with --kind all"
		return fault
	case o.toFolder() && o.out == standardOutput:
		return usagef("--out -: --kind all writes several files, want a folder")
	}
	if err := checkSamples(o.samples); err != nil {
		return err
	}
	if !o.typedDPI && o.size.pixels {
		o.dpi = scene.DPI
	}
	if o.toFolder() {
		return o.checkFolder()
	}
	if o.out == standardOutput {
		return nil
	}
	extension := extensionOf(o.out)
	if !slices.Contains(figureFormats, extension) {
		fault := usagef("--out %s: want a name that ends in .svg, .png or .pdf, or - for standard output", o.out)
		fault.hint = "a folder is for --kind all"
		return fault
	}
	if o.typedForm && extension != o.format {
		return usagef("--out %s: the name says another format than --format %s", o.out, o.format)
	}
	o.format = extension
	return checkWritable("out", o.out, o.force, o.inputs()...)
}

// extensionOf returns the extension of a file without its point, in small letters.
func extensionOf(path string) string {
	return strings.ToLower(strings.TrimPrefix(filepath.Ext(path), "."))
}

// inputs are the files that the figure is made from.
func (o *plotOptions) inputs() []string {
	files := []string{o.result}
	if o.samples != "" {
		files = append(files, o.samples)
	}
	return files
}

// checkFolder refuses a folder that cannot be written, or one with figures that
// nobody said to replace.
func (o *plotOptions) checkFolder() error {
	info, err := os.Stat(o.out)
	switch {
	case errors.Is(err, fs.ErrNotExist) && slices.Contains(figureFormats, extensionOf(o.out)):
		fault := usagef("--out %s: --kind all writes several files, want a folder, got the name of a figure", o.out)
		fault.hint = "name a folder, for example -o figures/, and the format with --format " + extensionOf(o.out)
		return fault
	case errors.Is(err, fs.ErrNotExist):
		return checkWritable("out", filepath.Clean(o.out), false)
	case err != nil:
		return usagef("--out %s: %w", o.out, err)
	case !info.IsDir():
		fault := usagef("--out %s: --kind all writes several files, want a folder, got a file", o.out)
		fault.hint = "name a folder, for example -o figures/"
		return fault
	}
	for _, k := range plot.Kinds() {
		if err := checkWritable("out", o.path(k), o.force, o.inputs()...); err != nil {
			return err
		}
	}
	return nil
}

// path returns the file of a kind in the folder.
func (o *plotOptions) path(k plot.Kind) string {
	return filepath.Join(o.out, string(k)+"."+o.format)
}

func runPlot(ctx context.Context, s *streams, opt *plotOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	if opt.out == standardOutput && opt.format != formatSVG && s.outTerminal {
		fault := usagef("--out -: a terminal does not show %s", opt.format)
		fault.hint = "name a file, or send the output to one"
		return fault
	}
	subject, ex, err := opt.choose()
	if err != nil {
		return opt.hint(err, ex)
	}
	kinds := []plot.Kind{plot.Kind(opt.kind)}
	if opt.toFolder() {
		kinds = subject.Kinds()
	}
	// All are drawn before the first is written: a folder with some of them would
	// pass for a whole one.
	tell := newTeller(s, opt.narration)
	files := map[plot.Kind][]byte{}
	var missing []rune
	for _, k := range kinds {
		if err := ctx.Err(); err != nil {
			return err
		}
		sc, err := plot.Draw(k, subject, opt.look())
		if errors.Is(err, plot.ErrUnfit) && opt.toFolder() {
			if !opt.quiet {
				_, _ = fmt.Fprintf(s.err, "%s: left out: %s\n", program, escape(strings.TrimPrefix(err.Error(), "plot: ")))
				if opt.samples == "" && k.Needs() {
					_, _ = fmt.Fprintf(s.err, "hint: %s\n", escape(samplesHint(ex)))
				}
			}
			continue
		}
		if err != nil {
			return opt.hint(err, ex)
		}
		if files[k], err = opt.encode(sc); err != nil {
			return err
		}
		if opt.format != formatSVG {
			missing = append(missing, sc.Missing()...)
		}
	}
	if text := missingLetters(missing); text != "" && !opt.quiet {
		_, _ = fmt.Fprintf(s.err, "%s: warning: %s\n", program, escape(text))
	}
	if opt.out == standardOutput {
		_, err := s.out.Write(files[kinds[0]])
		return err
	}
	if opt.toFolder() {
		if err := os.Mkdir(opt.out, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("cli: the folder cannot be made: %w", err)
		}
	}
	for _, k := range kinds {
		file, drawn := files[k]
		if !drawn {
			continue
		}
		path := opt.out
		if opt.toFolder() {
			path = opt.path(k)
		}
		if err := result.WriteFile(path, func(w io.Writer) error {
			_, err := w.Write(file)
			return err
		}); err != nil {
			return err
		}
		tell.step("%s written", path)
	}
	if opt.quiet {
		return nil
	}
	p := newPage(s, opt.color)
	if opt.toFolder() {
		p.pairs([][2]string{{"folder", opt.out + ", " + count(int64(len(files)), "figure")}})
	} else {
		p.pairs([][2]string{{"figure", opt.out}})
	}
	return p.flush()
}

// missingLetters says which letters figures do not show, up to a dozen of them; "" for
// none.
func missingLetters(letters []rune) string {
	const most = 12
	var said []string
	all := map[rune]bool{}
	for _, r := range letters {
		if !all[r] && len(all) < most {
			said = append(said, string(r))
		}
		all[r] = true
	}
	if len(all) == 0 {
		return ""
	}
	text := "the font has no letters for " + strings.Join(said, " ")
	if more := len(all) - len(said); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text + ": SVG keeps them"
}

// readResult reads the explanation, and says of a file that cannot be opened what
// samples files say.
func (o *plotOptions) readResult() (*result.Explanation, error) {
	ex, err := result.ReadFile(o.result)
	if inPath := (*fs.PathError)(nil); errors.As(err, &inPath) && inPath.Op == "open" {
		return nil, fmt.Errorf("result: %s: cannot be opened: %w", o.result, inPath.Err)
	}
	return ex, err
}

// samplesHint says which samples file to add.
func samplesHint(ex *result.Explanation) string {
	if ex != nil && ex.SamplesFile != nil {
		return "add --samples " + quoteShell(*ex.SamplesFile) + ", which the run wrote"
	}
	return "add --samples FILE, which explain writes with --samples"
}

// choose reads the files and picks what is drawn.
func (o *plotOptions) choose() (*plot.Subject, *result.Explanation, error) {
	ex, err := o.readResult()
	if err != nil {
		return nil, nil, err
	}
	var samples *result.Samples
	if o.samples != "" {
		if samples, err = result.ReadSamples(o.samples); err != nil {
			return nil, ex, err
		}
	}
	choice := plot.Choice{Target: o.target}
	if o.hasClass {
		choice.Class = &o.class
	}
	if o.hasSample {
		choice.Sample = &o.sample
	}
	subject, err := plot.Choose(ex, samples, choice)
	return subject, ex, err
}

func (o *plotOptions) look() plot.Options {
	return plot.Options{
		Width: o.size.width, Height: o.size.height,
		Theme: o.theme, Palette: o.palette, Interactions: o.interactions,
	}
}

// mostPixels bounds a PNG: more would fill the memory before anyone looked at it.
const mostPixels = 200e6

// encode writes a figure in the format that was asked for.
func (o *plotOptions) encode(sc *scene.Scene) ([]byte, error) {
	var b bytes.Buffer
	var err error
	switch o.format {
	case formatPNG:
		scale := float64(o.dpi) / scene.DPI
		if n := sc.Width * sc.Height * scale * scale; n > mostPixels {
			return nil, usagef("--dpi %d: the picture would have %.0f million pixels, want %.0f million at most", o.dpi, n/1e6, mostPixels/1e6)
		}
		err = sc.WritePNG(&b, o.dpi)
	case formatPDF:
		err = sc.WritePDF(&b)
	default:
		err = sc.WriteSVG(&b)
	}
	return b.Bytes(), err
}

// hint adds the flag that mends what is wrong.
func (o *plotOptions) hint(err error, ex *result.Explanation) error {
	var choice *plot.ChoiceError
	switch {
	case errors.As(err, &choice) && choice.Got != "" && nearest(choice.Got, choice.Have) != "":
		return &hintedError{err, didYouMean(nearest(choice.Got, choice.Have))}
	case errors.As(err, &choice):
		return &hintedError{err, fmt.Sprintf("choose with --%s", choice.What)}
	case errors.Is(err, plot.ErrSize):
		return &hintedError{err, "a larger --size, or none: the figure takes what it needs then"}
	case errors.Is(err, plot.ErrUnfit) && o.samples == "" && plot.Kind(o.kind).Needs():
		return &hintedError{err, samplesHint(ex)}
	}
	return err
}
