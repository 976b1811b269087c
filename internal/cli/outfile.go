package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/result"
)

// standardOutput is the name of standard output as a file.
const standardOutput = "-"

// checkOut refuses a file that cannot be the JSON document.
func checkOut(path string) error {
	if path == "" || path == standardOutput || strings.EqualFold(filepath.Ext(path), ".json") {
		return nil
	}
	fault := usagef("--out %s: want a name that ends in .json, or - for standard output", path)
	fault.hint = "values of every sample go to --samples"
	return fault
}

// checkSamples refuses a name that says no format of samples.
func checkSamples(path string) error {
	if path == "" {
		return nil
	}
	if err := result.CheckSamplesPath(path); err != nil {
		return usagef("--samples %s: want a name that ends in .npz, .parquet, .csv or .jsonl", path)
	}
	return nil
}

// checkWritable refuses, before the run is paid for, a file that could not be
// written at its end: in a folder that is not there, over a file that is, or
// over one that the run reads.
func checkWritable(flag, path string, force bool, inputs ...string) error {
	if path == "" || path == standardOutput {
		return nil
	}
	dir := filepath.Dir(path)
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		fault := usagef("--%s %s: there is no folder %s", flag, path, dir)
		fault.hint = "make the folder first"
		return fault
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return usagef("--%s %s: %w", flag, path, err)
	case info.IsDir():
		return usagef("--%s %s: want the name of a file, got a folder", flag, path)
	}
	for _, in := range inputs {
		if other, err := os.Stat(in); err == nil && os.SameFile(info, other) {
			return usagef("--%s %s: the run reads this file", flag, path)
		}
	}
	if !force && info.Mode().IsRegular() {
		fault := usagef("--%s %s: the file exists", flag, path)
		fault.hint = "--force overwrites it"
		return fault
	}
	return nil
}

// A samplesFile hands samples on to a file, which is there whole or not at all.
type samplesFile struct {
	path   string
	writer result.SamplesWriter // nil before Begin and after the end
}

// Begin opens the file.
func (f *samplesFile) Begin(header result.SamplesHeader) error {
	w, err := result.CreateSamples(f.path, header)
	if err != nil {
		return err
	}
	f.writer = w
	return nil
}

// Write writes one sample.
func (f *samplesFile) Write(row result.SampleRow) error { return f.writer.Write(row) }

// finish completes the file.
func (f *samplesFile) finish() error {
	w := f.writer
	f.writer = nil
	if w == nil {
		return fmt.Errorf("cli: %s: the run wrote no samples", f.path)
	}
	return w.Close()
}

// discard removes what was written; after finish it does nothing.
func (f *samplesFile) discard() error {
	w := f.writer
	f.writer = nil
	if w == nil {
		return nil
	}
	return w.Discard()
}
