package compare

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

func hasWarning(c *Comparison, id string) bool {
	return slices.ContainsFunc(c.Warnings, func(w diag.Warning) bool { return w.ID == id })
}

// Means, not draws: every value must be that of the results, in all three methods.
func TestValuesAreThoseOfResults(t *testing.T) {
	r := twoRuns(2, 60)
	for _, method := range []Method{PairedBootstrap, Carried} {
		a, b := r[0], r[1]
		if method == Carried {
			a.Samples, b.Samples = nil, nil
		}
		c, err := Compare(t.Context(), Side{"a", []Run{a}}, Side{"b", []Run{b}}, Options{Seed: 1, Draws: 400})
		if err != nil {
			t.Fatal(err)
		}
		if c.Method != method || c.Question != Files || c.Files != [2]int{1, 1} {
			t.Errorf("want %s of two files, got %s of %v", method, c.Method, c.Files)
		}
		rows := c.Targets[0].Rows
		// Three scores, two modalities and a pair in two aggregations, three scores of
		// three classes.
		if want := 3 + 2*3 + 3*3; len(rows) != want {
			t.Errorf("%s: want %d rows, got %d", method, want, len(rows))
		}
		for _, row := range rows {
			checkRow(t, method, &row, [2]*result.Target{&a.Result.Targets[0], &b.Result.Targets[0]})
		}
		if h := c.Targets[0].HeadlineRow(); h.Aggregation != Global || h.Verdict != Higher {
			t.Errorf("%s: headline %+v, want higher", method, h)
		}
	}
}

func checkRow(t *testing.T, method Method, row *Row, from [2]*result.Target) {
	t.Helper()
	var want [2]float64
	for k, target := range from {
		want[k] = valueOf(row.Quantity, target)
	}
	a, ok1 := row.Base.Value.Value()
	b, ok2 := row.Other.Value.Value()
	delta, ok3 := row.Delta.Value()
	if !ok1 || !ok2 || !ok3 || math.Abs(a-want[0]) > 1e-9 || math.Abs(b-want[1]) > 1e-9 || math.Abs(delta-(want[1]-want[0])) > 1e-9 {
		t.Errorf("%s: %+v: want %v and %v, got %v and %v, difference %v", method, row.Quantity, want[0], want[1], a, b, delta)
	}
	low, high := row.Low.Or(9), row.High.Or(-9)
	if !(low <= delta && delta <= high && low < high) {
		t.Errorf("%s: %+v: difference %v outside of [%v, %v]", method, row.Quantity, delta, low, high)
	}
}

// valueOf looks a quantity up in a result, by a path of its own.
func valueOf(q Quantity, t *result.Target) float64 {
	b := t.Breakdown
	if q.Class != nil {
		for _, c := range t.ByClass {
			if c.Class == *q.Class {
				b = c.Breakdown
			}
		}
	}
	a := b.Global.Aggregate
	if q.Aggregation == MeanAbsolute {
		a = b.MeanAbsolute.Aggregate
	}
	switch {
	case q.Aggregation == Local:
		return b.Local.Mean.Or(-1)
	case q.Kind == Contribution:
		return a.Contributions[q.Modalities[0]].Or(-1)
	case q.Kind == Pair:
		return a.Pairs[0].Share.Or(-1)
	}
	return a.InterSHAP.Or(-1)
}

// Modalities are matched by name, whatever their order.
func TestOrderOfModalities(t *testing.T) {
	r := twoRuns(2, 60)
	phi := r[1].Samples.ByTarget[0].Phi
	var turned []float64 // (0,0) and (1,1) change places
	for i := 0; i < len(phi); i += 4 {
		turned = append(turned, phi[i+3], phi[i+1], phi[i])
	}
	other := runOf(2, turned, numbered(60), r[1].Samples.Predicted, "cat", "dog", "fox")
	rename := func(names []string) { names[0], names[1] = "m1", "m0" }
	rename(other.Samples.Modalities)
	agg := &other.Result.Targets[0]
	swap := func(a *result.Aggregate) {
		c := a.Contributions
		c["m0"], c["m1"] = c["m1"], c["m0"]
	}
	swap(&agg.Global.Aggregate)
	swap(&agg.MeanAbsolute.Aggregate)
	other.Path = "c.json"
	want, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", []Run{other}}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range want.Targets[0].Rows {
		g := got.Targets[0].Rows[i]
		if math.Abs(g.Delta.Or(9)-row.Delta.Or(0)) > 1e-12 || math.Abs(g.Low.Or(9)-row.Low.Or(0)) > 1e-12 {
			t.Errorf("%+v: want %v from %v, got %v from %v", row.Quantity, row.Delta, row.Low, g.Delta, g.Low)
		}
	}
}

