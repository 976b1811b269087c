package synth

import (
	"bytes"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// groupRows is the number of rows of a row group: small enough to read from the
// middle of a file.
const groupRows = 4096

// writeParquet writes vectors of int64 as columns and float32 matrices as columns
// of lists. The file is made in memory first: the encoder panics where a write
// fails in the wrong moment.
func writeParquet(w io.Writer, arrays []dataset.Array) error {
	var fields []arrow.Field
	for _, a := range arrays {
		field := arrow.Field{Name: a.Name, Type: arrow.PrimitiveTypes.Int64}
		if a.Tensor.DType() == tensor.Float32 {
			field.Type = arrow.ListOfNonNullable(arrow.PrimitiveTypes.Float32)
		}
		fields = append(fields, field)
	}
	schema := arrow.NewSchema(fields, nil)
	var file bytes.Buffer
	// Noise does not repeat: a dictionary of it would only be thrown away.
	props := parquet.NewWriterProperties(parquet.WithDictionaryDefault(false), parquet.WithMaxRowGroupLength(groupRows))
	out, err := pqarrow.NewFileWriter(schema, &file, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	rows := arrays[0].Tensor.Rows()
	for lo := 0; lo < rows; lo += groupRows {
		if err := out.Write(record(schema, arrays, lo, min(lo+groupRows, rows))); err != nil {
			return fmt.Errorf("synth: %w", err)
		}
	}
	if err := out.Close(); err != nil {
		return fmt.Errorf("synth: %w", err)
	}
	_, err = w.Write(file.Bytes())
	return err
}

// record returns rows [lo, hi) of the arrays. Its memory is Go's own and needs no
// release.
func record(schema *arrow.Schema, arrays []dataset.Array, lo, hi int) arrow.RecordBatch {
	builder := array.NewRecordBuilder(memory.NewGoAllocator(), schema)
	for i, a := range arrays {
		part := a.Tensor.Slice(lo, hi)
		switch column := builder.Field(i).(type) {
		case *array.Int64Builder:
			column.AppendValues(tensor.Values[int64](part), nil)
		case *array.ListBuilder:
			for row := range hi - lo {
				column.Append(true)
				column.ValueBuilder().(*array.Float32Builder).AppendValues(tensor.Values[float32](part.Slice(row, row+1)), nil)
			}
		}
	}
	return builder.NewRecordBatch()
}
