package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/result"
)

// standardOutput is the name of standard output as a file.
const standardOutput = "-"

// A destination is where the result of a run goes: a table on standard output, or
// the JSON document in its place, and a file with that document beside either.
type destination struct {
	out         string
	json, force bool
}

// deliver writes the document where it was asked for: into the file first, so that
// what is printed is not all there is when that fails. It reports whether the
// document was printed; if not, the table is to be.
func (d *destination) deliver(s *streams, write func(io.Writer) error) (printed bool, err error) {
	if d.out != "" && d.out != standardOutput {
		if err := result.WriteFile(d.out, write); err != nil {
			return false, err
		}
	}
	if !d.json && d.out != standardOutput {
		return false, nil
	}
	return true, write(s.out)
}

// checkOut refuses a file that cannot be the JSON document; hint says where what
// else might be meant goes.
func checkOut(path, hint string) error {
	if path == "" || path == standardOutput || strings.EqualFold(filepath.Ext(path), ".json") {
		return nil
	}
	fault := usagef("--out %s: want a name that ends in .json, or - for standard output", path)
	fault.hint = hint
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
// written at its end: in a folder that is not there, over a file that is, over
// one that the run reads, or among the parts of a folder that it reads.
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
	for _, in := range inputs {
		if spoils(path, in) {
			fault := usagef("--%s %s: the run reads the folder %s", flag, path, in)
			fault.hint = "write it to another folder: the next run would read it as data"
			return fault
		}
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return probe(flag, path)
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
	if !info.Mode().IsRegular() {
		return nil // a device or pipe is written as it is
	}
	return probe(flag, path)
}

// probe makes a file beside path and removes it: results are written under
// another name in the same folder first, and permissions alone do not tell what
// a read-only or full file system will do.
func probe(flag, path string) error {
	target := path
	if real, err := filepath.EvalSymlinks(path); err == nil {
		target = real
	}
	dir := filepath.Dir(target)
	f, err := os.CreateTemp(dir, "."+program+"-*")
	if err == nil {
		err = errors.Join(f.Close(), os.Remove(f.Name()))
	}
	if err == nil {
		return nil
	}
	// The system's own text names the file of the probe.
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		err = pathErr.Err
	}
	fault := usagef("--%s %s: no file can be made in the folder %s: %w", flag, path, dir, err)
	fault.hint = "name a file in a folder that you may write to"
	return fault
}

// spoils reports whether a file would be one of a data folder's own: whatever
// lies in it, and a Parquet file below it at any depth.
func spoils(path, folder string) bool {
	info, err := os.Stat(folder)
	if err != nil || !info.IsDir() {
		return false
	}
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	} else if target, err := os.Readlink(path); err == nil {
		// A link to what is not there yet: that is what would be made.
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	if err == nil {
		dir, err = filepath.Abs(dir)
	}
	if err != nil {
		return false
	}
	anyDepth := strings.EqualFold(filepath.Ext(path), ".parquet")
	for {
		if at, err := os.Stat(dir); err == nil && os.SameFile(at, info) {
			return true
		}
		above := filepath.Dir(dir)
		if !anyDepth || above == dir {
			return false
		}
		dir = above
	}
}

// A samplesFile hands samples on to a file, which is there whole or not at all.
type samplesFile struct {
	path   string
	writer result.SamplesWriter // nil before Begin and after the end
}

// Begin opens the file, and again for each round of a run: the last one counts.
func (f *samplesFile) Begin(header result.SamplesHeader) error {
	if err := f.discard(); err != nil {
		return err
	}
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
