package dataset

import (
	"context"

	"github.com/intershap/intershap/tensor"
)

// MemoryPath is the path of a File that never was one; see FromArrays.
const MemoryPath = "memory"

// Array is a named tensor, one row a sample.
type Array struct {
	// Name is what a model input or "label" or "id" is looked up by.
	Name string
	// Tensor has the samples on axis 0.
	Tensor tensor.Tensor
}

type memoryFile struct {
	arrays  []Array
	columns []Column
}

// FromArrays makes a File of tensors, which it shares. All must have the same
// number of rows; the path in errors is "memory".
func FromArrays(arrays ...Array) (File, error) {
	f := &memoryFile{arrays: append([]Array(nil), arrays...)}
	for _, a := range arrays {
		if len(a.Tensor.Shape()) == 0 || (a.Tensor.Rows() > 0 && a.Tensor.RowLen() == 0) {
			return nil, &Error{
				File: MemoryPath, Row: NoRow, Column: a.Name,
				Expected: "a row of at least one element", Found: "shape " + tensor.FormatShape(a.Tensor.Shape()),
			}
		}
		f.columns = append(f.columns, Column{
			Name: a.Name, DType: a.Tensor.DType(), Rows: a.Tensor.Rows(),
			Shape: append([]int(nil), a.Tensor.Shape()[1:]...),
		})
		if first := arrays[0]; a.Tensor.Rows() != first.Tensor.Rows() {
			return nil, unequalRows(MemoryPath, f.columns[0], f.columns[len(f.columns)-1])
		}
	}
	if err := checkNames(MemoryPath, f.columns); err != nil {
		return nil, err
	}
	return f, nil
}

// unequalRows is the fault of two arrays of different length.
func unequalRows(path string, a, b Column) *Error {
	return &Error{
		File: path, Row: NoRow, Column: b.Name,
		Expected: plural(a.Rows, "row") + " as " + quote(a.Name) + " has", Found: plural(b.Rows, "row"),
		Hint: "axis 0 counts samples and must be equally long in every array that is used",
	}
}

func (f *memoryFile) Path() string      { return MemoryPath }
func (f *memoryFile) Columns() []Column { return f.columns }
func (f *memoryFile) Close() error      { return nil }

func (f *memoryFile) Len() int {
	if len(f.columns) == 0 {
		return 0
	}
	return f.columns[0].Rows
}

func (f *memoryFile) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, err
	}
	out := make([]tensor.Tensor, len(columns))
	for i, c := range columns {
		out[i] = f.arrays[c].Tensor.Slice(lo, hi)
	}
	return out, ctx.Err()
}
