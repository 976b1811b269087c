package export

import (
	"fmt"
	"io"
	"math"

	"github.com/intershap/intershap/result"
)

// Features says what the columns of shap's values are.
type Features uint8

// The features.
const (
	// Modalities has one column a modality, its Shapley value: pairs are shared out.
	Modalities Features = iota + 1
	// Parts has one column for what each modality does alone, and one for each pair.
	Parts
)

var featureNames = [...]string{Modalities: "modalities", Parts: "parts"}

// String returns "modalities" or "parts".
func (f Features) String() string { return featureNames[f] }

// ParseFeatures reads what String returns.
func ParseFeatures(name string) (Features, error) {
	for f, known := range featureNames {
		if f > 0 && name == known {
			return Features(f), nil
		}
	}
	return 0, fmt.Errorf("want %q or %q, got %q", Modalities, Parts, name)
}

// Shap writes an NPZ file whose arrays are named and shaped as the arguments of
// shap.Explanation, for n explanations, F features, M modalities and K targets:
//
//	values              [n, F]     add up to the output less base_values
//	base_values         [n]
//	feature_names       [F]        modalities; then pairs, "image × text", for parts
//	instance_names      [n]        ids, where the explanations are of samples
//	lower_bounds        [n, F]     where the error is known: parts of the mean
//	upper_bounds        [n, F]
//	output_names        [K]        where all of several targets are written
//	interaction_values  [n, M, M]  phi, as TreeExplainer.shap_interaction_values has it
//
// With several targets values, base_values, bounds and interaction_values have a last
// axis of them. n is 1 for one sample and, without samples, for the mean over them. The
// bounds are at the level of the result, from the errors of background and samples by a
// normal approximation; errors of single samples are not known. What a sample lacks has
// zeros. The mean over samples that lack different modalities is refused, since its parts
// do not add up.
func (x *Export) Shap(w io.Writer, place Place, features Features) error {
	e := x.explanation
	targets := []int{place.Target}
	if place.Target == All {
		targets = targets[:0]
		for k := range e.Targets {
			targets = append(targets, k)
		}
	}
	if place.Sample == All && x.samples == nil {
		if err := x.meanAddsUp(targets...); err != nil {
			return err
		}
	}
	layout := shapLayout{m: len(e.Modalities), parts: features == Parts, targets: targets}
	layout.rows, layout.at = x.rows(place.Sample)
	names := append([]string{}, e.Modalities...)
	if layout.parts {
		eachPair(layout.m, func(i, j int) { names = append(names, e.Modalities[i]+pairSign+e.Modalities[j]) })
	}
	layout.features = len(names)

	archive := newArchive(w)
	archive.floats("values", layout.shape(layout.features), layout.values)
	archive.floats("base_values", layout.shape(), layout.base)
	archive.texts("feature_names", names)
	if x.samples != nil {
		ids := x.samples.IDs
		if place.Sample != All {
			ids = ids[place.Sample : place.Sample+1]
		}
		archive.texts("instance_names", ids)
	}
	if layout.bounded() {
		margin := math.Sqrt2 * math.Erfinv(e.Provenance.Level)
		archive.floats("lower_bounds", layout.shape(layout.features), layout.bound(-margin))
		archive.floats("upper_bounds", layout.shape(layout.features), layout.bound(margin))
	}
	if len(targets) > 1 {
		var outputs []string
		for _, k := range targets {
			outputs = append(outputs, e.Targets[k].Target)
		}
		archive.texts("output_names", outputs)
	}
	archive.floats("interaction_values", layout.shape(layout.m, layout.m), layout.phi)
	return archive.close()
}

// pairSign stands between the names of a pair, as in the table of explain.
const pairSign = " × "

// shapLayout gives the numbers of each array in the order of its axes.
type shapLayout struct {
	rows, features, m int
	parts             bool
	targets           []int
	at                func(i, target int) row
}

// shape returns the axes of an array with these axes for one explanation and target.
func (l *shapLayout) shape(axes ...int) []int {
	shape := append([]int{l.rows}, axes...)
	if len(l.targets) > 1 {
		shape = append(shape, len(l.targets))
	}
	return shape
}

// each calls yield with width numbers of each explanation, the targets of one number
// side by side.
func (l *shapLayout) each(width int, numbersTo func(dst []float64, r row), yield func([]float64) error) error {
	k := len(l.targets)
	one, all := make([]float64, width), make([]float64, width*k)
	for i := range l.rows {
		for t, target := range l.targets {
			numbersTo(one, l.at(i, target))
			for f, v := range one {
				all[f*k+t] = v
			}
		}
		if err := yield(all); err != nil {
			return err
		}
	}
	return nil
}

func (l *shapLayout) values(yield func([]float64) error) error {
	return l.each(l.features, func(dst []float64, r row) { l.featuresTo(dst, r.phi) }, yield)
}

func (l *shapLayout) base(yield func([]float64) error) error {
	return l.each(1, func(dst []float64, r row) { dst[0] = r.base }, yield)
}

func (l *shapLayout) phi(yield func([]float64) error) error {
	return l.each(l.m*l.m, func(dst []float64, r row) { copy(dst, r.phi) }, yield)
}

// featuresTo writes the features of one matrix.
func (l *shapLayout) featuresTo(dst, phi []float64) {
	if l.parts {
		partsTo(dst, phi, l.m)
		return
	}
	for i := range l.m {
		dst[i] = 0
		for _, v := range phi[i*l.m : (i+1)*l.m] {
			dst[i] += v
		}
	}
}

// bounded reports whether the errors of the features are known: those of the Shapley
// values are not, since errors of cells of a row go together.
func (l *shapLayout) bounded() bool {
	if !l.parts {
		return false
	}
	for _, target := range l.targets {
		if l.at(0, target).se == nil {
			return false
		}
	}
	return true
}

// bound gives the parts moved by a number of standard errors.
func (l *shapLayout) bound(by float64) func(yield func([]float64) error) error {
	return func(yield func([]float64) error) error {
		errors := make([]float64, l.features)
		return l.each(l.features, func(dst []float64, r row) {
			partsTo(dst, r.phi, l.m)
			partsTo(errors, r.se, l.m) // the two cells of a pair are one number, and err together
			for f := range dst {
				dst[f] += by * errors[f]
			}
		}, yield)
	}
}

// partsTo writes the diagonal of a matrix, then the sum of both cells of each pair.
func partsTo(dst, phi []float64, m int) {
	at := m
	for i := range m {
		dst[i] = phi[i*m+i]
	}
	eachPair(m, func(i, j int) {
		dst[at] = phi[i*m+j] + phi[j*m+i]
		at++
	})
}

// eachPair calls f for (0, 1), (0, 2), ..., (1, 2), ...
func eachPair(m int, f func(i, j int)) {
	for i := range m {
		for j := i + 1; j < m; j++ {
			f(i, j)
		}
	}
}

// cellErrors joins the errors of all sources; nil where that of the background or of
// the samples is not known.
func cellErrors(se result.PhiSE) []float64 {
	if !se.Complete() {
		return nil
	}
	var all []float64
	for i := range se.Background {
		for j := range se.Background[i] {
			x, _ := se.Cell(i, j)
			all = append(all, x)
		}
	}
	return all
}
