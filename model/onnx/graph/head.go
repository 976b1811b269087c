package graph

import (
	"math"
	"slices"

	"github.com/intershap/intershap/tensor"
)

// last writes the part that computes the output, and adds it up.
func (c *cutter) last(out *Value) (*Part, error) {
	b := c.builder(out.Players)
	b.part.Paired = true
	if err := b.body([]*Value{out}); err != nil {
		return nil, err
	}
	b.lay(out)
	flat := b.emit("Reshape", []*Value{out, c.g.integers(out.Name, -1, c.q.Width)}, out)
	b.part.Outputs = []tensor.Spec{{Name: out.Name, DType: out.DType, Shape: []int{-1, c.q.Width}}}
	rows, err := b.fork().rows(flat)
	if err != nil {
		return nil, err
	}
	b.part.Rows = *rows
	high, low := b.twoParts(b.transformed(flat))
	if b.part.Sums, err = b.fork().overBackground(high, low); err != nil {
		return nil, err
	}
	b.part.OverSamples = func() (*Program, error) { return b.fork().overSamples(high, low) }
	return &b.part, nil
}

// fork returns a builder that goes on from here and leaves b as it is.
func (b *builder) fork() *builder {
	other := *b
	other.nodes, other.sizes = slices.Clone(b.nodes), slices.Clone(b.sizes)
	return &other
}

// rows gives the output of every pair.
func (b *builder) rows(flat *Value) (*Program, error) {
	return b.program(b.emit("Reshape", []*Value{flat, b.shape(flat, []int{b.c.q.Width})}, flat).Name)
}

// overBackground adds up over the rows of each block.
func (b *builder) overBackground(halves ...*Value) (*Program, error) {
	var results []string
	for _, half := range halves {
		sum := b.c.g.reduceSum(b.emit("Reshape", []*Value{half, b.sizeInput(SizeBlocks)}, half), 2, false)
		b.nodes = append(b.nodes, sum)
		results = append(results, sum.Out[0].Name)
	}
	return b.program(results...)
}

// overSamples adds up along the other axis. A sample that only fills the batch
// has the weight 0.
func (b *builder) overSamples(halves ...*Value) (*Program, error) {
	var results []string
	for _, half := range halves {
		pairs := b.emit("Reshape", []*Value{half, b.shape(half, []int{b.c.q.Width})}, half)
		sum := b.c.g.reduceSum(b.emit("Mul", []*Value{pairs, b.sizeInput(SizeWeights)}, half), 0, false)
		b.nodes = append(b.nodes, sum)
		results = append(results, sum.Out[0].Name)
	}
	return b.program(results...)
}

// transformed applies the transform to rows in float64. Every row that holds a
// number which is not finite before it becomes NaN.
func (b *builder) transformed(rows *Value) *Value {
	g := b.c.g
	double := &Value{Name: rows.Name, DType: tensor.Float64}
	number := func(x float64) *Value { return g.literal(rows.Name, tensor.Of([]float64{x}), 1) }
	do := func(op string, ins ...*Value) *Value { return b.emit(op, ins, double) }
	sum := func(v *Value) *Value {
		n := g.reduceSum(v, 1, true)
		b.nodes = append(b.nodes, n)
		return n.Out[0]
	}
	x := g.temporary(double)
	b.nodes = append(b.nodes, g.node("Cast", []*Value{rows}, []*Value{x}, intAttribute("to", int(elementTypes[tensor.Float64]))))
	y := x
	switch b.c.q.Transform {
	case "softmax":
		y = g.temporary(double)
		b.nodes = append(b.nodes, g.node("Softmax", []*Value{x}, []*Value{y}, intAttribute("axis", 1)))
	case "sigmoid":
		y = do("Reciprocal", do("Add", number(1), do("Exp", do("Neg", x))))
	case "log":
		y = do("Log", x)
	case "logit":
		y = do("Sub", do("Log", x), do("Log", do("Sub", number(1), x)))
	case "centred":
		y = do("Sub", x, do("Div", sum(x), number(float64(b.c.q.Width))))
	}
	return do("Add", y, sum(do("Mul", x, number(0))))
}

// Constants of twoParts.
const (
	// keptBits are the significant bits that a number keeps: far more than a
	// float32 has, and few enough that a sum of equal numbers is exact.
	keptBits = 40
	// headroom is the factor by which sums may be larger than the numbers seen at
	// the look: 2^12 rows of numbers 2^6 times as large.
	headroom = 18
	// doubleBits are the significant bits of a float64.
	doubleBits = 53
)

// twoParts writes numbers as a high part, a multiple of one power of 2 for all,
// and the rest. Sums of high parts are exact whatever the order of the rows, since
// no digit is lost (Demmel and Nguyen, 2013, add up reproducibly that way): so rows
// that give the same numbers give the same sum, wherever they lie in a batch.
func (b *builder) twoParts(x *Value) (high, low *Value) {
	number := func(v float64) *Value { return b.c.g.literal(x.Name, tensor.Of([]float64{v}), 1) }
	do := func(op string, ins ...*Value) *Value { return b.emit(op, ins, x) }
	// Rounding to fewer bits by multiplying them out and in again (Dekker, 1971).
	wide := do("Mul", x, number(1<<(doubleBits-keptBits)+1))
	short := do("Sub", wide, do("Sub", wide, x))
	// Adding a number so large that its last digit is the power of 2, and taking it
	// away again, leaves the high part.
	exponent := int(math.Ceil(math.Log2(b.c.magnitude()))) + headroom
	large := number(math.Ldexp(1.5, exponent))
	high = do("Sub", do("Add", short, large), large)
	return high, do("Sub", short, high)
}

// magnitude bounds the transformed outputs as far as it is known.
func (c *cutter) magnitude() float64 {
	switch c.q.Transform {
	case "softmax", "sigmoid":
		return 1
	case "log", "logit":
		return 2 * maxLog
	}
	return max(c.g.largest, math.SmallestNonzeroFloat32)
}

// maxLog is above the logarithm of every float64.
const maxLog = 1024
