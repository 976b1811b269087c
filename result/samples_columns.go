package result

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
)

// The names of columns, which are the names of the arrays of NPZ as well.
const (
	columnTarget    = "target"
	columnID        = "id"
	columnPredicted = "predicted"
	columnBase      = "base"
	columnOutput    = "output"
	columnInterSHAP = "intershap"
	columnSE        = "intershap_se"
	columnCorrected = "intershap_corrected"
	columnPhi       = "phi"
	columnValues    = "values"
	columnPresent   = "present"
)

// phiColumns returns the names of the columns that phi fills in a table: one
// for each modality, then one for each pair. Two of them can only be equal by
// the colon in a modality's name. The error names the file at path.
func phiColumns(path string, modalities []string) ([]string, error) {
	var names []string
	seen := map[string]bool{}
	add := func(name string) error {
		if seen[name] {
			return fmt.Errorf("result: samples file %s: want different columns, got %q for a modality and for a pair: rename one without the colon, or write .npz", path, name)
		}
		seen[name] = true
		names = append(names, name)
		return nil
	}
	for _, name := range modalities {
		if err := add(columnPhi + "." + name); err != nil {
			return nil, err
		}
	}
	for i, first := range modalities {
		for _, second := range modalities[i+1:] {
			if err := add(columnPhi + "." + first + ":" + second); err != nil {
				return nil, err
			}
		}
	}
	return names, nil
}

// phiCellsTo writes what stands in the columns of [phiColumns] into dst: the
// diagonal of the m×m matrix phi, then the sum of both cells of each pair.
func phiCellsTo(dst, phi []float64, m int) {
	at := m
	for i := range m {
		dst[i] = phi[i*m+i]
		for j := i + 1; j < m; j++ {
			dst[at] = phi[i*m+j] + phi[j*m+i]
			at++
		}
	}
}

// phiCells returns the number of columns of [phiColumns].
func phiCells(m int) int { return m * (m + 1) / 2 }

// Outside these bounds numbers are written with an exponent: longer ones are
// hard to read, and more digits than an int64 has are too many for some readers.
const (
	minPlain = 1e-6
	maxPlain = 1e16
)

// appendFloat appends the shortest digits that read back as the same number,
// with a point or an exponent: readers that guess the type of a column from its
// first rows would take "0" for an integer.
func appendFloat(dst []byte, x float64) []byte {
	if abs := math.Abs(x); abs != 0 && (abs < minPlain || abs >= maxPlain) {
		return strconv.AppendFloat(dst, x, 'e', -1, 64)
	}
	from := len(dst)
	dst = strconv.AppendFloat(dst, x, 'f', -1, 64)
	if bytes.IndexByte(dst[from:], '.') < 0 {
		dst = append(dst, ".0"...)
	}
	return dst
}
