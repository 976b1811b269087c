package synth

import "github.com/intershap/intershap/tensor"

// latent is the length d of the vectors that bits are hidden in, before the
// projection.
const latent = 200

// Where the entries of those vectors lie: at +location for a bit that is 1, at
// −location for a 0.
const (
	location          = 0.35
	locationRedundant = 0.25
	// locationRandom is the mean of the entries that carry nothing in the
	// setting random.
	locationRandom = 0.5
)

// sizes returns the lengths of the modalities of HD-XOR. The paper has two to
// five modalities; more go on in its order.
//
//	appendix  110, 90, 100 again and again
//	code      200, then 100 and 150 in turn
func (v Variant) sizes(modalities int) []int {
	first, rest := 0, []int{110, 90, 100}
	if v == Code {
		first, rest = 1, []int{100, 150}
	}
	sizes := make([]int, modalities)
	for i := range sizes {
		if i < first {
			sizes[i] = 200
			continue
		}
		sizes[i] = rest[(i-first)%len(rest)]
	}
	return sizes
}

// synergySD returns the standard deviation of entries in the setting synergy;
// elsewhere it is 1.
func (v Variant) synergySD() float64 {
	if v == Code {
		return 2
	}
	return 1
}

// HDXOR makes HD-XOR data (Wenderoth et al., 2025, appendix). Modality i of a
// sample is P_i·z_i, with P_i a matrix fixed for the set, entries uniform in
// (−½, ½), and z_i a vector of 200 entries around ±0.35, which hide a bit each:
//
//	uniqueness-u  two fair bits; modality u carries one in each half of z_u, sd 1;
//	              the others are standard normal
//	synergy       a bit for each modality, sd 1 (code: 2); from three modalities on
//	              half of the samples have the label 1
//	redundancy    two fair bits in the halves of one z around ±0.25, sd 1, the same
//	              for all modalities
//	random        one z around 0.5, sd 1, for all modalities; fair labels
//
// Bits are fair coin flips, and the label follows from them by the labelling. In
// balanced classes all patterns of bits with the same label are equally
// frequent. The sizes of the modalities depend on the variant. It takes about a
// second for 20,000 samples of five modalities.
//
// An error wraps [ErrOptions].
func HDXOR(o HDXOROptions) (*Set, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	h := &hdxor{o: o, sizes: o.Variant.sizes(o.Modalities)}
	h.drawBits()
	set, err := newSet(h.labels, h.sizes, o.Seed)
	if err != nil {
		return nil, err
	}
	set.Kind, set.Setting, set.Variant, set.Seed = KindHDXOR, o.Setting, o.Variant, o.Seed
	set.labelling = labellingCoin
	if o.Setting != Random {
		set.labelling = o.Labelling.String()
		if set.Baseline, err = o.Baseline(); err != nil {
			return nil, err
		}
		h.keepBits(set)
	}
	h.drawModalities(set)
	return set, nil
}

// hdxor is a data set under way.
type hdxor struct {
	o      HDXOROptions
	sizes  []int
	bits   [][]uint8 // of each sample; nil in the setting random
	labels []int64
}

// drawBits draws the bits of all samples, and their labels.
func (h *hdxor) drawBits() {
	n, m := h.o.Samples, h.o.Modalities
	h.labels = make([]int64, n)
	switch {
	case h.o.Setting == Random:
		s := newStream(h.o.Seed, forLabels)
		for i := range h.labels {
			h.labels[i] = int64(s.bit())
		}
		return
	case h.o.Setting == Synergy && m > 2:
		// Labels first: half of them 1, in random places.
		for i := range n / 2 {
			h.labels[i] = 1
		}
		newStream(h.o.Seed, forLabels).rng.Shuffle(n, func(i, j int) {
			h.labels[i], h.labels[j] = h.labels[j], h.labels[i]
		})
		s := newStream(h.o.Seed, forBits)
		for _, label := range h.labels {
			h.bits = append(h.bits, h.o.Labelling.draw(s, m, label))
		}
		return
	}
	width := 2
	if h.o.Setting == Synergy {
		width = m
	}
	s := newStream(h.o.Seed, forBits)
	for i := range h.labels {
		bits := make([]uint8, width)
		h.bits = append(h.bits, s.bitsTo(bits))
		h.labels[i] = h.o.Labelling.Of(ones(bits))
	}
}

