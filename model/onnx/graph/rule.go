package graph

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// A rule proves that each row of output out of a node depends on the same row
// of its Rows inputs and on constants alone, and says where the rows lie. The
// error is what stands in the way of the proof.
type rule func(n *Node, out int) (Layout, error)

// An operation is what the analysis knows of one. Whatever it does not know,
// be it an input or an attribute, makes it refuse the node.
type operation struct {
	place rule
	// rows are the inputs that may hold rows.
	rows slots
	// shapes are the inputs that say a shape: Sized values may stand there, and
	// nowhere else.
	shapes slots
	// attributes are those that the operation may have, parted by spaces.
	attributes string
}

// slots are inputs of a node: bit i is input i.
type slots uint64

// everyInput are all inputs, however many a node has.
const everyInput = ^slots(0)

func at(inputs ...int) slots {
	var s slots
	for _, i := range inputs {
		s |= 1 << i
	}
	return s
}

// has reports whether input i is among s; all inputs past the last bit are as
// the last bit says.
func (s slots) has(i int) bool { return s>>min(i, slotBits-1)&1 == 1 }

const slotBits = 64

// operations are the known ones by [Node.Op].
var operations = merged(elementwise, matrix, moving, indexing, alongAxes, normalising, network,
	recurrent, attentive, classical)

