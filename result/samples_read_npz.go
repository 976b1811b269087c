package result

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// npzArrays gives the arrays of a samples file by name. Package dataset holds what
// they claim against the bytes that are there, before anything is allocated.
type npzArrays struct {
	file dataset.File
	// targets is set when numbers have a leading axis of that length.
	byTarget         bool
	targets, samples int
}

func readNPZSamples(source *samplesSource) (s *Samples, err error) {
	if err := checkArchive(source); err != nil {
		return nil, err
	}
	file, err := dataset.Open(context.Background(), source.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	arrays := &npzArrays{file: file}
	s = &Samples{Targets: []string{""}}
	if s.Modalities, err = arrays.texts(arrayModalities); err != nil {
		return nil, err
	}
	if arrays.byTarget = arrays.has(arrayTargets); arrays.byTarget {
		if s.Targets, err = arrays.texts(arrayTargets); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(checkModalityCount(len(s.Modalities)), s.checkNames()); err != nil {
		return nil, err
	}
	if s.IDs, err = arrays.ids(); err != nil {
		return nil, err
	}
	arrays.targets, arrays.samples = len(s.Targets), len(s.IDs)
	if arrays.samples == 0 {
		return nil, errNoSamples
	}
	if s.Predicted, err = arrays.predicted(); err != nil {
		return nil, err
	}
	if arrays.has(columnPresent) {
		if s.Present, err = arrays.present(); err != nil {
			return nil, err
		}
	}
	for k := range s.Targets {
		t, err := arrays.target(k, len(s.Modalities))
		if err != nil {
			return nil, err
		}
		s.ByTarget = append(s.ByTarget, t)
		for i := range s.Len() {
			if err := s.check(i, k); err != nil {
				return nil, fmt.Errorf("sample %d (id %q)%s: %w", i, s.IDs[i], s.ofTarget(k), err)
			}
		}
	}
	return s, nil
}

// ofTarget names a target in an error, where there is one to name.
func (s *Samples) ofTarget(k int) string {
	if s.unnamed() {
		return ""
	}
	return fmt.Sprintf(", target %q", s.Targets[k])
}

// checkArchive reads the schema and compares every member with its checksum, which
// reading at any place passes over. Members that are compressed are refused: ours are
// not, and a short file can claim more of them than fits into memory.
func checkArchive(source *samplesSource) error {
	archive, err := zip.NewReader(source.file, source.size)
	if err != nil {
		return fmt.Errorf("no NPZ archive, or one without its end (%w): is the file complete?", err)
	}
	if err := checkSchema(archive.Comment); err != nil {
		return err
	}
	for _, member := range archive.File {
		if member.Method != zip.Store {
			return fmt.Errorf("array %q: want it stored, not compressed, as explain --samples writes it", strings.TrimSuffix(member.Name, ".npy"))
		}
		r, err := member.Open()
		if err == nil {
			_, err = io.Copy(io.Discard, r)
			err = errors.Join(err, r.Close())
		}
		if err != nil {
			return fmt.Errorf("array %q is damaged (%w): is the file complete?", strings.TrimSuffix(member.Name, ".npy"), err)
		}
	}
	return nil
}

func (a *npzArrays) has(name string) bool {
	return slices.ContainsFunc(a.file.Columns(), func(c dataset.Column) bool { return c.Name == name })
}

// column finds an array that must be there.
func (a *npzArrays) column(name string) (dataset.Column, int, error) {
	for i, c := range a.file.Columns() {
		switch {
		case c.Name != name:
		case c.Refused != nil:
			return c, i, c.Refused
		default:
			return c, i, nil
		}
	}
	return dataset.Column{}, 0, fmt.Errorf("want an array %q, got none", name)
}

// read returns rows [lo, hi) of an array.
func (a *npzArrays) read(column, lo, hi int) (tensor.Tensor, error) {
	all, err := a.file.Read(context.Background(), lo, hi, []int{column})
	if err != nil {
		return tensor.Tensor{}, err
	}
	return all[0], nil
}

// vector returns all of an array of one axis.
func (a *npzArrays) vector(name string, types ...tensor.DType) (tensor.Tensor, error) {
	c, at, err := a.column(name)
	if err != nil {
		return tensor.Tensor{}, err
	}
	if len(c.Shape) > 0 || !slices.Contains(types, c.DType) {
		return tensor.Tensor{}, fmt.Errorf("array %q: want one axis of %s, got shape %s of %s",
			name, types[0], tensor.FormatShape(append([]int{c.Rows}, c.Shape...)), c.DType)
	}
	return a.read(at, 0, c.Rows)
}

func (a *npzArrays) texts(name string) ([]string, error) {
	t, err := a.vector(name, tensor.String)
	if err != nil {
		return nil, err
	}
	return tensor.Values[string](t), nil
}

func (a *npzArrays) ids() ([]string, error) {
	t, err := a.vector(columnID, tensor.Int64, tensor.String)
	if err != nil || t.DType() == tensor.String {
		if err != nil {
			return nil, err
		}
		return tensor.Values[string](t), nil
	}
	ids := make([]string, t.Rows())
	for i := range ids {
		ids[i] = t.Format(i)
	}
	return ids, nil
}

func (a *npzArrays) predicted() ([]int, error) {
	t, err := a.vector(columnPredicted, tensor.Int64)
	if err != nil {
		return nil, err
	}
	if t.Rows() != a.samples {
		return nil, a.unequal(columnPredicted, t.Rows())
	}
	classes := make([]int, t.Rows())
	for i, c := range tensor.Values[int64](t) {
		classes[i] = int(c)
	}
	return classes, nil
}

func (a *npzArrays) present() ([]game.Coalition, error) {
	t, err := a.vector(columnPresent, tensor.Uint64)
	if err != nil {
		return nil, err
	}
	if t.Rows() != a.samples {
		return nil, a.unequal(columnPresent, t.Rows())
	}
	out := make([]game.Coalition, t.Rows())
	for i, bits := range tensor.Values[uint64](t) {
		out[i] = game.Coalition(bits)
	}
	return out, nil
}

func (a *npzArrays) unequal(name string, rows int) error {
	return fmt.Errorf("array %q: want %d samples as %q has, got %d", name, a.samples, columnID, rows)
}

// target reads all numbers of target k.
func (a *npzArrays) target(k, m int) (t TargetSamples, err error) {
	floats := func(dst *[]float64, name string, row ...int) {
		if err == nil {
			*dst, err = a.floats(k, name, row)
		}
	}
	var local, se, corrected []float64
	floats(&t.Base, columnBase)
	floats(&t.Output, columnOutput)
	floats(&local, columnInterSHAP)
	floats(&se, columnSE)
	if a.has(columnCorrected) {
		floats(&corrected, columnCorrected)
	}
	floats(&t.Phi, columnPhi, m, m)
	if a.has(columnValues) { // not where coalitions were sampled
		if m > game.MaxPlayers {
			return TargetSamples{}, fmt.Errorf("array %q: want none for %d modalities", columnValues, m)
		}
		floats(&t.Values, columnValues, 1<<m)
	}
	if err != nil {
		return TargetSamples{}, err
	}
	t.InterSHAP, t.SE = shares(local), shares(se)
	if corrected != nil {
		t.Corrected = shares(corrected)
	}
	return t, nil
}

// floats reads the numbers of target k, of which a sample has the shape row.
func (a *npzArrays) floats(k int, name string, row []int) ([]float64, error) {
	c, at, err := a.column(name)
	if err != nil {
		return nil, err
	}
	got := append([]int{c.Rows}, c.Shape...)
	want := append([]int{a.samples}, row...)
	if a.byTarget {
		want = append([]int{a.targets}, want...)
	}
	if !slices.Equal(got, want) || c.DType != tensor.Float64 {
		return nil, fmt.Errorf("array %q: want shape %s of float64, got %s of %s", name, tensor.FormatShape(want), tensor.FormatShape(got), c.DType)
	}
	lo, hi := 0, c.Rows
	if a.byTarget {
		lo, hi = k, k+1
	}
	t, err := a.read(at, lo, hi)
	if err != nil {
		return nil, err
	}
	return tensor.Values[float64](t), nil
}

func shares(numbers []float64) []score.Share {
	all := make([]score.Share, len(numbers))
	for i, x := range numbers {
		all[i] = share(x)
	}
	return all
}
