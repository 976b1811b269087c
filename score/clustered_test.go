package score_test

import (
	"strconv"
	"testing"

	"github.com/intershap/intershap/score"
)

// Small clusters, such as the one or two visits of a patient in a group, are found where
// it is said that there are some, and taken for chance where nobody says so.
func TestSmallClusters(t *testing.T) {
	const patients = 150
	for _, clustered := range []bool{false, true} {
		l := score.Layout{Modalities: 1, Targets: 1, Partitions: []int{1}, Convention: score.Paper, Clustered: clustered}
		a := score.NewAccumulator(l)
		samples, squares := 0, 0
		for p := range patients {
			visits := 1 + p%2
			if p%3 == 0 {
				visits = 1
			}
			samples, squares = samples+visits, squares+visits*visits
			weights := make([]uint8, score.Replicates)
			score.WeightsTo(weights, 1, strconv.Itoa(p))
			for range visits {
				a.Add(0, score.Sample{Groups: []int{0}, Phi: []float64{float64(p)}, Weights: weights})
			}
		}
		want := float64(samples*samples) / float64(squares)
		got := a.Summary(0, score.Options{Level: .95, Quantile: func(p, df float64) float64 { return 2 }}).Clusters
		if !clustered {
			want = float64(samples)
		}
		if got < .8*want || got > 1.2*want {
			t.Errorf("clustered %v: %v independent of %d samples, want about %v", clustered, got, samples, want)
		}
	}
}
