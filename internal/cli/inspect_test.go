package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A toy is a model file in Go: it adds up the elements of its inputs a, b and c,
// and cuts itself as stage says.
type toy struct {
	stage func() (*model.Stages, error)
}

func (toy) Signature() model.Signature {
	input := func(name string, width int) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.Float64, Shape: []int{-1, width}}
	}
	return model.Signature{
		Inputs:  []tensor.Spec{input("a", 2), input("b", 3), input("c", 1)},
		Outputs: []tensor.Spec{input("y", 1)},
	}
}

func (toy) Predict(_ context.Context, inputs model.Batch) (model.Batch, error) {
	y := make([]float64, inputs.Rows())
	for _, in := range inputs {
		for i, x := range tensor.Values[float64](in.Tensor) {
			y[i/in.Tensor.RowLen()] += x
		}
	}
	return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
}

func (m toy) Stage(context.Context, model.Question) (*model.Stages, error) { return m.stage() }
func (toy) Unsupported() []string                                          { return nil }
func (toy) Digest() string                                                 { return "0" }
func (toy) Runtime() string                                                { return "go" }
func (toy) Close() error                                                   { return nil }

// A sumGrid adds up the elements of its inputs, and an error to each sum.
type sumGrid struct {
	output string
	wrong  float64
}

func (g sumGrid) Evaluate(_ context.Context, inputs model.Batch) (model.Batch, error) {
	n, b := 1, 1
	for _, in := range inputs {
		n, b = max(n, in.Tensor.Shape()[0]), max(b, in.Tensor.Shape()[1])
	}
	y := make([]float64, n*b)
	for _, in := range inputs {
		rows, columns := in.Tensor.Shape()[0], in.Tensor.Shape()[1]
		width := in.Tensor.Len() / (rows * columns)
		x := tensor.Values[float64](in.Tensor)
		for at := range y {
			from := (at/b%rows*columns + at%b%columns) * width
			for _, v := range x[from : from+width] {
				y[at] += v
			}
		}
	}
	for at := range y {
		y[at] += g.wrong
	}
	return model.Batch{{Name: g.output, Tensor: tensor.Of(y, n, b, 1)}}, nil
}

// sumPart is a part of a toy.
func sumPart(players []int, output string, macs int64, inputs ...string) model.Part {
	return model.Part{
		Players: players, Inputs: inputs, MACs: macs, Grid: sumGrid{output: output},
		Outputs: []tensor.Spec{{Name: output, DType: tensor.Float64, Shape: []int{-1, 1}}},
	}
}

// headed is a toy in three parts, of which the last takes the input c itself.
func headed(macs int64) func() (*model.Stages, error) {
	return func() (*model.Stages, error) {
		last := sumPart([]int{model.Nobody, 0, 1}, "y", macs/10, "fa", "fb", "c")
		return &model.Stages{Output: "y", MACs: macs, Parts: []model.Part{
			sumPart([]int{0}, "fa", macs*9/10, "a"), sumPart([]int{1}, "fb", 0, "b"), last,
		}}, nil
	}
}

// summed is a toy whose output is a sum of terms of one modality each.
func summed() (*model.Stages, error) {
	return &model.Stages{Terms: []string{"ta", "tb", "tc"}, MACs: 100, Parts: []model.Part{
		sumPart([]int{model.Nobody}, "tc", 10, "c"), sumPart([]int{0}, "ta", 60, "a"), sumPart([]int{1}, "tb", 30, "b"),
	}}, nil
}

// wrong is a toy in parts that do not give what it gives whole.
func wrong() (*model.Stages, error) {
	s, err := headed(100)()
	s.Parts[0].Grid = sumGrid{output: "fa", wrong: 1}
	return s, err
}

// dear is a toy whose last part is all of it.
func dear() (*model.Stages, error) {
	return &model.Stages{Output: "y", MACs: 100, Parts: []model.Part{
		sumPart([]int{model.Nobody, 0, 1}, "y", 100, "a", "b", "c"),
	}}, nil
}

func uncut() (*model.Stages, error) {
	return nil, &model.Uncut{Node: "norm", Op: "BatchNormalization", Reason: "mixes rows"}
}

