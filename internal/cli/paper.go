package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/paper"
	"github.com/intershap/intershap/score"
)

type paperOptions struct {
	narration
	options paper.Options
	json    bool
}

// The folders of a run that names none.
const (
	paperFolder      = "intershap-paper"
	paperFolderQuick = "intershap-paper-quick"
)

func newPaper(s *streams) *cobra.Command {
	var opt paperOptions
	o := &opt.options
	cmd := &cobra.Command{
		Use:   "paper [flags]",
		Short: "Reproduce the paper's tables",
		Long: `Reproduce the tables of the paper that defines InterSHAP: make the data, train
the networks, score them, and print each published number with ours beside it.

Networks and scores are kept in a folder: the same command goes on after a stop,
and takes what is there for another table. All tables take about an hour on two
free cores; --quick takes two minutes of them and shows that everything works.
The folder gets the page of each run as ` + paper.PageFile + `, too.

The paper's Tables 4 and 5 are of data that cannot be passed on. --data adds
their columns for data of your own: a folder with train and test, .npz or
.parquet with labels, and networks model_NAME.onnx that give probabilities.
Without --table it is then all that is done.`,
		Example: `  intershap paper --quick
  intershap paper --table 2 --table 10 -o tables/
  intershap paper --data cells/`,
		Annotations: map[string]string{ExitCodesNote: "0 done, 1 failed, 2 wrong usage, 129 to 131 and 143 interrupted"},
		Args:        wantArgs(),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if err := refuseEmpty(cmd.Flags(), "out"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runPaper(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &o.Tables, "table", "", "N,...", "table to make, of "+strings.Join(tableNames(), ", ")+", or all; may be repeated, or a list (default: all, or none with --data)", tableReader())
	flags.BoolVar(&o.Quick, "quick", false, "few samples and epochs and one seed, to see that everything works")
	flags.StringArrayVar(&o.Data, "data", nil, "`FOLDER` of your own data and networks, for the columns of Tables 4 and 5; may be repeated")
	flags.StringVarP(&o.Folder, "out", "o", "", "`FOLDER` that keeps networks, scores and page (default: "+paperFolder+", or "+paperFolderQuick+")")
	define(flags, &o.Workers, "workers", "", "N", "networks trained side by side, and concurrent model calls (default: one a processor)", readCount(1))
	flags.BoolVar(&opt.json, "json", false, "print JSON")
	addNarration(flags, &opt.narration)
	addProgress(flags, &opt.narration)
	addCompletions(cmd)
	folders := func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	for name, complete := range map[string]cobra.CompletionFunc{
		"table": completeWords(append(tableNames(), allTables)...), "data": folders, "out": folders,
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
			panic(fmt.Sprintf("cli: completion of --%s: %v", name, err))
		}
	}
	return cmd
}

// allTables stands for every number.
const allTables = "all"

// tableNames lists the numbers of the tables.
func tableNames() []string {
	var out []string
	for _, n := range paper.Tables {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// tableReader returns a function that reads numbers of tables and returns them
// behind those that it has read, each once.
func tableReader() func(text string) ([]int, error) {
	var tables []int
	return func(text string) ([]int, error) {
		for word := range strings.SplitSeq(text, ",") {
			word = strings.TrimSpace(word)
			switch {
			case word == allTables:
				tables = append(tables, paper.Tables...)
				continue
			case word == "4" || word == "5":
				return nil, fmt.Errorf("the data of table %s cannot be passed on; --data shows its columns for data of your own", word)
			case !slices.Contains(tableNames(), word):
				return nil, &wordError{got: word, valid: tableNames()}
			}
			n, err := strconv.Atoi(word)
			if err != nil {
				return nil, err
			}
			tables = append(tables, n)
		}
		slices.Sort(tables)
		tables = slices.Compact(tables)
		return tables, nil
	}
}

func runPaper(ctx context.Context, s *streams, opt *paperOptions) error {
	o := &opt.options
	if o.Folder == "" {
		o.Folder = paperFolder
		if o.Quick {
			o.Folder = paperFolderQuick
		}
	}
	if o.Tables == nil && len(o.Data) > 0 {
		o.Tables = []int{}
	}
	if slices.Contains(o.Data, "") {
		return usagef("--data is empty, want the name of a folder")
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	defer leaveRoom(o.Workers)()
	bar := &paperProgress{progress: newProgress(s, opt.narration)}
	tell := newTeller(s, opt.narration)
	o.Progress = func(p paper.Progress) {
		bar.tell(p)
		if !p.Within {
			tell.step("%s", p.Step)
		}
	}
	made, err := paper.Run(ctx, *o)
	bar.finish()
	if err != nil {
		return kept(ctx, err, o.Folder)
	}
	if opt.json {
		return writeJSON(s, struct {
			Schema string `json:"schema"`
			*paper.Page
		}{paperSchema, made})
	}
	p := newPage(s, opt.color)
	writePaper(p, made)
	p.blank()
	p.line("page: %s", filepath.Join(o.Folder, paper.PageFile))
	return p.flush()
}

// paperSchema names the version of the document of `paper --json`.
const paperSchema = "intershap/paper/v1"

// writePaper writes the tables for a person, a line to a cell.
func writePaper(p *page, made *paper.Page) {
	if made.Quick {
		p.line("a quick run: few samples, epochs and seeds; it shows that everything works and says nothing about the paper")
		p.blank()
	}
	for _, text := range made.Setup.Sentences() {
		p.line("%s", text)
	}
	number := func(text string) cell { return cell{head: text, number: true} }
	for _, t := range made.Tables {
		p.blank()
		p.line("Table %d: %s", t.Number, t.Title)
		rows := [][]cell{{{head: ""}, {head: ""}, number("published"), number("ours"), number("difference")}}
		for _, l := range t.Lines {
			rows = append(rows, []cell{{head: l.Row}, {head: l.Column}, number(l.PublishedText()), number(l.OursText()), number(l.DifferenceText())})
		}
		p.grid(rows)
		for _, n := range t.Notes {
			p.hang("- ", n)
		}
	}
	for _, t := range made.Real {
		p.blank()
		p.line("%s: %s, modalities %s", t.Name, count(int64(t.Samples), "sample"), strings.Join(t.Modalities, ", "))
		rows := [][]cell{{{head: "model"}, {head: ""}, number("ours")}}
		for _, l := range t.Lines {
			rows = append(rows, []cell{{head: l.Row}, {head: l.Column}, number(l.OursText())})
		}
		p.grid(rows)
		p.blank()
		rows = [][]cell{{{head: "model"}, {head: "predicted class"}, number("samples"), number("interactions")}}
		for _, m := range t.Modalities {
			rows[0] = append(rows[0], number(m))
		}
		for _, c := range t.Classes {
			row := []cell{{head: c.Model}, {head: c.Class}, number(grouped(int64(c.Samples))), number(shareText(c.InterSHAP))}
			for _, x := range c.Contributions {
				row = append(row, number(shareText(x)))
			}
			rows = append(rows, row)
		}
		p.grid(rows)
		for _, n := range t.Notes {
			p.hang("- ", n)
		}
	}
}

// shareText writes a share in percent.
func shareText(x score.Share) string {
	if v, ok := x.Value(); ok {
		return percent(v)
	}
	return undefined
}

// A paperProgress tells which networks and scores are done, and what comes next.
type paperProgress struct {
	*progress
	step string
	// first is the number of steps that were done when the run began, told whether it
	// is known.
	first int64
	told  bool
}

func (p *paperProgress) tell(now paper.Progress) {
	if !p.told {
		p.told, p.first = true, int64(now.Done)
	}
	p.step, p.done, p.total = now.Step, int64(now.Done), int64(now.Total)
	p.show(p.sentence, p.sentence, p.writeJSON)
}

// finish clears the bar, and writes the last line for programs.
func (p *paperProgress) finish() {
	p.clear()
	if p.kind == progressJSON && p.told {
		p.writeJSON(p.s.now())
	}
}

// left estimates the seconds to go from the steps of this run, once a few are done:
// they differ much.
func (p *paperProgress) left(now time.Time) (s float64, ok bool) {
	const few = 4
	done := p.done - p.first
	if done < few {
		return 0, false
	}
	return now.Sub(p.begun).Seconds() * float64(p.total-p.done) / float64(done), true
}

func (p *paperProgress) sentence(now time.Time) string {
	text := fmt.Sprintf("%d of %d steps", p.done, p.total)
	if left, ok := p.left(now); ok {
		text += fmt.Sprintf(", about %s left", seconds(left))
	}
	return text + ", " + p.step
}

func (p *paperProgress) writeJSON(now time.Time) {
	line := struct {
		Done    int64    `json:"done"`
		Total   int64    `json:"total"`
		Seconds float64  `json:"seconds"`
		Left    *float64 `json:"seconds_left"`
		Step    string   `json:"step"`
	}{Done: p.done, Total: p.total, Seconds: now.Sub(p.begun).Seconds(), Step: p.step}
	if left, ok := p.left(now); ok {
		line.Left = &left
	}
	// The fields always encode.
	_ = json.NewEncoder(p.s.err).Encode(line)
}
