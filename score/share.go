package score

import (
	"encoding/json"
	"math"
)

// A Share is a fraction of behaviour, or undefined where there is no behaviour
// to share. The zero Share is undefined.
type Share struct {
	value   float64
	defined bool
}

// Defined returns the share x.
func Defined(x float64) Share { return Share{value: x, defined: true} }

// ratio returns part/whole, undefined when whole is zero.
func ratio(part, whole float64) Share {
	if whole == 0 {
		return Share{}
	}
	return Defined(part / whole)
}

// Value returns the fraction and whether it is defined.
func (s Share) Value() (float64, bool) { return s.value, s.defined }

// Or returns the fraction, or otherwise where it is undefined.
func (s Share) Or(otherwise float64) float64 {
	if !s.defined {
		return otherwise
	}
	return s.value
}

// within returns the share moved into the bounds that are defined.
func (s Share) within(low, high Share) Share {
	if s.defined {
		s.value = min(high.Or(1), max(low.Or(0), s.value))
	}
	return s
}

// MarshalJSON writes the fraction, or null.
func (s Share) MarshalJSON() ([]byte, error) {
	if !s.defined {
		return []byte("null"), nil
	}
	return json.Marshal(s.value)
}

// UnmarshalJSON reads a number or null.
func (s *Share) UnmarshalJSON(raw []byte) error {
	var p *float64
	if err := json.Unmarshal(raw, &p); err != nil {
		return err
	}
	*s = Share{}
	if p != nil {
		*s = Defined(*p)
	}
	return nil
}

// Local returns the InterSHAP of one sample with the m×m matrix phi:
//
//	I = Σ_{i≠j} |phi_ij| / Σ |phi_ij|
//
// over the cells that c counts (Wenderoth et al., 2025, equation 10). It is
// undefined when phi is zero everywhere.
func Local(phi []float64, m int, c Convention) Share {
	if len(phi) != m*m {
		panic("score: bad phi length")
	}
	shape := newShape(Layout{Modalities: m, Convention: c})
	packed := make([]float64, shape.cells())
	shape.packTo(packed, phi)
	absoluteTo(packed, packed)
	share, _ := shape.share(make([]float64, shape.orders+1), packed)
	return share
}

// absoluteTo writes the absolute values of x into dst.
func absoluteTo(dst, x []float64) {
	for i, v := range x {
		dst[i] = math.Abs(v)
	}
}

// A packed vector holds the upper triangle of a symmetric m×m matrix, diagonal
// included, row by row.

func packedLen(m int) int { return m * (m + 1) / 2 }

// packTo writes the upper triangle of matrix into dst.
func packTo(dst, matrix []float64, m int) {
	at := 0
	for i := range m {
		at += copy(dst[at:], matrix[i*m+i:(i+1)*m])
	}
}

// unpack returns the m×m matrix of a packed vector.
func unpack(packed []float64, m int) []float64 {
	out := make([]float64, m*m)
	at := 0
	for i := range m {
		for j := i; j < m; j++ {
			out[i*m+j], out[j*m+i] = packed[at], packed[at]
			at++
		}
	}
	return out
}
