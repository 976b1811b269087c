package intershap_test

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// grid returns n rows of two numbers a and b between 0 and 1, with labels and ids
// where they are given.
func grid(t testing.TB, n int, more ...dataset.Array) dataset.File {
	t.Helper()
	a, b := make([]float64, n), make([]float64, n)
	for i := range n {
		a[i], b[i] = float64(i%7)/6, float64(i*i%11)/10
	}
	f, err := dataset.FromArrays(append([]dataset.Array{
		{Name: "a", Tensor: tensor.Of(a, n, 1)}, {Name: "b", Tensor: tensor.Of(b, n, 1)},
	}, more...)...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func explain(t testing.TB, m model.Model, f dataset.File, opt intershap.Options) *intershap.Explanation {
	t.Helper()
	ex, err := intershap.Explain(t.Context(), m, f, f, opt)
	if err != nil {
		t.Fatal(err)
	}
	return ex
}

// A binary output predicts the second class from the middle of its range on.
func TestBinaryByClass(t *testing.T) {
	const n = 40
	risk := model.RowFunc("risk", func(x model.Row) []float64 { return []float64{.1 + .8*x("a")[0]*x("b")[0]} })
	logit := model.RowFunc("risk", func(x model.Row) []float64 { return []float64{10*x("a")[0]*x("b")[0] - 4} })
	for name, m := range map[string]model.Func{"probability": risk, "logit": logit} {
		ex := explain(t, m, grid(t, n), intershap.Options{Task: intershap.Binary})
		if len(ex.ByClass()) != 2 || ex.ByClass()[0].Samples+ex.ByClass()[1].Samples != n {
			t.Fatalf("%s: by class %+v, want both classes", name, ex.ByClass())
		}
		if low, high := ex.ByClass()[0].Output, ex.ByClass()[1].Output; low >= high {
			t.Errorf("%s: class 0 has the output %v, class 1 %v", name, low, high)
		}
		if ex.Targets[0].Headline != "mean_absolute" || ex.Targets[0].Target != "output" {
			t.Errorf("%s: target %s, headline %s", name, ex.Targets[0].Target, ex.Targets[0].Headline)
		}
	}
	sum := model.RowFunc("y", func(x model.Row) []float64 { return []float64{10 * (x("a")[0] + x("b")[0])} })
	if ex := explain(t, sum, grid(t, n), intershap.Options{}); ex.ByClass() != nil || ex.Provenance.Task != "regression" {
		t.Errorf("a regression has the classes %v", ex.ByClass())
	}
}

// counted counts the rows that a model is asked about.
func counted(m model.Model, rows *atomic.Int64) model.Model {
	return model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		rows.Add(int64(in.Rows()))
		return m.Predict(ctx, in)
	})
}

var twoClasses = model.RowFunc("probabilities", func(x model.Row) []float64 {
	p := .1 + .8*x("a")[0]*x("b")[0]
	return []float64{1 - p, p}
})

// A label that is no class is found before the run is paid for.
func TestLabelsBeforeTheRun(t *testing.T) {
	const n = 4000
	labels := make([]int64, n)
	labels[n-1] = 7
	var rows atomic.Int64
	_, err := intershap.Explain(t.Context(), counted(twoClasses, &rows), grid(t, n, dataset.Array{Name: "label", Tensor: tensor.Of(labels, n)}), nil,
		intershap.Options{Target: "label", BackgroundSize: 10})
	if err == nil || !strings.Contains(err.Error(), "row 3999") || !strings.Contains(err.Error(), `label "7" is no class`) {
		t.Errorf("got %v, want an error that names row and label", err)
	}
	if rows.Load() > 100 {
		t.Errorf("the model was asked about %d rows first", rows.Load())
	}
	labels[n-1] = 1
	ex := explain(t, twoClasses, grid(t, n, dataset.Array{Name: "label", Tensor: tensor.Of(labels, n)}), intershap.Options{Target: "label", BackgroundSize: 5})
	if ex.Targets[0].Headline != "global" || ex.Targets[0].Target != "label" {
		t.Errorf("target %s, headline %s", ex.Targets[0].Target, ex.Targets[0].Headline)
	}
}

