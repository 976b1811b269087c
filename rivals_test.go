package intershap_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// fewPID makes estimates of information cheap.
var fewPID = rival.PIDOptions{Seeds: 2, Permutations: 2, Restarts: 2}

// rivalsOf computes the scores of data that are their own background.
func rivalsOf(t testing.TB, m model.Model, f dataset.File, opt intershap.RivalOptions) *intershap.RivalScores {
	t.Helper()
	got, err := intershap.Rivals(t.Context(), m, f, f, opt)
	if err != nil {
		t.Fatal(err)
	}
	checkFinite(t, got)
	return got
}

// checkFinite fails for every number that is none.
func checkFinite(t testing.TB, got *intershap.RivalScores) {
	t.Helper()
	for _, fault := range notFinite(reflect.ValueOf(*got), "scores") {
		t.Error(fault)
	}
}

// notFinite lists the places of x that hold NaN or infinity, unexported fields too.
func notFinite(x reflect.Value, place string) (found []string) {
	switch x.Kind() {
	case reflect.Float64, reflect.Float32:
		if v := x.Float(); v-v != 0 {
			return []string{fmt.Sprintf("%s is %v", place, v)}
		}
	case reflect.Pointer, reflect.Interface:
		if !x.IsNil() {
			return notFinite(x.Elem(), place)
		}
	case reflect.Struct:
		for i := range x.NumField() {
			found = append(found, notFinite(x.Field(i), place+"."+x.Type().Field(i).Name)...)
		}
	case reflect.Slice, reflect.Array:
		for i := range x.Len() {
			found = append(found, notFinite(x.Index(i), fmt.Sprintf("%s[%d]", place, i))...)
		}
	case reflect.Map:
		for _, k := range x.MapKeys() {
			found = append(found, notFinite(x.MapIndex(k), fmt.Sprintf("%s[%v]", place, k))...)
		}
	}
	return found
}

func TestNotFiniteSeesNaN(t *testing.T) {
	s := intershap.RivalScores{
		EMAP:   &intershap.EMAPScore{EMAP: rival.EMAP{OverPairs: score.Defined(math.NaN())}},
		SRI:    []rival.SRI{{}, {OfI: rival.SRIParts{Synergy: score.Defined(math.Inf(1))}}},
		Shares: &rival.ModalityShares{},
	}
	if found := notFinite(reflect.ValueOf(s), "s"); len(found) != 2 || !strings.Contains(found[0], "EMAP.OverPairs") || !strings.Contains(found[1], "SRI[1].OfI.Synergy") {
		t.Errorf("found %v, want NaN in EMAP and infinity in SRI", found)
	}
}

