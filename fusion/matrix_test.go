package fusion

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// random returns a matrix of normal numbers.
func random(rng *rand.Rand, rows, cols int) matrix {
	m := newMatrix(rows, cols)
	for i := range rows {
		for j := range m.row(i) {
			m.row(i)[j] = float32(rng.NormFloat64())
		}
	}
	return m
}

// TestMulTransposed holds the product against its definition in float64, for sizes
// below, at and above those of a tile.
func TestMulTransposed(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	for _, size := range []struct{ m, n, k int }{{1, 1, 1}, {3, 2, 5}, {tileRows, tileCols, 16}, {tileRows + 1, tileCols + 1, 33}, {200, 2, 50}, {130, 100, 401}} {
		t.Run(fmt.Sprintf("%dx%d/%d", size.m, size.n, size.k), func(t *testing.T) {
			a, b := random(rng, size.m, size.k), random(rng, size.n, size.k)
			got := newMatrix(size.m, size.n)
			for i := range got.data {
				got.data[i] = float32(math.NaN()) // what was there before does not matter
			}
			mulTransposed(got, a, b)
			for i := range size.m {
				for j := range size.n {
					want, scale := 0.0, 0.0
					for l := range size.k {
						term := float64(a.row(i)[l]) * float64(b.row(j)[l])
						want += term
						scale += math.Abs(term)
					}
					// Each of k products and sums is rounded once.
					if bound := float64(size.k+1) * 0x1p-24 * scale; math.Abs(want-float64(got.row(i)[j])) > bound {
						t.Fatalf("element (%d, %d): want %v within %g, got %v", i, j, want, bound, got.row(i)[j])
					}
				}
			}
		})
	}
}

// TestMulTransposedRows holds that a row gets the same bits whatever rows are
// beside it.
func TestMulTransposedRows(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	a, b := random(rng, 150, 37), random(rng, 53, 37)
	all := newMatrix(150, 53)
	mulTransposed(all, a, b)
	for i := range a.rows {
		one := newMatrix(1, 53)
		mulTransposed(one, matrix{rows: 1, cols: a.cols, stride: a.stride, data: a.row(i)}, b)
		for j, v := range one.row(0) {
			if math.Float32bits(v) != math.Float32bits(all.row(i)[j]) {
				t.Fatalf("element (%d, %d): alone %v, among others %v", i, j, v, all.row(i)[j])
			}
		}
	}
}

// TestAligned holds what gonum's order of sums depends on.
func TestAligned(t *testing.T) {
	for n := range 40 {
		for range 20 { // the places that small allocations get differ
			s := aligned(n)
			if len(s) != n {
				t.Fatalf("want %d elements, got %d", n, len(s))
			}
			if at := uintptr(unsafe.Pointer(unsafe.SliceData(s))); n > 0 && at%16 != 0 {
				t.Fatalf("%d elements begin at address %#x, want a multiple of 16", n, at)
			}
		}
	}
	for cols := range 9 {
		if m := newMatrix(3, cols); m.stride%vector != 0 || m.stride < cols || m.stride >= cols+vector {
			t.Errorf("%d columns: want the next multiple of %d as stride, got %d", cols, vector, m.stride)
		}
	}
}

func TestTransposeTo(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	for _, size := range [][2]int{{1, 1}, {7, 3}, {8, 5}, {9, 1}, {33, 20}} {
		src := random(rng, size[0], size[1])
		dst := newMatrix(size[1], size[0]+2)
		transposeTo(dst, src)
		for i := range src.rows {
			for j, v := range src.row(i) {
				if got := dst.row(j)[i]; got != v {
					t.Errorf("%v: element (%d, %d): want %v, got %v", size, i, j, v, got)
				}
			}
		}
		for j := range dst.rows {
			if dst.row(j)[size[0]] != 0 {
				t.Errorf("%v: row %d was filled beyond its %d columns", size, j, size[0])
			}
		}
	}
}

func TestWhere(t *testing.T) {
	smallest := math.Float32frombits(1)
	for _, c := range []struct{ y, v, want float32 }{
		{0, 3, 0}, {0, -3, 0}, {smallest, 3, 3}, {1, -3, -3}, {math.MaxFloat32, 2, 2}, {float32(math.Inf(1)), 2, 2},
	} {
		if got := where(c.y, c.v); got != c.want {
			t.Errorf("where(%v, %v): want %v, got %v", c.y, c.v, c.want, got)
		}
	}
}
