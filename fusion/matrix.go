package fusion

import (
	"unsafe"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"
)

// A matrix is row-major: element (i, j) is data[i*stride+j].
type matrix struct {
	rows, cols, stride int
	data               []float32
}

const (
	// vector is the number of float32 in the registers that gonum's dot product
	// adds up in.
	vector = 4
	// tileRows and tileCols bound what one call of gonum computes. It shares the
	// work among goroutines from four blocks of 64x64 on, which costs memory and
	// half the speed of one core, and no network here needs two cores: two
	// networks do. Measured on 400x200 by 100x200, one core: 12 GFLOP/s in one
	// call, 26 in tiles of this size.
	tileRows, tileCols = 64, 48
)

// newMatrix returns zeros. Rows begin at addresses of whole vectors: gonum adds
// up in another order from other addresses, and a row would get other bits in
// another place.
func newMatrix(rows, cols int) matrix {
	stride := (cols + vector - 1) / vector * vector
	return matrix{rows: rows, cols: cols, stride: stride, data: aligned(rows * stride)}
}

// aligned returns n zeros, the first of them at the address of a whole vector.
func aligned(n int) []float32 {
	const size = vector * 4
	padded := make([]float32, n+vector-1)
	skip := 0
	if len(padded) > 0 {
		if over := uintptr(unsafe.Pointer(unsafe.SliceData(padded))) % size; over != 0 {
			skip = int(size-over) / 4
		}
	}
	return padded[skip : skip+n : skip+n]
}

// row returns row i.
func (m matrix) row(i int) []float32 { return m.data[i*m.stride : i*m.stride+m.cols] }

// top returns the first n rows, sharing memory.
func (m matrix) top(n int) matrix {
	m.rows = n
	return m
}

// columns returns columns [lo, hi), sharing memory.
func (m matrix) columns(lo, hi int) matrix {
	if len(m.data) > 0 {
		m.data = m.data[lo:]
	}
	m.cols = hi - lo
	return m
}

// general returns rows [i, i+n) as gonum has them.
func (m matrix) general(i, n int) blas32.General {
	return blas32.General{Rows: n, Cols: m.cols, Stride: m.stride, Data: m.data[i*m.stride:]}
}

// mulTransposed computes dst = a·bᵀ: element (i, j) is the dot product of row i
// of a and row j of b, and depends on no other row. The rows of b must begin at
// addresses of whole vectors, as those of newMatrix do.
//
// It is the only product here, since it is the fastest that gonum has: 26 GFLOP/s
// where a·b makes 10 and aᵀ·b makes 13. Other products transpose first, which
// takes a tenth of the time.
func mulTransposed(dst, a, b matrix) {
	for i := 0; i < a.rows; i += tileRows {
		m := min(tileRows, a.rows-i)
		for j := 0; j < b.rows; j += tileCols {
			n := min(tileCols, b.rows-j)
			c := blas32.General{Rows: m, Cols: n, Stride: dst.stride, Data: dst.data[i*dst.stride+j:]}
			blas32.Gemm(blas.NoTrans, blas.Trans, 1, a.general(i, m), b.general(j, n), 0, c)
		}
	}
}

// transposeTo writes the transpose of src into dst, whose first src.rows columns
// it fills.
func transposeTo(dst, src matrix) {
	// Strips of eight rows: a row of dst gets 32 bytes at a time.
	const strip = 8
	i := 0
	for ; i+strip <= src.rows; i += strip {
		r0, r1, r2, r3 := src.row(i), src.row(i+1), src.row(i+2), src.row(i+3)
		r4, r5, r6, r7 := src.row(i+4), src.row(i+5), src.row(i+6), src.row(i+7)
		for j := range r0 {
			to := dst.data[j*dst.stride+i:][:strip]
			to[0], to[1], to[2], to[3] = r0[j], r1[j], r2[j], r3[j]
			to[4], to[5], to[6], to[7] = r4[j], r5[j], r6[j], r7[j]
		}
	}
	for ; i < src.rows; i++ {
		for j, v := range src.row(i) {
			dst.data[j*dst.stride+i] = v
		}
	}
}
