package engine

// A Choice says which columns of the output are explained.
type Choice uint8

const (
	// Predicted explains the column with the largest output for the sample, the
	// lowest on ties.
	Predicted Choice = iota + 1
	// Label explains the column of the sample's label.
	Label
	// Columns explains the same given columns for every sample.
	Columns
)

// A Target is what a run explains.
type Target struct {
	Choice Choice
	// Columns are the explained columns of a Columns target.
	Columns []int
}

// Len returns the number of explained columns a sample has.
func (t Target) Len() int {
	if t.Choice == Columns {
		return len(t.Columns)
	}
	return 1
}

// columnsTo writes the explained columns of one sample into dst.
func (t Target) columnsTo(dst []int, predicted, label int) {
	switch t.Choice {
	case Predicted:
		dst[0] = predicted
	case Label:
		dst[0] = label
	default:
		copy(dst, t.Columns)
	}
}

// argmax returns the position of the largest value, the lowest on ties.
func argmax(row []float64) int {
	best := 0
	for i, v := range row {
		if v > row[best] {
			best = i
		}
	}
	return best
}
