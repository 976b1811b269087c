package result

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
)

// samplesLayout says where the columns of a table stand.
type samplesLayout struct {
	// target is -1 in a file of one target that is not named, corrected in a file of an
	// earlier version, and present in one whose samples have all modalities.
	target, id, predicted, base, output, local, se, corrected, present int
	modalities                                                         []string
	// cells are the columns of phi, in the order of [phiColumns].
	cells []int
}

// newSamplesLayout finds the columns of a table by their names. The modalities are
// not written anywhere else: they are as many of the first columns phi.NAME as have
// the columns of all their pairs behind them.
func newSamplesLayout(names []string) (*samplesLayout, error) {
	at := map[string]int{}
	for i, name := range names {
		if _, twice := at[name]; twice {
			return nil, fmt.Errorf("want different columns, got two called %q", name)
		}
		at[name] = i
	}
	l := &samplesLayout{target: -1, corrected: -1, present: -1}
	if i, ok := at[columnTarget]; ok {
		l.target = i
	}
	if i, ok := at[columnCorrected]; ok {
		l.corrected = i
	}
	if i, ok := at[columnPresent]; ok {
		l.present = i
	}
	var missing []string
	for _, c := range []struct {
		name string
		at   *int
	}{
		{columnID, &l.id}, {columnPredicted, &l.predicted}, {columnBase, &l.base}, {columnOutput, &l.output},
		{columnInterSHAP, &l.local}, {columnSE, &l.se},
	} {
		i, ok := at[c.name]
		if !ok {
			missing = append(missing, c.name)
		}
		*c.at = i
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("want the columns of a samples file, got none called %s: was it written by explain --samples?", strings.Join(missing, ", "))
	}
	const prefix = columnPhi + "."
	var phi []string
	for i, name := range names {
		if strings.HasPrefix(name, prefix) {
			phi = append(phi, name)
			l.cells = append(l.cells, i)
		}
	}
	var singles []string
	for m := 1; checkModalityCount(m) == nil && phiCells(m) <= len(phi); m++ {
		singles = append(singles, strings.TrimPrefix(phi[m-1], prefix))
		want, err := phiColumns("", singles)
		if err == nil && slices.Equal(want, phi[:len(want)]) {
			l.modalities = slices.Clone(singles)
		}
	}
	if l.modalities == nil {
		return nil, fmt.Errorf("want columns %sNAME for each modality and %sNAME:NAME for each pair, got %q: was it written by explain --samples?", prefix, prefix, phi)
	}
	l.cells = l.cells[:phiCells(len(l.modalities))]
	return l, nil
}

// A samplesLine is one row of a table as its format has it.
type samplesLine struct {
	target, id   string
	predicted    int64
	base, output float64
	local, se    score.Share
	// corrected and present are read where the file has them.
	corrected score.Share
	present   game.Coalition
	// cells are those of phi's columns, or nil where there is phi itself.
	cells, phi []float64
	// values are nil in formats without them.
	values []float64
}

// samplesTable puts rows together: those of one sample stand side by side, in the
// order of the targets, which the first sample tells.
type samplesTable struct {
	samples Samples
	// corrected is set where rows have a corrected score, present where they say which
	// modalities their sample has.
	corrected, present bool
	// rows counts all; complete is set once all targets are known.
	rows     int
	complete bool
}

func newSamplesTable(l *samplesLayout) (*samplesTable, error) {
	t := &samplesTable{samples: Samples{Modalities: l.modalities}, corrected: l.corrected >= 0, present: l.present >= 0}
	if l.target < 0 {
		t.samples.Targets, t.samples.ByTarget = []string{""}, make([]TargetSamples, 1)
		t.complete = true
		return t, t.samples.checkNames()
	}
	// Names of targets are checked when the first row of each comes.
	header := Samples{Modalities: l.modalities, Targets: []string{""}}
	return t, header.checkNames()
}

// add takes the next row.
func (t *samplesTable) add(line *samplesLine) error {
	s := &t.samples
	if int64(int(line.predicted)) != line.predicted {
		return fmt.Errorf("%s: want the position of a class, got %d", columnPredicted, line.predicted)
	}
	k, err := t.targetOf(line.target)
	if err != nil {
		return err
	}
	if k == 0 {
		s.IDs = append(s.IDs, line.id)
		s.Predicted = append(s.Predicted, int(line.predicted))
		if t.present {
			s.Present = append(s.Present, line.present)
		}
	}
	i := s.Len() - 1
	if line.id != s.IDs[i] || int(line.predicted) != s.Predicted[i] {
		return fmt.Errorf("want the same id and prediction for each target, got %q and %d after %q and %d",
			line.id, line.predicted, s.IDs[i], s.Predicted[i])
	}
	if t.present && line.present != s.Present[i] {
		return fmt.Errorf("want the same modalities for each target, got %q after %q",
			PresentText(s.Modalities, line.present), PresentText(s.Modalities, s.Present[i]))
	}
	to := &s.ByTarget[k]
	to.Base, to.Output = append(to.Base, line.base), append(to.Output, line.output)
	to.InterSHAP, to.SE = append(to.InterSHAP, line.local), append(to.SE, line.se)
	if t.corrected {
		to.Corrected = append(to.Corrected, line.corrected)
	}
	to.Phi = appendPhi(to.Phi, line, len(s.Modalities))
	if had := len(to.Values) > 0; i > 0 && had != (len(line.values) > 0) {
		return fmt.Errorf("want %s for every sample, or for none", columnValues)
	}
	to.Values = append(to.Values, line.values...)
	t.rows++
	return s.check(i, k)
}

// targetOf returns the position of the target of the next row.
func (t *samplesTable) targetOf(name string) (int, error) {
	s := &t.samples
	if !t.complete {
		if !slices.Contains(s.Targets, name) {
			s.Targets, s.ByTarget = append(s.Targets, name), append(s.ByTarget, TargetSamples{})
			if name == "" {
				return 0, errors.New("want a name for every target, got an empty one")
			}
			return len(s.Targets) - 1, nil
		}
		t.complete = true
	}
	k := t.rows % len(s.Targets)
	if name != s.Targets[k] {
		return 0, fmt.Errorf("want target %q next, got %q", s.Targets[k], name)
	}
	return k, nil
}

// appendPhi appends the matrix of a row, half of a pair's sum in either cell.
func appendPhi(dst []float64, line *samplesLine, m int) []float64 {
	if line.phi != nil {
		return append(dst, line.phi...)
	}
	from := len(dst)
	dst = append(dst, make([]float64, m*m)...)
	phi, at := dst[from:], m
	for i := range m {
		phi[i*m+i] = line.cells[i]
		for j := i + 1; j < m; j++ {
			half := line.cells[at] / 2
			phi[i*m+j], phi[j*m+i] = half, half
			at++
		}
	}
	return dst
}

// finish returns the samples after the last row.
func (t *samplesTable) finish() (*Samples, error) {
	s := &t.samples
	if t.rows == 0 {
		return nil, errNoSamples
	}
	if k := t.rows % len(s.Targets); k > 0 {
		return nil, fmt.Errorf("sample %d (id %q): want a row for target %q, got none: is the file complete?", s.Len()-1, s.IDs[s.Len()-1], s.Targets[k])
	}
	return s, nil
}
