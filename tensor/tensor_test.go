package tensor_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

func TestTensor(t *testing.T) {
	x := tensor.Of([]float32{0, 1, 2, 3, 4, 5}, 3, 2)
	if x.DType() != tensor.Float32 || x.Rows() != 3 || x.RowLen() != 2 || x.Len() != 6 {
		t.Errorf("got %s, %d rows of %d", x.DType(), x.Rows(), x.RowLen())
	}
	part := x.Slice(1, 3)
	if got := tensor.Values[float32](part); got[0] != 2 || len(got) != 4 {
		t.Errorf("rows 1 and 2 are %v", got)
	}
	y := tensor.New(tensor.Float32, 2, 2)
	y.CopyRow(1, x, 2, 1, 2)
	if got := tensor.Values[float32](y); got[3] != 5 || got[2] != 0 {
		t.Errorf("after CopyRow: %v", got)
	}
	words := tensor.Of([]string{"a", "b", "c"})
	if got := tensor.Values[string](words.Slice(1, 2)); len(got) != 1 || got[0] != "b" {
		t.Errorf("row 1 is %q", got)
	}
	joined := tensor.Concat(words, words.Slice(0, 1))
	if got := tensor.Values[string](joined); joined.Rows() != 4 || got[3] != "a" {
		t.Errorf("joined: %q", got)
	}
	empty := tensor.New(tensor.Float64, 0, 3)
	if empty.Rows() != 0 || empty.RowLen() != 3 || empty.Len() != 0 {
		t.Errorf("empty: %d rows of %d", empty.Rows(), empty.RowLen())
	}
	if s := (tensor.Spec{Name: "x", DType: tensor.Int64, Shape: []int{-1, 3, -1}}); s.String() != "x int64[N,3,?]" || s.RowLen() != -1 {
		t.Errorf("spec: %s, row length %d", s, s.RowLen())
	}
}

func TestPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"wrong shape":     func() { tensor.Of([]int8{1, 2, 3}, 2, 2) },
		"wrong type":      func() { tensor.Values[float32](tensor.Of([]int8{1})) },
		"no axis 0":       func() { tensor.New(tensor.Bool) },
		"negative length": func() { tensor.New(tensor.Bool, -1) },
		"reshape":         func() { tensor.Of([]int8{1, 2}).Reshape(3) },
		"bad dst":         func() { tensor.Of([]int8{1, 2}).Float64s(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}

func half(x float64) tensor.Tensor {
	h, err := tensor.Cast(tensor.Of([]float64{x}), tensor.Float16)
	if err != nil {
		panic(err)
	}
	return h
}

func TestCast(t *testing.T) {
	tests := []struct {
		name   string
		from   tensor.Tensor
		to     tensor.DType
		want   string // of the one element, or part of the error
		fails  bool
		reason string
	}{
		{"float64 to float32", tensor.Of([]float64{0.1}), tensor.Float32, "0.1", false, "precision may be lost between floats"},
		{"float64 overflow", tensor.Of([]float64{1e300}), tensor.Float32, "out of range", true, "a finite value stays finite"},
		{"infinity passes", tensor.Of([]float64{math.Inf(1)}), tensor.Float32, "+Inf", false, "NonFinite finds it"},
		{"half", half(0.5), tensor.Float64, "0.5", false, "half precision widens exactly"},
		{"half overflow", tensor.Of([]float32{70000}), tensor.Float16, "out of range", true, "the largest half is 65504"},
		{"int to float", tensor.Of([]int64{1 << 24}), tensor.Float32, "1.6777216e+07", false, "exact"},
		{"int too fine for float", tensor.Of([]int64{1<<24 + 1}), tensor.Float32, "no exact representation", true, "an id must not change"},
		{"largest int64 to float64", tensor.Of([]int64{math.MaxInt64}), tensor.Float64, "no exact representation", true, "2^63-1 rounds to 2^63"},
		{"uint64 to float64", tensor.Of([]uint64{1 << 63}), tensor.Float64, "9.223372036854776e+18", false, "a power of two is exact"},
		{"largest uint64 to float64", tensor.Of([]uint64{math.MaxUint64}), tensor.Float64, "no exact representation", true, "rounds to 2^64"},
		{"whole float to int", tensor.Of([]float64{3}), tensor.Int32, "3", false, "the same number"},
		{"fraction to int", tensor.Of([]float64{2.5}), tensor.Int32, "not a whole number", true, "would change"},
		{"NaN to int", tensor.Of([]float64{math.NaN()}), tensor.Int32, "not a whole number", true, "no such integer"},
		{"float to uint64", tensor.Of([]float64{1 << 63}), tensor.Uint64, "9223372036854775808", false, "in range"},
		{"float beyond uint64", tensor.Of([]float64{1 << 64}), tensor.Uint64, "out of range", true, "2^64 is too large"},
		{"float below int64", tensor.Of([]float64{-1e19}), tensor.Int64, "out of range", true, "too small"},
		{"300 to uint8", tensor.Of([]int16{300}), tensor.Uint8, "out of range", true, "does not fit"},
		{"-1 to uint64", tensor.Of([]int8{-1}), tensor.Uint64, "out of range", true, "does not fit"},
		{"-1 to uint16", tensor.Of([]int8{-1}), tensor.Uint16, "out of range", true, "does not fit"},
		{"bool to float", tensor.Of([]bool{true}), tensor.Float32, "1", false, "0 and 1"},
		{"one to bool", tensor.Of([]int64{1}), tensor.Bool, "true", false, "0 and 1"},
		{"two to bool", tensor.Of([]uint8{2}), tensor.Bool, "want 0 or 1", true, "not a truth value"},
		{"text to number", tensor.Of([]string{"1"}), tensor.Float32, "never converted", true, "no guessing"},
		{"number to text", tensor.Of([]int64{1}), tensor.String, "never converted", true, "no guessing"},
		{"large uint64 to int8", tensor.Of([]uint64{math.MaxUint64}), tensor.Int8, "out of range", true, "does not fit"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := tensor.Cast(test.from, test.to)
			switch {
			case test.fails:
				if err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
				}
			case err != nil:
				t.Errorf("%v (%s)", err, test.reason)
			case got.DType() != test.to || got.Format(0) != test.want:
				t.Errorf("got %s %s, want %s (%s)", got.DType(), got.Format(0), test.want, test.reason)
			}
		})
	}
	_, err := tensor.Cast(tensor.Of([]float64{0, 1, 2, 2.5}, 2, 2), tensor.Int64)
	var cast *tensor.CastError
	if !errors.As(err, &cast) || cast.Row != 1 || cast.Element != 1 {
		t.Errorf("got %v, want the place: row 1, element 1", err)
	}
}

