package score_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/intershap/intershap/score"
)

// Many pairs do nothing, and draws of coalitions leave noise in each: the score is far
// too high, the corrected one is nearly right, in both aggregations. Without draws there
// is none.
func TestCoverageLessNoise(t *testing.T) {
	const m, n, draws, repetitions = 8, 40, 12, 200
	layout := score.Layout{Modalities: m, Targets: 1, Partitions: []int{1}, Draws: draws, Convention: score.Paper}
	truth := make([]float64, m*m)
	for i := range m {
		truth[i*m+i] = 1
	}
	for _, pair := range [][2]int{{0, 1}, {2, 5}, {3, 6}} {
		truth[pair[0]*m+pair[1]], truth[pair[1]*m+pair[0]] = .5, -.5
		truth[pair[1]*m+pair[0]] = truth[pair[0]*m+pair[1]]
	}
	const want = 3. / (8 + 3)
	noisy := func(rng *rand.Rand, sd float64) []float64 {
		out := make([]float64, m*m)
		for i := range m {
			for j := range i {
				out[i*m+j] = sd * rng.NormFloat64()
				out[j*m+i] = out[i*m+j]
			}
		}
		return out
	}
	rng := rand.New(rand.NewPCG(7, 8))
	weights := make([]uint8, score.Replicates)
	var plain, corrected, plainAbs, correctedAbs float64
	for range repetitions {
		// Half of the noise is common to all samples, as their coalitions are; the other
		// half is each sample's own.
		common := make([][]float64, draws)
		for d := range common {
			common[d] = noisy(rng, .6)
		}
		a := score.NewAccumulator(layout)
		for i := range n {
			mean, perDraw := slices.Clone(truth), []float64{}
			for d := range draws {
				own := noisy(rng, .6)
				for at := range own {
					own[at] += common[d][at]
					mean[at] += own[at] / draws
					own[at] += truth[at]
				}
				perDraw = append(perDraw, own...)
			}
			score.WeightsTo(weights, 1, strconv.Itoa(i))
			a.Add(0, score.Sample{Phi: mean, DrawPhi: perDraw, Weights: weights})
		}
		s := a.Summary(0, opt)
		plain += s.Global.InterSHAP.Share.Or(9) / repetitions
		corrected += s.Global.InterSHAP.Corrected.Or(9) / repetitions
		plainAbs += s.MeanAbsolute.InterSHAP.Share.Or(9) / repetitions
		correctedAbs += s.MeanAbsolute.InterSHAP.Corrected.Or(9) / repetitions
	}
	for what, got := range map[string][2]float64{"global": {plain, corrected}, "mean absolute": {plainAbs, correctedAbs}} {
		t.Logf("%s: %.3f plain, %.3f corrected, truth %.3f", what, got[0], got[1], want)
		if got[0]-want < .15 || math.Abs(got[1]-want) > .06 {
			t.Errorf("%s: %.3f plain, %.3f corrected, want the latter near %.3f", what, got[0], got[1], want)
		}
	}
	layout.Draws = 0
	a := score.NewAccumulator(layout)
	a.Add(0, score.Sample{Phi: truth, Weights: weights})
	if s := a.Summary(0, opt); s.Global.InterSHAP.Corrected != (score.Share{}) {
		t.Errorf("corrected %v without draws, want none", s.Global.InterSHAP.Corrected)
	}
}