// The same samples on both sides have no difference, whatever is drawn: exactly.
func TestSameResult(t *testing.T) {
	exact := func(name string, c *Comparison, want int) {
		t.Helper()
		found := 0
		for _, row := range c.Targets[0].Rows {
			delta, ok := row.Delta.Value()
			if !ok {
				continue
			}
			found++
			if low, high := row.Low.Or(9), row.High.Or(9); delta != 0 || low != 0 || high != 0 || row.Verdict != Unclear || row.Reason != "" {
				t.Errorf("%s: %+v: want 0 [0, 0], got %v [%v, %v] %s %s", name, row.Quantity, delta, low, high, row.Verdict, row.Reason)
			}
		}
		if found != want || !hasWarning(c, "same-result") {
			t.Errorf("%s: want %d rows and a warning, got %d, %v", name, want, found, c.Warnings)
		}
	}
	for _, samples := range []bool{true, false} {
		for _, n := range []int{4, 60} {
			a := twoRuns(2, n)[0]
			b := a
			b.Path = "copy.json"
			if !samples {
				a.Samples, b.Samples = nil, nil
			}
			c, err := Compare(t.Context(), Side{"a", []Run{a}}, Side{"b", []Run{b}}, Options{Seed: 1, Draws: 400})
			if err != nil {
				t.Fatal(err)
			}
			exact(string(c.Method), c, 3+2*3+3*3)
		}
	}
	// One class alone is the same: the others, and all together, differ.
	r := twoRuns(2, 60)
	var phi []float64
	for i := range 60 {
		m := r[min(1, i%3)].Samples.ByTarget[0].Matrix(i, 2)
		phi = append(phi, m[0], m[1], m[3])
	}
	b := runOf(2, phi, numbered(60), r[0].Samples.Predicted, "cat", "dog", "fox")
	b.Path = "b.json"
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", []Run{b}}, Options{Seed: 1, Draws: 400})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range c.Targets[0].Rows {
		same := row.Class != nil && *row.Class == "cat"
		if none := row.Low == score.Defined(0) && row.High == score.Defined(0); none != same {
			t.Errorf("%+v: want [0, 0]: %v, got [%v, %v]", row.Quantity, same, row.Low, row.High)
		}
	}
}

// predictedRuns are two runs of 40 samples that explain what each predicts; they agree
// on the first n.
func predictedRuns(agreed int) [2]Run {
	r := twoRuns(4, 40)
	for k := range r {
		var predicted []int
		for i := range 40 {
			class := i % 2
			if k == 1 && i >= agreed {
				class = 1 - class
			}
			predicted = append(predicted, class)
		}
		var phi []float64
		for i := range 40 {
			m := r[k].Samples.ByTarget[0].Matrix(i, 2)
			phi = append(phi, m[0], m[1], m[3])
		}
		r[k] = runOf(2, phi, numbered(40), predicted, "cat", "dog")
		r[k].Path = []string{"a.json", "b.json"}[k]
		r[k].Result.Targets[0].Target = predictedTarget
	}
	return r
}

