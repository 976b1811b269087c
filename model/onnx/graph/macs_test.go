package graph

import "testing"

func TestMACs(t *testing.T) {
	with := func(c Case, op string, version int) Case {
		c.Op, c.Version = op, version
		return c
	}
	gemm := func(transA int64, a Operand) Case {
		return Case{Op: "Gemm", Version: 13, Attributes: attrs(intAttr("transA", transA)), In: []Operand{a, weights(4, 3)}, Out: out([]int{-1, 3})}
	}
	product := Case{Op: "MatMul", Version: 13, In: []Operand{rows(-1, 5, 4), weights(4, 3)}, Out: out([]int{-1, 5, 3})}
	equation := Case{Op: "Einsum", Version: 12, Attributes: attrs(stringAttr("equation", "bqd,bkd->bqk")),
		In: []Operand{rows(-1, 5, 4), rows(-1, 6, 4)}, Out: out([]int{-1, 5, 6})}
	constants := Case{Op: "MatMul", Version: 13, In: []Operand{weights(5, 4), weights(4, 3)}, Out: out([]int{5, 3})}
	tests := []struct {
		name string
		c    Case
		want int64
	}{
		{"MatMul", product, 5 * 3 * 4},
		{"MatMulInteger", with(product, "MatMulInteger", 10), 5 * 3 * 4},
		{"Gemm", gemm(0, rows(-1, 4)), 4 * 3},
		{"Gemm of the transposed", gemm(1, rows(4, -1)), 4 * 3},
		{"Gemm of groups", Case{Op: "Gemm", Version: 13, In: []Operand{rows(-2, 4), weights(4, 3)}, Out: out([]int{-2, 3})}, 2 * 4 * 3},
		{"Einsum", equation, 5 * 6 * 4},
		{"Conv", Case{Op: "Conv", Version: 11, In: []Operand{rows(-1, 2, 6, 6), weights(5, 2, 3, 3)}, Out: out([]int{-1, 5, 4, 4})}, 5 * 4 * 4 * 2 * 9},
		{"Conv in groups", Case{Op: "Conv", Version: 11, Attributes: attrs(intAttr("group", 2)), In: []Operand{rows(-1, 4, 6), weights(4, 2, 3)},
			Out: out([]int{-1, 4, 4})}, 4 * 4 * 2 * 3},
		{"ConvTranspose", Case{Op: "ConvTranspose", Version: 11, In: []Operand{rows(-1, 2, 6), weights(2, 3, 3)}, Out: out([]int{-1, 3, 8})}, 2 * 6 * 3 * 3},
		{"GRU", Case{Op: "GRU", Version: 14, In: []Operand{rows(4, -1, 3), weights(2, 6, 3), weights(2, 6, 2)}, Out: out([]int{4, 2, -1, 2})},
			4 * 2 * 6 * (3 + 2)},
		{"Attention", Case{Op: "Attention", Version: 23, In: []Operand{rows(-1, 2, 5, 4), rows(-1, 2, 7, 4), rows(-1, 2, 7, 3)}, Out: out([]int{-1, 2, 5, 3})},
			2 * 5 * 7 * (4 + 3)},
		{"LinearRegressor", Case{Op: onnxML + "LinearRegressor", Version: 1, Attributes: attrs(floatsAttr("coefficients", 1, 2, 3, 4, 5, 6)),
			In: []Operand{rows(-1, 3)}, Out: out([]int{-1, 2})}, 6},
		{"what moves elements", Case{Op: "Transpose", Version: 13, In: []Operand{rows(-1, 4)}, Out: out([]int{4, -1})}, 0},
		{"what is done element by element", Case{Op: "Exp", Version: 13, In: []Operand{rows(-1, 4)}, Out: out([]int{-1, 4})}, 0},
		{"constants", constants, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := node(tt.c)
			if tt.name == "constants" {
				n.Out[0].Kind = Constant
			} else if err := layRows(n); err != nil {
				t.Fatal(err)
			}
			if got := macs(n); got != tt.want {
				t.Errorf("want %d multiply-adds, got %d", tt.want, got)
			}
		})
	}
}
