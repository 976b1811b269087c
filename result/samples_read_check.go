package result

import (
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// rounding is what sums of a sample's own numbers may be apart, relative to their
// size. They differ by 2^M rounding errors, which for the most modalities is 1e-10.
const rounding = 1e-9

// checkNames refuses modalities and targets that no writer would have taken, with
// values of coalitions or without.
func (s *Samples) checkNames() error {
	h := SamplesHeader{Modalities: s.Modalities, Targets: s.Targets, Samples: s.Len(), IDs: tensor.String, Sampled: true}
	if s.unnamed() {
		h.Targets = []string{"the only one"}
	}
	return h.validate()
}

// unnamed reports whether the file has one target and does not name it.
func (s *Samples) unnamed() bool { return len(s.Targets) == 1 && s.Targets[0] == "" }

// check reports what is wrong with sample i for target k: numbers that are not
// finite, or that do not add up as docs/format/samples.md says.
func (s *Samples) check(i, k int) error {
	t, m := &s.ByTarget[k], len(s.Modalities)
	if s.Predicted[i] < 0 {
		return fmt.Errorf("predicted: want the position of a class, got %d", s.Predicted[i])
	}
	base, output := t.Base[i], t.Output[i]
	for _, n := range [...]struct {
		name  string
		value float64
	}{{columnBase, base}, {columnOutput, output}} {
		if !finite(n.value) {
			return fmt.Errorf("%s: want a finite number, got %v", n.name, n.value)
		}
	}
	if x, ok := t.InterSHAP[i].Value(); ok && !(x >= 0 && x <= 1+rounding) {
		return fmt.Errorf("%s: want a fraction within [0, 1], got %v", columnInterSHAP, x)
	}
	if t.Corrected != nil {
		if x, ok := t.Corrected[i].Value(); ok && !(x >= 0 && x <= 1+rounding) {
			return fmt.Errorf("%s: want a fraction within [0, 1], got %v", columnCorrected, x)
		}
	}
	if x, ok := t.SE[i].Value(); ok && !(x >= 0 && finite(x)) {
		return fmt.Errorf("%s: want a finite number of 0 or more, got %v", columnSE, x)
	}
	if err := errors.Join(checkPhi(t.Matrix(i, m), m, base, output), t.checkValues(i, m)); err != nil || s.Present == nil {
		return err
	}
	var values []float64
	if t.Values != nil {
		values = t.Values[i<<m : (i+1)<<m]
	}
	return checkPresent(s.Present[i], t.Matrix(i, m), values, m)
}

// checkPhi holds a matrix against the numbers that it sums to.
func checkPhi(phi []float64, m int, base, output float64) error {
	sum, size := 0.0, math.Abs(base)+math.Abs(output)
	for at, v := range phi {
		i, j := at/m, at%m
		if !finite(v) {
			return fmt.Errorf("phi[%d][%d]: want a finite number, got %v", i, j, v)
		}
		if other := phi[j*m+i]; v != other {
			return fmt.Errorf("phi[%d][%d]: want the same number in both cells of a pair, got %v and %v", i, j, v, other)
		}
		sum += v
		size += math.Abs(v)
	}
	if math.Abs(sum-(output-base)) > rounding*size {
		return fmt.Errorf("phi: want cells that sum to output - base, %v, got %v", output-base, sum)
	}
	return nil
}

// checkValues holds the values of coalitions, where there are any, against base and
// output, which are among them.
func (t *TargetSamples) checkValues(i, m int) error {
	if t.Values == nil {
		return nil
	}
	values := t.Values[i<<m : (i+1)<<m]
	for s, v := range values {
		if !finite(v) {
			return fmt.Errorf("value of coalition %#b: want a finite number, got %v", s, v)
		}
	}
	if first, last := values[0], values[len(values)-1]; first != t.Base[i] || last != t.Output[i] {
		return fmt.Errorf("values: want base first and output last, %v and %v, got %v and %v", t.Base[i], t.Output[i], first, last)
	}
	return nil
}

// share returns a number that NaN leaves undefined.
func share(x float64) score.Share {
	if math.IsNaN(x) {
		return score.Share{}
	}
	return score.Defined(x)
}

// checkModalityCount refuses a number of modalities whose coalitions could not be
// counted.
func checkModalityCount(m int) error {
	if m < 1 || m > dataset.MaxModalities {
		return fmt.Errorf("want 1 to %d modalities, got %d", dataset.MaxModalities, m)
	}
	return nil
}

// checkUTF8 refuses text in another encoding.
func checkUTF8(text []byte) error {
	if !utf8.Valid(text) {
		return errors.New("want UTF-8 text, got other bytes: was the file converted?")
	}
	return nil
}
