package intershap_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// A partsModel has logits Σ_m A_m·tanh(B_m·x_m), and with mix the product of the first
// two terms on top. It can be evaluated in parts, as terms where it is additive.
type partsModel struct {
	m, classes int
	weights    [][]float64 // by modality: classes by two numbers
	mix        float64
	head       bool // a last part in the place of terms
}

func newPartsModel(rng *rand.Rand, m, classes int) *partsModel {
	p := &partsModel{m: m, classes: classes}
	for range m {
		w := make([]float64, 2*classes)
		for i := range w {
			w[i] = rng.NormFloat64()
		}
		p.weights = append(p.weights, w)
	}
	return p
}

// data returns n rows of two numbers for each modality, with random labels.
func (p *partsModel) data(t testing.TB, rng *rand.Rand, n int) dataset.File {
	t.Helper()
	var arrays []dataset.Array
	for m := range p.m {
		x := make([]float64, 2*n)
		for i := range x {
			x[i] = rng.NormFloat64()
		}
		arrays = append(arrays, dataset.Array{Name: fmt.Sprintf("m%d", m), Tensor: tensor.Of(x, n, 2)})
	}
	labels := make([]int64, n)
	for i := range labels {
		labels[i] = rng.Int64N(int64(p.classes))
	}
	f, err := dataset.FromArrays(append(arrays, dataset.Array{Name: "label", Tensor: tensor.Of(labels)})...)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func (p *partsModel) term(m, c int, x []float64) float64 {
	return math.Tanh(p.weights[m][2*c]*x[0] + p.weights[m][2*c+1]*x[1])
}

func (p *partsModel) total(c int, terms func(m int) []float64) float64 {
	sum := 0.0
	for m := range p.m {
		sum += terms(m)[c]
	}
	if p.mix != 0 {
		sum += p.mix * terms(0)[c] * terms(1)[c]
	}
	return sum
}

func (p *partsModel) Predict(ctx context.Context, in model.Batch) (model.Batch, error) {
	return model.RowFunc("logits", func(x model.Row) []float64 {
		y := make([]float64, p.classes)
		for c := range y {
			y[c] = p.total(c, func(m int) []float64 {
				terms := make([]float64, p.classes)
				terms[c] = p.term(m, c, x(fmt.Sprintf("m%d", m)))
				return terms
			})
		}
		return y
	})(ctx, in)
}

func (p *partsModel) Stage(context.Context, model.Question) (*model.Stages, error) {
	s := &model.Stages{}
	spec := func(name string) []tensor.Spec {
		return []tensor.Spec{{Name: name, DType: tensor.Float64, Shape: []int{-1, p.classes}}}
	}
	var players []int
	for m := range p.m {
		name := fmt.Sprintf("t%d", m)
		s.Parts = append(s.Parts, model.Part{
			Players: []int{m}, Inputs: []string{fmt.Sprintf("m%d", m)}, Outputs: spec(name),
			Grid: gridFunc{name, p.classes, func(x [][]float64, y []float64) {
				for c := range y {
					y[c] = p.term(m, c, x[0])
				}
			}},
		})
		s.Terms, players = append(s.Terms, name), append(players, m)
	}
	if !p.head && p.mix == 0 {
		return s, nil
	}
	s.Parts = append(s.Parts, model.Part{
		Players: players, Inputs: s.Terms, Outputs: spec("logits"),
		Grid: gridFunc{"logits", p.classes, func(x [][]float64, y []float64) {
			for c := range y {
				y[c] = p.total(c, func(m int) []float64 { return x[m] })
			}
		}},
	})
	s.Terms, s.Output = nil, "logits"
	return s, nil
}

// A gridFunc computes a row of a part for every pair.
type gridFunc struct {
	name  string
	width int
	f     func(x [][]float64, y []float64)
}

func (g gridFunc) Evaluate(_ context.Context, inputs model.Batch) (model.Batch, error) {
	n, b := 1, 1
	for _, in := range inputs {
		n, b = max(n, in.Tensor.Shape()[0]), max(b, in.Tensor.Shape()[1])
	}
	out := make([]float64, n*b*g.width)
	x := make([][]float64, len(inputs))
	for i := range n {
		for k := range b {
			for j, in := range inputs {
				rows, columns := in.Tensor.Shape()[0], in.Tensor.Shape()[1]
				width := in.Tensor.Len() / (rows * columns)
				x[j] = tensor.Values[float64](in.Tensor)[(i%rows*columns+k%columns)*width:][:width]
			}
			g.f(x, out[(i*b+k)*g.width:][:g.width])
		}
	}
	return model.Batch{{Name: g.name, Tensor: tensor.Of(out, n, b, g.width)}}, nil
}

// undivided hides that a model has parts.
type undivided struct{ model.Model }

// A random sum of parts of one modality each scores zero on all scores that claim it,
// in whatever way it is evaluated; and as soon as two parts are multiplied none does.
func TestAdditiveModelsScoreZero(t *testing.T) {
	const rounding = 1e-12
	for _, m := range []int{2, 3, 4} {
		for _, way := range []string{"full", "terms", "head"} {
			for _, transform := range []engine.Transform{engine.Identity, engine.Centred} {
				for _, mix := range []float64{0, 2} {
					if mix != 0 && (way == "terms" || transform != engine.Identity) {
						continue
					}
					name := fmt.Sprintf("m=%d/%s/%v/mix=%v", m, way, transform, mix)
					t.Run(name, func(t *testing.T) {
						const n = 60
						rng := rand.New(rand.NewPCG(uint64(m), 9))
						p := newPartsModel(rng, m, 3)
						p.mix, p.head = mix, way == "head"
						var of model.Model = p
						opt := intershap.Options{Output: "logits", BackgroundSize: 20, Seed: 2, Plan: intershap.StagedPlan, Transform: transform}
						if way == "full" {
							of, opt.Plan = undivided{p}, intershap.FullPlan
						}
						got := rivalsOf(t, of, p.data(t, rng, n), intershap.RivalOptions{
							Options: opt, Scores: []string{rival.ScoreEMAP, rival.ScoreShape, rival.ScoreSRI, rival.ScoreEffects},
						})
						if want := way == "terms"; got.Explanation.Provenance.Additive != want {
							t.Errorf("additive %v, want %v", got.Explanation.Provenance.Additive, want)
						}
						if _, ok := got.EMAP.OverPairs.Value(); ok != (m == 2) {
							t.Errorf("a share over pairs is there: %v", ok)
						}
						zero := map[string]float64{
							"InterSHAP":         got.Explanation.Global().InterSHAP.Or(1),
							"EMAP over samples": got.EMAP.OverSamples.Or(1),
							"EMAP over pairs":   got.EMAP.OverPairs.Or(0),
							"SHAPE on outputs":  got.ShapeOutputs.Cooperation,
							"SRI synergy":       got.SRI[0].Both.Synergy.Or(1),
							"last less alone":   got.Effects.Last[0].MeanAbsolute - got.Effects.Alone[0].MeanAbsolute,
						}
						if mix == 0 {
							zero["EMAP gap, accuracy"], zero["EMAP gap, F1"] = got.EMAP.Gap.Accuracy, got.EMAP.Gap.MacroF1
						}
						for what, v := range zero {
							if what == "EMAP over pairs" && m > 2 {
								continue
							}
							if mix == 0 && !(math.Abs(v) <= rounding) || mix != 0 && !(math.Abs(v) > 1e-4) {
								t.Errorf("%s is %v, additive: %v", what, v, mix == 0)
							}
						}
					})
				}
			}
		}
	}
}

// scoresOf makes scores comparable: without times, and what the explanation says of
// its machine.
func scoresOf(got *intershap.RivalScores) *intershap.RivalScores {
	got.Explanation.Cost.Seconds = 0
	got.Explanation.Provenance.Memory = 0
	return got
}

// Workers change no bit of any score, nor does memory that only changes what is
// computed together.
func TestRivalsShapes(t *testing.T) {
	for _, m := range []int{2, 3} {
		for _, staged := range []bool{false, true} {
			rng := rand.New(rand.NewPCG(4, uint64(m)))
			p := newPartsModel(rng, m, 3)
			p.mix = 1
			f := p.data(t, rng, 150)
			run := func(workers int, memory int64) *intershap.RivalScores {
				opt := intershap.RivalOptions{
					Options:     intershap.Options{Output: "logits", BackgroundSize: 30, Seed: 5, Workers: workers, Memory: memory, Plan: intershap.FullPlan},
					EMAPSamples: 100, Draws: 2, PID: rival.PIDOptions{Clusters: 5, Seeds: 2, Permutations: 2, Restarts: 2},
				}
				if staged {
					opt.Plan = intershap.StagedPlan
				}
				return scoresOf(rivalsOf(t, p, f, opt))
			}
			want := run(1, 0)
			if got := run(3, 0); !reflect.DeepEqual(got, want) {
				t.Errorf("m=%d, staged %v: 3 workers change the scores", m, staged)
			}
			// 1 MiB shapes other tiles; pairs, zeros and shuffled samples are the same,
			// and so is what comes from single samples.
			got := run(2, 1<<20)
			for what, same := range map[string]bool{
				"pairs":      m > 2 || reflect.DeepEqual(got.EMAP, want.EMAP),
				"zeros":      reflect.DeepEqual(got.ShapeF1, want.ShapeF1) && reflect.DeepEqual(got.ShapeOutputs, want.ShapeOutputs),
				"PID":        reflect.DeepEqual(got.ModelPID, want.ModelPID),
				"perceptual": reflect.DeepEqual(got.Perceptual, want.Perceptual),
			} {
				if !same {
					t.Errorf("m=%d, staged %v: less memory changes %s", m, staged, what)
				}
			}
			if m == 2 && (len(want.EMAP.Drawn) != 100 || want.EMAP.Samples != 100 || !slices.IsSorted(want.EMAP.Drawn)) {
				t.Errorf("EMAP of %d samples, drawn %v, want 100 in order", want.EMAP.Samples, want.EMAP.Drawn)
			}
		}
	}
}
