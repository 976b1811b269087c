package result

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// SamplesSchema names the version of the samples files. NPZ carries it as the
// comment of the archive, Parquet in its footer under the key of
// [SamplesSchemaKey]; CSV and JSON lines have no place for it.
const SamplesSchema = "intershap/samples/v1"

// SamplesSchemaKey is the key of [SamplesSchema] in Parquet's footer.
const SamplesSchemaKey = "intershap.schema"

// SamplesHeader describes a samples file before its first sample.
type SamplesHeader struct {
	// Modalities are the names, in the order of the bits of a coalition.
	Modalities []string
	// Targets are the names of the explained numbers; files of several have a
	// leading axis, or a first column, of targets.
	Targets []string
	// Samples is the number of samples that will come.
	Samples int
	// IDs is the type of the ids: tensor.Int64 or tensor.String.
	IDs tensor.DType
	// ByTarget is set when the file has the axis of targets even for one.
	ByTarget bool
	// Sampled is set when the run evaluated some of the coalitions: then there are no
	// Values.
	Sampled bool
	// HasPresent is set when samples may lack modalities: then each row says what its
	// sample has.
	HasPresent bool
}

// A SampleRow is one sample and target.
type SampleRow struct {
	// Sample counts from 0 over the run; Target is a position in the header.
	Sample, Target int
	// ID is the text of the sample's id, whatever its type.
	ID string
	// Predicted is the column of the largest output.
	Predicted int
	// Present holds the modalities that the sample has, where the header has
	// HasPresent. Phi is zero for the others, and Values do not depend on them.
	Present game.Coalition
	// Base is v({}), Output is v(all).
	Base, Output float64
	// InterSHAP is the local score, undefined without behaviour; SE is its
	// standard error from the background.
	InterSHAP score.Share
	SE        score.Share
	// Corrected is the score less the jackknife's estimate of its bias, undefined
	// where that is not known. Whoever writes rows keeps it within [0, 1].
	Corrected score.Share
	// Values holds v(S) by coalition, nil where the run evaluated some of them alone;
	// Phi is the m×m matrix. Both may be reused after the call that they are given to.
	Values []float64
	Phi    []float64
}

// A SamplesWriter takes samples in order; each sample comes with all its
// targets in order. Its memory does not grow with the number of samples. It is
// not safe for concurrent use.
type SamplesWriter interface {
	// Write adds one row. After a failure every further call fails as well.
	Write(row SampleRow) error
	// Close completes the file under its name. It fails when a row failed or
	// is missing, and then removes what was written.
	Close() error
	// Discard removes what was written; after Close it does nothing, so that
	// it can be deferred.
	Discard() error
}

// A samplesFormat lays out rows that samplesFile has checked.
type samplesFormat interface {
	write(row *checkedRow) error
	// finish completes the file under its name.
	finish() error
	// discard removes whatever is left, also after finish.
	discard() error
}

// CreateSamples starts a samples file, whose format follows from the extension:
// .npz, .parquet, .csv or .jsonl. It is written under another name and renamed
// by Close.
func CreateSamples(path string, header SamplesHeader) (SamplesWriter, error) {
	create, err := samplesFormatOf(path)
	if err != nil {
		return nil, err
	}
	if err := header.validate(); err != nil {
		return nil, fmt.Errorf("result: samples file %s: %w", path, err)
	}
	format, err := create(path, header)
	if err != nil {
		return nil, err
	}
	return &samplesFile{path: path, header: header, format: format}, nil
}

// CheckSamplesPath reports whether CreateSamples knows the format of path.
func CheckSamplesPath(path string) error {
	_, err := samplesFormatOf(path)
	return err
}

func samplesFormatOf(path string) (func(string, SamplesHeader) (samplesFormat, error), error) {
	format, err := samplesFormatName(path)
	if err != nil {
		return nil, err
	}
	return map[string]func(string, SamplesHeader) (samplesFormat, error){
		".npz": createNPZ, ".parquet": createParquet, ".csv": createCSV, ".jsonl": createJSONL,
	}[format], nil
}

// samplesFormatName returns the extension that says the format of path.
func samplesFormatName(path string) (string, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npz", ".parquet", ".csv", ".jsonl":
		return ext, nil
	default:
		return "", fmt.Errorf("result: samples file %s: want .npz, .parquet, .csv or .jsonl, got %q", path, ext)
	}
}
