package intershap_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// endless is a file of n rows that are made when they are read.
type endless struct{ n int }

func (endless) Path() string { return dataset.MemoryPath }
func (f endless) Columns() []dataset.Column {
	return []dataset.Column{
		{Name: "a", DType: tensor.Float32, Shape: []int{64}, Rows: f.n},
		{Name: "b", DType: tensor.Float32, Shape: []int{64}, Rows: f.n},
	}
}
func (f endless) Len() int { return f.n }
func (endless) Read(_ context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	var out []tensor.Tensor
	for range columns {
		values := make([]float32, 64*(hi-lo))
		for i := range values {
			values[i] = float32((lo*64+i)%97) / 97
		}
		out = append(out, tensor.Of(values, hi-lo, 64))
	}
	return out, nil
}
func (endless) Close() error { return nil }

// Memory must not grow with the number of samples: 100,000 of them take 51 MB
// as they lie on disk.
func TestFlatMemory(t *testing.T) {
	first := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		y := make([]float32, in.Rows())
		for i := range y {
			y[i] = tensor.Values[float32](in[0].Tensor)[64*i] * tensor.Values[float32](in[1].Tensor)[64*i]
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
	peak := func(n int) uint64 {
		var highest uint64
		calls := 0
		ex, err := intershap.Explain(t.Context(), first, endless{n}, endless{100}, intershap.Options{
			BackgroundSize: 4, Sink: intershap.Discard, Workers: 2,
			Progress: func(int64, int64) {
				if calls++; calls%200 != 0 {
					return
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				highest = max(highest, m.HeapAlloc)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if ex.Samples() != n {
			t.Errorf("%d samples, want %d", ex.Samples(), n)
		}
		return highest
	}
	small := peak(10_000)
	large := peak(100_000)
	t.Logf("peak heap %d MB for 10,000 samples, %d MB for 100,000", small>>20, large>>20)
	if large > small+16<<20 {
		t.Errorf("peak heap %d MB for 100,000 samples, %d MB for 10,000: it grows", large>>20, small>>20)
	}
}
