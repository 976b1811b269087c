package dataset

import (
	"archive/zip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap/tensor"
)

// TestChunksOfLongText checks that the memory of a chunk does not grow with the
// length of texts.
func TestChunksOfLongText(t *testing.T) {
	const length, rows = 100_000, 3
	text := strings.Repeat("a", length)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.BinaryTypes.String}}, nil)
	files := map[string]string{
		"NPZ, bytes":    writeNPZ(t, zip.Deflate, member{"x.npy", npy("'|S100000'", "False", "(3,)", []byte(strings.Repeat(text, rows)))}),
		"CSV":           writeFile(t, "x.csv", []byte("x\n"+strings.Repeat(text+"\n", rows))),
		"CSV of digits": writeFile(t, "x.csv", []byte("x\n"+strings.Repeat(strings.Repeat("7", length)+"\n", rows))),
		"Parquet":       writeParquet(t, filepath.Join(t.TempDir(), "x.parquet"), schema, rows, `{"x": "b`+text+`"}`, `{"x": "c`+text+`"}`, `{"x": "d`+text+`"}`),
	}
	for name, path := range files {
		s := bind(t, open(t, path), spec("x", tensor.String))
		if got := chunkRows(s.columns); got < 1 || got*length > chunkBytes {
			t.Errorf("%s: want chunks of at most %d bytes, got %d rows of %d", name, chunkBytes, got, length)
		}
		check(t, s.Check(t.Context(), nil))
	}
}

func TestChunkRows(t *testing.T) {
	for _, tt := range []struct {
		name    string
		columns []Column
		want    int
	}{
		{"a number", []Column{{DType: tensor.Float32}}, maxChunkRows},
		{"text of a file that does not know its length", []Column{{DType: tensor.String}}, maxChunkRows},
		{"text of a kilobyte", []Column{{DType: tensor.String, textBytes: 1008}}, 4092},
		{"a number whose cells are long", []Column{{DType: tensor.Float64, textBytes: 1 << 20}}, maxChunkRows},
		{"wide rows", []Column{{DType: tensor.Float64, Shape: []int{1 << 12}}}, 63},
		{"rows longer than memory", []Column{{DType: tensor.String, Shape: []int{1 << 30}, textBytes: 1 << 30}, {DType: tensor.Float32}}, 1},
	} {
		if got := chunkRows(tt.columns); got != tt.want {
			t.Errorf("%s: want %d rows, got %d", tt.name, tt.want, got)
		}
	}
}
