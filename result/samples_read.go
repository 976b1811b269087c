package result

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
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
	// Present holds the modalities that each sample has; nil where all have all.
	Present []game.Coalition
	// Values holds, for each target, what was found.
	ByTarget []TargetSamples
}

// TargetSamples are the values of N samples for one target.
type TargetSamples struct {
	Base, Output  []float64
	InterSHAP, SE []score.Share
	// Corrected holds the scores less their bias, within [0, 1]; nil for files that
	// were written before there was such a column.
	Corrected []score.Share
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

// ReadSamples reads a samples file of any format, by its extension, into memory:
// what CreateSamples wrote, and nothing else. The four formats give the same
// numbers, but that CSV and Parquet have no values of coalitions, and that half of a
// pair's sum loses the last bit where it is below 1e-307.
//
// A file that is truncated, of another schema or of another program is an error, and
// so is one whose numbers are not finite, do not fit its modalities, or do not add up
// as docs/format/samples.md says. Memory is bounded by the size of the file, which is
// held against what it claims before anything is allocated.
func ReadSamples(path string) (*Samples, error) {
	format, err := samplesFormatName(path)
	if err != nil {
		return nil, err
	}
	read := map[string]func(*samplesSource) (*Samples, error){
		".npz": readNPZSamples, ".parquet": readParquetSamples, ".csv": readCSVSamples, ".jsonl": readJSONLSamples,
	}[format]
	source, err := openSamples(path)
	if err != nil {
		return nil, fmt.Errorf("result: %s: %w", path, err)
	}
	defer source.file.Close()
	s, err := read(source)
	var data *dataset.Error
	switch {
	case errors.As(err, &data):
		return nil, err // it names the file, and has a remedy
	case err != nil:
		return nil, fmt.Errorf("result: %s: %w", path, err)
	}
	s.Path = path
	return s, nil
}

// A samplesSource is a samples file that is open for reading.
type samplesSource struct {
	path string
	file *os.File
	size int64
}

// openSamples opens a file that can be read at any place. What is none is refused
// before it is opened: opening a pipe waits for whoever writes to it.
func openSamples(path string) (*samplesSource, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("want a file of samples, got a %s", fileKind(info))
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(path)
	}
	var inPath *fs.PathError
	switch {
	case errors.As(err, &inPath):
		return nil, fmt.Errorf("cannot be opened: %w", inPath.Err)
	case err != nil:
		return nil, fmt.Errorf("cannot be opened: %w", err)
	}
	return &samplesSource{path: path, file: file, size: info.Size()}, nil
}

// errNoSamples is a file that says nothing of any sample.
var errNoSamples = errors.New("want at least one sample, got none")

// checkSchema refuses what the place for the schema does not say.
func checkSchema(found string) error {
	switch {
	case found == SamplesSchema:
		return nil
	case strings.HasPrefix(found, samplesSchemaName):
		return fmt.Errorf("want schema %q, got %q: read it with the version of intershap that wrote it", SamplesSchema, found)
	}
	return fmt.Errorf("want a samples file, which says its schema %q, got none: was it written by explain --samples?", SamplesSchema)
}

// samplesSchemaName is what the schemas of all versions begin with.
const samplesSchemaName = "intershap/samples/"
