package intershap_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// reasons returns what is said of a score, with the part of it.
func reasons(s *intershap.RivalScores, name string) []string {
	var out []string
	for _, u := range s.Unfit {
		if u.Score == name {
			said := u.Reason
			if u.Part != "" {
				said = u.Part + ": " + said
			}
			out = append(out, said)
		}
	}
	return out
}

// What the data do not allow is a reason, and the rest is there.
func TestRivalsUnfit(t *testing.T) {
	risk := model.RowFunc("risk", func(x model.Row) []float64 { return []float64{.1 + .8*x("a")[0]*x("b")[0]} })
	sum := model.RowFunc("y", func(x model.Row) []float64 { return []float64{10 * (x("a")[0] + x("b")[0])} })
	several := model.RowFunc("y", func(x model.Row) []float64 { return []float64{x("a")[0], x("b")[0] * x("a")[0], .5} })
	fixed := model.RowFunc("probabilities", func(x model.Row) []float64 {
		p := (x("a")[0] + x("b")[0]*x("age")[0]) / 2
		return []float64{1 - p, p}
	})
	ints := func(f func(i int) int64, n int) dataset.Array {
		v := make([]int64, n)
		for i := range v {
			v[i] = f(i)
		}
		return dataset.Array{Name: "label", Tensor: tensor.Of(v)}
	}
	even := func(i int) int64 { return int64(i % 2) }
	names := make([]string, 40)
	for i := range names {
		names[i] = []string{"ill", "well"}[i%2]
	}
	halves := make([]float64, 40)
	for i := range halves {
		halves[i] = float64(i) / 2
	}
	column := func(name string, f func(i int) float64, n int) dataset.Array {
		v := make([]float64, n)
		for i := range v {
			v[i] = f(i)
		}
		return dataset.Array{Name: name, Tensor: tensor.Of(v, n, 1)}
	}
	array := func(more ...dataset.Array) dataset.File {
		f, err := dataset.FromArrays(more...)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	type there struct{ metrics, emap, gap, f1, outputs, data, model, perceptual bool }
	all := there{true, true, true, true, true, true, true, true}
	tests := []struct {
		name, reason string
		model        model.Model
		data         dataset.File
		opt          intershap.Options
		want         there
		unfit        map[string][]string // parts of what is said, by score
	}{
		{
			"no labels", "a model can be looked at without", twoClasses, grid(t, 40), intershap.Options{},
			there{emap: true, outputs: true, model: true},
			map[string][]string{
				"emap":  {"gap in accuracy and F1: true classes are needed, and memory has none: add a column or array called label"},
				"shape": {"forms in accuracy and F1: true classes are needed"}, "pid": {"of the labels: true classes are needed"},
				"perceptual": {"true classes are needed, and memory has none"},
			},
		},
		{
			"labels that are fractions", "no classes", twoClasses, grid(t, 40, dataset.Array{Name: "label", Tensor: tensor.Of(halves)}), intershap.Options{},
			there{emap: true, outputs: true, model: true},
			map[string][]string{"emap": {"holds no classes"}, "shape": {"holds no classes"}, "pid": {"holds no classes"}, "perceptual": {"holds no classes"}},
		},
		{
			"a label that is no class", "the row is named", twoClasses, grid(t, 40, ints(func(i int) int64 { return even(i) + 7*int64(i/39) }, 40)), intershap.Options{},
			there{emap: true, outputs: true, model: true},
			map[string][]string{"emap": {`row 39: label "8" is no class (have 0, 1): name the classes in the order of the output's columns, with --classes (Options.Classes)`}, "shape": {"row 39"}, "pid": {"row 39"}, "perceptual": {"row 39"}},
		},
		{
			"one class", "nothing to tell apart", twoClasses, grid(t, 40, ints(func(int) int64 { return 1 }, 40)), intershap.Options{},
			there{metrics: true, emap: true, outputs: true, model: true},
			map[string][]string{"emap": {"gap in accuracy and F1: all samples (40) are of class 1"}, "shape": {"are of class 1"}, "pid": {"of the labels: all samples (40) are of class 1"}, "perceptual": {"are of class 1"}},
		},
		{
			"one sample", "a single class too", twoClasses, grid(t, 1, ints(even, 1)), intershap.Options{},
			there{metrics: true, emap: true, outputs: true},
			map[string][]string{"emap": {"all samples (1)"}, "shape": {"all samples (1)"}, "pid": {"20 clusters need as many samples, have 1"}, "perceptual": {"all samples (1)"}},
		},
		{
			"few samples", "fewer than clusters", twoClasses, grid(t, 12, ints(even, 12)), intershap.Options{},
			there{metrics: true, emap: true, gap: true, f1: true, outputs: true, perceptual: true},
			map[string][]string{"pid": {"20 clusters need as many samples, have 12: take more samples"}},
		},
		{
			"a constant modality", "it tells nothing, and the others do", twoClasses,
			array(column("a", func(i int) float64 { return float64(i%7) / 6 }, 40), column("b", func(int) float64 { return 0.75 }, 40), ints(even, 40)), intershap.Options{},
			all, map[string][]string{"pid": {"b is the same for all samples"}},
		},
		{"classes by name", "labels are found by name", twoClasses, grid(t, 40, dataset.Array{Name: "label", Tensor: tensor.Of(names)}), intershap.Options{Classes: []string{"ill", "well"}}, all, nil},
		{"binary output", "one column, two classes", risk, grid(t, 40, ints(even, 40)), intershap.Options{Task: intershap.Binary}, all, nil},
		{
			"regression", "predicts no class", sum, grid(t, 40, ints(even, 40)), intershap.Options{},
			there{emap: true, outputs: true},
			map[string][]string{"emap": {"the task regression has no single true class"}, "shape": {"regression"}, "pid": {"of the labels: true classes are needed", "of the predictions: the task regression predicts no single class"}, "perceptual": {"regression"}},
		},
		{
			"multilabel", "one column of many", several, grid(t, 40, ints(even, 40)), intershap.Options{Task: intershap.Multilabel, Target: "class:1"},
			there{emap: true, outputs: true},
			map[string][]string{"emap": {"multilabel"}, "shape": {"multilabel"}, "pid": {"multilabel", "multilabel"}, "perceptual": {"multilabel"}},
		},
		{
			"a fixed input", "a pair has two of them", fixed, grid(t, 40, ints(even, 40), column("age", func(i int) float64 { return float64(i) / 40 }, 40)), intershap.Options{Fixed: []string{"age"}},
			there{metrics: true, f1: true, outputs: true, data: true, model: true, perceptual: true},
			map[string][]string{"emap": {"inputs are fixed, and a pair of samples would mix"}},
		},
		{
			"an infinite logarithm", "of a column that nobody asked about", model.RowFunc("probabilities", func(x model.Row) []float64 {
				p := .1 + .8*x("a")[0]*x("b")[0]
				return []float64{1 - p, p, 0}
			}), grid(t, 40, ints(even, 40)), intershap.Options{Transform: engine.Log},
			there{metrics: true, f1: true, outputs: true, data: true, model: true, perceptual: true},
			map[string][]string{"emap": {`log of the model's output "probabilities" is -Inf in column 2, want a finite number): take another transform`}},
		},
		{
			"an infinite logarithm with zeros", "of the explained column", model.RowFunc("probabilities", func(x model.Row) []float64 {
				p := x("a")[0]
				if p != 0 {
					p = .1 + p*x("b")[0]/4
				}
				return []float64{p, 1 - p}
			}), array(column("a", func(i int) float64 { return 1 + float64(i%7)/7 }, 40), column("b", func(i int) float64 { return 1 - float64(i%5)/5 }, 40), ints(even, 40)),
			intershap.Options{Task: intershap.Classes, Transform: engine.Log, Target: "class:0"},
			there{metrics: true, emap: true, gap: true, f1: true, data: true, model: true, perceptual: true},
			map[string][]string{"shape": {"form on outputs: the log of sample 0 with zeros in it is not finite"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.opt.BackgroundSize = 8
			var begun []string
			got := rivalsOf(t, test.model, test.data, intershap.RivalOptions{Options: test.opt, PID: fewPID, Draws: 2, Begin: func(score string, _ int64) {
				begun = append(begun, score)
			}})
			if !slices.Equal(begun[1:], got.Scores) {
				t.Errorf("began %v, want every score once", begun)
			}
			is := there{
				metrics: got.Metrics != nil, emap: got.EMAP != nil, f1: got.ShapeF1 != nil, outputs: got.ShapeOutputs != nil,
				data: got.DataPID != nil, model: got.ModelPID != nil, perceptual: got.Perceptual != nil,
			}
			is.gap = is.emap && got.EMAP.Gap != nil
			if is != test.want || (got.ShapeAccuracy != nil) != is.f1 {
				t.Errorf("got %+v, want %+v (%s)", is, test.want, test.reason)
			}
			if got.SRI == nil || got.Shares == nil || got.Effects == nil {
				t.Error("what costs nothing is missing")
			}
			for _, c := range rival.Cards() {
				said, want := reasons(got, c.Name), test.unfit[c.Name]
				if len(said) != len(want) {
					t.Errorf("%s: unfit for %q, want %d reasons", c.Name, said, len(want))
					continue
				}
				for i := range want {
					if !strings.Contains(said[i], want[i]) || strings.HasSuffix(said[i], ".") {
						t.Errorf("%s: unfit since %q, want a clause with %q", c.Name, said[i], want[i])
					}
				}
			}
			if !slices.IsSortedFunc(got.Unfit, func(a, b *rival.Unfit) int {
				return slices.Index(got.Scores, a.Score) - slices.Index(got.Scores, b.Score)
			}) {
				t.Errorf("reasons %v are not in the order of the scores %v", got.Unfit, got.Scores)
			}
			if is.emap && !is.gap && got.EMAP.Unfit == nil {
				t.Error("EMAP without a gap does not say why")
			}
		})
	}
}

// Text is no number: what needs numbers says so, and what asks the model does not mind.
func TestRivalsOfText(t *testing.T) {
	const n = 40
	words, x, labels := make([]string, n), make([]float64, n), make([]int64, n)
	for i := range n {
		words[i], x[i], labels[i] = []string{"up", "down", "over"}[i%3], float64(i%5), int64(i/3%2)
	}
	f, err := dataset.FromArrays(
		dataset.Array{Name: "text", Tensor: tensor.Of(words, n, 1)}, dataset.Array{Name: "x", Tensor: tensor.Of(x, n, 1)}, dataset.Array{Name: "label", Tensor: tensor.Of(labels)})
	if err != nil {
		t.Fatal(err)
	}
	m := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		text, _ := in.Lookup("text")
		x, _ := in.Lookup("x")
		y := make([]float64, 2*in.Rows())
		for i, word := range tensor.Values[string](text) {
			p := float64(len(word)) / (5 + tensor.Values[float64](x)[i])
			y[2*i], y[2*i+1] = 1-p, p
		}
		return model.Batch{{Name: "probabilities", Tensor: tensor.Of(y, in.Rows(), 2)}}, nil
	})
	got := rivalsOf(t, m, f, intershap.RivalOptions{Draws: 3})
	if got.EMAP == nil || got.EMAP.Gap == nil || got.Perceptual == nil || got.ShapeOutputs != nil || got.DataPID != nil {
		t.Errorf("got %+v, want EMAP and the Perceptual Score alone of those that ask the model", got)
	}
	for score, want := range map[string]string{
		"shape": `input "text" of modality text is text, which has none`, "pid": `input "text" of modality text is text`,
	} {
		if said := reasons(got, score); len(said) != 1 || !strings.Contains(said[0], want) {
			t.Errorf("%s: unfit for %q, want a reason with %q", score, said, want)
		}
	}
}