func TestPredictedTarget(t *testing.T) {
	compare := func(agreed int, opt Options) (*Comparison, [2]Run, error) {
		r := predictedRuns(agreed)
		opt.Draws, opt.Seed = 400, 1
		c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, opt)
		return c, r, err
	}
	c, r, err := compare(30, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Samples; *s.Agreed != 30 || s.Shared != 40 || s.Used != 30 || s.Independent != 30 || !hasWarning(c, "predictions-differ") {
		t.Errorf("they agree on 30 of 40: got %+v, %v", c.Samples, c.Warnings)
	}
	// The score is that of the samples on which they agree, and no other.
	var first []float64
	for i := range 30 {
		m := r[0].Samples.ByTarget[0].Matrix(i, 2)
		first = append(first, m[0], m[1], m[3])
	}
	want := runOf(2, first, numbered(30), make([]int, 30)).Result.Targets[0].Global.InterSHAP.Or(-1)
	if h := c.Targets[0].HeadlineRow(); math.Abs(h.Base.Value.Or(0)-want) > 1e-12 || h.Base.N != 30 {
		t.Errorf("headline %+v, want %v of 30 samples", h.Base, want)
	}
	if c, _, err := compare(40, Options{}); err != nil || hasWarning(c, "predictions-differ") || c.Samples.Used != 40 {
		t.Errorf("they agree on all: got %v, %v", c, err)
	}
	if _, _, err := compare(20, Options{}); err != nil {
		t.Errorf("half of them is enough: %v", err)
	}
	var disagree *AgreementError
	if _, _, err := compare(19, Options{}); !errors.As(err, &disagree) || disagree.Agreed != 19 || disagree.Shared != 40 || !strings.Contains(err.Error(), "19 of 40 samples (47.5 %)") {
		t.Errorf("less than half: got %v", err)
	}
	if c, _, err := compare(19, Options{Force: true}); err != nil || c.Samples.Used != 19 {
		t.Errorf("less than half, forced: got %v, %v", c, err)
	}
	if _, _, err := compare(0, Options{Force: true}); !errors.As(err, &disagree) {
		t.Errorf("on none there is nothing to force: got %v", err)
	}
	// Nor is it where samples are not paired, and the remedy is not to have them.
	r = predictedRuns(40)
	r[1].Result.Provenance.Data.SHA256 = ""
	if c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{}); err != nil || c.Method != UnpairedBootstrap || !hasWarning(c, "own-predictions") || slices.ContainsFunc(c.Warnings, func(w diag.Warning) bool { return strings.Contains(w.Text, "--samples") }) {
		t.Errorf("not paired: got %v, %v", c, err)
	}
	// Without samples nothing is known of it.
	r = predictedRuns(10)
	r[1].Samples = nil
	if c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{}); err != nil || !hasWarning(c, "own-predictions") || c.Method != Carried {
		t.Errorf("without samples: got %v, %v", c, err)
	}
}

func TestAccuracy(t *testing.T) {
	r := predictedRuns(30) // b is right where it agrees with a, and a always
	labels := make([]string, 40)
	for i := range labels {
		labels[i] = []string{"cat", "dog"}[i%2]
	}
	for k := range r {
		right, err := Right(&r[k], numbered(40), labels)
		if err != nil {
			t.Fatal(err)
		}
		r[k].Right = right
	}
	check := func(c *Comparison, err error, reason string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		rows := c.Targets[0].Rows
		last := rows[len(rows)-1]
		if last.Kind != Accuracy || last.Base.Value != score.Defined(1) || last.Other.Value != score.Defined(.75) || !near(-.25, last.Delta.Or(0)) {
			t.Errorf("%s: accuracy %+v, want 1 and 3/4", reason, last)
		}
	}
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 1})
	check(c, err, "over all samples, also where they do not agree")
	// The interval of a mean of zeros and ones: −1/4 ± 2.02·√(3/16/39).
	rows := c.Targets[0].Rows
	if low, high := rows[len(rows)-1].Low.Or(0), rows[len(rows)-1].High.Or(0); math.Abs(low+.39) > .02 || math.Abs(high+.11) > .02 {
		t.Errorf("accuracy: interval %v to %v, want about -0.39 to -0.11", low, high)
	}
	third := r[1]
	third.Path = "c.json"
	third.Result = clone(t, r[1].Result)
	third.Result.Targets[0].Output += 1e-12 // another run
	third.Samples = r[1].Samples
	c, err = Compare(t.Context(), Side{"a", r[:1]}, Side{"b", []Run{r[1], third}}, Options{})
	check(c, err, "of replicates")
	for _, tt := range []struct {
		name   string
		labels []string
		ids    []string
		want   string
	}{
		{"positions", []string{"0", "1"}, numbered(2), ""},
		{"a foreign label", []string{"cat", "fox"}, numbered(2), `id "1": label "fox" is no class`},
		{"a position too far", []string{"cat", "2"}, numbered(2), "is no class"},
		{"missing samples", []string{"cat"}, numbered(1), "labels for 1 of 2 samples"},
	} {
		small := runOf(2, []float64{.1, .1, .1, .1, .1, .1}, numbered(2), []int{0, 1}, "cat", "dog")
		right, err := Right(&small, tt.ids, tt.labels)
		if tt.want == "" && (err != nil || !slices.Equal(right, []bool{true, true})) || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: got %v, %v", tt.name, right, err)
		}
	}
	none := runOf(2, []float64{.1, .1, .1}, numbered(1), []int{0})
	if _, err := Right(&none, numbered(1), []string{"0"}); err == nil {
		t.Error("no error for a task without classes")
	}
	none.Samples = nil
	if _, err := Right(&none, numbered(1), []string{"0"}); err == nil || !strings.Contains(err.Error(), "file of samples") {
		t.Errorf("no error for a run without samples: %v", err)
	}
}

