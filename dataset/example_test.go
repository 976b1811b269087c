package dataset_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// Columns input.feature of a CSV file are the input of a model, in the model's
// own type.
func ExampleBind() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "cohort.csv")
	if err := os.WriteFile(path, []byte("id,labs.sodium,labs.lactate,age\n7,140,1.5,61\n8,133,4,47\n"), 0o600); err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	file, err := dataset.Open(ctx, path)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	samples, err := dataset.Bind(ctx, file, []tensor.Spec{
		{Name: "labs", DType: tensor.Float32, Shape: []int{-1, 2}},
		{Name: "age", DType: tensor.Float32, Shape: []int{-1, 1}},
	}, dataset.BindOptions{})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := samples.Read(ctx, 0, samples.Len())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tensor.Values[int64](rows.IDs), tensor.Values[float32](rows.Inputs[0]))
	// Output: [7 8] [140 1.5 133 4]
}

// A modality is any set of elements: inputs, slices of inputs, columns.
func ExampleParseModalities() {
	inputs := []tensor.Spec{
		{Name: "x", DType: tensor.Float32, Shape: []int{-1, 334}},
		{Name: "age", DType: tensor.Float32, Shape: []int{-1, 1}},
	}
	modalities, err := dataset.ParseModalities([]string{"rna=x[0:200]", "protein=x[200:]"}, []string{"age"}, inputs, nil, dataset.MaxUnnamed)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range modalities {
		fmt.Println(m.Name, m.Parts)
	}
	// Output:
	// rna [{0 0 200}]
	// protein [{0 200 334}]
}