// within checks a number.
func within(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

// share checks a share that must be defined.
func share(t *testing.T, what string, got score.Share, want, tolerance float64) {
	t.Helper()
	v, ok := got.Value()
	if !ok {
		t.Errorf("%s is undefined, want %v", what, want)
		return
	}
	within(t, what, v, want, tolerance)
}

func TestWithinSeesFaults(t *testing.T) {
	for _, f := range []func(t *testing.T){
		func(t *testing.T) { within(t, "x", 1, 1.1, 1e-3) },
		func(t *testing.T) { within(t, "x", math.NaN(), 1, 1e-3) },
		func(t *testing.T) { share(t, "x", score.Share{}, 0, 1e-3) },
	} {
		inner := &testing.T{}
		f(inner)
		if !inner.Failed() {
			t.Error("a wrong number went through")
		}
	}
}

// labelled returns copies of the 2^m patterns of m bits with their labels.
func labelled(t testing.TB, m, copies int, label func(uint) bool) dataset.File {
	t.Helper()
	patterns := slices.Repeat(all(m), copies)
	var arrays []dataset.Array
	bits := bitRows(t, m, patterns)
	for i, c := range bits.Columns() {
		x, err := bits.Read(t.Context(), 0, bits.Len(), []int{i})
		if err != nil {
			t.Fatal(err)
		}
		arrays = append(arrays, dataset.Array{Name: c.Name, Tensor: x[0]})
	}
	labels := make([]int64, len(patterns))
	for r, p := range patterns {
		if label(p) {
			labels[r] = 1
		}
	}
	f, err := dataset.FromArrays(append(arrays, dataset.Array{Name: "label", Tensor: tensor.Of(labels)})...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// agreement returns the mean accuracy over draws when one modality is shuffled and
// the label stays: right says whether a sample that has the modality of another is
// still right.
func agreement(n, draws, modality int, seed uint64, right func(sample, from int) bool) float64 {
	sum := 0.0
	for draw := range draws {
		for i, from := range rival.Permutation(n, seed, modality, draw) {
			if right(i, from) {
				sum++
			}
		}
	}
	return sum / float64(n*draws)
}

// TestRivalsOfXOR holds every score of the XOR of two fair bits against what follows by
// hand. f gives probability 1 to the class y = x1 xor x2.
//
//	EMAP        every row and column of all pairs averages to ½, so f~ = ½: nothing of
//	            the variance is additive. The tie says class 0 always, which is right for
//	            half of the samples; F1 is 2·n/2/(2·n/2+n/2) = 2/3 of class 0, 0 of class 1.
//	SHAPE       with x2 = 0 the model says x1, which is right for half of each class:
//	            accuracy ½, F1 ½ for both classes; the same with x1 = 0. Always naming one
//	            class has accuracy ½ and, as above, F1 1/3. So 1 − ½ − 0 − 0 = ½ in
//	            accuracy, and 1 − 1/3 − 1/6 − 1/6 = 1/3 in F1. On outputs: with zeros it is
//	            right, with probability 1, where x1 xor x2 is unchanged: half of the
//	            samples, for {}, {1} and {2}.
//	PID         y is a bit that neither source tells: synergy log 2.
//	SRI         p_i and p_ij are the same vector: synergy 1.
//	share       equal halves, phi_i = ¼.
//	perceptual  right where the other sample has the same bit.
//	effects     nothing alone, ½ last, ¼ on average.
func TestRivalsOfXOR(t *testing.T) {
	const copies, draws, seed = 10, 7, 3
	f := labelled(t, 2, copies, parity)
	n := f.Len()
	got := rivalsOf(t, labeller(2, parity), f, intershap.RivalOptions{Options: intershap.Options{Seed: seed, BackgroundSize: intershap.AllRows}, Draws: draws})
	const exact = 1e-12
	share(t, "InterSHAP", got.Explanation.Global().InterSHAP, 1, exact)
	share(t, "InterSHAP of a sample", got.Explanation.Local(3), 1, exact)
	within(t, "phi of a sample", got.Explanation.Phi(3)[0][1], 1./4, exact)
	if got.Metrics == nil || got.Metrics.Accuracy != 1 || got.Metrics.MacroF1 != 1 {
		t.Errorf("metrics %+v, want all right", got.Metrics)
	}
	share(t, "EMAP over samples", got.EMAP.OverSamples, 1, exact)
	share(t, "EMAP over pairs", got.EMAP.OverPairs, 1, exact)
	within(t, "EMAP gap, accuracy", got.EMAP.Gap.Accuracy, 1./2, exact)
	within(t, "EMAP gap, F1", got.EMAP.Gap.MacroF1, 2./3, exact)
	within(t, "SHAPE, F1", got.ShapeF1.Cooperation, 1./3, exact)
	within(t, "SHAPE, accuracy", got.ShapeAccuracy.Cooperation, 1./2, exact)
	within(t, "SHAPE, outputs", got.ShapeOutputs.Cooperation, 1./2, exact)
	within(t, "SHAPE, baseline", got.ShapeF1.Baseline, 1./3, exact)
	for what, views := range map[string][]rival.PIDView{"data": got.DataPID, "model": got.ModelPID} {
		if len(views) != 1 || views[0].Heading != rival.HeadingPID {
			t.Fatalf("PID of the %s: %+v, want one view", what, views)
		}
		within(t, "synergy of the "+what, views[0].Estimate.Mean.Synergy, math.Ln2, 1e-6)
		within(t, "redundancy of the "+what, views[0].Estimate.Mean.Redundancy, 0, 1e-6)
	}
	share(t, "SRI synergy", got.SRI[0].Both.Synergy, 1, exact)
	share(t, "modality share", got.Shares.Shares[0], 1./2, exact)
	for m := range 2 {
		bit := func(i int) int { return i >> m & 1 } // sample i is pattern i mod 4
		want := 1 - agreement(n, draws, m, seed, func(i, from int) bool { return bit(i) == bit(from) })
		within(t, "perceptual score", got.Perceptual.Modalities[m].Score, want, exact)
		if want < 0.3 {
			t.Errorf("modality %d: a perceptual score of %v, want about ½", m, want)
		}
		within(t, "alone", got.Effects.Alone[m].MeanAbsolute, 0, exact)
		within(t, "on average", got.Effects.Shapley[m].Mean, 1./4, exact)
		within(t, "last", got.Effects.Last[m].Mean, 1./2, exact)
	}
	if len(got.Unfit) > 0 || got.PIDSamples != n || got.EMAP.Samples != n || got.EMAP.Drawn != nil || got.EMAP.Design != rival.AllPairs {
		t.Errorf("unfit %v, %d and %d samples of %d, drawn %v", got.Unfit, got.PIDSamples, got.EMAP.Samples, n, got.EMAP.Drawn)
	}
	// All pairs; v(all) of each and v(S) of three with one row of zeros, of which v({})
	// once; the samples once and shuffled.
	rows := map[string]int64{
		"emap": int64(n * n), "shape": int64(3*n + 1), "perceptual": int64(n * (1 + 2*draws)), "pid": 0, "sri": 0, "share": 0, "effects": 0,
	}
	if !maps.Equal(got.Rows, rows) {
		t.Errorf("took the rows %v, want %v", got.Rows, rows)
	}
}

// TestRivalsOfFirstBit: y = x1, and modality 2 is ignored. Every score that says so is
// exactly zero.
//
//	SHAPE       v(1) = v(12) = 1, and v(2) = f(0, x2), which always names class 0, as the
//	            baseline does: 1 − v({}) − (1 − v({})) − 0 = 0, in accuracy, F1 and outputs.
//	perceptual  of modality 1 what its shuffling changes.
func TestRivalsOfFirstBit(t *testing.T) {
	const copies, draws, seed = 10, 5, 1
	one := func(p uint) bool { return p&1 == 1 }
	f := labelled(t, 2, copies, one)
	got := rivalsOf(t, labeller(2, one), f, intershap.RivalOptions{Options: intershap.Options{Seed: seed}, Draws: draws, PID: fewPID})
	for what, v := range map[string]float64{
		"InterSHAP":               got.Explanation.Global().InterSHAP.Or(1),
		"EMAP over samples":       got.EMAP.OverSamples.Or(1),
		"EMAP over pairs":         got.EMAP.OverPairs.Or(1),
		"EMAP gap, accuracy":      got.EMAP.Gap.Accuracy,
		"EMAP gap, F1":            got.EMAP.Gap.MacroF1,
		"SHAPE, F1":               got.ShapeF1.Cooperation,
		"SHAPE, accuracy":         got.ShapeAccuracy.Cooperation,
		"SHAPE, outputs":          got.ShapeOutputs.Cooperation,
		"SRI synergy":             got.SRI[0].OfI.Synergy.Or(1),
		"share of the ignored":    got.Shares.Shares[1].Or(1),
		"perceptual, the ignored": got.Perceptual.Modalities[1].Score,
		"alone, the ignored":      got.Effects.Alone[1].MeanAbsolute,
		"last, the ignored":       got.Effects.Last[1].MeanAbsolute,
	} {
		if v != 0 {
			t.Errorf("%s is %v, want exactly 0", what, v)
		}
	}
	bit := func(i int) int { return i & 1 }
	want := 1 - agreement(f.Len(), draws, 0, seed, func(i, from int) bool { return bit(i) == bit(from) })
	within(t, "perceptual, the used", got.Perceptual.Modalities[0].Score, want, 1e-12)
	if got.Perceptual.Modalities[0].Score < 0.3 || got.Effects.Alone[0].Mean < 0.3 || got.Shares.Shares[0].Or(0) != 1 {
		t.Error("the modality that is used is not seen")
	}
	if _, ok := got.SRI[0].OfJ.Synergy.Value(); ok {
		t.Error("SRI of a modality without effect is defined")
	}
}

// With the target label SHAPE explains the label's column. y = x1 xor x2 and the label
// is x1: v(12) is right where x2 = 0, ½; v(1) = x1 always, 1; v(2) = x2 and v({}) = 0
// half of the time. ½ − 1 − ½ + ½ = −½.
func TestRivalsOfLabel(t *testing.T) {
	f := labelled(t, 2, 5, func(p uint) bool { return p&1 == 1 })
	got := rivalsOf(t, labeller(2, parity), f, intershap.RivalOptions{Scores: []string{"shape"}, Options: intershap.Options{Target: "label"}})
	within(t, "SHAPE on outputs", got.ShapeOutputs.Cooperation, -1./2, 1e-12)
	within(t, "accuracy", got.Metrics.Accuracy, 1./2, 0)
}

// The classes of a binary output are those before the transform, whose middle moves.
func TestRivalsOfTransformedBinary(t *testing.T) {
	const n = 40
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = int64(i / 3 % 2)
	}
	f := grid(t, n, dataset.Array{Name: "label", Tensor: tensor.Of(labels)})
	logit := model.RowFunc("risk", func(x model.Row) []float64 { return []float64{10*x("a")[0]*x("b")[0] - 2.1} })
	risk := model.RowFunc("risk", func(x model.Row) []float64 { return []float64{.3 + .6*x("a")[0]*x("b")[0]} })
	for _, c := range []struct {
		model     model.Model
		transform engine.Transform
	}{{logit, engine.Identity}, {logit, engine.Sigmoid}, {risk, engine.Identity}, {risk, engine.Logit}, {risk, engine.Log}} {
		got := rivalsOf(t, c.model, f, intershap.RivalOptions{
			Scores: []string{"emap", "shape", "perceptual"}, Options: intershap.Options{Task: intershap.Binary, Transform: c.transform},
		})
		if got.Metrics.MacroF1 < 0.35 {
			t.Errorf("%v: F1 %v: one class alone, the test sees nothing", c.transform, got.Metrics.MacroF1)
		}
		within(t, "accuracy before the projection, "+c.transform.String(), got.EMAP.Gap.Model.Accuracy, got.Metrics.Accuracy, 0)
		within(t, "accuracy before shuffling, "+c.transform.String(), got.Perceptual.Accuracy, got.Metrics.Accuracy, 0)
		within(t, "F1 of SHAPE, "+c.transform.String(), got.ShapeF1.All, got.Metrics.MacroF1, 0)
	}
}

// The rows and labels of a drawn EMAP belong together: a model whose output is its
// label has accuracy 1 on any draw.
func TestRivalsDrawnPairs(t *testing.T) {
	f := labelled(t, 2, 25, parity)
	got := rivalsOf(t, labeller(2, parity), f, intershap.RivalOptions{Scores: []string{"emap"}, EMAPSamples: 30, Options: intershap.Options{Seed: 8, BackgroundSize: 4}})
	if got.EMAP.Samples != 30 || got.EMAP.Gap.Model.Accuracy != 1 {
		t.Errorf("%d samples with accuracy %v, want 30 all right", got.EMAP.Samples, got.EMAP.Gap.Model.Accuracy)
	}
	for i, row := range got.EMAP.Drawn {
		// f~ of class 1 follows from the bits' shares among the drawn.
		ones := [2]float64{}
		for _, r := range got.EMAP.Drawn {
			ones[0] += float64(r&1) / 30
			ones[1] += float64(r>>1&1) / 30
		}
		x, y := float64(row&1), float64(row>>1&1)
		// E[x xor Y] = x + q − 2xq, and for both p + q − 2pq.
		p, q := ones[0], ones[1]
		want := (x + q - 2*x*q) + (y + p - 2*y*p) - (p + q - 2*p*q)
		within(t, fmt.Sprintf("the projection of row %d", row), got.EMAP.Projected.Row(i)[1], want, 1e-12)
	}
	if got.Rows["emap"] != 900 {
		t.Errorf("took %d rows, want 900", got.Rows["emap"])
	}
}

// Begin comes before each score with the rows that Progress then counts.
func TestRivalsProgress(t *testing.T) {
	f := labelled(t, 3, 8, parity)
	var order []string
	promised, told := map[string]int64{}, map[string]int64{}
	opt := intershap.RivalOptions{Draws: 2, PID: fewPID, Begin: func(score string, rows int64) {
		order = append(order, score)
		promised[score] = rows
	}}
	opt.BackgroundSize = 10
	opt.Progress = func(done, total int64) {
		now := order[len(order)-1]
		if done <= told[now] || total != promised[now] {
			t.Errorf("%s: %d of %d rows after %d, want %d", now, done, total, told[now], promised[now])
		}
		told[now] = done
	}
	got := rivalsOf(t, labeller(3, parity), f, opt)
	if want := append([]string{intershap.ScoreInterSHAP}, got.Scores...); !slices.Equal(order, want) {
		t.Errorf("scores began in the order %v, want %v", order, want)
	}
	for score, rows := range got.Rows {
		if rows != promised[score] || rows != told[score] {
			t.Errorf("%s took %d rows, promised %d, told %d", score, rows, promised[score], told[score])
		}
	}
	if told[intershap.ScoreInterSHAP] != promised[intershap.ScoreInterSHAP] || promised[intershap.ScoreInterSHAP] == 0 {
		t.Errorf("InterSHAP: told %d rows of %d", told[intershap.ScoreInterSHAP], promised[intershap.ScoreInterSHAP])
	}
	// Few scores, in the order of the cards; none is none.
	got = rivalsOf(t, labeller(3, parity), f, intershap.RivalOptions{Scores: []string{"effects", "sri"}})
	if !slices.Equal(got.Scores, []string{"sri", "effects"}) || got.SRI == nil || got.EMAP != nil || got.Perceptual != nil || len(got.Rows) != 2 {
		t.Errorf("scores %v with the rows %v", got.Scores, got.Rows)
	}
	got = rivalsOf(t, labeller(3, parity), f, intershap.RivalOptions{Scores: []string{}})
	if len(got.Scores) != 0 || got.SRI != nil || got.Metrics == nil || got.Explanation == nil {
		t.Errorf("asked for none, got %v", got.Scores)
	}
}

// Little memory leaves fewer samples to estimate information of, and no room for the
// pairs of 3,000.
func TestRivalsInLittleMemory(t *testing.T) {
	const memory = 192 << 10
	rng := rand.New(rand.NewPCG(1, 1))
	p := newPartsModel(rng, 2, 2)
	f := p.data(t, rng, 3000)
	opt := intershap.RivalOptions{Scores: []string{"emap", "pid"}, PID: fewPID, Options: intershap.Options{Output: "logits", BackgroundSize: 4, Memory: memory}}
	got := rivalsOf(t, p, f, opt)
	// Four columns of 24 bytes each.
	if want := memory / (4 * 24); got.PIDSamples != want || got.DataPID[0].Estimate.Samples != want {
		t.Errorf("estimated of %d samples, want %d", got.PIDSamples, want)
	}
	if said := reasons(got, "emap"); got.EMAP != nil || len(said) != 1 || !strings.Contains(said[0], "its outputs do not fit into memory (engine: pairs: 3000 background rows") {
		t.Errorf("EMAP is unfit for %q, want the memory", said)
	}
}