// inspectToy inspects a toy on 4 samples and 3 background rows, c being fixed.
func inspectToy(t *testing.T, stage func() (*model.Stages, error), dot bool, args ...string) *inspection {
	t.Helper()
	q, _, err := parse(t, nil, slices.Concat([]string{"--fixed", "c", "--task", "regression", "--workers", "1"}, args)...)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	const head = "a.0,a.1,b.0,b.1,b.2,c\n"
	q.model, q.data, q.background = "toy.onnx", filepath.Join(dir, "data.csv"), filepath.Join(dir, "rows.csv")
	if err := errors.Join(
		os.WriteFile(q.data, []byte(head+"1,2,3,4,5,6\n2,3,4,5,6,7\n0,1,0,1,0,1\n5,4,3,2,1,0\n"), 0o600),
		os.WriteFile(q.background, []byte(head+"1,1,1,1,1,1\n2,0,2,0,2,0\n3,2,1,3,2,1\n"), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	opt := &inspectOptions{question: q, dot: dot}
	if err := opt.check(); err != nil {
		t.Fatal(err)
	}
	m := toy{stage}
	r := &inspection{Schema: inspectionSchema, Model: reportModel(q.model, m, signatureOf(m).Outputs), Warnings: []diag.Warning{}}
	if err := r.ask(t.Context(), opt, m); err != nil {
		t.Fatal(err)
	}
	return r
}

// The rows of a toy in parts: an encoder runs once for each sample and background
// row, the last part for each sample and, of 3 coalitions, for each pair; with a
// fixed input v({}) is each sample's own.
const (
	toyEncoderRows = 4 + 3
	toyHeadRows    = 4 + 3*4*3
)

func macsOf(n int64) *int64 { return &n }

// TestInspectParts inspects models that are cut in every way.
func TestInspectParts(t *testing.T) {
	a, b, c, y := tensorReport{"a", 2}, tensorReport{"b", 3}, tensorReport{"c", 1}, tensorReport{"y", 1}
	whole := func(macs *int64) []partReport {
		return []partReport{{
			Part: "model", Modalities: []string{"a", "b"}, Fixed: true, Inputs: []tensorReport{a, b, c}, Outputs: []tensorReport{y},
			MACs: macs, Rows: toyHeadRows, RowsNaive: toyHeadRows,
		}}
	}
	staged := func(first, second, last *int64) []partReport {
		fa, fb := tensorReport{"fa", 1}, tensorReport{"fb", 1}
		return []partReport{
			{Part: "a", Modalities: []string{"a"}, Inputs: []tensorReport{a}, Outputs: []tensorReport{fa}, MACs: first, Rows: toyEncoderRows, RowsNaive: toyHeadRows},
			{Part: "b", Modalities: []string{"b"}, Inputs: []tensorReport{b}, Outputs: []tensorReport{fb}, MACs: second, Rows: toyEncoderRows, RowsNaive: toyHeadRows},
			{Part: "fixed+a+b", Modalities: []string{"a", "b"}, Fixed: true, Inputs: []tensorReport{fa, fb, c}, Outputs: []tensorReport{y}, MACs: last, Rows: toyHeadRows, RowsNaive: toyHeadRows},
		}
	}
	for _, tt := range []struct {
		name, reason string
		stage        func() (*model.Stages, error)
		args         []string
		macs         *int64
		additive     bool
		parts        []partReport
		results      []string
		why          string
		warning      string
	}{
		{
			name: "staged", reason: "a part without products has none, which is known", stage: headed(100),
			macs: macsOf(100), parts: staged(macsOf(90), macsOf(0), macsOf(10)), results: []string{"y"},
			why: "each part on the rows that differ for it",
		},
		{
			name: "uncounted", reason: "what nobody counted is not 0", stage: headed(0), args: []string{"--plan", "staged"},
			parts: staged(nil, nil, nil), results: []string{"y"}, why: "each part on the rows that differ for it",
		},
		{
			name: "additive", reason: "the output is what the terms add up to", stage: summed,
			macs: macsOf(100), additive: true, results: []string{"ta", "tb", "tc"},
			parts: []partReport{
				{Part: "fixed", Modalities: []string{}, Fixed: true, Inputs: []tensorReport{c}, Outputs: []tensorReport{{"tc", 1}}, MACs: macsOf(10), Rows: 4, RowsNaive: toyHeadRows},
				{Part: "a", Modalities: []string{"a"}, Inputs: []tensorReport{a}, Outputs: []tensorReport{{"ta", 1}}, MACs: macsOf(60), Rows: toyEncoderRows, RowsNaive: toyHeadRows},
				{Part: "b", Modalities: []string{"b"}, Inputs: []tensorReport{b}, Outputs: []tensorReport{{"tb", 1}}, MACs: macsOf(30), Rows: toyEncoderRows, RowsNaive: toyHeadRows},
			},
			why: "additive by construction: no combination is run",
		},
		{
			name: "full", reason: "nothing is cut, so nothing is counted", stage: headed(100), args: []string{"--plan", "full"},
			parts: whole(nil), results: []string{"y"}, why: "every row through the whole model, as asked",
		},
		{
			name: "no gain", reason: "it was cut, and counted, for nothing", stage: dear,
			macs: macsOf(100), parts: whole(macsOf(100)), results: []string{"y"},
			why: "every row through the whole model: parts would save no work, or take more memory than --memory allows",
		},
		{
			name: "uncut", reason: "the warning names the node", stage: uncut,
			parts: whole(nil), results: []string{"y"}, why: "every row through the whole model: it is not cut, see the warning not-staged",
			warning: `node "norm" (BatchNormalization) mixes rows`,
		},
		{
			name: "wrong", reason: "parts that were refused are not said to save nothing", stage: wrong,
			macs: macsOf(100), parts: whole(macsOf(100)), results: []string{"y"}, why: "every row through the whole model: it is not cut, see the warning not-staged",
			warning: "does not give in parts what it gives whole",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := inspectToy(t, tt.stage, true, tt.args...)
			if diff := cmp.Diff(tt.parts, r.Cost.Parts); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.reason, diff)
			}
			if diff := cmp.Diff(tt.macs, r.Cost.MACs); diff != "" {
				t.Errorf("%s: multiply-adds: -want +got\n%s", tt.reason, diff)
			}
			wantRows := map[string]int64{}
			for _, p := range tt.parts {
				wantRows[p.Part] = p.Rows
			}
			if diff := cmp.Diff(wantRows, r.Cost.Rows); diff != "" || r.Cost.RowsNaive != toyHeadRows {
				t.Errorf("rows, %d the plain way: -want +got\n%s", r.Cost.RowsNaive, diff)
			}
			if r.Cost.why != tt.why || r.Cost.Additive != tt.additive || !slices.Equal(r.graph.results, tt.results) {
				t.Errorf("%s: want %q, additive %v, of %v, got %q, %v, %v", tt.reason, tt.why, tt.additive, tt.results, r.Cost.why, r.Cost.Additive, r.graph.results)
			}
			sources := []graphSource{{name: "a", tensors: []tensorReport{a}}, {name: "b", tensors: []tensorReport{b}}, {name: "fixed inputs", fixed: true, tensors: []tensorReport{c}}}
			if diff := cmp.Diff(sources, r.graph.sources, cmp.AllowUnexported(graphSource{})); diff != "" {
				t.Errorf("sources: -want +got\n%s", diff)
			}
			var told []string
			for _, w := range r.Warnings {
				told = append(told, w.String())
			}
			if text := strings.Join(told, "\n"); (tt.warning == "") != (len(told) == 0) || !strings.Contains(text, tt.warning) {
				t.Errorf("want the warning %q, got %q", tt.warning, text)
			}
		})
	}
}

