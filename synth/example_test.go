package synth_test

import (
	"fmt"

	"github.com/intershap/intershap/synth"
)

// XOR of two hidden bits, one in each modality.
func ExampleHDXOR() {
	set, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Synergy, Samples: 1000, Seed: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, split := range set.Splits() {
		fmt.Println(split.Name, split.Modalities[0].Shape(), split.Modalities[1].Shape())
	}
	for _, f := range set.Files(synth.NPZ) {
		fmt.Println(f.Name)
	}
	// Output:
	// train [700 110] [700 90]
	// valid [150 110] [150 90]
	// test [150 110] [150 90]
	// train.npz
	// valid.npz
	// test.npz
	// bits.npz
	// baseline.onnx
	// synth.json
}
