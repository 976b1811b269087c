//go:build cgo

package intershap_test

import (
	"fmt"
	"testing"

	"github.com/intershap/intershap"
)

// BenchmarkEMAP evaluates all pairs of as many samples of the dense network of the
// plans' benchmarks and adds them up, by one worker, InterSHAP by one background row
// before it included.
func BenchmarkEMAP(b *testing.B) {
	path, draw := denseModel(b, []int{110, 90})
	m := openModel(b, path, "logits")
	for _, plan := range []intershap.PlanKind{intershap.AutoPlan, intershap.FullPlan} {
		for _, n := range []int{1000, 3000} {
			b.Run(fmt.Sprintf("plan=%s/samples=%d", plan, n), func(b *testing.B) {
				f := draw(1, n)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := intershap.Rivals(b.Context(), m, f, f, intershap.RivalOptions{
						Options: intershap.Options{Output: "logits", BackgroundSize: 1, Workers: 1, Plan: plan}, Scores: []string{"emap"},
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(n*n*b.N)/b.Elapsed().Seconds()/1e6, "Mpairs/s")
			})
		}
	}
}