func TestNonFinite(t *testing.T) {
	nan := math.NaN()
	tests := []struct {
		name  string
		in    tensor.Tensor
		row   int
		found bool
	}{
		{"finite", tensor.Of([]float32{0, math.MaxFloat32}), 0, false},
		{"float32", tensor.Of([]float32{0, float32(nan)}), 1, true},
		{"float64", tensor.Of([]float64{0, 1, 2, math.Inf(-1)}, 2, 2), 1, true},
		{"half", tensor.Concat(half(1), half(math.Inf(1))), 1, true},
		{"integers", tensor.Of([]int64{1}), 0, false},
		{"text", tensor.Of([]string{"NaN"}), 0, false},
	}
	for _, test := range tests {
		if row, _, found := test.in.NonFinite(); found != test.found || row != test.row {
			t.Errorf("%s: row %d, %v, want row %d, %v", test.name, row, found, test.row, test.found)
		}
	}
}

func TestSameRow(t *testing.T) {
	a := tensor.New(tensor.Float32, 4, 2, 3)
	for name, tt := range map[string]struct {
		other tensor.Tensor
		want  bool
	}{
		"other rows":  {tensor.New(tensor.Float32, 1, 2, 3), true},
		"other type":  {tensor.New(tensor.Float64, 4, 2, 3), false},
		"other shape": {tensor.New(tensor.Float32, 4, 3, 2), false},
		"other rank":  {tensor.New(tensor.Float32, 4, 6), false},
		"no axes":     {tensor.Tensor{}, false},
	} {
		if got := a.SameRow(tt.other); got != tt.want {
			t.Errorf("%s: got %v", name, got)
		}
		if got := tt.other.SameRow(a); got != tt.want {
			t.Errorf("%s, the other way round: got %v", name, got)
		}
	}
	if (tensor.Tensor{}).SameRow(tensor.Tensor{}) {
		t.Error("a tensor without axes has no rows")
	}
}
