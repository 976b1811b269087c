package intershap_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// columns returns a file of one number a row for each name.
func columns(t testing.TB, names []string, values ...[]float64) dataset.File {
	t.Helper()
	var arrays []dataset.Array
	for i, name := range names {
		arrays = append(arrays, dataset.Array{Name: name, Tensor: tensor.Of(values[i], len(values[i]), 1)})
	}
	f, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// normals returns n rows of independent standard normal numbers x and y.
func normals(t testing.TB, seed uint64, n int) dataset.File {
	rng := rand.New(rand.NewPCG(seed, 0))
	x, y := make([]float64, n), make([]float64, n)
	for i := range n {
		x[i], y[i] = rng.NormFloat64(), rng.NormFloat64()
	}
	return columns(t, []string{"x", "y"}, x, y)
}

// sensitivity runs the choices and checks that the result reads back.
func sensitivity(t testing.TB, m model.Model, samples, rows dataset.File, opt intershap.Options) *intershap.Explanation {
	t.Helper()
	ex, err := intershap.Sensitivity(t.Context(), m, samples, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	var document strings.Builder
	if err := ex.Write(&document); err != nil {
		t.Fatal(err)
	}
	if _, err := result.Read(strings.NewReader(document.String())); err != nil {
		t.Fatalf("the result does not read back: %v", err)
	}
	return ex
}

// rowOf finds the row of a setting.
func rowOf(t testing.TB, s *result.Sensitivity, choice result.Choice, setting string) result.SensitivityRow {
	t.Helper()
	for _, r := range s.Rows {
		if r.Choice == choice && r.Setting == setting {
			return r
		}
	}
	t.Fatalf("no row for %s %s in %+v", choice, setting, s.Rows)
	return result.SensitivityRow{}
}

// squashed is a classifier whose logits are -a(x+y)/2 and a(x+y)/2: nothing in them is
// interaction, and all that its probabilities have is the softmax's.
func squashed(a float64) model.Func {
	return model.RowFunc("probabilities", func(v model.Row) []float64 {
		z := a * (v("x")[0] + v("y")[0])
		return []float64{1 / (1 + math.Exp(z)), 1 / (1 + math.Exp(-z))} // 1 - p would lose the small one
	})
}

// A sigmoid alone makes a quarter of all behaviour interaction: for x and y normal and
// a = 8 quadrature gives 0.272 of the probability of the predicted class, and zero in
// logits.
func TestSensitivityOfScale(t *testing.T) {
	ex := sensitivity(t, squashed(8), normals(t, 1, 500), normals(t, 2, 1200), intershap.Options{BackgroundSize: 500, Seed: 1})
	share, low, high := ex.Targets[0].HeadlineInterval()
	if x := share.Or(0); !(math.Abs(x-0.272) < 0.05) || !(low.Or(1) < 0.272 && 0.272 < high.Or(0)) {
		t.Errorf("probabilities: %v [%v, %v], want 0.272 within", share, low, high)
	}
	s := ex.Sensitivity
	logit := rowOf(t, s, result.ScaleChoice, "centred-log")
	if x, ok := logit.InterSHAP.Value(); !ok || !(x < 1e-9) || !logit.Matters || logit.Name != "centred logit" {
		t.Errorf("logits: %+v, want zero, which matters", logit)
	}
	if !s.Depends || !strings.HasPrefix(s.Verdict, "The verdict depends on ") || !strings.Contains(s.Verdict, "the output scale: ") ||
		!strings.Contains(s.Verdict, "% in the run, ") || !strings.Contains(s.Verdict, "< 0.01 % with centred logit") {
		t.Errorf("verdict %q", s.Verdict)
	}
	for _, seed := range []string{"2", "3"} {
		if r := rowOf(t, s, result.DrawChoice, seed); r.Matters || r.Reason != nil {
			t.Errorf("another draw of as many rows matters: %+v", r)
		}
	}
	for _, size := range []string{"250", "1000"} {
		if r := rowOf(t, s, result.SizeChoice, size); r.Matters || r.Reason != nil {
			t.Errorf("another number of rows matters: %+v", r)
		}
	}
	if len(s.Rows) != 8 { // mean, zero, nearest; two sizes; two draws; logit
		t.Errorf("%d rows, want 8", len(s.Rows))
	}

	// The other way round: from logits the probability is the other choice.
	ex = sensitivity(t, squashed(8), normals(t, 1, 500), normals(t, 2, 500), intershap.Options{Transform: engine.CentredLog})
	if r := rowOf(t, ex.Sensitivity, result.ScaleChoice, "identity"); !r.Matters || r.Name != "probability" || !(math.Abs(*r.Difference-0.272) < 0.05) {
		t.Errorf("from logits: %+v, want about 0.272 more", r)
	}
}

// The rows say what a run with the same setting says.
func TestSensitivityIsTheRun(t *testing.T) {
	samples, rows := normals(t, 1, 60), normals(t, 2, 300)
	opt := intershap.Options{BackgroundSize: 100, Seed: 5}
	s := sensitivity(t, squashed(3), samples, rows, opt).Sensitivity
	for _, tt := range []struct {
		choice  result.Choice
		setting string
		change  func(*intershap.Options)
	}{
		{result.MaskChoice, "mean", func(o *intershap.Options) { o.Mask = []string{"mean"} }},
		{result.MaskChoice, "zero", func(o *intershap.Options) { o.Mask = []string{"zero"} }},
		{result.MaskChoice, "nearest:10", func(o *intershap.Options) { o.Mask = []string{"nearest:10"} }},
		{result.SizeChoice, "50", func(o *intershap.Options) { o.BackgroundSize = 50 }},
		{result.SizeChoice, "200", func(o *intershap.Options) { o.BackgroundSize = 200 }},
		{result.DrawChoice, "6", func(o *intershap.Options) { o.Seed = 6 }},
		{result.DrawChoice, "7", func(o *intershap.Options) { o.Seed = 7 }},
		{result.ScaleChoice, "centred-log", func(o *intershap.Options) { o.Transform = engine.CentredLog }},
	} {
		other := opt
		tt.change(&other)
		ex, err := intershap.Explain(t.Context(), squashed(3), samples, rows, other)
		if err != nil {
			t.Fatal(err)
		}
		share, low, high := ex.Targets[0].HeadlineInterval()
		if r := rowOf(t, s, tt.choice, tt.setting); r.InterSHAP != share || r.Low != low || r.High != high {
			t.Errorf("%s %s: %v [%v, %v], a run says %v [%v, %v]", tt.choice, tt.setting, r.InterSHAP, r.Low, r.High, share, low, high)
		}
	}
}

// repeated returns n equal rows, so that an interval has no width.
func repeated(t testing.TB, n int, names []string, row ...float64) dataset.File {
	var values [][]float64
	for _, x := range row {
		column := make([]float64, n)
		for i := range column {
			column[i] = x
		}
		values = append(values, column)
	}
	return columns(t, names, values...)
}

// Two baselines, two verdicts. With s = x1 + x2 and f(x) = max(0, s - 1), at x = (1, 1):
//
//	baseline 0    v = 0, 0, 0, 1        m1 = m2 = 0, m12 = 1     all interaction
//	baseline 1/2  v = 0, 1/2, 1/2, 1    m1 = m2 = 1/2, m12 = 0   none
//
// since s never falls below 1, the bend, from the second baseline on.
func TestSensitivityOfBaseline(t *testing.T) {
	bend := model.RowFunc("y", func(v model.Row) []float64 { return []float64{max(0, v("x")[0]+v("y")[0]-1)} })
	points := repeated(t, 40, []string{"x", "y"}, 1, 1)
	ex := sensitivity(t, bend, points, points, intershap.Options{Mask: []string{"value:0.5"}, Task: intershap.Regression})
	if share, low, high := ex.Targets[0].HeadlineInterval(); share.Or(1) != 0 || low.Or(1) != 0 || high.Or(1) != 0 {
		t.Errorf("baseline 1/2: %v [%v, %v], want zero", share, low, high)
	}
	s := ex.Sensitivity
	zero := rowOf(t, s, result.MaskChoice, "zero")
	if zero.InterSHAP.Or(0) != 1 || !zero.Matters || *zero.Difference != 1 {
		t.Errorf("baseline 0: %+v, want all", zero)
	}
	const want = "The verdict depends on the mask: 0 % in the run, 100.0 % with mask zero; 8 others give no number."
	if !s.Depends || s.Verdict != want {
		t.Errorf("verdict %q, want %q", s.Verdict, want)
	}
	for _, tt := range []struct {
		choice          result.Choice
		setting, reason string
	}{
		{result.MaskChoice, "marginal", "the modalities change nothing"}, // the background is the sample
		{result.SizeChoice, "80", "the mask value:0.5 takes no background rows"},
		{result.DrawChoice, "1", "the mask value:0.5 takes no background rows"},
		{result.ScaleChoice, "logit", "no probability, by the task regression"},
	} {
		if r := rowOf(t, s, tt.choice, tt.setting); r.Reason == nil || !strings.Contains(*r.Reason, tt.reason) || r.Difference != nil {
			t.Errorf("%s %s: %+v, want the reason %q", tt.choice, tt.setting, r, tt.reason)
		}
	}
}

// A small network of other people's tests, with hidden values s - 10 and three times
// s + 1 for s = x1 + x2 + x3, and the output max(0, s - 10) + 3 max(0, s + 1) - 1.
// Modalities are a = (x1, x2) and b = x3, the sample is (20, 50, 30).
//
//	baseline 0   s = 0, 70, 30, 100 for {}, a, b, ab
//	             v = 2, 272, 112, 392    m_a = 270, m_b = 110, m_ab = 10   10/390 = 1/39
//	baseline 4   s = 12, 74, 38, 100, all above 10, where f = 4s - 8       0
//
// Both numbers are shown; 2.6 points are too few to be another verdict.
func TestSensitivityOfSmallDifference(t *testing.T) {
	network := model.RowFunc("y", func(v model.Row) []float64 {
		s := v("x1")[0] + v("x2")[0] + v("x3")[0]
		return []float64{max(0, s-10) + 3*max(0, s+1) - 1}
	})
	points := repeated(t, 30, []string{"x1", "x2", "x3"}, 20, 50, 30)
	s := sensitivity(t, network, points, points, intershap.Options{
		Modalities: []string{"a=x1,x2", "b=x3"}, Mask: []string{"value:4"},
	})
	if share, _, _ := s.Targets[0].HeadlineInterval(); !(share.Or(1) < 1e-15) {
		t.Errorf("baseline 4: %v, want 0", share)
	}
	zero := rowOf(t, s.Sensitivity, result.MaskChoice, "zero")
	if x := zero.InterSHAP.Or(0); !(math.Abs(x-1.0/39) < 1e-14) || zero.Matters {
		t.Errorf("baseline 0: %+v, want 1/39, which does not matter", zero)
	}
	const want = "The one other choice does not change the verdict: 0 % to 2.6 %; 8 others give no number."
	if s.Sensitivity.Verdict != want || s.Sensitivity.Depends || !s.Sensitivity.Clear {
		t.Errorf("verdict %q, want %q", s.Sensitivity.Verdict, want)
	}
}

// Nothing matters to a sum: zero whatever the choice.
func TestSensitivityOfNothing(t *testing.T) {
	sum := model.RowFunc("y", func(v model.Row) []float64 { return []float64{4*v("x")[0] + v("y")[0]} })
	s := sensitivity(t, sum, normals(t, 1, 80), normals(t, 2, 400), intershap.Options{BackgroundSize: 100}).Sensitivity
	if s.Depends || !strings.HasPrefix(s.Verdict, "None of the 7 other choices changes the verdict: 0") || !strings.HasSuffix(s.Verdict, "; 1 other gives no number.") {
		t.Errorf("verdict %q", s.Verdict)
	}
	for _, r := range s.Rows {
		if r.Reason == nil && !(math.Abs(*r.Difference) < 1e-12) {
			t.Errorf("%+v moves", r)
		}
	}
}

// Choices that cannot be made are listed with the reason.
func TestSensitivityReasons(t *testing.T) {
	whole := func(t testing.TB, n int) dataset.File {
		x, y := make([]int64, n), make([]float64, n)
		for i := range n {
			x[i], y[i] = int64(i%3), float64(i%5)
		}
		f, err := dataset.FromArrays(dataset.Array{Name: "x", Tensor: tensor.Of(x, n, 1)}, dataset.Array{Name: "y", Tensor: tensor.Of(y, n, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	product := model.RowFunc("p", func(v model.Row) []float64 { return []float64{(1 + v("x")[0]*v("y")[0]) / 9} })
	certain := model.RowFunc("probabilities", func(v model.Row) []float64 {
		if v("x")[0]*v("y")[0] > 3 {
			return []float64{0, 1}
		}
		return []float64{.75, .25}
	})
	for _, tt := range []struct {
		name            string
		model           model.Model
		opt             intershap.Options
		choice          result.Choice
		setting, reason string
	}{
		{name: "one row", model: product, opt: intershap.Options{BackgroundSize: 1}, choice: result.SizeChoice, setting: "1", reason: "one background row has no half"},
		{name: "no more rows", model: product, opt: intershap.Options{BackgroundSize: 30}, choice: result.SizeChoice, setting: "60", reason: "the background has 40 rows"},
		{name: "all rows", model: product, opt: intershap.Options{BackgroundSize: intershap.AllRows}, choice: result.DrawChoice, setting: "1", reason: "all 40 rows of the background are drawn"},
		{name: "whole numbers", model: product, choice: result.MaskChoice, setting: "mean", reason: `mask mean for input "x"`},
		{name: "few rows", model: product, opt: intershap.Options{BackgroundSize: 7}, choice: result.MaskChoice, setting: "nearest:10", reason: "wants 10 rows, have 7"},
		{name: "a probability of zero", model: certain, choice: result.ScaleChoice, setting: "centred-log", reason: "want a finite number"},
	} {
		s := sensitivity(t, tt.model, whole(t, 40), whole(t, 40), tt.opt).Sensitivity
		if r := rowOf(t, s, tt.choice, tt.setting); r.Reason == nil || !strings.Contains(*r.Reason, tt.reason) {
			t.Errorf("%s: %+v, want the reason %q", tt.name, r, tt.reason)
		}
		if !strings.Contains(s.Verdict, "no number.") {
			t.Errorf("%s: the verdict %q does not count it", tt.name, s.Verdict)
		}
	}
}

// One sample has no interval, so nothing is told from it.
func TestSensitivityOfOneSample(t *testing.T) {
	s := sensitivity(t, squashed(8), normals(t, 1, 1), normals(t, 2, 100), intershap.Options{}).Sensitivity
	if s.Depends || !strings.HasPrefix(s.Verdict, "The run's headline has no interval, so that no choice can be told to change the verdict: ") {
		t.Errorf("verdict %q", s.Verdict)
	}
	same := repeated(t, 5, []string{"x", "y"}, 1, 1)
	s = sensitivity(t, squashed(8), same, same, intershap.Options{}).Sensitivity
	if s.Depends || s.Verdict != "The run's headline is undefined, so that no choice can be held against it." {
		t.Errorf("verdict %q", s.Verdict)
	}
}

// Every class has rows, and the sentence names the one that moves most.
func TestSensitivityOfAllClasses(t *testing.T) {
	ex := sensitivity(t, squashed(8), normals(t, 1, 300), normals(t, 2, 300), intershap.Options{Target: "all"})
	s := ex.Sensitivity
	if len(s.Rows) != 2*8 || s.Rows[0].Target != "class:0" || s.Rows[1].Target != "class:1" {
		t.Fatalf("rows %+v", s.Rows)
	}
	if !s.Depends || !strings.Contains(s.Verdict, "the output scale: ") || !strings.Contains(s.Verdict, "with centred logit for target class:") {
		t.Errorf("verdict %q", s.Verdict)
	}
	sum := model.RowFunc("logits", func(v model.Row) []float64 { return []float64{v("x")[0], v("y")[0], 2 * v("x")[0]} })
	ex = sensitivity(t, sum, normals(t, 1, 50), normals(t, 2, 300), intershap.Options{Target: "all", Task: intershap.Regression, BackgroundSize: 100})
	if want := "None of the 7 other choices changes the verdict of any of 3 targets: no headline moves by more than 0"; !strings.HasPrefix(ex.Sensitivity.Verdict, want) {
		t.Errorf("verdict %q, want %q", ex.Sensitivity.Verdict, want)
	}
}

// Progress grows to the total that was told before, and the sink gets the run alone.
func TestChoicesProgress(t *testing.T) {
	var log sampleLog
	plan, err := intershap.NewPlan(t.Context(), squashed(1), normals(t, 1, 50), normals(t, 2, 300), intershap.Options{BackgroundSize: 100, Sink: &log})
	if err != nil {
		t.Fatal(err)
	}
	choices, err := plan.Choices(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// N·B·2 + N + B of four choices of as many rows, of half and of twice, of the
	// mean and zero with one row, and of 10 nearest with v({}) for each sample.
	const n, b = 50, 100
	plain := func(b int64) int64 { return n*b*2 + n + b }
	if want := 3*plain(b) + plain(b/2) + plain(2*b) + 2*plain(1) + 3*n*10 + n; choices.Rows() != want || choices.Runs() != 8 {
		t.Errorf("%d runs of %d rows, want 8 of %d", choices.Runs(), choices.Rows(), want)
	}
	ex, err := plan.Explain(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	if _, err = choices.Explain(t.Context(), ex, func(done, total int64) {
		if done < last || done > total || total != choices.Rows() {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}); err != nil || last != choices.Rows() {
		t.Errorf("progress ends at %d of %d, %v", last, choices.Rows(), err)
	}
	if len(log.rows) != n {
		t.Errorf("the sink got %d samples, want %d", len(log.rows), n)
	}
}

// Until has rounds here as it has in Explain, and choices are made from the last one.
func TestSensitivityUntil(t *testing.T) {
	samples, rows := normals(t, 1, 600), normals(t, 2, 2000)
	opt := intershap.Options{BackgroundSize: 2000, Until: 0.05, Seed: 1}
	want, err := intershap.Explain(t.Context(), squashed(4), samples, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	drawn := want.Provenance.Background.Rows
	if drawn <= 100 || drawn >= 1000 { // rounds begin with 100 rows
		t.Fatalf("the last of the rounds has %d rows: want a second round, and not all rows", drawn)
	}
	ex := sensitivity(t, squashed(4), samples, rows, opt)
	if got := ex.Provenance.Background.Rows; got != drawn || ex.Targets[0].Global.InterSHAP != want.Targets[0].Global.InterSHAP {
		t.Errorf("%d rows and %v, want those of Explain, %d and %v", got, ex.Targets[0].Global.InterSHAP, drawn, want.Targets[0].Global.InterSHAP)
	}
	for _, size := range []int{drawn / 2, 2 * drawn} {
		rowOf(t, ex.Sensitivity, result.SizeChoice, strconv.Itoa(size))
	}
	opt.Until, opt.BackgroundSize, opt.Mask = 0, drawn, []string{"mean"}
	mean, err := intershap.Explain(t.Context(), squashed(4), samples, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	share, _, _ := mean.Targets[0].HeadlineInterval()
	if r := rowOf(t, ex.Sensitivity, result.MaskChoice, "mean"); r.InterSHAP != share {
		t.Errorf("the mask mean gives %v, a run on the last round's %d rows gives %v", r.InterSHAP, drawn, share)
	}
}

// A run that knows nothing does not reassure: its interval overlaps all others, however
// far these are.
func TestSensitivityOfWideInterval(t *testing.T) {
	// A small main effect under an interaction of either sign: 8 samples do not tell.
	m := model.RowFunc("y", func(v model.Row) []float64 { return []float64{v("x")[0]*v("y")[0] + 0.1*v("x")[0]} })
	ex := sensitivity(t, m, normals(t, 1, 8), normals(t, 2, 40), intershap.Options{BackgroundSize: 20, Task: intershap.Regression})
	s := ex.Sensitivity
	if s.Depends || s.Clear || !strings.HasPrefix(s.Verdict, "The run's interval, ") ||
		!strings.Contains(s.Verdict, " is too wide to tell whether a choice changes the verdict: the headlines lie between ") {
		share, low, high := ex.Targets[0].HeadlineInterval()
		t.Errorf("the run is %v [%v, %v], depends %v, clear %v, verdict %q", share, low, high, s.Depends, s.Clear, s.Verdict)
	}
	m = model.RowFunc("y", func(v model.Row) []float64 {
		return []float64{v("x")[0]*v("y")[0] + 0.1*v("x")[0], v("x")[0]*v("y")[0] - 0.1*v("x")[0]}
	})
	s = sensitivity(t, m, normals(t, 1, 8), normals(t, 2, 40), intershap.Options{BackgroundSize: 20, Task: intershap.Regression, Target: "all"}).Sensitivity
	if s.Depends || s.Clear || !strings.HasPrefix(s.Verdict, "The run knows too little of 2 of 2 targets to tell whether a choice changes their verdicts: headlines move by up to ") {
		t.Errorf("verdict %q", s.Verdict)
	}
}

// A run that is stopped gives the reason, and no half of a table.
func TestSensitivityStops(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cause := errors.New("enough")
	calls := 0
	m := model.Func(func(c context.Context, in model.Batch) (model.Batch, error) {
		if calls++; calls == 40 {
			cancel(cause)
		}
		return squashed(1).Predict(c, in)
	})
	if _, err := intershap.Sensitivity(ctx, m, normals(t, 1, 400), normals(t, 2, 400), intershap.Options{Workers: 1}); !errors.Is(err, context.Canceled) && !errors.Is(err, cause) {
		t.Errorf("want the end of the context, got %v", err)
	}
	if calls < 40 {
		t.Fatalf("the model was asked %d times, never stopped", calls)
	}
}

// digested is a model that can have a checkpoint.
type digested struct{ model.Func }

func (digested) Digest() string { return "5e" }

// The choices keep what they compute in folders of their own.
func TestSensitivityCheckpoint(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "data.csv")
	text := "x,y\n"
	for i := range 40 {
		text += fmt.Sprintf("%d,%d\n", i%7, i*i%5)
	}
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := dataset.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	defer data.Close()
	opt := intershap.Options{BackgroundSize: 10, Checkpoint: filepath.Join(dir, "ck")}
	var rows int
	m := digested{model.Func(func(c context.Context, in model.Batch) (model.Batch, error) {
		rows += in.Rows()
		return squashed(.2).Predict(c, in)
	})}
	first := sensitivity(t, m, data, data, opt)
	for _, folder := range []string{"mask-nearest-10", "background-size-5", "seed-2", "transform-centred-log"} {
		if _, err := os.Stat(filepath.Join(opt.Checkpoint, folder, "run.json")); err != nil {
			t.Errorf("want the folder of a choice: %v", err)
		}
	}
	whole := rows
	rows = 0
	again := sensitivity(t, m, data, data, opt)
	if again.Sensitivity.Verdict != first.Sensitivity.Verdict || rows > whole/2 {
		t.Errorf("again: %q with %d of %d rows, want %q with few", again.Sensitivity.Verdict, rows, whole, first.Sensitivity.Verdict)
	}
}
