package synth

// A projection is a matrix with rows of width elements, one row after the other.
type projection struct {
	width   int
	weights []float64
}

// newProjection draws a matrix with entries uniform in (lo, hi).
func newProjection(s *stream, size, width int, lo, hi float64) projection {
	p := projection{width: width, weights: make([]float64, size*width)}
	for i := range p.weights {
		p.weights[i] = lo + float64((hi-lo)*s.open())
	}
	return p
}

// to writes the product of the matrix with x into dst, one element a row. Sums
// run over x in order, in float64, four rows at a time: one sum alone would wait
// for its own additions.
func (p projection) to(dst []float32, x []float64) {
	w := p.weights
	n := len(x)
	for len(dst) >= 4 {
		var a, b, c, d float64
		wa, wb, wc, wd := w[:n], w[n:2*n], w[2*n:3*n], w[3*n:4*n]
		for k, v := range x {
			a += float64(wa[k] * v)
			b += float64(wb[k] * v)
			c += float64(wc[k] * v)
			d += float64(wd[k] * v)
		}
		dst[0], dst[1], dst[2], dst[3] = float32(a), float32(b), float32(c), float32(d)
		dst, w = dst[4:], w[4*n:]
	}
	for i := range dst {
		sum := 0.0
		for k, v := range x {
			sum += float64(w[k] * v)
		}
		dst[i] = float32(sum)
		w = w[n:]
	}
}
