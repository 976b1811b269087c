package tensor_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// TestNonFiniteEverywhere puts each fault at each place of vectors that end
// inside, at and behind the steps of the search, next to the numbers whose bits
// come nearest.
func TestNonFiniteEverywhere(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, n := range []int{1, 3, 7, 8, 9, 16, 31, 32, 33, 65, 100} {
		f64, f32, f16 := make([]float64, n), make([]float32, n), make([]tensor.Float16Bits, n)
		for i := range n {
			f64[i], f32[i], f16[i] = math.MaxFloat64, math.MaxFloat32, 0x7bff
			if i%2 == 1 {
				f64[i], f32[i], f16[i] = -f64[i], -f32[i], f16[i]|0x8000
			}
		}
		all := []tensor.Tensor{tensor.Of(f64), tensor.Of(f32), tensor.Of(f16)}
		for _, x := range all {
			if row, _, found := x.NonFinite(); found {
				t.Errorf("%s, %d largest numbers: want none found, got row %d", x.DType(), n, row)
			}
		}
		for at := range n {
			for k, fault := range []float64{nan, inf, -inf} {
				h := []tensor.Float16Bits{0x7e01, 0x7c00, 0xfc00}[k]
				keep64, keep32, keep16 := f64[at], f32[at], f16[at]
				f64[at], f32[at], f16[at] = fault, float32(fault), h
				for _, x := range all {
					if row, element, found := x.NonFinite(); !found || row != at || element != 0 {
						t.Errorf("%s, %v at %d of %d: got row %d, element %d, %t", x.DType(), fault, at, n, row, element, found)
					}
				}
				f64[at], f32[at], f16[at] = keep64, keep32, keep16
			}
		}
	}
}

// TestNonFiniteFirst holds that the first of several is reported, with its row.
func TestNonFiniteFirst(t *testing.T) {
	x := tensor.New(tensor.Float32, 40, 3)
	v := tensor.Values[float32](x)
	v[100], v[71], v[119] = float32(math.NaN()), float32(math.Inf(-1)), float32(math.NaN())
	if row, element, found := x.NonFinite(); !found || row != 23 || element != 2 {
		t.Errorf("want row 23, element 2, got %d, %d, %t", row, element, found)
	}
	if _, _, found := x.Slice(0, 23).NonFinite(); found {
		t.Error("want rows 0 to 22 finite")
	}
	if row, element, found := x.Slice(24, 40).NonFinite(); !found || row != 9 || element != 1 {
		t.Errorf("rows from 24 on: want row 9, element 1, got %d, %d, %t", row, element, found)
	}
}

func BenchmarkNonFinite(b *testing.B) {
	for _, d := range []tensor.DType{tensor.Float16, tensor.Float32, tensor.Float64} {
		b.Run(fmt.Sprintf("%s/elements=24000", d), func(b *testing.B) {
			x := tensor.New(d, 1000, 24)
			b.SetBytes(int64(len(x.Bytes())))
			b.ReportAllocs()
			for b.Loop() {
				if _, _, found := x.NonFinite(); found {
					b.Fatal("want zeros to be finite")
				}
			}
		})
	}
}

func TestInfinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(-1)
	for _, x := range []tensor.Tensor{tensor.Of([]float64{0, nan, 1, nan, 2, inf, inf, 0}, 4, 2), tensor.Of([]float32{0, float32(nan), 1, 0, 2, float32(inf)}, 3, 2)} {
		if row, element, found := x.Infinite(); !found || row != 2 || element != 1 {
			t.Errorf("%v: got row %d, element %d, %v, want row 2, element 1", x.DType(), row, element, found)
		}
	}
	if _, _, found := tensor.Of([]float64{nan, 1}, 2).Infinite(); found {
		t.Error("a NaN is no infinity")
	}
}