// TestWholeGraph draws modalities that share an input, one of them in two places.
func TestWholeGraph(t *testing.T) {
	got := inspectToy(t, headed(100), true, "--modality", "p=a,b[0:1],b[2:3]", "--modality", "q=b[1:2]", "--plan", "full")
	want := []graphSource{
		{name: "p", tensors: []tensorReport{{"a", 2}, {"b", 2}}}, {name: "q", tensors: []tensorReport{{"b", 1}}},
		{name: "fixed inputs", fixed: true, tensors: []tensorReport{{"c", 1}}},
	}
	if diff := cmp.Diff(want, got.graph.sources, cmp.AllowUnexported(graphSource{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if got := got.Cost.Parts[0].Inputs; !slices.Equal(got, []tensorReport{{"a", 2}, {"b", 3}, {"c", 1}}) {
		t.Errorf("the model takes its inputs whole, got %v", got)
	}
}

// TestTaken checks that what is added up is drawn to where it is added.
func TestTaken(t *testing.T) {
	stages := &model.Stages{
		Parts: []model.Part{{Inputs: []string{"a"}}, {Inputs: []string{"b", "sum", "other", "x"}}},
		Sums:  []model.Sum{{Name: "sum", Terms: []string{"x", "y"}}, {Name: "other", Terms: []string{"y", "z"}}, {Name: "unused", Terms: []string{"a"}}},
	}
	for i, want := range [][]string{{"a"}, {"b", "x", "y", "z"}} {
		if got := taken(stages, i); !slices.Equal(got, want) {
			t.Errorf("part %d: want %q, got %q", i, want, got)
		}
	}
}

// TestInspectMeasures checks that times add up, in parts and whole.
func TestInspectMeasures(t *testing.T) {
	for _, args := range [][]string{{"--plan", "staged"}, {"--plan", "full"}} {
		c := inspectToy(t, headed(100), false, args...).Cost
		total := 0.0
		for _, p := range c.Parts {
			if !(p.Seconds > 0) {
				t.Errorf("%v: part %s takes %v seconds", args, p.Part, p.Seconds)
			}
			total += p.Seconds
		}
		near := func(got, want float64) bool { return math.Abs(got-want) <= 1e-12*want } // sums of a few numbers
		if full := c.ProbeSeconds * float64(c.RowsNaive) / float64(c.ProbeRows); !near(c.Seconds, total) || !near(c.SecondsFull, full) || c.Workers != 1 {
			t.Errorf("%v: want %v seconds in all, %v the plain way and 1 worker, got %v, %v and %d", args, total, full, c.Seconds, c.SecondsFull, c.Workers)
		}
		if args[1] == intershap.FullPlan.String() && c.Seconds != c.SecondsFull {
			t.Errorf("the plain way takes %v and %v seconds", c.Seconds, c.SecondsFull)
		}
	}
}

// TestInspectionJSON holds the document's cost to its specification: every key,
// and null for what is not known.
func TestInspectionJSON(t *testing.T) {
	c := inspectToy(t, headed(0), true, "--plan", "staged").Cost
	// What no rule of this package decides.
	c.Tiles, c.TileSamples, c.BatchRows, c.Workers, c.MemoryBytes = 1, 2, 3, 4, 5
	c.ProbeRows, c.ProbeSeconds, c.SecondsFull, c.Seconds, c.Parts[0].Seconds = 6, 7.5, 8.5, 9.5, 0.25
	s, out, _ := fakeStreams(false, 0)
	if err := writeJSON(s, c); err != nil {
		t.Fatal(err)
	}
	const want = `{
		"plan": "staged", "additive": false, "macs": null, "rows_naive": 40, "rows": {"a": 7, "b": 7, "fixed+a+b": 40},
		"parts": [
			{"part": "a", "modalities": ["a"], "fixed": false, "inputs": [{"name": "a", "elements": 2}], "outputs": [{"name": "fa", "elements": 1}],
				"macs": null, "rows": 7, "rows_naive": 40, "seconds": 0.25},
			{"part": "b", "modalities": ["b"], "fixed": false, "inputs": [{"name": "b", "elements": 3}], "outputs": [{"name": "fb", "elements": 1}],
				"macs": null, "rows": 7, "rows_naive": 40, "seconds": 0},
			{"part": "fixed+a+b", "modalities": ["a", "b"], "fixed": true,
				"inputs": [{"name": "fa", "elements": 1}, {"name": "fb", "elements": 1}, {"name": "c", "elements": 1}], "outputs": [{"name": "y", "elements": 1}],
				"macs": null, "rows": 40, "rows_naive": 40, "seconds": 0}
		],
		"tiles": 1, "tile_samples": 2, "batch_rows": 3, "workers": 4, "memory_bytes": 5,
		"probe_rows": 6, "probe_seconds": 7.5, "seconds_full": 8.5, "seconds": 9.5
	}`
	var compact [2]bytes.Buffer
	for i, text := range []string{want, out.String()} {
		if err := json.Compact(&compact[i], []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(compact[0].String(), compact[1].String()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestExpectedCost lays out what a run takes.
func TestExpectedCost(t *testing.T) {
	staged := inspectToy(t, headed(100), true).Cost
	staged.Workers, staged.MemoryBytes, staged.Seconds, staged.SecondsFull = 2, 3<<20, 0.31, 1.24
	for i, s := range []float64{0.25, 0.0004, 0.06} {
		staged.Parts[i].Seconds = s
	}
	slow := *staged
	slow.MACs, slow.Seconds, slow.SecondsFull = nil, 0.0001, 0.00011
	additive := inspectToy(t, summed, true).Cost
	additive.Workers, additive.Seconds, additive.SecondsFull = 1, 0.01, 90
	full := inspectToy(t, uncut, true).Cost
	full.TileSamples, full.Workers, full.Seconds, full.SecondsFull, full.ProbeRows, full.ProbeSeconds = 4, 1, 2, 2, 1000, 0.5
	for _, tt := range []struct {
		name, reason string
		cost         *costReport
		terminal     bool
		want         []string
	}{
		{"staged", "shares of the model, and sums below", staged, true, []string{
			"part           multiply-adds  hands on  rows  plain way       time",
			"a                     90.0 %         1     7         40     0.25 s",
			"b                        0 %         1     7         40  < 0.001 s",
			"fixed+a+b             10.0 %         1    40         40     0.06 s",
			"all parts                                 54                0.31 s",
			"the plain way                                        40      1.2 s",
			"",
			"plan    staged, each part on the rows that differ for it",
			"work    1 tile of 4 samples, 2,048 rows a call, 2 workers",
			"memory  about 3 MiB beside the model",
			"time    about 0.31 s, the plain way about 1.2 s (4 times as long), by a probe of each",
		}},
		{"slow", "shares of nothing are left out, and so is a gain that is none", &slow, false, []string{
			"part\tmultiply-adds\thands on\trows\tplain way\ttime",
			"a\t-\t1\t7\t40\t0.25 s",
			"b\t-\t1\t7\t40\t< 0.001 s",
			"fixed+a+b\t-\t1\t40\t40\t0.06 s",
			"all parts\t\t\t54\t\t< 0.001 s",
			"the plain way\t\t\t\t40\t< 0.001 s",
			"",
			"plan\tstaged, each part on the rows that differ for it",
			"work\t1 tile of 4 samples, 2,048 rows a call, 2 workers",
			"memory\tabout 3 MiB beside the model",
			"time\tless than 0.001 s, the plain way less than 0.001 s, by a probe of each",
		}},
		{"additive", "no part has all modalities", additive, false, []string{
			"part\tmultiply-adds\thands on\trows\tplain way\ttime",
			"fixed\t10.0 %\t1\t4\t40\t< 0.001 s",
			"a\t60.0 %\t1\t7\t40\t< 0.001 s",
			"b\t30.0 %\t1\t7\t40\t< 0.001 s",
			"all parts\t\t\t18\t\t0.01 s",
			"the plain way\t\t\t\t40\t90 s",
			"",
			"plan\tstaged, additive by construction: no combination is run",
			"work\t1 tile of 4 samples, 2,048 rows a call, 1 worker",
			"memory\tabout " + formatSize(additive.MemoryBytes) + " beside the model",
			"time\tabout 0.01 s, the plain way about 90 s (9,000 times as long), by a probe of each",
		}},
		{"full", "there are no parts to tell of", full, false, []string{
			"plan\tfull, every row through the whole model: it is not cut, see the warning not-staged",
			"model rows\t40",
			"work\t1 tile of 4 samples, 256 rows a call, 1 worker",
			"memory\tabout " + formatSize(full.MemoryBytes) + " beside the model",
			"time\tabout 2 s: the model answered 2,000 rows a second, measured on 1,000 rows",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, out, _ := fakeStreams(tt.terminal, 0)
			p := newPage(s, colorNever)
			p.width = 100 // nothing is wrapped
			writeExpectedCost(p, tt.cost)
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.reason, diff)
			}
		})
	}
}

// TestInspectFlags checks flags that do not go together.
func TestInspectFlags(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--dot"}, "--dot needs DATA"},
		{[]string{"--plan", "full"}, "--plan needs DATA"},
		{[]string{"x.csv", "--dot", "--json"}, "--dot and --json are two answers"},
	} {
		s, out, errs := fakeStreams(false, 0)
		code := run(t.Context(), slices.Concat([]string{"inspect", "m.onnx"}, tt.args), s)
		if code != exitUsage || !strings.Contains(errs.String(), tt.want) || !strings.Contains(errs.String(), "\nhint: ") || out.Len() > 0 {
			t.Errorf("%v: want code %d, %q and a hint, got %d and %q", tt.args, exitUsage, tt.want, code, errs)
		}
	}
}
