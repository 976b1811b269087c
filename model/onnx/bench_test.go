//go:build cgo

package onnx

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// BenchmarkPredict measures rows per second of Predict and, in the same
// process, of the runtime called as a careful program would call it: values
// made anew for each call on memory that is there, outputs allocated by the
// runtime, one thread. The metric ratio is our rows per second over theirs, at
// the medians; the two alternate call by call, so that other load on the machine
// meets both.
func BenchmarkPredict(b *testing.B) {
	for _, name := range []string{"wide", "conv"} {
		for _, rows := range []int{1, 32, 256, 1000, 1024} {
			b.Run(fmt.Sprintf("%s/rows=%d", name, rows), func(b *testing.B) { benchmark(b, name, rows) })
		}
	}
}

func benchmark(b *testing.B, name string, rows int) {
	m := open(b, name)
	spec := m.Signature().Inputs[0]
	x := tensor.New(tensor.Float32, append([]int{rows}, spec.Shape[1:]...)...)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range tensor.Values[float32](x) {
		tensor.Values[float32](x)[i] = float32(r.NormFloat64())
	}
	inputs := model.Batch{{Name: spec.Name, Tensor: x}}
	direct := runtimeAlone(b, name, m.Signature(), x)

	var ours, theirs []time.Duration
	b.ReportAllocs()
	for b.Loop() {
		start := time.Now()
		if _, err := m.Predict(b.Context(), inputs); err != nil {
			b.Fatal(err)
		}
		middle := time.Now()
		direct()
		ours = append(ours, middle.Sub(start))
		theirs = append(theirs, time.Since(middle))
	}
	b.ReportMetric(float64(rows)/median(ours), "rows/s")
	b.ReportMetric(median(theirs)/median(ours), "ratio")
}

// median returns the median in seconds.
func median(d []time.Duration) float64 {
	slices.Sort(d)
	return d[len(d)/2].Seconds()
}

// runtimeAlone returns a function that calls the runtime on x through the
// binding alone.
func runtimeAlone(b *testing.B, name string, sig model.Signature, x tensor.Tensor) func() {
	b.Helper()
	options, err := ort.NewSessionOptions()
	if err != nil {
		b.Fatal(err)
	}
	defer destroy(options)
	if err := options.SetIntraOpNumThreads(intraOpThreads); err != nil {
		b.Fatal(err)
	}
	s, err := ort.NewDynamicAdvancedSession("testdata/"+name+".onnx", []string{sig.Inputs[0].Name}, []string{sig.Outputs[0].Name}, options)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { destroy(s) })
	shape := make(ort.Shape, len(x.Shape()))
	for i, n := range x.Shape() {
		shape[i] = int64(n)
	}
	values := tensor.Values[float32](x)
	return func() {
		in, err := ort.NewTensor(shape, values)
		if err != nil {
			b.Fatal(err)
		}
		out := []ort.Value{nil}
		if err := s.Run([]ort.Value{in}, out); err != nil {
			b.Fatal(err)
		}
		destroy(out[0])
		destroy(in)
	}
}
