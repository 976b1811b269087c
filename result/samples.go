package result

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// SamplesHeader describes a samples file before its first sample.
type SamplesHeader struct {
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
}

// A SampleRow is one sample and target.
type SampleRow struct {
	// Sample counts from 0 over the run; Target is a position in the header.
	Sample, Target int
	ID             string
	// Predicted is the column of the largest output.
	Predicted    int
	Base, Output float64
	InterSHAP    score.Share
	SE           score.Share
	// Values holds v(S) by coalition, Phi the m×m matrix. Both may be reused
	// after the call that they are given to.
	Values []float64
	Phi    []float64
}

// A SamplesWriter takes samples in order; each sample comes with all its
// targets in order. Close completes the file under its name; without it,
// Discard removes what was written.
type SamplesWriter interface {
	Write(row SampleRow) error
	Close() error
	Discard() error
}

// CreateSamples starts a samples file, whose format follows from the extension:
// .npz, .parquet, .csv or .jsonl. It is written under another name and renamed
// by Close.
func CreateSamples(path string, header SamplesHeader) (SamplesWriter, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".npz":
		return createNPZ(path, header)
	case ".parquet":
		return createParquet(path, header)
	case ".csv":
		return createCSV(path, header)
	case ".jsonl":
		return createJSONL(path, header)
	default:
		return nil, fmt.Errorf("result: samples file %s: want .npz, .parquet, .csv or .jsonl, got %q", path, ext)
	}
}

// CheckSamplesPath reports whether CreateSamples knows the format of path.
func CheckSamplesPath(path string) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".npz", ".parquet", ".csv", ".jsonl":
		return nil
	}
	return fmt.Errorf("result: samples file %s: want .npz, .parquet, .csv or .jsonl", path)
}
