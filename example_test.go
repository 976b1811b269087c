package intershap_test

import (
	"context"
	"fmt"
	"log"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// alarm is a model with two modalities: it is sure of an alarm when the scan and
// the sensor disagree, whatever each of them shows.
var alarm = model.RowFunc("probabilities", func(x model.Row) []float64 {
	if x("scan")[0] != x("sensor")[0] {
		return []float64{0, 1}
	}
	return []float64{1, 0}
})

func fourCases() (dataset.File, error) {
	return dataset.FromArrays(
		dataset.Array{Name: "scan", Tensor: tensor.Of([]float64{0, 0, 1, 1}, 4, 1)},
		dataset.Array{Name: "sensor", Tensor: tensor.Of([]float64{0, 1, 0, 1}, 4, 1)},
	)
}

func ExampleExplain() {
	cases, err := fourCases()
	if err != nil {
		log.Fatal(err)
	}
	ex, err := intershap.Explain(context.Background(), alarm, cases, cases, intershap.Options{
		BackgroundSize: intershap.AllRows,
	})
	if err != nil {
		log.Fatal(err)
	}
	share, _ := ex.Global().InterSHAP.Value()
	fmt.Printf("%.0f %% of the behaviour is interaction\n", 100*share)
	fmt.Println("the first case:", ex.Phi(0))
	// Output:
	// 100 % of the behaviour is interaction
	// the first case: [[0 0.25] [0.25 0]]
}

func ExampleNewPlan() {
	cases, err := fourCases()
	if err != nil {
		log.Fatal(err)
	}
	plan, err := intershap.NewPlan(context.Background(), alarm, cases, cases, intershap.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range plan.Modalities() {
		fmt.Println("modality", m.Name)
	}
	fmt.Println("task", plan.Task())
	fmt.Println("explains", plan.Targets())
	fmt.Println("model rows", plan.Engine().Rows())
	// Output:
	// modality scan
	// modality sensor
	// task classes
	// explains [predicted]
	// model rows 40
}

// A sample without behaviour has no share, which is not the same as a share of
// zero.
func ExampleExplanation_Local() {
	cases, err := fourCases()
	if err != nil {
		log.Fatal(err)
	}
	constant := model.RowFunc("probabilities", func(model.Row) []float64 { return []float64{0.5, 0.5} })
	ex, err := intershap.Explain(context.Background(), constant, cases, cases, intershap.Options{})
	if err != nil {
		log.Fatal(err)
	}
	if _, defined := ex.Local(0).Value(); !defined {
		fmt.Println("undefined")
	}
	// Output: undefined
}
