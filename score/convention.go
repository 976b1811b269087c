package score

import "fmt"

// A Convention says which cells of the matrix phi are counted. The two published
// implementations of InterSHAP differ in it, so a score without its convention
// is not a result.
type Convention uint8

const (
	// Paper counts both triangles: each pair with its whole SII (Wenderoth et
	// al., 2025). AND of two fair bits scores 1/3.
	Paper Convention = iota + 1
	// SinglePair counts the upper triangle alone: each pair with half of its
	// SII. AND of two fair bits scores 1/5.
	SinglePair
)

var conventionNames = map[Convention]string{Paper: "paper", SinglePair: "single-pair"}

// ParseConvention returns the convention called name.
func ParseConvention(name string) (Convention, error) {
	for _, c := range []Convention{Paper, SinglePair} {
		if conventionNames[c] == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("score: unknown convention %q (want paper or single-pair)", name)
}

// String returns "paper" or "single-pair".
func (c Convention) String() string {
	if name, ok := conventionNames[c]; ok {
		return name
	}
	return fmt.Sprintf("Convention(%d)", uint8(c))
}

// pairCells returns how many cells of a pair are counted.
func (c Convention) pairCells() float64 {
	if c == SinglePair {
		return 1
	}
	return 2
}
