package score_test

import (
	"fmt"

	"github.com/intershap/intershap/score"
)

// The two published implementations count a pair's cells once or twice: the
// same matrix gives 1/3 or 1/5.
func ExampleLocal() {
	phi := []float64{0.25, 0.125, 0.125, 0.25}
	for _, c := range []score.Convention{score.Paper, score.SinglePair} {
		share, _ := score.Local(phi, 2, c).Value()
		fmt.Printf("%s %.4f\n", c, share)
	}
	// Output:
	// paper 0.3333
	// single-pair 0.2000
}
