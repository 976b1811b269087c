package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/intershap/intershap/tensor"
)

// parquetFault is something wrong with the data of one row, counted from the
// first row of the batch.
type parquetFault struct {
	row             int
	level           int  // of the lists at fault; 0 is the outermost
	missing         bool // a null; the texts are empty
	expected, found string
}

func (p *parquetFault) Error() string { return fmt.Sprintf("row %d: %s", p.row, p.found) }

// listLengths returns the length of each nesting level of element at.
func listLengths(arr arrow.Array, at, depth int) ([]int, error) {
	dims := make([]int, depth)
	for level := range dims {
		list, ok := arr.(array.ListLike)
		if !ok {
			return nil, fmt.Errorf("a %s where a list was declared", arr.DataType())
		}
		if arr.IsNull(at) {
			return nil, &parquetFault{level: level, missing: true}
		}
		start, end := list.ValueOffsets(at)
		dims[level] = int(end - start)
		if dims[level] == 0 {
			return nil, &parquetFault{level: level, expected: "a list of at least one element", found: "an empty list"}
		}
		arr, at = list.ListValues(), int(start)
	}
	return dims, nil
}

// fillRows writes arr into the rows of t from row on. Lists of length dims are
// taken off, level by level; their elements lie side by side.
func fillRows(t tensor.Tensor, row int, arr arrow.Array, dims []int) error {
	if arr.Len() == 0 {
		return nil
	}
	perRow := 1 // elements of this level in one row
	var fault *parquetFault
	for level, want := range dims {
		list, ok := arr.(array.ListLike)
		if !ok {
			return fmt.Errorf("a %s where a list was declared", arr.DataType())
		}
		first, last := int64(0), int64(0)
		for i := range arr.Len() {
			start, end := list.ValueOffsets(i)
			switch {
			case arr.IsNull(i):
				fault = &parquetFault{level: level, missing: true}
			case end-start != int64(want):
				fault = &parquetFault{level: level, expected: "a list of " + plural(want, "element"), found: itoa(int(end - start))}
			case i == 0:
				first = start
			case start != last:
				return errors.New("lists that do not lie side by side")
			}
			if fault != nil {
				fault.row = row + i/perRow
				return fault
			}
			last = end
		}
		arr = array.NewSlice(list.ListValues(), first, last)
		defer arr.Release()
		perRow *= want
	}
	if arr.NullN() > 0 {
		for i := range arr.Len() {
			if arr.IsNull(i) {
				return &parquetFault{row: row + i/perRow, missing: true}
			}
		}
	}
	return fillElements(t, row*perRow, arr)
}

// fillElements copies an array without nulls to the elements of t from at on.
func fillElements(t tensor.Tensor, at int, arr arrow.Array) error {
	switch a := arr.(type) {
	case *array.Float16:
		dst := tensor.Values[tensor.Float16Bits](t)[at:]
		for i, v := range a.Values() {
			dst[i] = tensor.Float16Bits(v.Uint16())
		}
	case *array.Float32:
		copy(tensor.Values[float32](t)[at:], a.Float32Values())
	case *array.Float64:
		copy(tensor.Values[float64](t)[at:], a.Float64Values())
	case *array.Int8:
		copy(tensor.Values[int8](t)[at:], a.Int8Values())
	case *array.Int16:
		copy(tensor.Values[int16](t)[at:], a.Int16Values())
	case *array.Int32:
		copy(tensor.Values[int32](t)[at:], a.Int32Values())
	case *array.Int64:
		copy(tensor.Values[int64](t)[at:], a.Int64Values())
	case *array.Uint8:
		copy(tensor.Values[uint8](t)[at:], a.Uint8Values())
	case *array.Uint16:
		copy(tensor.Values[uint16](t)[at:], a.Uint16Values())
	case *array.Uint32:
		copy(tensor.Values[uint32](t)[at:], a.Uint32Values())
	case *array.Uint64:
		copy(tensor.Values[uint64](t)[at:], a.Uint64Values())
	case *array.Boolean:
		dst := tensor.Values[bool](t)[at:]
		for i := range a.Len() {
			dst[i] = a.Value(i)
		}
	case *array.String:
		dst := tensor.Values[string](t)[at:]
		for i := range a.Len() {
			dst[i] = strings.Clone(a.Value(i)) // the array's memory is freed
		}
	default:
		return fmt.Errorf("a column of %s, which is not what the schema says", arr.DataType())
	}
	return nil
}
