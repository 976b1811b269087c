package result

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"github.com/intershap/intershap/tensor"
)

// The names of the arrays of NPZ that are no columns.
const (
	arrayModalities = "modalities"
	arrayTargets    = "targets"
)

// npzSamples spools every array to a file of its own and stores them in one
// archive at the end: an archive takes one member after the other. Spools go
// as soon as they are copied, so that the disk holds the largest array twice
// and the others once.
type npzSamples struct {
	file    *partial
	header  SamplesHeader
	members []npzMember

	numbers, predicted                      *spool
	present                                 *spool // nil where samples have all
	texts                                   *textSpool
	base, output, local, localSE, corrected *spool
	phi                                     *spool
	values                                  *spool // nil where coalitions were sampled
}

// An npzMember is an array of the archive.
type npzMember struct {
	name  string
	array interface {
		writeTo(w io.Writer) error
		remove() error
	}
}

func createNPZ(path string, header SamplesHeader) (samplesFormat, error) {
	for _, name := range slices.Concat(header.Modalities, header.Targets) {
		if err := checkNPYText(name); err != nil {
			return nil, fmt.Errorf("result: samples file %s: %w", path, err)
		}
	}
	file, err := newPartial(path)
	if err != nil {
		return nil, err
	}
	f := &npzSamples{file: file, header: header}
	if err := f.open(); err != nil {
		return nil, errors.Join(err, f.discard())
	}
	return f, nil
}

// open creates the spools, small ones first: readers that stream meet them
// before the large ones.
func (f *npzSamples) open() error {
	m, n, k := len(f.header.Modalities), f.header.Samples, len(f.header.Targets)
	var err error
	add := func(name string, layout spoolLayout) *spool {
		if err != nil {
			return nil
		}
		var s *spool
		if s, err = newSpool(f.file, layout); err != nil {
			return nil
		}
		f.members = append(f.members, npzMember{name, s})
		return s
	}
	integers := func(name, descr string) *spool {
		return add(name, spoolLayout{targets: 1, samples: n, width: 1, descr: descr, shape: []int{n}})
	}
	floats := func(name string, row ...int) *spool {
		l := spoolLayout{targets: k, samples: n, width: 1, descr: npyFloat64, shape: append([]int{n}, row...)}
		for _, axis := range row {
			l.width *= axis
		}
		if f.header.hasTargets() {
			l.shape = append([]int{k}, l.shape...)
		}
		return add(name, l)
	}
	if f.header.IDs == tensor.Int64 {
		f.numbers = integers(columnID, npyInt64)
	} else if f.texts, err = newTextSpool(f.file); err == nil {
		f.members = append(f.members, npzMember{columnID, f.texts})
	}
	f.predicted = integers(columnPredicted, npyInt64)
	if f.header.HasPresent {
		f.present = integers(columnPresent, npyUint64)
	}
	f.base = floats(columnBase)
	f.output = floats(columnOutput)
	f.local = floats(columnInterSHAP)
	f.localSE = floats(columnSE)
	f.corrected = floats(columnCorrected)
	f.phi = floats(columnPhi, m, m)
	if !f.header.Sampled {
		f.values = floats(columnValues, 1<<m)
	}
	return err
}

func (f *npzSamples) write(row *checkedRow) error {
	i, k := row.Sample, row.Target
	if k == 0 {
		if err := f.writeSample(row); err != nil {
			return err
		}
	}
	nan := math.NaN()
	for _, s := range [...]struct {
		spool  *spool
		number float64
	}{
		{f.base, row.Base}, {f.output, row.Output},
		{f.local, row.InterSHAP.Or(nan)}, {f.localSE, row.SE.Or(nan)},
		{f.corrected, row.Corrected.Or(nan)},
	} {
		if err := s.spool.putFloats(i, k, s.number); err != nil {
			return err
		}
	}
	if err := f.phi.putFloats(i, k, row.Phi...); err != nil || f.header.Sampled {
		return err
	}
	return f.values.putFloats(i, k, row.Values...)
}

// writeSample writes what does not depend on the target.
func (f *npzSamples) writeSample(row *checkedRow) error {
	if err := f.predicted.putInt(row.Sample, int64(row.Predicted)); err != nil {
		return err
	}
	if f.present != nil {
		if err := f.present.putInt(row.Sample, int64(row.Present)); err != nil {
			return err
		}
	}
	if f.header.IDs == tensor.Int64 {
		return f.numbers.putInt(row.Sample, row.number)
	}
	if err := checkNPYText(row.ID); err != nil {
		return fmt.Errorf("result: samples file %s: sample %d: %w", f.file.path, row.Sample, err)
	}
	return f.texts.put(row.ID)
}

func (f *npzSamples) finish() error {
	archive := zip.NewWriter(f.file)
	if err := archive.SetComment(SamplesSchema); err != nil {
		return err
	}
	names := func(array string, texts []string) error {
		w, err := createMember(archive, array)
		if err != nil {
			return err
		}
		return writeNPYTexts(w, texts)
	}
	if err := names(arrayModalities, f.header.Modalities); err != nil {
		return err
	}
	if f.header.hasTargets() {
		if err := names(arrayTargets, f.header.Targets); err != nil {
			return err
		}
	}
	for _, m := range f.members {
		w, err := createMember(archive, m.name)
		if err != nil {
			return err
		}
		if err := errors.Join(m.array.writeTo(w), m.array.remove()); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return f.file.commit()
}

// memberTime is the first that ZIP knows, so that equal runs give equal bytes.
var memberTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// createMember starts an array. Members are stored, not deflated, as
// numpy.savez does: numbers hardly shrink, and stored ones can be read at any
// place.
func createMember(archive *zip.Writer, name string) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store, Modified: memberTime})
}

func (f *npzSamples) discard() error {
	var faults []error
	for _, m := range f.members {
		faults = append(faults, m.array.remove())
	}
	return errors.Join(append(faults, f.file.discard())...)
}
