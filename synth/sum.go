package synth

import (
	"cmp"
	"math"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// SUM's modalities are two parts each, of partSize elements: [x1, r] and [x2, r].
const (
	partSize = 50
	// sumThreshold is the sum above which the label is 1 in the appendix.
	sumThreshold = 0.5
)

func sumSizes() []int { return []int{2 * partSize, 2 * partSize} }

// The parts of a sample, in the order in which they are drawn and summed.
const (
	partX1 = iota
	partX2
	partR
	numParts
)

// counted returns which share of each part makes the label: 0, ½ or 1.
func (s Setting) counted() [numParts]float64 {
	switch s {
	case Uniqueness(1):
		return [numParts]float64{partX1: 1}
	case Uniqueness(2):
		return [numParts]float64{partX2: 1}
	case Mix(1):
		return [numParts]float64{partX1: 0.5, partX2: 1}
	case Mix(2):
		return [numParts]float64{partX1: 1, partX2: 0.5}
	case Synergy:
		return [numParts]float64{partX1: 1, partX2: 1}
	default: // Redundancy; validate lets nothing else pass
		return [numParts]float64{partR: 1}
	}
}

// SUM makes SUM data (Liang et al., 2023, as used by Wenderoth et al., 2025): three
// parts x1, x2 and r of each sample, two modalities [x1, r] and [x2, r] of 100
// elements each. What counts for the label is x1 (uniqueness-1), x2
// (uniqueness-2), both (synergy), half of x1 and x2 (mix-1), x1 and half of x2
// (mix-2), or r (redundancy).
//
// [Appendix]: each part is a vector of 50 normal numbers divided by its length.
// The label is 1 when the elements of the parts that count add up to more than
// 0.5; of half a part the first 25 count. The sum is taken over the float32
// numbers of the modalities, so that the label is a function of them. It is
// normal with variance 1, 1.5 or 2 to a good approximation: 31 % of the labels
// are 1 for one part, 34 % for the mixes, 36 % for synergy.
//
// [Code]: what the published commands run. A part is a vector of 5 numbers,
// normal with variance 1.5, times a 5×50 matrix fixed for the set, entries
// uniform in (0, 1). Of the numbers that count (of half a part 2 of the 5, drawn
// anew for each sample) each is left out with probability 0.2; the label is 1
// for the half of the samples with the larger sum. So it is no function of the
// modalities.
//
// An error wraps [ErrOptions], or says that a class has too few samples.
func SUM(o SUMOptions) (*Set, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	draw := sumAppendix
	if o.Variant == Code {
		draw = sumCode
	}
	modalities, labels := draw(o)
	set, err := newSet(labels, sumSizes(), o.Seed)
	if err != nil {
		return nil, err
	}
	set.Kind, set.Setting, set.Variant, set.Seed = KindSUM, o.Setting, o.Variant, o.Seed
	set.labelling = labellingSum
	for m, t := range modalities {
		for i := range labels {
			copy(set.input(i, m), tensor.Values[float32](t.Slice(i, i+1)))
		}
	}
	return set, nil
}

// sumAppendix draws modalities and labels of all samples.
func sumAppendix(o SUMOptions) (modalities [2]tensor.Tensor, labels []int64) {
	modalities = [2]tensor.Tensor{zeros(o.Samples, 2*partSize), zeros(o.Samples, 2*partSize)}
	labels = make([]int64, o.Samples)
	counted := o.Setting.counted()
	s := newStream(o.Seed, forEntries)
	z := make([]float64, partSize)
	for i := range labels {
		rows := sumRows(modalities, i)
		sum := 0.0
		for part := range numParts {
			s.normalsTo(z, 0, 1)
			squares := 0.0
			for _, v := range z {
				squares += float64(v * v)
			}
			length := math.Sqrt(squares)
			for k, v := range z {
				x := float32(v / length)
				for _, dst := range rows.of(part) {
					dst[k] = x
				}
				if float64(k) < counted[part]*partSize {
					sum += float64(x)
				}
			}
		}
		if sum > sumThreshold {
			labels[i] = 1
		}
	}
	return modalities, labels
}

// sumCode draws modalities and labels of all samples.
func sumCode(o SUMOptions) (modalities [2]tensor.Tensor, labels []int64) {
	const (
		width    = 5
		variance = 1.5
		dropped  = 0.2
	)
	modalities = [2]tensor.Tensor{zeros(o.Samples, 2*partSize), zeros(o.Samples, 2*partSize)}
	counted := o.Setting.counted()
	var projections [numParts]projection
	s := newStream(o.Seed, forProjections)
	for part := range projections {
		projections[part] = newProjection(s, partSize, width, 0, 1)
	}
	s = newStream(o.Seed, forEntries)
	choice := newStream(o.Seed, forLabels)
	z, x := make([]float64, width), make([]float32, partSize)
	sums := make([]float64, o.Samples)
	for i := range sums {
		rows := sumRows(modalities, i)
		for part := range numParts {
			s.normalsTo(z, 0, math.Sqrt(variance))
			projections[part].to(x, z)
			for _, dst := range rows.of(part) {
				copy(dst, x)
			}
			for _, k := range choice.rng.Perm(width)[:int(counted[part]*width)] {
				if choice.open() > dropped {
					sums[i] += z[k]
				}
			}
		}
	}
	return modalities, upperHalf(sums)
}

// upperHalf labels the larger half of numbers with 1; of equal ones those are
// smaller that come first.
func upperHalf(numbers []float64) []int64 {
	order := make([]int, len(numbers))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(numbers[i], numbers[j]) })
	labels := make([]int64, len(numbers))
	for _, i := range order[len(order)-len(order)/2:] {
		labels[i] = 1
	}
	return labels
}

// sumRow is both modalities of a sample.
type sumRow [2][]float32

func sumRows(modalities [2]tensor.Tensor, i int) sumRow {
	return sumRow{
		tensor.Values[float32](modalities[0].Slice(i, i+1)),
		tensor.Values[float32](modalities[1].Slice(i, i+1)),
	}
}

// of returns the places of a part: one for x1 and x2, two for r.
func (r sumRow) of(part int) [][]float32 {
	switch part {
	case partX1:
		return [][]float32{r[0][:partSize]}
	case partX2:
		return [][]float32{r[1][:partSize]}
	}
	return [][]float32{r[0][partSize:], r[1][partSize:]}
}
