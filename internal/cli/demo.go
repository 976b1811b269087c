package cli

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/demo"
	"github.com/intershap/intershap/report"
	"github.com/intershap/intershap/result"
)

// demoPage is the page's name where none is given.
const demoPage = "intershap-demo.html"

// demoNext does with a person's own files what the demo did.
const demoNext = program + " explain MODEL DATA --background ROWS -o run.json"

type demoOptions struct {
	narration
	out         string
	json, force bool
}

func newDemo(s *streams) *cobra.Command {
	var opt demoOptions
	cmd := &cobra.Command{
		Use:   "demo [flags]",
		Short: "Explain a built-in model whose answer is known",
		Long: `Explain a built-in model whose answer is known: no files, no native library, no
network, a second or two.

Four measurements of invented patients, three classes. A hazy image decides by
itself; ecg and labs matter only together, where the two contradict each other;
notes are read by nobody. The table finds that, and the page shows it.

The page ` + demoPage + ` of an earlier demo is written anew.`,
		Example: `  intershap demo
  intershap demo -o /tmp/demo.html`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, 2 wrong usage, also where the page cannot be written,\n  129 to 131 and 143 interrupted",
		},
		Args: wantArgs(),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseEmpty(cmd.Flags(), "out"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runDemo(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVarP(&opt.out, "out", "o", demoPage, "`FILE` for the page; -: standard output, instead of the table")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addProgress(flags, &opt.narration)
	addCompletions(cmd)
	return cmd
}

// check refuses what is wrong with the command line alone.
func (o *demoOptions) check() error {
	if o.out == standardOutput && o.json {
		return usagef("--json and --out -: both go to standard output")
	}
	if ext := filepath.Ext(o.out); o.out != standardOutput && !strings.EqualFold(ext, ".html") && !strings.EqualFold(ext, ".htm") {
		return usagef("--out %s: want a name that ends in .html, or - for standard output", o.out)
	}
	return checkWritable("out", o.out, o.force || isDemoPage(o.out))
}

// isDemoPage reports whether a file is the page that a demo wrote under the name that
// it has by itself: nobody asked for that name, so that nothing of anybody's is lost.
func isDemoPage(path string) bool {
	if path != demoPage {
		return false
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	const head = 4 << 10 // the title is among the first lines of a page
	start, err := io.ReadAll(io.LimitReader(f, head))
	return err == nil && bytes.Contains(start, []byte("<title>InterSHAP of "+demo.Name+"</title>"))
}

func runDemo(ctx context.Context, s *streams, opt *demoOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	workers := runtime.GOMAXPROCS(0)
	bar := newProgress(s, opt.narration)
	var kept result.SamplesMemory
	plan, err := demo.NewPlan(ctx, intershap.Options{Workers: workers, Progress: bar.tell, Sink: &kept})
	if err != nil {
		return err
	}
	newTeller(s, opt.narration).plan(plan)
	bar.start()
	ex, err := plan.Explain(ctx)
	bar.finish()
	if err != nil {
		return err
	}
	samples, err := kept.Samples()
	if err != nil {
		return err
	}
	demo.Sign(ex, commandLine(nil, s.typed))
	page := func(w io.Writer) error { return report.Write(w, &ex.Explanation, samples) }
	if opt.out == standardOutput {
		return page(s.out)
	}
	// The page comes first, so that what is printed is true.
	if err := result.WriteFile(opt.out, page); err != nil {
		return err
	}
	if opt.json {
		return ex.Write(s.out)
	}
	p := newPage(s, opt.color)
	writeTable(p, &ex.Explanation, circumstances{})
	p.blank()
	p.pairs([][2]string{{"known", demo.Known}, {"page", opt.out + ", for a browser"}, {"next", demoNext}})
	return p.flush()
}