// clone copies a result through JSON.
func clone(t *testing.T, e *result.Explanation) *result.Explanation {
	t.Helper()
	var b bytes.Buffer
	if err := e.Write(&b); err != nil {
		t.Fatal(err)
	}
	out, err := result.Read(&b)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestReplicates(t *testing.T) {
	group := func(seed uint64, w world, label string) Side {
		s := Side{Label: label}
		for i := range 3 {
			rng := rand.New(rand.NewPCG(seed, uint64(i)))
			r := runOf(2, w.draw(rng, 40, nil), numbered(40), make([]int, 40), "cat", "dog")
			r.Samples, r.Path = nil, label+numbered(3)[i]+".json"
			s.Runs = append(s.Runs, r)
		}
		return s
	}
	w := twoWorlds()
	a, b := group(1, w[0], "a"), group(2, w[1], "b")
	c, err := Compare(t.Context(), a, b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Question != Replicates || c.Method != Welch || !slices.Equal(c.Holds, []string{"replicates"}) || c.Files != [2]int{3, 3} {
		t.Errorf("got %+v", c)
	}
	h := c.Targets[0].HeadlineRow()
	var x, y []float64
	for i := range 3 {
		x = append(x, a.Runs[i].Result.Targets[0].Global.InterSHAP.Or(-1))
		y = append(y, b.Runs[i].Result.Targets[0].Global.InterSHAP.Or(-1))
	}
	want := welch(x, y, .95)
	if !near(want.delta, h.Delta.Or(0)) || !near(want.low, h.Low.Or(0)) || h.Base.N != 3 || h.Verdict != Higher {
		t.Errorf("want %+v, got %+v", want, h)
	}
	one, err := Compare(t.Context(), a, Side{"b", b.Runs[:1]}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if h := one.Targets[0].HeadlineRow(); h.Reason != "needs 2 or more" || h.Verdict != Unclear || !hasWarning(one, "single-replicate") {
		t.Errorf("one against three: %+v", h)
	}
	if _, err := Compare(t.Context(), a, Side{Label: "b"}, Options{}); err == nil || !strings.Contains(err.Error(), "b has no results") {
		t.Errorf("an empty group: got %v", err)
	}
	undefined := runOf(2, make([]float64, 120), numbered(40), make([]int, 40), "cat", "dog")
	undefined.Samples, undefined.Path = nil, "zero.json"
	b.Runs = append(b.Runs, undefined)
	c, err = Compare(t.Context(), a, b, Options{})
	if err != nil || !hasWarning(c, "replicate-undefined") || c.Targets[0].HeadlineRow().Other.N != 3 {
		t.Errorf("an undefined replicate: %v, %v", c, err)
	}
}

func TestOptions(t *testing.T) {
	r := twoRuns(1, 30)
	for want, opt := range map[string]Options{
		"level 1.5 must lie between 0 and 1":         {Level: 1.5},
		"100 draws leave 2.5 beyond each end":        {Draws: 100},
		"2000 draws leave 1.0 beyond each end":       {Level: .999},
		"workers -1 must not be negative":            {Workers: -1},
		"level -1 must lie between 0 and 1\nworkers": {Level: -1, Workers: -2},
	} {
		if _, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
	foreign := r[1]
	foreign.Samples = twoRuns(9, 30)[0].Samples
	if _, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", []Run{foreign}}, Options{}); err == nil || !strings.Contains(err.Error(), "not the samples of this result") {
		t.Errorf("samples of another run: got %v", err)
	}
}

func TestDocument(t *testing.T) {
	r := twoRuns(1, 30)
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	d := &Document{Schema: Schema, Level: .95, Seed: 3, Sides: []Sources{SourcesOf(&Side{"a", r[:1]})}, Comparisons: []*Comparison{c}}
	var b bytes.Buffer
	if err := d.Write(&b); err != nil {
		t.Fatal(err)
	}
	var back Document
	if err := json.Unmarshal(b.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Schema != Schema || len(back.Comparisons[0].Targets[0].Rows) != len(c.Targets[0].Rows) || *back.Sides[0].Files[0].SamplesFile != "run.npz" {
		t.Errorf("the document came back as %+v", back)
	}
	for i, row := range back.Comparisons[0].Targets[0].Rows {
		if row.Low != c.Targets[0].Rows[i].Low || row.Verdict != c.Targets[0].Rows[i].Verdict {
			t.Errorf("row %d came back as %+v", i, row)
		}
	}
	c.Targets[0].Rows[0].Low = score.Defined(math.NaN())
	if b.Reset(); d.Write(&b) == nil || b.Len() > 0 {
		t.Error("a number that is none is written")
	}
}
