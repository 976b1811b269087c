package synth

import "fmt"

// A Pattern is one way for the bits of a sample to stand.
type Pattern struct {
	// Bits holds the bits of each modality, 0 or 1, as [Baseline] takes them.
	Bits [][]float32
	// Label follows from the bits.
	Label int64
	// Count is how often the pattern occurs among the patterns of a population:
	// its probability is Count over the sum of all counts.
	Count int
}

// Population lists the patterns that the bits of HD-XOR are drawn from, with
// their exact frequencies: the data set without the accident of its draw. Of n
// bits there are 2^n patterns; without balance each counts once, with it a
// pattern counts as often as there are patterns of the other label. Where a
// modality has no say in the label (uniqueness) its bits are left at 0, since no
// score depends on them. The setting random has no bits: an error that wraps
// [ErrOptions].
func (o HDXOROptions) Population() ([]Pattern, error) {
	o = o.withDefaults()
	baseline, err := o.Baseline()
	if err != nil {
		return nil, err
	}
	n := 2
	if o.Setting == Synergy {
		n = o.Modalities
	}
	count := [2]int{1, 1}
	if o.Setting == Synergy && n > 2 {
		if all := o.Labelling.patterns(n); all[0] != all[1] {
			count = [2]int{all[1], all[0]}
		}
	}
	unique, isUnique := o.Setting.unique()
	var out []Pattern
	for pattern := range 1 << n {
		bits := make([]float32, n)
		set := 0
		for k := range bits {
			bit := pattern >> k & 1
			bits[k] = float32(bit)
			set += bit
		}
		p := Pattern{Label: o.Labelling.Of(set)}
		p.Count = count[p.Label]
		for m, width := range baseline.widths() {
			switch {
			case o.Setting == Synergy:
				p.Bits = append(p.Bits, bits[m:m+1])
			case isUnique && m != unique:
				p.Bits = append(p.Bits, make([]float32, width))
			default:
				p.Bits = append(p.Bits, bits)
			}
		}
		out = append(out, p)
	}
	return out, nil
}

// Baseline returns the function that labels are made by, as a model of the clean
// bits. The setting random has none: an error that wraps [ErrOptions].
func (o HDXOROptions) Baseline() (*Baseline, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	if o.Setting == Random {
		return nil, fmt.Errorf("synth: %w: labels of the setting random are coin flips, no function of bits", ErrOptions)
	}
	return &Baseline{setting: o.Setting, modalities: o.Modalities, labelling: o.Labelling}, nil
}