// What the caller did wrong, and what the model does wrong, is an error.
func TestRivalsErrors(t *testing.T) {
	wide := model.RowFunc("y", func(x model.Row) []float64 { return []float64{5 * x("a")[0], -3, 2} })
	two := func() dataset.File { return grid(t, 20) }
	tests := []struct {
		name  string
		model model.Model
		opt   intershap.RivalOptions
		want  string
	}{
		{"budget", twoClasses, intershap.RivalOptions{Options: intershap.Options{Budget: 3}}, "want no Budget"},
		{"until", twoClasses, intershap.RivalOptions{Options: intershap.Options{Until: 0.1}}, "want no Budget and no Until"},
		{"sink", twoClasses, intershap.RivalOptions{Options: intershap.Options{Sink: intershap.Discard}}, "want no Sink"},
		{"all classes", twoClasses, intershap.RivalOptions{Options: intershap.Options{Target: "all"}}, "has 2 (class:0, ...); choose one with --target predicted, or class:NAME"},
		{"several numbers", wide, intershap.RivalOptions{Options: intershap.Options{Task: intershap.Regression}}, "has 3 (class:0, ...); choose one with --target class:NAME"},
		{"unknown score", twoClasses, intershap.RivalOptions{Scores: []string{"sri", "perception"}}, `unknown score "perception" (want emap, shape, pid, sri, share, perceptual, effects)`},
		{"one modality", twoClasses, intershap.RivalOptions{Options: intershap.Options{Modalities: []string{"both=a,b"}}}, "at least two modalities"},
		{"too few", twoClasses, intershap.RivalOptions{Draws: -1, EMAPSamples: 1}, "EMAPSamples 1 must lie from 2 to 100000, or be 0 for 3000\nDraws -1 must lie from 1 to 10000, or be 0 for 10"},
		{"too many", twoClasses, intershap.RivalOptions{Draws: 10001, EMAPSamples: 100001}, "EMAPSamples 100001 must lie from 2 to 100000, or be 0 for 3000\nDraws 10001 must lie from 1 to 10000, or be 0 for 10"},
		{"clusters", twoClasses, intershap.RivalOptions{PID: rival.PIDOptions{Clusters: -1}}, "want at least 2 clusters"},
		{"question", twoClasses, intershap.RivalOptions{Options: intershap.Options{Level: 3}}, "level 3 must lie"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := intershap.Rivals(t.Context(), test.model, two(), nil, test.opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// A model that fails under a score fails the run, and so does a context that ends;
// the message says where.
func TestRivalsFailures(t *testing.T) {
	labels := make([]int64, 40)
	for i := range labels {
		labels[i] = int64(i % 2)
	}
	f := grid(t, 40, dataset.Array{Name: "label", Tensor: tensor.Of(labels)})
	for name, want := range map[string]string{
		"emap": "intershap: emap: engine: sample", "shape": "intershap: shape: engine:", "perceptual": "intershap: perceptual: engine: sample",
	} {
		var broken atomic.Bool
		m := model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
			if broken.Load() {
				return nil, errors.New("out of coffee")
			}
			return twoClasses.Predict(ctx, in)
		})
		opt := intershap.RivalOptions{Scores: []string{name}, Begin: func(score string, _ int64) { broken.Store(score == name) }}
		if _, err := intershap.Rivals(t.Context(), m, f, f, opt); err == nil || !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), "out of coffee") {
			t.Errorf("%s: got %v, want an error that begins with %q", name, err, want)
		}
		ctx, cancel := context.WithCancel(t.Context())
		opt.Begin = func(score string, _ int64) {
			if score == name {
				cancel()
			}
		}
		if _, err := intershap.Rivals(ctx, twoClasses, f, f, opt); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v, want a cancelled run", name, err)
		}
	}
	// Once a modality is shuffled the modality is named.
	var rows atomic.Int64
	m := model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		if n := rows.Add(int64(in.Rows())); n > 100 && n < 1<<30 { // in the second draw of a
			return nil, errors.New("out of coffee")
		}
		return twoClasses.Predict(ctx, in)
	})
	rows.Store(1 << 30)
	_, err := intershap.Rivals(t.Context(), m, f, f, intershap.RivalOptions{
		Options: intershap.Options{Workers: 1}, Scores: []string{"perceptual"},
		Begin: func(score string, _ int64) {
			if score == "perceptual" {
				rows.Store(0)
			}
		},
	})
	if err == nil || !strings.Contains(err.Error(), "perceptual: modality a, shuffled: engine: sample 0") {
		t.Errorf("got %v, want an error that names the shuffled modality", err)
	}
}
