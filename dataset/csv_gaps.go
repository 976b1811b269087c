package dataset

import (
	"context"

	"github.com/intershap/intershap/tensor"
)

// csvGaps is a view of a CSV file in which cells of some columns may be missing.
type csvGaps struct {
	*csvFile
	open []bool // by column
}

// withGaps returns a view in which cells of these columns may be empty, or say NA
// among numbers. A column without any value counts as numeric.
func (f *csvFile) withGaps(columns []int) gapView {
	view := csvGaps{
		csvFile: &csvFile{csvSource: f.csvSource, columns: append([]Column(nil), f.columns...)},
		open:    make([]bool, len(f.columns)),
	}
	for _, c := range columns {
		view.open[c] = true
		view.columns[c].Refused = nil // a missing cell is all that a CSV column is refused for
		if f.scans[c].void() {
			view.columns[c].DType = tensor.Float64
		}
	}
	return view
}

// withText keeps the gaps of the view.
func (f csvGaps) withText(columns []int) File {
	return csvGaps{f.csvFile.withText(columns).(*csvFile), f.open}
}

// firstText passes over words such as NA, which are gaps here.
func (f csvGaps) firstText(column int, want tensor.DType) *Error {
	if f.open[column] {
		return f.textFault(column, want, f.scans[column].firstWord())
	}
	return f.csvFile.firstText(column, want)
}

// Read refuses missing cells.
func (f csvGaps) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	read, gaps, err := f.readGaps(ctx, lo, hi, columns)
	if err == nil {
		err = refuseGaps(f, lo, columns, read, gaps, "none")
	}
	return read, err
}

func (f csvGaps) readGaps(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, [][]bool, error) {
	gaps := make([][]bool, len(columns))
	read, err := f.read(ctx, lo, hi, columns, func(i, row int, cell string) bool {
		c := columns[i]
		if !f.open[c] || !f.scans[c].isMissing(cell) {
			return false
		}
		if gaps[i] == nil {
			gaps[i] = make([]bool, hi-lo)
		}
		gaps[i][row] = true
		return true
	})
	return read, gaps, err
}
