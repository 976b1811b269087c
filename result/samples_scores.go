package result

import (
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/score"
)

// checkScores holds the local score of every sample against its matrix, by the run's
// convention: to 1e-9, and undefined only where phi is zero.
func (s *Samples) checkScores(t *TargetSamples, c score.Convention) error {
	m := len(s.Modalities)
	for i, found := range t.InterSHAP {
		want := score.Local(t.Matrix(i, m), m, c)
		if err := sameShare(columnInterSHAP, want, found); err != nil {
			return fmt.Errorf("sample %d (id %q): %w by phi and the convention %s", i, s.IDs[i], err, c)
		}
	}
	return nil
}

// sameShare compares two shares to 1e-9.
func sameShare(name string, want, got score.Share) error {
	a, ok1 := want.Value()
	b, ok2 := got.Value()
	if ok1 == ok2 && (!ok1 || math.Abs(a-b) <= rounding) {
		return nil
	}
	return fmt.Errorf("want %s %s, got %s", name, shareText(want), shareText(got))
}

func shareText(s score.Share) string {
	x, ok := s.Value()
	if !ok {
		return "undefined"
	}
	return fmt.Sprint(x)
}

// valuesWork bounds the cells that are computed to hold phi against values, in steps of
// the Möbius transform: about a second. A million samples of four modalities are below
// it.
const valuesWork = 1 << 30

// checkedValues returns how many samples of m modalities are held against their values.
func checkedValues(n, m int) int {
	return min(n, max(1, valuesWork/(m*m<<m)))
}

// checkCoalitions holds phi against the values of coalitions that it was made from,
// where the file has them: to 1e-9 of the largest value. Where there are very many
// samples it takes checkedValues of them, evenly spaced.
func (s *Samples) checkCoalitions(t *TargetSamples) error {
	if t.Values == nil {
		return nil
	}
	m, n := len(s.Modalities), s.Len()
	phi, scratch := make([]float64, m*m), make([]float64, 1<<m)
	checked := checkedValues(n, m)
	for k := range checked {
		i := int(int64(k) * int64(n) / int64(checked))
		values := t.Values[i<<m : (i+1)<<m]
		games, err := game.NewTables(m, values)
		if err != nil {
			return err
		}
		index.PairMatricesTo(phi, games, scratch)
		size := max(slices.Max(values), -slices.Min(values))
		for at, found := range t.Matrix(i, m) {
			if !(math.Abs(found-phi[at]) <= rounding*size) {
				return fmt.Errorf("sample %d (id %q): want phi[%d][%d] %v by the values of coalitions, got %v", i, s.IDs[i], at/m, at%m, phi[at], found)
			}
		}
	}
	return nil
}

// checkClasses holds the number of samples of each predicted class against the result.
func (s *Samples) checkClasses(t *Target, classes []string, weighted bool) error {
	if len(t.ByClass) == 0 {
		return nil
	}
	counts := make([]int, len(classes))
	for _, class := range s.Predicted {
		counts[class]++
	}
	for class, name := range classes {
		want := 0
		if at := slices.IndexFunc(t.ByClass, func(c Class) bool { return c.Class == name }); at >= 0 {
			want = t.ByClass[at].Samples
		}
		if got := counts[class]; !sameCount(want, got, weighted) {
			return fmt.Errorf("predicted: want %d samples of class %q, got %d", want, name, got)
		}
	}
	return nil
}
