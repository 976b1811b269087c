package index_test

import (
	"fmt"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

// AND of two fair bits, both 1: the expected output is 1/4 when nothing is
// shown, 1/2 when one bit is, 1 when both are.
func ExamplePairMatrixTo() {
	values := []float64{0.25, 0.5, 0.5, 1}
	moebius := make([]float64, 4)
	game.MoebiusTo(moebius, values)
	phi := make([]float64, 4)
	index.PairMatrixTo(phi, moebius, 2)
	fmt.Println(phi)
	// Output: [0.25 0.125 0.125 0.25]
}
