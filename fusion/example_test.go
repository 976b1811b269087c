package fusion_test

import (
	"context"
	"fmt"
	"log"
	"math/rand/v2"

	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Two bits, one in each modality of eight noisy elements; the class is their
// exclusive or. Early fusion learns it, late fusion cannot.
func ExampleTrain() {
	samples := func(seed uint64, n int) fusion.Data {
		rng := rand.New(rand.NewPCG(seed, 0))
		a, b := make([]float32, 8*n), make([]float32, 8*n)
		labels := make([]int, n)
		for s := range n {
			bits := [2]int{rng.IntN(2), rng.IntN(2)}
			for i, x := range [][]float32{a, b} {
				for j := range 8 {
					x[8*s+j] = float32(2*bits[i]-1) + float32(rng.NormFloat64())
				}
			}
			labels[s] = bits[0] ^ bits[1]
		}
		return fusion.Data{
			Inputs: model.Batch{{Name: "a", Tensor: tensor.Of(a, n, 8)}, {Name: "b", Tensor: tensor.Of(b, n, 8)}},
			Labels: labels,
		}
	}
	train, valid := samples(1, 1000), samples(2, 500)
	ctx := context.Background()
	for _, f := range []fusion.Fusion{fusion.Early, fusion.Late} {
		network, err := fusion.Train(ctx, f, train, valid, fusion.Options{Epochs: 60, LearningRate: 5e-3, Batch: 50, Seed: 1})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: right in more than 9 of 10 cases: %t\n", f, network.Epoch().Valid.Accuracy > 0.9)
		// os.WriteFile("model.onnx", network.ONNX(), 0o644) keeps it.
	}
	// Output:
	// early: right in more than 9 of 10 cases: true
	// late: right in more than 9 of 10 cases: false
}
