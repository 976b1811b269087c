package score

import (
	"hash/fnv"
	"math"
)

// Replicates is the number of bootstrap replicates that an accumulator keeps.
// They only give standard errors, which 256 replicates know to 4 %.
const Replicates = 256

// WeightsTo writes the multiplicity of a sample in each bootstrap replicate
// into dst: Poisson draws of mean one, by a hash of seed, id and replicate.
//
// Because the draw depends on nothing else, shards of a data set agree on it
// without talking, and samples with the same id, such as the visits of one
// patient, are drawn together (Hanley and MacGibbon, 2006: the Poisson
// bootstrap; Chamandy et al., 2012: its streaming form).
func WeightsTo(dst []uint8, seed uint64, id string) {
	h := fnv.New64a()
	h.Write([]byte(id)) // a hash never fails
	state := h.Sum64() ^ mix(seed)
	for r := range dst {
		dst[r] = poisson(uint32(mix(state+uint64(r)*0x9e3779b97f4a7c15) >> 32))
	}
}

// mix is the finaliser of SplitMix64 (Steele et al., 2014).
func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// poissonBounds[k] is P(X ≤ k) for a Poisson variable of mean one, scaled to
// 32 bits.
var poissonBounds = func() (bounds [12]uint32) {
	p, sum := math.Exp(-1), 0.0
	for k := range bounds {
		sum += p
		p /= float64(k + 1)
		bounds[k] = uint32(min(sum*(1<<32), math.MaxUint32))
	}
	return bounds
}()

// poisson inverts the distribution at u/2^32.
func poisson(u uint32) uint8 {
	for k, bound := range poissonBounds {
		if u < bound {
			return uint8(k)
		}
	}
	return uint8(len(poissonBounds))
}
