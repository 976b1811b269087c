package rival

import (
	"fmt"
	"testing"
)

// BenchmarkPID decomposes 20×20 clusters, as the published pipeline makes them, of
// 3,000 samples.
func BenchmarkPID(b *testing.B) {
	for _, classes := range []int{2, 10} {
		b.Run(fmt.Sprintf("cells=20x20x%d", classes), func(b *testing.B) {
			j := largeJoint(3000, classes)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewPID(j); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkEMAP projects from means; pairs=add is the sum over all pairs before that,
// of which a model evaluation is the cost.
func BenchmarkEMAP(b *testing.B) {
	for _, n := range []int{1000, 3000} {
		const classes = 2
		rng := seeded(1)
		row := matrix(n, classes, func(int, int) float64 { return rng.Float64() })
		sum := func() *Pairs {
			p := NewPairs(n, classes)
			for range n {
				if err := p.Add(row); err != nil {
					b.Fatal(err)
				}
			}
			return p
		}
		b.Run(fmt.Sprintf("pairs=add/samples=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				sum()
			}
		})
		in, err := sum().Input()
		if err != nil {
			b.Fatal(err)
		}
		in.Labels = make([]int, n)
		for i := range in.Labels {
			in.Labels[i] = i % classes
		}
		b.Run(fmt.Sprintf("pairs=projected/samples=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewEMAP(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkCluster is the way from features to clusters: exact principal components of
// 200 columns, iterated ones of 2,000.
func BenchmarkCluster(b *testing.B) {
	for _, cols := range []int{200, 2000} {
		b.Run(fmt.Sprintf("samples=1000/columns=%d", cols), func(b *testing.B) {
			rng := seeded(1)
			x := matrix(1000, cols, func(int, int) float64 { return rng.NormFloat64() })
			b.ReportAllocs()
			for b.Loop() {
				points, ok := principal(unitRows(x), 2, 1)
				if !ok {
					b.Fatal("no components")
				}
				kMeans(points, 20, 10, 1)
			}
		})
	}
}
