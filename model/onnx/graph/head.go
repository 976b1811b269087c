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
	flat := b.flat(out)
	b.part.Outputs = []tensor.Spec{{Name: out.Name, DType: out.DType, Shape: []int{-1, c.q.Width}}}
	rows, err := b.fork().rows(flat)
	if err != nil {
		return nil, err
	}
	b.part.Rows = *rows
	sums := b.fork()
	if b.part.Sums, err = sums.overBackground(flat); err != nil {
		return nil, err
	}
	b.part.OverSamples = func() (*Program, error) { return b.fork().overSamples(flat) }
	return &b.part, nil
}

// flat returns the output with a row on axis 0 and its columns on axis 1.
func (b *builder) flat(out *Value) *Value {
	if out.rank() == 2 {
		return out
	}
	return b.emit("Reshape", []*Value{out, b.c.g.integers(out.Name, -1, b.c.q.Width)}, out)
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
func (b *builder) overBackground(flat *Value) (*Program, error) {
	blocks := &Value{Name: b.sizeInput(SizeBlocks).Name, DType: tensor.Float64}
	return b.sums(flat, SizePairs, func(v *Value) *Value {
		return b.emit("MatMul", []*Value{blocks, v}, v)
	})
}

// overSamples adds up along the other axis. A sample that only fills the batch
// has the weight 0.
func (b *builder) overSamples(flat *Value) (*Program, error) {
	weights := &Value{Name: b.sizeInput(SizeWeights).Name, DType: tensor.Float64}
	return b.sums(flat, SizeFlat, func(v *Value) *Value {
		return b.emit("MatMul", []*Value{weights, v}, v)
	})
}

// sums transforms the output, gives it the shape that an input tells, and adds up
// by add, which multiplies by zeros and ones: the runtime takes several times as
// long to add along an axis.
func (b *builder) sums(flat *Value, shape string, add func(*Value) *Value) (*Program, error) {
	shaped := func(v *Value) *Value { return b.emit("Reshape", []*Value{v, b.sizeInput(shape)}, v) }
	x := b.double(flat)
	y := b.transformed(x)
	high, low := b.twoParts(shaped(y), flat.DType)
	results := []string{add(high).Name, add(low).Name}
	if c := b.c.q.Transform; c != "identity" && c != "centred" {
		results = append(results, add(shaped(b.emit("Mul", []*Value{x, b.number(x, 0)}, x))).Name)
	}
	return b.program(results...)
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
		return b.centred(x)
	case "centred-log":
		return b.centred(do("Log", x))
	}
	return x
}

// centred subtracts the mean of each row.
func (b *builder) centred(x *Value) *Value {
	sum := b.c.g.reduceSum(x, 1, true)
	b.nodes = append(b.nodes, sum)
	return b.emit("Sub", []*Value{x, b.emit("Div", []*Value{sum.Out[0], b.number(x, float64(b.c.q.Width))}, x)}, x)
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
	case "log", "logit", "centred-log":
		return 2 * maxLog
	}
	return max(c.g.largest, math.SmallestNonzeroFloat32)
}

// maxLog is above the logarithm of every float64.
const maxLog = 1024
