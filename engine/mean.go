package engine

import "math"

// A mean adds numbers up in twice the precision of float64 (Knuth, 1969: the
// error of a sum is itself a number). So the mean of equal numbers is that
// number, and a mean hardly depends on how it was cut into blocks.
type mean struct{ high, low float64 }

func (m *mean) add(x float64) {
	sum := m.high + x
	part := sum - m.high
	m.low += (m.high - (sum - part)) + (x - part)
	m.high = sum
}

func (m *mean) addMean(o mean) {
	m.add(o.high)
	m.low += o.low
}

// over returns the sum divided by n.
func (m mean) over(n int) float64 {
	d := float64(n)
	q := (m.high + m.low) / d
	rest := math.FMA(-q, d, m.high) + m.low
	return q + rest/d
}
