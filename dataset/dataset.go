// Package dataset reads multimodal samples from NPZ, Parquet and CSV files.
//
// It does three things, in this order:
//
//  1. [Open] gives a [File]: named columns of one dtype and row shape, with
//     random access to row ranges, whatever the format. Memory does not grow
//     with the number of rows.
//  2. [Bind] matches a file with the inputs of a model and gives [Samples]:
//     tensors in the model's own dtypes and shapes, ids, labels. Whatever does
//     not fit is an [Error] with file, row, column, found and expected.
//  3. [ParseModalities] says which elements of which inputs are a modality, and
//     [ParseGroups] divides modalities into groups. [Samples.MayLack] says which
//     of them samples may lack.
//
// Rows and elements count from 0; CSV line numbers, which only appear in
// errors, count from 1 as editors do.
//
// The package knows no models: it takes their inputs as [tensor.Spec] values.
// docs/format/data.md is the same contract for people who write such files.
//
// Reading order: [Column] and [File] here; error.go; one format each in
// csv.go, npz.go (over npy.go) and parquet.go; bind.go, pad.go and samples.go;
// attributes.go for columns beside the inputs; modality.go and groups.go; missing.go
// (over gaps.go) and presence.go for modalities that samples lack. Rooms that write
// arrays take their headers from npy_write.go.
package dataset

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// The two column names that have a meaning of their own, unless the model has
// an input of that name.
const (
	idColumn    = "id"
	labelColumn = "label"
)

// Column describes one named column (or array) of a file.
type Column struct {
	// Name is unique in its file.
	Name string
	// DType is the type of the elements as the file holds them; 0 when Refused
	// says that they cannot be read.
	DType tensor.DType
	// Shape is the shape of one row; empty for scalars.
	Shape []int
	// Flat says that the file has no axes: the elements of a row may be
	// reshaped row-major to what a model wants.
	Flat bool
	// Rows is the number of rows. Arrays of an NPZ file may differ in it.
	Rows int
	// Refused is nil when the column can be read, else what whoever needs the
	// column is told. A column that nobody needs does no harm.
	Refused *Error

	// textBytes is how long an element is as text, where it may be read as text;
	// 0 for short or not known.
	textBytes int
	// lists is how many lists are nested around the elements, 0 where the file says
	// that all rows have one shape.
	lists int
}

// RowLen returns the number of elements in one row.
func (c Column) RowLen() int {
	n := 1
	for _, d := range c.Shape {
		n *= d
	}
	return n
}

// rowBytes estimates the memory of one row, up to chunkBytes: above it a row
// is a chunk of its own, however long it is.
func (c Column) rowBytes() int {
	element := stringBytes
	if c.DType == tensor.String {
		element += min(c.textBytes, chunkBytes)
	}
	if n := c.RowLen(); n < chunkBytes/element {
		return n * element
	}
	return chunkBytes
}

// stringBytes is what the estimate takes for an element: the header of a
// string, and more than any number.
const stringBytes = 16

// chunkBytes bounds what the package decodes at once on its own account: a
// part of a Check, a Gather, a Parquet batch. Large enough that the work for
// each chunk vanishes, small beside any model.
const chunkBytes = 4 << 20

// maxChunkRows bounds a chunk of narrow rows.
const maxChunkRows = 8192

// chunkRows returns how many rows of the columns make one chunk.
func chunkRows(columns []Column) int {
	bytes := 1
	for _, c := range columns {
		bytes = min(bytes+c.rowBytes(), chunkBytes)
	}
	return min(max(chunkBytes/bytes, 1), maxChunkRows)
}

// File gives random access to the rows of a file. It is safe for concurrent
// use, except for Close.
type File interface {
	// Path returns the path as it was given to Open.
	Path() string
	// Columns returns the columns in file order; the caller must not change
	// them.
	Columns() []Column
	// Len returns the number of rows; where the arrays of an NPZ file differ,
	// that of the most arrays.
	Len() int
	// Read returns rows [lo, hi) of the columns with these positions in
	// Columns, each as a tensor of shape [hi-lo, Shape...]. The tensors may
	// share memory with the file: the caller must not change them.
	Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error)
	// Close frees what the file holds, temporary files included.
	Close() error
}

// Open opens a data file by its extension: .npz, .parquet, .csv, or a folder
// of .parquet files, which are read in the order of their names as one file.
func Open(ctx context.Context, path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	if info.IsDir() {
		return openParquetFolder(ctx, path)
	}
	if fault := checkRegular(path, info); fault != nil {
		return nil, fault
	}
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz":
		return openNPZ(path)
	case ".parquet":
		return openParquet(ctx, path)
	case ".csv":
		return openCSV(ctx, path)
	}
	found := "extension " + quote(filepath.Ext(path))
	if filepath.Ext(path) == "" {
		found = "no extension"
	}
	return nil, &Error{
		File: path, Row: NoRow, Found: found,
		Expected: ".npz, .parquet, .csv or a folder of .parquet files",
		Hint:     "write the data in one of these formats: see docs/format/data.md",
	}
}

// checkRead refuses a range or column that the file does not have: a fault of
// the caller, told as an error since ranges may come from the user.
func checkRead(f File, lo, hi int, columns []int) error {
	all := f.Columns()
	for _, c := range columns {
		if c < 0 || c >= len(all) {
			return &Error{File: f.Path(), Row: NoRow, Expected: plural(len(all), "column"), Found: "a request for column " + itoa(c)}
		}
		if all[c].Refused != nil {
			return all[c].Refused
		}
		if lo < 0 || hi < lo || hi > all[c].Rows {
			return &Error{
				File: f.Path(), Row: NoRow, Column: all[c].Name,
				Expected: plural(all[c].Rows, "row"), Found: "a request for rows " + itoa(lo) + " to " + itoa(hi),
			}
		}
	}
	return nil
}

// checkNames refuses names that are empty or occur twice.
func checkNames(path string, columns []Column) error {
	seen := make(map[string]bool, len(columns))
	for i, c := range columns {
		switch {
		case c.Name == "":
			return &Error{
				File: path, Row: NoRow, Expected: "a name for every column", Found: "none for column " + itoa(i),
				Hint: "name the column; an index that pandas wrote goes away with to_csv(..., index=False)",
			}
		case seen[c.Name]:
			return &Error{
				File: path, Row: NoRow, Column: c.Name, Expected: "one column of this name", Found: "another",
				Hint: "rename or remove one of the two",
			}
		}
		seen[c.Name] = true
	}
	return nil
}
