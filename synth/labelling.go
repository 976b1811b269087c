package synth

import "fmt"

// A Labelling makes a label, 0 or 1, of bits. Of two bits both are XOR.
type Labelling uint8

const (
	// ExactlyOne is 1 when one bit is 1 and all others are 0: what the paper's
	// published code computes for any number of modalities.
	ExactlyOne Labelling = iota + 1
	// Parity is 1 when an odd number of bits is 1: what the paper's appendix
	// prints, and interaction of the highest order alone.
	Parity
)

var labellingNames = map[Labelling]string{ExactlyOne: "exactly-one", Parity: "parity"}

// String returns "exactly-one" or "parity".
func (l Labelling) String() string {
	if name, ok := labellingNames[l]; ok {
		return name
	}
	return fmt.Sprintf("Labelling(%d)", uint8(l))
}

// ParseLabelling returns the labelling called name.
func ParseLabelling(name string) (Labelling, error) {
	for _, l := range []Labelling{ExactlyOne, Parity} {
		if l.String() == name {
			return l, nil
		}
	}
	return 0, fmt.Errorf("synth: unknown labelling %q (want exactly-one or parity)", name)
}

// Of returns the label of bits of which so many are 1.
func (l Labelling) Of(ones int) int64 {
	if l == Parity {
		return int64(ones & 1)
	}
	if ones == 1 {
		return 1
	}
	return 0
}

// patterns returns how many of the 2^n settings of n bits have each label.
func (l Labelling) patterns(n int) [2]int {
	ones := n // exactly one of n bits
	if l == Parity {
		ones = 1 << (n - 1)
	}
	return [2]int{1<<n - ones, ones}
}
