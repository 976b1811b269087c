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
	x := b.double(flat)
	y := b.transformed(x)
	high, low := b.twoParts(y, flat.DType)
	shown := x // what tells of numbers that are not finite
	if c := b.c.q.Transform; c == "identity" || c == "centred" {
		shown = high
	}
	if b.part.Sums, err = b.fork().overBackground(high, low, shown); err != nil {
		return nil, err
	}
	b.part.OverSamples = func() (*Program, error) { return b.fork().overSamples(high, low, shown) }
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
func (b *builder) overBackground(high, low, shown *Value) (*Program, error) {
	blocks := &Value{Name: b.sizeInput(SizeBlocks).Name, DType: tensor.Float64}
	return b.sums(high, low, shown, func(v *Value) *Value {
		pairs := b.emit("Reshape", []*Value{v, b.shape(v, []int{b.c.q.Width})}, v)
		return b.emit("MatMul", []*Value{blocks, pairs}, v)
	})
}

// overSamples adds up along the other axis. A sample that only fills the batch
// has the weight 0.
func (b *builder) overSamples(high, low, shown *Value) (*Program, error) {
	weights := &Value{Name: b.sizeInput(SizeWeights).Name, DType: tensor.Float64}
	return b.sums(high, low, shown, func(v *Value) *Value {
		pairs := b.emit("Reshape", []*Value{v, b.sizeInput(SizePairs)}, v)
		sum := b.emit("MatMul", []*Value{weights, pairs}, v)
		return b.emit("Reshape", []*Value{sum, b.c.g.integers(v.Name, -1, b.c.q.Width)}, v)
	})
}

// sums adds the high and the low parts up by add, which multiplies by zeros and
// ones: the runtime takes several times as long to add along an axis. Where shown has a
// number that is not finite, all columns of the sum become NaN.
func (b *builder) sums(high, low, shown *Value, add func(*Value) *Value) (*Program, error) {
	g := b.c.g
	highs, lows := add(high), add(low)
	seen := highs
	if shown != high {
		seen = add(b.emit("Mul", []*Value{shown, b.number(shown, 0)}, shown))
	}
	nothing := g.reduceSum(b.emit("Mul", []*Value{seen, b.number(seen, 0)}, seen), -1, true)
	b.nodes = append(b.nodes, nothing)
	highs = b.emit("Add", []*Value{highs, nothing.Out[0]}, highs)
	return b.program(highs.Name, lows.Name)
}

// number returns a constant of one axis beside numbers of type float64.
func (b *builder) number(like *Value, x float64) *Value {
	return b.c.g.literal(like.Name, tensor.Of([]float64{x}), 1)
}

// double casts rows to float64.
func (b *builder) double(rows *Value) *Value {
	g := b.c.g
	x := g.temporary(&Value{Name: rows.Name, DType: tensor.Float64})
	b.nodes = append(b.nodes, g.node("Cast", []*Value{rows}, []*Value{x}, intAttribute("to", int(elementTypes[tensor.Float64]))))
	return x
}

// transformed applies the transform to rows in float64.
func (b *builder) transformed(x *Value) *Value {
	g := b.c.g
	do := func(op string, ins ...*Value) *Value { return b.emit(op, ins, x) }
	switch b.c.q.Transform {
	case "softmax":
		y := g.temporary(x)
		b.nodes = append(b.nodes, g.node("Softmax", []*Value{x}, []*Value{y}, intAttribute("axis", 1)))
		return y
	case "sigmoid":
		return do("Reciprocal", do("Add", b.number(x, 1), do("Exp", do("Neg", x))))
	case "log":
		return do("Log", x)
	case "logit":
		return do("Sub", do("Log", x), do("Log", do("Sub", b.number(x, 1), x)))
	case "centred":
		sum := g.reduceSum(x, 1, true)
		b.nodes = append(b.nodes, sum)
		return do("Sub", x, do("Div", sum.Out[0], b.number(x, float64(b.c.q.Width))))
	}
	return x
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
//
// from is the type that the numbers were computed in, before the transform.
func (b *builder) twoParts(x *Value, from tensor.DType) (high, low *Value) {
	do := func(op string, ins ...*Value) *Value { return b.emit(op, ins, x) }
	short := x
	if b.c.q.Transform != "identity" || from == tensor.Float64 {
		// Rounding to fewer bits by multiplying them out and in again (Dekker, 1971).
		wide := do("Mul", x, b.number(x, 1<<(doubleBits-keptBits)+1))
		short = do("Sub", wide, do("Sub", wide, x))
	}
	// Adding a number so large that its last digit is the power of 2, and taking it
	// away again, leaves the high part.
	exponent := int(math.Ceil(math.Log2(b.c.magnitude()))) + headroom
	large := b.number(x, math.Ldexp(1.5, exponent))
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
