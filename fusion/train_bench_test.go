package fusion

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// noise returns normal samples of modalities m1, m2, ... of these sizes, with
// random labels.
func noise(seed uint64, samples, classes int, sizes ...int) Data {
	rng := rand.New(rand.NewPCG(seed, 0))
	d := Data{Labels: make([]int, samples)}
	for i, size := range sizes {
		values := make([]float32, samples*size)
		for j := range values {
			values[j] = float32(rng.NormFloat64())
		}
		d.Inputs = append(d.Inputs, model.Named{Name: fmt.Sprintf("m%d", i+1), Tensor: tensor.Of(values, samples, size)})
	}
	for i := range d.Labels {
		d.Labels[i] = rng.IntN(classes)
	}
	return d
}

// BenchmarkTrain measures an epoch of the paper's data for two modalities: 14,000
// samples of 110 and 90 elements, two classes, in steps of 400.
func BenchmarkTrain(b *testing.B) {
	const samples = 14_000
	data := noise(1, samples, 2, 110, 90)
	for _, f := range Fusions {
		for _, frozen := range []bool{false, true} {
			if f == Early && frozen {
				continue
			}
			b.Run(fmt.Sprintf("fusion=%s/frozen=%t", f, frozen), func(b *testing.B) {
				n, err := newNetwork(f, data, Options{FrozenEncoders: frozen}.withDefaults())
				if err != nil {
					b.Fatal(err)
				}
				t := newTrainer(n, newTable(data, n.inputs, n.scalers), table{})
				b.ReportAllocs()
				for b.Loop() {
					if _, err := t.epoch(b.Context(), 1); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(samples*b.N)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
