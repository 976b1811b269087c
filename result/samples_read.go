package result

import (
	"errors"

	"github.com/intershap/intershap/score"
)

// Samples are the values of every sample of a run, as a samples file has them.
type Samples struct {
	// Path is that of the file.
	Path string
	// Modalities and Targets are the names. A file of one target does not name it,
	// and Targets is then one empty text.
	Modalities, Targets []string
	// IDs holds the text of the id of each of N samples, whatever its type; Predicted
	// the predicted class as a position in the run's classes.
	IDs       []string
	Predicted []int
	// Values holds, for each target, what was found.
	ByTarget []TargetSamples
}

// TargetSamples are the values of N samples for one target.
type TargetSamples struct {
	Base, Output  []float64
	InterSHAP, SE []score.Share
	// Phi holds the paper's matrices, M×M numbers a sample. Files that have the sum of
	// both cells of a pair give half of it to each.
	Phi []float64
	// Values holds v(S), 2^M numbers a sample by coalition; nil for CSV and Parquet,
	// which do not have them.
	Values []float64
}

// Len returns the number of samples.
func (s *Samples) Len() int { return len(s.IDs) }

// Matrix returns the matrix of sample i, shared.
func (t *TargetSamples) Matrix(i, modalities int) []float64 {
	cells := modalities * modalities
	return t.Phi[i*cells : (i+1)*cells : (i+1)*cells]
}

// ReadSamples reads a samples file of any format, by its extension, into memory.
func ReadSamples(path string) (*Samples, error) { return nil, errors.New("result: not built") }
