package result

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// validate reports every fault of a header at once, so that a run ends before
// its first model call.
func (h SamplesHeader) validate() error {
	var faults []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	m := len(h.Modalities)
	most := game.MaxPlayers
	if h.Sampled {
		most = dataset.MaxModalities
	}
	check(m >= 1 && m <= most, "want 1 to %d modalities, got %d", most, m)
	check(len(h.Targets) > 0, "want at least one target, got none")
	check(h.Samples >= 0, "want 0 samples or more, got %d", h.Samples)
	check(h.IDs == tensor.Int64 || h.IDs == tensor.String, "want ids of type int64 or string, got %s", h.IDs)
	names := func(kind string, all []string) {
		seen := map[string]bool{}
		for _, name := range all {
			check(name != "", "want a name for every %s, got an empty one", kind)
			check(utf8.ValidString(name), "want UTF-8 for the name of %s %q", kind, name)
			check(!seen[name], "want different names, got two %s called %q", plurals[kind], name)
			seen[name] = true
		}
	}
	names("modality", h.Modalities)
	names("target", h.Targets)
	return errors.Join(faults...)
}

var plurals = map[string]string{"modality": "modalities", "target": "targets"}

// hasTargets reports whether the file has an axis or a column of targets.
func (h SamplesHeader) hasTargets() bool { return h.ByTarget || len(h.Targets) > 1 }

// checkedRow is a row that fits the header.
type checkedRow struct {
	SampleRow
	// number is the id when ids are numbers.
	number int64
}

// samplesFile holds rows against the header and hands them to a format. Order,
// number, lengths and values are checked here once for all formats: a table
// with a row missing or twice looks right to whoever reads it.
type samplesFile struct {
	path   string
	header SamplesHeader
	format samplesFormat
	rows   int
	row    checkedRow // reused; of the row before, while a row is checked
	err    error
	done   bool
}

func (f *samplesFile) Write(row SampleRow) error {
	if f.done {
		return fmt.Errorf("result: samples file %s: %w", f.path, fs.ErrClosed)
	}
	if f.err != nil {
		return f.err
	}
	if err := f.check(&row); err != nil {
		f.err = fmt.Errorf("result: samples file %s: %w", f.path, err)
		return f.err
	}
	row.Corrected = fraction(row.Corrected)
	f.row.SampleRow = row
	f.err = f.format.write(&f.row)
	f.rows++
	return f.err
}

func (f *samplesFile) Close() error {
	if f.done {
		return fmt.Errorf("result: samples file %s: %w", f.path, fs.ErrClosed)
	}
	if want := f.header.Samples * len(f.header.Targets); f.err == nil && f.rows != want {
		f.err = fmt.Errorf("result: samples file %s: want %d rows (%d samples of %d targets), got %d",
			f.path, want, f.header.Samples, len(f.header.Targets), f.rows)
	}
	if f.err == nil {
		f.err = f.format.finish()
	}
	if f.err != nil {
		return errors.Join(f.err, f.Discard())
	}
	f.done = true
	return nil
}

func (f *samplesFile) Discard() error {
	if f.done {
		return nil
	}
	f.done = true
	return f.format.discard()
}

// check says what is wrong with a row, given the rows before it.
func (f *samplesFile) check(row *SampleRow) error {
	k := len(f.header.Targets)
	sample, target := f.rows/k, f.rows%k
	if row.Sample != sample || row.Target != target || sample >= f.header.Samples {
		return fmt.Errorf("want sample %d of %d, target %d of %d next, got sample %d, target %d",
			sample, f.header.Samples, target, k, row.Sample, row.Target)
	}
	if target > 0 && (row.ID != f.row.ID || row.Predicted != f.row.Predicted) {
		return fmt.Errorf("sample %d: want the same id and prediction for each target, got %q and %d after %q and %d",
			sample, row.ID, row.Predicted, f.row.ID, f.row.Predicted)
	}
	if target > 0 && row.Present != f.row.Present {
		return fmt.Errorf("sample %d: want the same modalities for each target, got %#b after %#b", sample, uint64(row.Present), uint64(f.row.Present))
	}
	if err := f.checkID(row); err != nil {
		return fmt.Errorf("sample %d: %w", sample, err)
	}
	if err := f.checkNumbers(row); err != nil {
		return fmt.Errorf("sample %d, target %q: %w", sample, f.header.Targets[target], err)
	}
	return nil
}

func (f *samplesFile) checkID(row *SampleRow) error {
	if f.header.IDs == tensor.Int64 {
		n, err := strconv.ParseInt(row.ID, 10, 64)
		if err != nil {
			return fmt.Errorf("want an int64 as id, got %q", row.ID)
		}
		f.row.number = n
		return nil
	}
	if !utf8.ValidString(row.ID) {
		return fmt.Errorf("want UTF-8 as id, got %q", row.ID)
	}
	return nil
}

func (f *samplesFile) checkNumbers(row *SampleRow) error {
	m := len(f.header.Modalities)
	values := 1 << m
	if f.header.Sampled {
		values = 0
	}
	if len(row.Values) != values || len(row.Phi) != m*m {
		return fmt.Errorf("want %d values and %d numbers of phi for %d modalities, got %d and %d",
			values, m*m, m, len(row.Values), len(row.Phi))
	}
	scalars := [...]struct {
		name  string
		value float64
	}{
		{"base", row.Base}, {"output", row.Output},
		{columnInterSHAP, row.InterSHAP.Or(0)}, {columnSE, row.SE.Or(0)}, {columnCorrected, row.Corrected.Or(0)},
	}
	for _, s := range scalars {
		if !finite(s.value) {
			return fmt.Errorf("%s: want a finite number, got %v", s.name, s.value)
		}
	}
	for s, v := range row.Values {
		if !finite(v) {
			return fmt.Errorf("value of coalition %#b: want a finite number, got %v", s, v)
		}
	}
	for i, v := range row.Phi {
		if !finite(v) {
			return fmt.Errorf("phi[%d][%d]: want a finite number, got %v", i/m, i%m, v)
		}
	}
	if f.header.HasPresent {
		return checkPresent(row.Present, row.Phi, row.Values, m)
	}
	return nil
}

// fraction keeps a share within [0, 1]: a correction of the bias may lead out.
func fraction(s score.Share) score.Share {
	x, ok := s.Value()
	if !ok {
		return s
	}
	return score.Defined(min(1, max(0, x)))
}

// finite reports whether x is neither NaN nor infinite.
func finite(x float64) bool { return x-x == 0 }