// bitsTo fills dst with fair bits and returns it.
func (s *stream) bitsTo(dst []uint8) []uint8 {
	for i := range dst {
		dst[i] = s.bit()
	}
	return dst
}

func ones(bits []uint8) int {
	n := 0
	for _, b := range bits {
		n += int(b)
	}
	return n
}

// draw draws n bits uniformly among those with the given label.
func (l Labelling) draw(s *stream, n int, label int64) []uint8 {
	bits := make([]uint8, n)
	if l == ExactlyOne && label == 1 {
		// Rare among many bits, so drawn straight away.
		bits[s.rng.IntN(n)] = 1
		return bits
	}
	for l.Of(ones(s.bitsTo(bits))) != label {
	}
	return bits
}

// keepBits hands the clean bits of all samples to the set, in the shapes that the
// baseline takes.
func (h *hdxor) keepBits(set *Set) {
	widths := set.Baseline.widths()
	unique, isUnique := h.o.Setting.unique()
	idle := newStream(h.o.Seed, forIdleBits)
	set.addBits(widths)
	spare := make([]uint8, 2)
	for i, bits := range h.bits {
		for m := range widths {
			dst := set.bits(i, m)
			from := bits
			switch {
			case h.o.Setting == Synergy:
				from = bits[m : m+1]
			case isUnique && m != unique:
				from = idle.bitsTo(spare)
			}
			for k, b := range from {
				dst[k] = float32(b)
			}
		}
	}
}

// drawModalities draws the vectors of all samples and projects them.
func (h *hdxor) drawModalities(set *Set) {
	projections := make([]projection, len(h.sizes))
	s := newStream(h.o.Seed, forProjections)
	for m, size := range h.sizes {
		projections[m] = newProjection(s, size, latent, -0.5, 0.5)
	}
	s = newStream(h.o.Seed, forEntries)
	z := make([]float64, latent)
	shared := h.o.Setting == Redundancy || h.o.Setting == Random
	for i := range h.labels {
		if shared {
			h.drawVector(z, s, i, 0)
		}
		for m, p := range projections {
			if !shared {
				h.drawVector(z, s, i, m)
			}
			p.to(set.input(i, m), z)
		}
	}
}

// drawVector draws the vector of sample i that modality m projects.
func (h *hdxor) drawVector(z []float64, s *stream, i, m int) {
	unique, isUnique := h.o.Setting.unique()
	half := len(z) / 2
	switch {
	case h.o.Setting == Random:
		s.normalsTo(z, locationRandom, 1)
	case h.o.Setting == Synergy:
		s.normalsTo(z, at(h.bits[i][m], location), h.o.Variant.synergySD())
	case isUnique && m != unique:
		s.normalsTo(z, 0, 1)
	default:
		where := location
		if h.o.Setting == Redundancy {
			where = locationRedundant
		}
		s.normalsTo(z[:half], at(h.bits[i][0], where), 1)
		s.normalsTo(z[half:], at(h.bits[i][1], where), 1)
	}
}

// at returns where the entries lie that hide a bit.
func at(bit uint8, where float64) float64 {
	if bit == 0 {
		return -where
	}
	return where
}

// normalsTo fills dst with normal numbers.
func (s *stream) normalsTo(dst []float64, mean, sd float64) {
	for i := range dst {
		dst[i] = mean + float64(sd*s.normal())
	}
}

// zeros returns a float32 tensor of rows of a width.
func zeros(rows, width int) tensor.Tensor { return tensor.New(tensor.Float32, rows, width) }
