package intershap

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A next round that would be refused leaves the result of the one before, and says why.
func TestUntilAffords(t *testing.T) {
	const m, n = 8, 4
	rng := rand.New(rand.NewPCG(1, 2))
	random := func() float64 { return rng.NormFloat64() }
	one := func() float64 { return 1 } // equal samples have no error of their own
	file := func(rows int, value func() float64) dataset.File {
		var arrays []dataset.Array
		for i := range m {
			x := make([]float64, rows)
			for r := range x {
				x[r] = value()
			}
			arrays = append(arrays, dataset.Array{Name: fmt.Sprintf("x%d", i), Tensor: tensor.Of(x, rows, 1)})
		}
		f, err := dataset.FromArrays(arrays...)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	y := model.RowFunc("y", func(x model.Row) []float64 { return []float64{x("x0")[0]*x("x1")[0] + x("x2")[0]} })
	run := func() *Explanation {
		ex, err := Explain(t.Context(), y, file(n, one), file(300, random), Options{Until: 1e-6, BackgroundSize: AllRows})
		if err != nil {
			t.Fatal(err)
		}
		return ex
	}
	if rows := run().Provenance.Background.Rows; rows != 300 {
		t.Errorf("%d rows, want all 300", rows)
	}
	// The first round takes 4·100·254 + 4 + 100 rows, any other half as many again.
	defer func(before int64) { affordableRows = before }(affordableRows)
	affordableRows = 110_000
	ex := run()
	warned := false
	for _, w := range ex.Warnings {
		warned = warned || w.ID == "until-not-reached"
	}
	if rows := ex.Provenance.Background.Rows; rows != 100 || !warned {
		t.Errorf("%d rows, warnings %v: want the first round's 100, and a word on it", rows, ex.Warnings)
	}
}