// The logarithm of a class that is never predicted may be infinite.
func TestTransformOfOtherColumns(t *testing.T) {
	three := model.RowFunc("probabilities", func(x model.Row) []float64 {
		p := .1 + .8*x("a")[0]*x("b")[0]
		return []float64{1 - p, p, 0}
	})
	explain(t, three, grid(t, 30), intershap.Options{Transform: engine.Log})
	for _, target := range []string{"all", "class:2"} {
		_, err := intershap.Explain(t.Context(), three, grid(t, 30), nil, intershap.Options{Transform: engine.Log, Target: target})
		if err == nil || !strings.Contains(err.Error(), `log of the model's output "probabilities" is -Inf in column 2`) {
			t.Errorf("target %s: got %v, want an error", target, err)
		}
	}
}

// A model whose answer for a row depends on the batch is found out: by the
// warning, and by a residual, since f(x) was asked for before the run.
func TestDependentRows(t *testing.T) {
	dependent := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a, b := tensor.Values[float64](in[0].Tensor), tensor.Values[float64](in[1].Tensor)
		y := make([]float64, len(a))
		for i := range y {
			y[i] = a[i]*b[i] + 0.01*float64(len(a))
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
	ex := explain(t, dependent, grid(t, 50), intershap.Options{})
	if !hasWarning(ex, "rows-not-independent") || !hasWarning(ex, "residual") {
		t.Errorf("warnings %v, want rows-not-independent and residual", ex.Warnings)
	}
	if ex := explain(t, twoClasses, grid(t, 50), intershap.Options{}); hasWarning(ex, "rows-not-independent") || hasWarning(ex, "residual") {
		t.Errorf("a well-behaved model has the warnings %v", ex.Warnings)
	}
}

// The whole document is the same for any number of workers, but for the time
// that it took.
func TestWorkersDoNotShow(t *testing.T) {
	document := func(workers int) string {
		ex := explain(t, twoClasses, grid(t, 300), intershap.Options{Workers: workers, Target: "all", BackgroundSize: 20})
		ex.Cost.Seconds = 0
		var b bytes.Buffer
		if err := ex.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := document(1)
	for _, workers := range []int{2, 5} {
		if got := document(workers); got != want {
			t.Errorf("%d workers give another document", workers)
		}
	}
}

// Other tiles add samples up in another order, which may show in the last bits
// of means alone.
func TestTilesHardlyShow(t *testing.T) {
	var phi [][]float64
	var tiles []int
	for _, memory := range []int64{0, 1 << 20} {
		opt := intershap.Options{Memory: memory, BackgroundSize: 20, Workers: 2}
		f := grid(t, 3000)
		p, err := intershap.NewPlan(t.Context(), twoClasses, f, f, opt)
		if err != nil {
			t.Fatal(err)
		}
		ex, err := p.Explain(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all []float64
		for _, row := range ex.Global().Phi {
			all = append(all, row...)
		}
		phi, tiles = append(phi, append(all, ex.Global().InterSHAP.Or(0), ex.Targets[0].Local.Mean.Or(0))), append(tiles, p.Engine().Tiles())
	}
	if tiles[0] == tiles[1] {
		t.Errorf("both runs have %d tiles: the test sees nothing", tiles[0])
	}
	compare(t, "means", phi[1], phi[0], 1e-12)
}

// Doubts about many targets are one doubt; repeated ids are told.
func TestWarnings(t *testing.T) {
	many := model.RowFunc("probabilities", func(x model.Row) []float64 {
		y := make([]float64, 30)
		for c := range y {
			y[c] = (1 + x("a")[0]*x("b")[0]*float64(c)) / 30
		}
		return y
	})
	ids := make([]int64, 60)
	for i := range ids {
		ids[i] = int64(i / 20)
	}
	ex := explain(t, many, grid(t, 60, dataset.Array{Name: "id", Tensor: tensor.Of(ids, 60)}), intershap.Options{Task: intershap.Multilabel, BackgroundSize: 3})
	if len(ex.Targets) != 30 || len(ex.Warnings) > 5 {
		t.Errorf("%d targets, %d warnings: %v", len(ex.Targets), len(ex.Warnings), ex.Warnings)
	}
	for _, id := range []string{"repeated-ids", "mean-degenerate", "background-too-small"} {
		if !hasWarning(ex, id) {
			t.Errorf("no warning %s in %v", id, ex.Warnings)
		}
	}
	ex = explain(t, twoClasses, grid(t, 60), intershap.Options{Mask: []string{"mean"}})
	if !hasWarning(ex, "background-error-unknown") || ex.Global().PhiSE.Background != nil {
		t.Errorf("mask mean: warnings %v, se %v", ex.Warnings, ex.Global().PhiSE.Background)
	}
	ex = explain(t, twoClasses, grid(t, 60), intershap.Options{Mask: []string{"zero"}})
	if hasWarning(ex, "background-error-unknown") || ex.Global().PhiSE.Background == nil {
		t.Errorf("mask zero: warnings %v, se %v", ex.Warnings, ex.Global().PhiSE.Background)
	}
}

// What cannot be is refused, in one sentence.
func TestRefusals(t *testing.T) {
	one := model.RowFunc("y", func(x model.Row) []float64 { return []float64{5 * x("a")[0]} })
	wide := model.RowFunc("y", func(x model.Row) []float64 { return []float64{5 * x("a")[0], -3, 2} })
	labels := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		return model.Batch{{Name: "y", Tensor: tensor.New(tensor.Int64, in.Rows())}}, nil
	})
	tests := []struct {
		name  string
		model model.Model
		opt   intershap.Options
		want  string
	}{
		{"ambiguous task", wide, intershap.Options{}, "logits of classes or a regression?"},
		{"classes of one column", one, intershap.Options{Task: intershap.Classes}, "use binary"},
		{"binary of three columns", wide, intershap.Options{Task: intershap.Binary}, "has 3"},
		{"unknown output", one, intershap.Options{Output: "z"}, `no output "z" (have y)`},
		{"unknown class", twoClasses, intershap.Options{Target: "class:5"}, "no such class (have 0, 1)"},
		{"unknown target", twoClasses, intershap.Options{Target: "best"}, "want predicted, label, all or class:NAME"},
		{"label without labels", twoClasses, intershap.Options{Target: "label"}, "no column label"},
		{"predicted regression", wide, intershap.Options{Task: intershap.Regression, Target: "predicted"}, "needs task classes"},
		{"class names", twoClasses, intershap.Options{Classes: []string{"x"}}, "1 class names for 2 classes"},
		{"equal class names", wide, intershap.Options{Task: intershap.Regression, Classes: []string{"q", "q", "r"}}, "must be different"},
		{"options", twoClasses, intershap.Options{Level: 2, Workers: -1}, "workers -1 must be positive"},
		{"one modality", twoClasses, intershap.Options{Modalities: []string{"all=a,b"}}, "at least two modalities"},
		{"memory", twoClasses, intershap.Options{Memory: 1000}, "more than the memory limit of 0 KiB; raise it"},
		{"numbers of classes", labels, intershap.Options{}, "the numbers of classes"},
		{"centred column", one, intershap.Options{Transform: engine.Centred}, "has one"},
		{"not finite", model.RowFunc("y", func(model.Row) []float64 { return []float64{math.NaN()} }), intershap.Options{}, "is NaN or infinite"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := intershap.Explain(t.Context(), test.model, grid(t, 20), nil, test.opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

// One sample has scores and no bounds.
func TestOneSample(t *testing.T) {
	ex := explain(t, twoClasses, grid(t, 1), intershap.Options{})
	if fmt.Sprint(ex.Samples(), len(ex.Targets)) != "1 1" || !hasWarning(ex, "few-samples") {
		t.Errorf("%d samples, warnings %v", ex.Samples(), ex.Warnings)
	}
	if _, bounded := ex.Global().Low.Value(); bounded {
		t.Error("one sample has a bound")
	}
}
