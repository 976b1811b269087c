package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	columns "github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// parquetMain is the program parquet of the scripts: parquet TYPES IN OUT writes lines
// of JSON as a Parquet file. TYPES is "ids:list<int64>,age:float64,stage:text"; columns
// that a line lacks are null.
func parquetMain(args []string, stderr io.Writer) int {
	if err := writeParquet(args); err != nil {
		fmt.Fprintln(stderr, "parquet:", err)
		return 1
	}
	return 0
}

func writeParquet(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: parquet TYPES IN OUT")
	}
	var fields []arrow.Field
	for spec := range strings.SplitSeq(args[0], ",") {
		name, text, _ := strings.Cut(spec, ":")
		t, err := arrowType(text)
		if err != nil {
			return err
		}
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: true})
	}
	data, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	var rows []json.RawMessage
	for line := range strings.Lines(string(data)) {
		rows = append(rows, json.RawMessage(line))
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	schema := arrow.NewSchema(fields, nil)
	record, _, err := columns.RecordFromJSON(memory.DefaultAllocator, schema, strings.NewReader(string(list)))
	if err != nil {
		return err
	}
	defer record.Release()
	out, err := os.Create(args[2])
	if err != nil {
		return err
	}
	w, err := pqarrow.NewFileWriter(schema, out, parquet.NewWriterProperties(), pqarrow.NewArrowWriterProperties())
	if err != nil {
		return err
	}
	return errors.Join(w.Write(record), w.Close())
}

func arrowType(text string) (arrow.DataType, error) {
	if inner, ok := strings.CutPrefix(text, "list<"); ok {
		t, err := arrowType(strings.TrimSuffix(inner, ">"))
		if err != nil {
			return nil, err
		}
		return arrow.ListOf(t), nil
	}
	switch text {
	case "int64":
		return arrow.PrimitiveTypes.Int64, nil
	case "float64":
		return arrow.PrimitiveTypes.Float64, nil
	case "text":
		return arrow.BinaryTypes.String, nil
	}
	return nil, fmt.Errorf("the type %q is unknown", text)
}