func merged(tables ...map[string]operation) map[string]operation {
	all := map[string]operation{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// The opsets whose operations the rules describe, oldest and newest by domain.
// The name of a domain ends in a dot, ONNX's own is empty.
var opsets = map[string][2]int{
	"":        {7, 25},
	onnxML:    {1, 5},
	microsoft: {1, 1},
}

const (
	onnxML    = "ai.onnx.ml."
	microsoft = "com.microsoft."
)

// layRows sets Kind and Layout of every output of n, whose inputs are known and
// of which one at least is Rows. The error says what the node does that keeps
// rows from being independent, or that nothing is known of the operation.
func layRows(n *Node) error {
	if why, ok := refused[n.Op]; ok {
		return errors.New(why)
	}
	op, ok := operations[n.Op]
	if !ok {
		return errors.New("is an operation of which it is not known whether it keeps rows apart")
	}
	domain := n.Op[:strings.LastIndex(n.Op, ".")+1]
	if span := opsets[domain]; n.Version < span[0] || n.Version > span[1] {
		return fmt.Errorf("is of opset %d; the rules hold for %d to %d", n.Version, span[0], span[1])
	}
	if err := op.admits(n); err != nil {
		return err
	}
	layouts := make([]Layout, len(n.Out))
	for i, out := range n.Out {
		if out == nil {
			continue
		}
		l, err := op.place(n, i)
		if err != nil {
			return err
		}
		if err := out.holds(l); err != nil {
			return fmt.Errorf("is not known to keep rows apart: output %d %w", i, err)
		}
		layouts[i] = l
	}
	for i, out := range n.Out {
		if out != nil {
			out.Kind, out.Layout = Rows, layouts[i]
		}
	}
	return nil
}

// admits checks inputs and attributes against what the operation knows.
func (op operation) admits(n *Node) error {
	for _, a := range n.Proto.GetAttribute() {
		if !slices.Contains(strings.Fields(op.attributes), a.GetName()) {
			return fmt.Errorf("has the attribute %q, of which it is not known whether it keeps rows apart", a.GetName())
		}
	}
	for i, v := range n.In {
		if v == nil {
			continue
		}
		switch v.Kind {
		case Rows:
			if !op.rows.has(i) {
				return fmt.Errorf("takes rows as input %d, which is known with constants alone", i)
			}
			if err := v.holds(v.Layout); err != nil {
				return fmt.Errorf("has an input %q that %w", v.Name, err)
			}
		case Sized:
			if !op.shapes.has(i) {
				return fmt.Errorf("uses the number of rows as a number: input %d is computed from it", i)
			}
		case Constant:
			if err := v.fixed(); err != nil {
				return err
			}
		default:
			return fmt.Errorf("has an input %q of which nothing is known", v.Name)
		}
	}
	return nil
}

// holds checks a layout against the shapes at the looks: the axis of the rows
// grows with them, the others do not.
func (v *Value) holds(l Layout) error {
	first := v.Dims[0]
	if l.Group < 1 || l.Axis < 0 || l.Axis >= len(first) {
		return fmt.Errorf("has no axis %d with the rows in groups of %d: its shape is %v", l.Axis, l.Group, first)
	}
	for look, dims := range v.Dims {
		if len(dims) != len(first) {
			return fmt.Errorf("has %d axes for %d rows and %d for %d", len(first), lookRows[0], len(dims), lookRows[look])
		}
		for axis, d := range dims {
			want := first[axis]
			if axis == l.Axis {
				want = l.Group * lookRows[look]
			}
			if d != want {
				return fmt.Errorf("has the shape %v for %d rows, want %d at axis %d", dims, lookRows[look], want, axis)
			}
		}
	}
	return nil
}

// fixed checks that the shape of a Constant value is known. A scalar, whose
// shape is empty, is told from an unknown shape by its one element.
func (v *Value) fixed() error {
	for look, dims := range v.Dims {
		if dims == nil && v.Content[look].Len() != 1 {
			return fmt.Errorf("has an input %q whose shape is not known", v.Name)
		}
		if !slices.Equal(dims, v.Dims[0]) {
			return fmt.Errorf("has an input %q whose shape is not the same for all batches", v.Name)
		}
	}
	return nil
}

// isRows reports whether v is there and holds rows.
func (v *Value) isRows() bool { return v != nil && v.Kind == Rows }

// rank is the number of axes.
func (v *Value) rank() int { return len(v.Dims[0]) }

// single reports whether v is left out or a constant of one element.
func (v *Value) single() bool {
	if v == nil {
		return true
	}
	return v.Kind == Constant && product(v.Dims[0]) == 1
}

// floats returns the content of a constant of numbers or truth values.
func (v *Value) floats() (content []float64, ok bool) {
	if v == nil || v.Kind != Constant || v.Content[0].DType() == 0 {
		return nil, false
	}
	t := v.Content[0]
	content = make([]float64, t.Len())
	t.Float64s(content)
	return content, true
}

// intsAtLooks returns the content of a shape at all looks.
func (v *Value) intsAtLooks() (content [looks][]int, ok bool) {
	for look := range content {
		if content[look], ok = v.ints(look); !ok {
			return content, false
		}
	}
	return content, true
}

// x returns the first input, the one that an operation of a single tensor
// works on.
func (n *Node) x() (*Value, error) {
	x := n.in(0)
	if !x.isRows() {
		return nil, errors.New("takes rows as another input than the first, which is not known to keep them apart")
	}
	return x, nil
}

// outputs is the number of outputs that are not left out.
func (n *Node) outputs() int {
	count := 0
	for _, out := range n.Out {
		if out != nil {
			count++
		}
	}
	return count
}

// axis returns an axis of a value of that rank as a number from 0 on.
func axis(a, rank int) (int, error) {
	if a < -rank || a >= rank {
		return 0, fmt.Errorf("names axis %d of a tensor of %d axes", a, rank)
	}
	if a < 0 {
		a += rank
	}
	return a, nil
}

// axes returns the axes that a node names, in its attribute in old opsets and
// in an input in new ones; found is false where it names none.
func (n *Node) axes(input, rank int) (named []int, found bool, err error) {
	if a := n.attribute("axes"); a != nil {
		named, found = n.intsAttribute("axes"), true
	} else if v := n.in(input); v != nil {
		if named, found = v.constInts(); !found {
			return nil, false, errors.New("takes its axes from the data")
		}
	}
	for i, a := range named {
		if named[i], err = axis(a, rank); err != nil {
			return nil, false, err
		}
	}
	return named, found, nil
}

// layFirst is the rule of operations that leave every element, or at least
// every row, of the first input where it is.
func layFirst(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	return x.Layout, nil
}

func product(dims []int) int {
	p := 1
	for _, d := range dims {
		p *= d
	}
	return p
}

// mixes is the error of a node that works along the axis of the rows.
func mixes(what string, axis int) error {
	return fmt.Errorf("mixes rows: it %s axis %d", what, axis)
}

// wholeEnd is the least end of a slice that takes any number of rows: what
// exporters write for "to the end" is no less.
const wholeEnd = math.MaxInt32
