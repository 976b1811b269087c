package graph

import "github.com/intershap/intershap/tensor"

func matrixCases() []Case {
	product := func(a, b Operand, shape ...int) Case {
		return Case{Op: "MatMul", Version: 13, In: []Operand{a, b}, Out: out(shape)}
	}
	refused := func(why string, a, b Operand, shape ...int) Case {
		c := product(a, b, shape...)
		c.Refuse = why
		return c
	}
	gemm := func(transA, transB int64, shape []int, in ...Operand) Case {
		return Case{Op: "Gemm", Version: 13, Attributes: attrs(intAttr("transA", transA), intAttr("transB", transB)), In: in, Out: out(shape)}
	}
	refusedGemm := func(why string, transA, transB int64, shape []int, in ...Operand) Case {
		c := gemm(transA, transB, shape, in...)
		c.Refuse = why
		return c
	}
	einsum := func(equation string, shape []int, in ...Operand) Case {
		return Case{Op: "Einsum", Version: 12, Attributes: attrs(stringAttr("equation", equation)), In: in, Out: out(shape)}
	}
	refusedEinsum := func(why, equation string, shape []int, in ...Operand) Case {
		c := einsum(equation, shape, in...)
		c.Refuse = why
		return c
	}
	const multiplied, added = "mixes rows: it multiplies", "mixes rows: it adds up over"
	u8 := func(shape ...int) Operand { return below(99, shape...).of(tensor.Uint8) }
	i8 := func(shape ...int) Operand { return between(-60, 60, shape...).of(tensor.Int8) }
	return []Case{
		product(rows(-1, 4), weights(4, 3), -1, 3),
		product(rows(-2, 4), weights(4, 3), -2, 3),
		product(rows(-1, 5, 4), weights(4, 3), -1, 5, 3),
		product(rows(2, -1, 4), weights(4, 3), 2, -1, 3),
		product(rows(-1, 4), weights(2, 4, 3), 2, -1, 3),
		product(rows(-1, 5, 4), weights(1, 4, 3), -1, 5, 3),
		product(rows(-1, 5, 4), weights(2, 1, 4, 3), 2, -1, 5, 3),
		product(rows(-1, 4), weights(4), -1),
		product(rows(-1, 5, 4), weights(4), -1, 5),
		product(rows(-1, 5, 4), rows(-1, 4, 3), -1, 5, 3),
		product(rows(2, -1, 5, 4), rows(-1, 4, 3), 2, -1, 5, 3),
		product(weights(5, 4), rows(-1, 4, 3), -1, 5, 3),
		product(weights(5, 4), rows(4, -1), 5, -1),
		product(weights(4), rows(4, -1), -1),
		product(weights(4), rows(-1, 4, 3), -1, 3),
		refused(multiplied, rows(-1, 4), rows(4, -1), -1, -1),
		refused(multiplied, rows(-1, 5, 4), rows(-2, 4, 3), -1, 5, 3),
		refused(multiplied, rows(2, -1, 4), rows(-1, 4, 3), -1, -1, 3),
		refused(added, rows(3, -1), weights(5, 4), 3, 4),
		refused(added, rows(-1), weights(5), 1),
		refused(added, weights(3, 5), rows(-1, 4), 3, 4),
		refused(added, weights(5), rows(-1), 1),
		refused("depends on the place", rows(-1, 5, 4), weights(5, 4, 3), -1, 5, 3),

		gemm(0, 0, []int{-1, 3}, rows(-1, 4), weights(4, 3)),
		gemm(0, 1, []int{-1, 3}, rows(-1, 4), weights(3, 4), weights(3)),
		gemm(1, 0, []int{-1, 3}, rows(4, -1), weights(4, 3), weights(1, 3)),
		gemm(0, 1, []int{-2, 3}, rows(-2, 4), weights(3, 4), rows(-2, 1)),
		gemm(0, 0, []int{5, -1}, weights(5, 4), rows(4, -1), weights(5, 1)),
		gemm(0, 1, []int{5, -1}, weights(5, 4), rows(-1, 4), rows(-1)),
		refusedGemm(added, 1, 0, []int{4, 3}, rows(-1, 4), weights(5, 3)),
		refusedGemm(multiplied, 0, 1, []int{-1, -1}, rows(-1, 4), rows(-1, 4)),
		refusedGemm("depends on the place", 0, 0, []int{-1, 3}, rows(-1, 4), weights(4, 3), weights(5, 3)),
		refusedGemm("mixes rows", 0, 0, []int{-1, 3}, rows(-1, 4), weights(4, 3), rows(-1)),

		{Op: "MatMulInteger", Version: 10, In: []Operand{u8(-1, 4), u8(4, 3), scalar[uint8](3), scalar[uint8](4)}, Out: out([]int{-1, 3})},
		{Op: "MatMulInteger", Version: 10, In: []Operand{u8(-1, 4), u8(4, 3), constant[uint8](3, 3, 3, 3, 3)}, Out: out([]int{-1, 3}),
			Refuse: "zero points for rows"},
		{Op: "QLinearMatMul", Version: 10, Out: out([]int{-1, 3}), In: []Operand{u8(-1, 4), scalar[float32](.1), scalar[uint8](3),
			i8(4, 3), constant[float32](.1, .2, .3), constant[int8](0, 0, 0), scalar[float32](.2), scalar[uint8](100)}},
		{Op: "QLinearMatMul", Version: 10, Out: out([]int{-1, 3}), In: []Operand{u8(-1, 4), constant[float32](1, 2, 3, 4, 5), scalar[uint8](3),
			u8(4, 3), scalar[float32](.1), scalar[uint8](5), scalar[float32](.1), scalar[uint8](6)}, Refuse: "scales for rows"},
		{Op: microsoft + "FusedMatMul", Version: 1, Attributes: attrs(intAttr("transB", 1)), In: []Operand{rows(-1, 4), weights(3, 4)}, Out: out([]int{-1, 3})},
		{Op: microsoft + "FusedMatMul", Version: 1, Attributes: attrs(intAttr("transA", 1)), In: []Operand{rows(4, -1), weights(4, 3)}, Out: out([]int{-1, 3})},
		{Op: microsoft + "FusedMatMul", Version: 1, Attributes: attrs(intAttr("transA", 1)), In: []Operand{rows(-1, 4), weights(5, 3)}, Out: out([]int{4, 3}), Refuse: added},
		{Op: microsoft + "FusedMatMul", Version: 1, Attributes: attrs(intAttr("transBatchA", 1)), In: []Operand{rows(-1, 5, 4), weights(4, 3)},
			Out: out([]int{5, -1, 3}), Refuse: "exchanges the axes"},

		einsum("bij,jk->bik", []int{-1, 5, 3}, rows(-1, 5, 4), weights(4, 3)),
		einsum("bqd,bkd->bqk", []int{-1, 5, 6}, rows(-1, 5, 4), rows(-1, 6, 4)),
		einsum("bi,ij->jb", []int{3, -1}, rows(-1, 4), weights(4, 3)),
		einsum("bi,ij", []int{-1, 3}, rows(-1, 4), weights(4, 3)),
		refusedEinsum("adds up over", "bi,ij->j", []int{3}, rows(-1, 4), weights(4, 3)),
		refusedEinsum("adds up over", "bi,bi", []int{}, rows(-1, 4), rows(-1, 4)),
		refusedEinsum("multiplies the rows", "bd,cd->bc", []int{-1, -1}, rows(-1, 4), rows(-1, 4)),
		refusedEinsum("the constant", "bd,bd->bd", []int{-1, 4}, rows(-1, 4), weights(5, 4)),
		refusedEinsum("diagonal", "bb->b", []int{-1}, rows(-1, 5)),
		refusedEinsum("only letters", "...d,dk->...k", []int{-1, 3}, rows(-1, 4), weights(4, 3)),
		refusedEinsum("does not fit", "bd,dk->bk", []int{-1, 3}, rows(-1, 4, 1), weights(4, 3)),
	}
}
