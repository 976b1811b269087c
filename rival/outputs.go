package rival

import (
	"fmt"
	"slices"

	"github.com/intershap/intershap/metric"
)

// A Matrix holds finite numbers, row by row: element (i, j) is Data[i*Cols+j].
type Matrix struct {
	Rows, Cols int
	Data       []float64
}

// NewMatrix returns a matrix over data, which it keeps without copying. It refuses
// a wrong length and numbers that are not finite, naming row and column.
func NewMatrix(rows, cols int, data []float64) (Matrix, error) {
	m := Matrix{rows, cols, data}
	return m, m.check("matrix")
}

// Row returns row i, shared.
func (m Matrix) Row(i int) []float64 { return m.Data[i*m.Cols : (i+1)*m.Cols : (i+1)*m.Cols] }

// check reports what is wrong with m, which what names.
func (m Matrix) check(what string) error {
	if m.Rows < 0 || m.Cols < 1 || len(m.Data) != m.Rows*m.Cols {
		return fmt.Errorf("rival: %s: want rows times columns numbers and at least one column, got %d for %d×%d", what, len(m.Data), m.Rows, m.Cols)
	}
	for i, v := range m.Data {
		if !finite(v) {
			return fmt.Errorf("rival: %s: row %d, column %d: want a finite number, got %v", what, i/m.Cols, i%m.Cols, v)
		}
	}
	return nil
}

func (m Matrix) checkShape(what string, rows, cols int) error {
	if m.Rows != rows || m.Cols != cols {
		return fmt.Errorf("rival: %s: want %d×%d numbers, got %d×%d", what, rows, cols, m.Rows, m.Cols)
	}
	return m.check(what)
}

func finite(v float64) bool { return v-v == 0 }

// columnMeans returns the mean of every column.
func (m Matrix) columnMeans() []float64 {
	mean := make([]float64, m.Cols)
	for i := range m.Rows {
		for c, v := range m.Row(i) {
			mean[c] += v
		}
	}
	for c := range mean {
		mean[c] /= float64(m.Rows)
	}
	return mean
}

// squares returns Σ (m − at)², each column less its own number of at.
func (m Matrix) squares(at []float64) float64 {
	sum := 0.0
	for i := range m.Rows {
		for c, v := range m.Row(i) {
			sum += (v - at[c]) * (v - at[c])
		}
	}
	return sum
}

// largest returns the largest absolute value.
func (m Matrix) largest() float64 {
	if len(m.Data) == 0 {
		return 0
	}
	return max(slices.Max(m.Data), -slices.Min(m.Data))
}

// Predicted returns the predicted class of every row: the column with the largest
// number, the first of equal ones. With a single column it is class 1 at or above the
// threshold and class 0 below: 0.5 for probabilities, 0 for logits. The threshold
// means nothing with several columns.
func Predicted(outputs Matrix, threshold float64) []int {
	classes := make([]int, outputs.Rows)
	for i := range classes {
		row := outputs.Row(i)
		if len(row) == 1 {
			if row[0] >= threshold {
				classes[i] = 1
			}
			continue
		}
		for c, v := range row {
			if v > row[classes[i]] {
				classes[i] = c
			}
		}
	}
	return classes
}

// Metrics says how well predictions agree with labels.
type Metrics struct {
	// Accuracy is [metric.Accuracy].
	Accuracy float64
	// MacroF1 is [metric.MacroF1].
	MacroF1 float64
}

// Measure compares predictions with labels. Both hold class indices, one for each
// of at least one sample.
func Measure(predicted, labels []int) (Metrics, error) {
	accuracy, err := metric.Accuracy(predicted, labels)
	if err != nil {
		return Metrics{}, fmt.Errorf("rival: %w", err)
	}
	for i, label := range labels {
		if label < 0 || predicted[i] < 0 {
			return Metrics{}, fmt.Errorf("rival: sample %d: want classes from 0 on, got label %d and prediction %d", i, label, predicted[i])
		}
	}
	f1, err := metric.MacroF1(predicted, labels)
	return Metrics{Accuracy: accuracy, MacroF1: f1}, err
}

// dense renumbers values as 0, 1, ... in ascending order of value, and returns how
// many there are.
func dense(values []int) (renumbered []int, kinds int) {
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	renumbered = make([]int, len(values))
	for i, v := range values {
		renumbered[i], _ = slices.BinarySearch(sorted, v)
	}
	return renumbered, len(sorted)
}

// checkLabels says why the classes of samples do not allow a score, or returns nil. A
// wrong number of them is the caller's fault and found elsewhere.
func checkLabels(name string, labels []int) *Unfit {
	if len(labels) == 0 {
		return unfit(name, "needs true labels and the data have none: add a column or array called label")
	}
	for i, label := range labels {
		if label < 0 {
			return unfit(name, "sample %d has no class: give it one, or leave the sample out", i)
		}
	}
	if slices.Min(labels) == slices.Max(labels) {
		return unfit(name, "all samples (%d) are of class %d, and one class leaves nothing to tell apart: take data with at least two", len(labels), labels[0])
	}
	return nil
}
