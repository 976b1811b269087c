package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	columns "github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/model/onnx/graphtest"
	"github.com/intershap/intershap/tensor"
)

// A cohort is a table of visits: three modalities that a model takes, the patient of
// each visit as its id, and columns that are no input.
type cohort struct{ folder, model, background string }

// cohortWidths are the lengths of the modalities image, labs and notes.
var cohortWidths = []int{8, 12, 16}

var cohortNames = []string{"image", "labs", "notes"}

const (
	cohortPart   = 50_000 // rows of a file of the folder
	cohortGroup  = 8192   // rows of a row group
	visits       = 5      // of a patient
	sites        = 4
	lacking      = 10   // one of so many visits has no notes
	backgroundOf = 2000 // rows of the background's file
)

// newCohort writes a cohort into a folder that is removed when the test ends.
func newCohort(tb testing.TB, rows int) cohort {
	tb.Helper()
	c, err := writeCohort(tb.TempDir(), rows, cohortPart)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// cohortMain is the program "cohort": cohort ROWS PART writes that many rows here, so
// many a file.
func cohortMain(args []string, stderr io.Writer) int {
	var numbers []int
	for _, a := range args {
		n, err := strconv.Atoi(a)
		if err != nil || n < 1 {
			fmt.Fprintf(stderr, "cohort: want numbers, got %q\n", a)
			return 2
		}
		numbers = append(numbers, n)
	}
	if len(numbers) != 2 {
		fmt.Fprintln(stderr, "usage: cohort ROWS PART")
		return 2
	}
	if _, err := writeCohort(".", numbers[0], numbers[1]); err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	return 0
}

// writeCohort writes into dir a folder of Parquet files with so many rows, part of them
// a file, a file of background rows and a model.
func writeCohort(dir string, rows, part int) (cohort, error) {
	c := cohort{filepath.Join(dir, "cohort"), filepath.Join(dir, "model.onnx"), filepath.Join(dir, "background.parquet")}
	if err := os.Mkdir(c.folder, 0o777); err != nil {
		return c, err
	}
	for lo := 0; lo < rows; lo += part {
		if err := writeVisits(filepath.Join(c.folder, fmt.Sprintf("part-%03d.parquet", lo/part)), lo, min(lo+part, rows)); err != nil {
			return c, err
		}
	}
	// Behind every row that is explained, so that none is its own background.
	if err := writeVisits(c.background, million, million+backgroundOf); err != nil {
		return c, err
	}
	return c, os.WriteFile(c.model, cohortModel(), 0o600)
}

// writeVisits writes rows [lo, hi). A row is the same whatever file it is in.
func writeVisits(path string, lo, hi int) error {
	fields := []arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String}, {Name: "sex", Type: arrow.BinaryTypes.String}, {Name: "site", Type: arrow.PrimitiveTypes.Int64},
		{Name: "weight", Type: arrow.PrimitiveTypes.Float64}, {Name: "notes_available", Type: arrow.PrimitiveTypes.Int64},
	}
	for _, name := range cohortNames {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32)})
	}
	schema := arrow.NewSchema(fields, nil)
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	// Noise does not repeat: a dictionary of it would only be thrown away.
	props := parquet.NewWriterProperties(parquet.WithDictionaryDefault(false), parquet.WithMaxRowGroupLength(cohortGroup))
	out, err := pqarrow.NewFileWriter(schema, file, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return errors.Join(err, file.Close())
	}
	builder := columns.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for from := lo; from < hi; from += cohortGroup {
		for row := from; row < min(from+cohortGroup, hi); row++ {
			appendVisit(builder, row)
		}
		if err := out.Write(builder.NewRecordBatch()); err != nil {
			return errors.Join(err, file.Close())
		}
	}
	return out.Close() // and the file with it
}

func appendVisit(builder *columns.RecordBuilder, row int) {
	rng := rand.New(rand.NewPCG(uint64(row), 1))
	builder.Field(0).(*columns.StringBuilder).Append(fmt.Sprintf("patient-%07d", row/visits))
	builder.Field(1).(*columns.StringBuilder).Append([]string{"f", "m"}[rng.IntN(2)])
	builder.Field(2).(*columns.Int64Builder).Append(rng.Int64N(sites))
	builder.Field(3).(*columns.Float64Builder).Append(0.5 + rng.Float64())
	available := int64(1)
	if rng.IntN(lacking) == 0 {
		available = 0
	}
	builder.Field(4).(*columns.Int64Builder).Append(available)
	for i, width := range cohortWidths {
		list := builder.Field(5 + i).(*columns.ListBuilder)
		list.Append(true)
		for range width {
			list.ValueBuilder().(*columns.Float32Builder).Append(float32(rng.NormFloat64()))
		}
	}
}

// cohortModel is a network with an encoder for each modality and a head, whose weights
// are set by hand: with x the first number of the image and y that of the labs, the
// head has |x+y| − |x−y|, which has the sign of xy and neither a part of x alone nor
// one of y alone; the rest is small noise of all modalities.
func cohortModel() []byte {
	const (
		opset, features, hidden, classes = 17, 4, 8, 2
		planted                          = 2.0
		noise                            = 0.05
	)
	g := graphtest.NewBuilder(opset, 1)
	like := func(width int) graphtest.Value {
		return graphtest.Value{DType: tensor.Float32, Shape: []int{graphtest.Rows, width}}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	// dense multiplies by weights that are noise but where set says otherwise.
	dense := func(x graphtest.Value, from, to int, scale float64, set func(in, out int) (float64, bool)) graphtest.Value {
		weights := make([]float64, from*to)
		for i := range weights {
			weights[i] = scale * rng.NormFloat64()
			if v, ok := set(i/to, i%to); ok {
				weights[i] = v
			}
		}
		return g.Node("Gemm", like(to), []graphtest.Value{x, g.Floats(tensor.Float32, weights, from, to), g.Floats(tensor.Float32, make([]float64, to), to)})
	}
	relu := func(x graphtest.Value) graphtest.Value { return g.Node("Relu", x, []graphtest.Value{x}) }
	// Features 0 and 1 of an encoder are the positive and the negative part of its
	// first number.
	var encoded []graphtest.Value
	for i, name := range cohortNames {
		x := g.Input(name, tensor.Float32, cohortWidths[i])
		encoded = append(encoded, relu(dense(x, cohortWidths[i], features, 0.3, func(in, out int) (float64, bool) {
			switch {
			case out > 1:
				return 0, false
			case in > 0:
				return 0, true
			}
			return 1 - 2*float64(out), true
		})))
	}
	joined := g.Node("Concat", like(len(encoded)*features), encoded, graphtest.Int("axis", 1))
	// Units 0 to 3 are the parts of x+y and of x−y above and below zero.
	signs := [4][2]float64{{1, 1}, {-1, -1}, {1, -1}, {-1, 1}}
	h := relu(dense(joined, len(encoded)*features, hidden, noise, func(in, out int) (float64, bool) {
		switch modality, feature := in/features, in%features; {
		case out >= len(signs):
			return 0, false
		case modality < 2 && feature < 2:
			return signs[out][modality] * (1 - 2*float64(feature)), true
		}
		return 0, true
	}))
	logits := dense(h, hidden, classes, 1, func(in, out int) (float64, bool) {
		if in >= len(signs) {
			return 0, false
		}
		return planted * float64(out) * []float64{1, 1, -1, -1}[in], true
	})
	g.Output("probabilities", g.Softmax(logits))
	return g.Bytes()
}
