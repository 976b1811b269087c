package approx_test

import (
	"fmt"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// What a run pays once: the coalitions of 24 players for a budget of 2000, and what turns
// their values into SII of pairs.
func BenchmarkPrepare(b *testing.B) {
	for _, m := range []approx.Method{approx.SHAPIQ, approx.Regression} {
		b.Run(fmt.Sprintf("method=%s/M=24/budget=2000", m), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				d, err := approx.Draw(m, 2, 24, 2000, 1)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := d.Estimator(index.SII, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a run pays for each game without draws, of 16 at a time.
func BenchmarkAllTo(b *testing.B) {
	const games = 16
	for _, m := range []approx.Method{approx.SHAPIQ, approx.Regression} {
		b.Run(fmt.Sprintf("method=%s/M=24/budget=2000", m), func(b *testing.B) {
			d, err := approx.Draw(m, 2, 24, 2000, 1)
			if err != nil {
				b.Fatal(err)
			}
			e, err := d.Estimator(index.SII, 2)
			if err != nil {
				b.Fatal(err)
			}
			var list [][]float64
			for k := range games {
				list = append(list, play(d, func(a game.Coalition) float64 { return float64(a.Size()) * float64(a&7>>(k%3)) }))
			}
			dst, scratch := make([]float64, games*e.Len()), e.AllScratch()
			b.ReportAllocs()
			for b.Loop() {
				e.AllTo(dst, list, scratch)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*games), "ns/game")
		})
	}
}

// What a run pays for each game.
func BenchmarkTo(b *testing.B) {
	for _, m := range []approx.Method{approx.SHAPIQ, approx.Regression} {
		b.Run(fmt.Sprintf("method=%s/M=24/budget=2000", m), func(b *testing.B) {
			d, err := approx.Draw(m, 2, 24, 2000, 1)
			if err != nil {
				b.Fatal(err)
			}
			e, err := d.Estimator(index.SII, 2)
			if err != nil {
				b.Fatal(err)
			}
			values := play(d, func(a game.Coalition) float64 { return float64(a.Size()) * float64(a&7) })
			dst, draws, scratch := make([]float64, e.Len()), make([]float64, d.Draws()*e.Len()), e.Scratch()
			b.ReportAllocs()
			for b.Loop() {
				e.To(dst, draws, values, scratch)
			}
		})
	}
}
