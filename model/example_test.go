package model_test

import (
	"context"
	"fmt"
	"log"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Func sees whole batches and works on the tensors themselves.
func ExampleFunc() {
	product := model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		b, _ := in.Lookup("b")
		y := make([]float32, in.Rows())
		for i := range y {
			y[i] = tensor.Values[float32](a)[i] * tensor.Values[float32](b)[i]
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(y, len(y), 1)}}, nil
	})
	out, err := product.Predict(context.Background(), model.Batch{
		{Name: "a", Tensor: tensor.Of([]float32{1, 2, 3})},
		{Name: "b", Tensor: tensor.Of([]float32{4, 5, 6})},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].Name, tensor.Values[float32](out[0].Tensor))
	// Output: y [4 10 18]
}

// A RowFunc sees one row at a time.
func ExampleRowFunc() {
	risk := model.RowFunc("risk", func(x model.Row) []float64 {
		return []float64{x("age")[0]/100 + x("labs")[1]}
	})
	out, err := risk.Predict(context.Background(), model.Batch{
		{Name: "age", Tensor: tensor.Of([]float64{40, 60})},
		{Name: "labs", Tensor: tensor.Of([]float64{0, 0.25, 0, 0.5}, 2, 2)},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tensor.Values[float64](out[0].Tensor))
	// Output: [0.65 1.1]
}
