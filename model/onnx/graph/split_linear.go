package graph

import (
	"slices"

	"github.com/intershap/intershap/tensor"
)

// adding writes an Add, Sub, Sum or Mean as the sum of what its inputs are sums of.
func (s *splitter) adding(n *Node) *form {
	out := n.Out[0]
	if !slices.Contains([]string{"Add", "Sub", "Sum", "Mean"}, n.Op) || !out.DType.IsFloat() {
		return nil
	}
	gains := false
	for _, v := range n.In {
		switch {
		case v.Kind == Rows && !sameShape(v, out):
			return nil // it is spread over axes that the others have
		case v.Kind == Rows && v.Players.Len() == 0, v.Kind == Sized:
			return nil
		}
		gains = gains || v.Kind == Rows && s.parts(v, out)
	}
	if !gains {
		return nil
	}
	var parts, constants []*Value
	for i, v := range n.In {
		minus := n.Op == "Sub" && i == 1
		if v.Kind == Constant {
			if minus {
				v = s.emit(s.g.node("Neg", []*Value{v}, []*Value{s.constantLike(v)}))
			}
			constants = append(constants, v)
			continue
		}
		for _, p := range s.termsOf(v) {
			if minus {
				p = s.emit(s.g.node("Neg", []*Value{p}, []*Value{s.like(p, p.Players)}))
			}
			parts = append(parts, p)
		}
	}
	f := s.sum(parts)
	for _, c := range constants {
		f.parts[0] = s.emit(s.g.node("Add", []*Value{f.parts[0], c}, []*Value{s.like(f.parts[0], f.parts[0].Players)}))
	}
	if n.Op == "Mean" {
		count, err := s.g.scalar(out, float64(len(n.In)))
		if err != nil {
			s.err = err
			return nil
		}
		for i, p := range f.parts {
			f.parts[i] = s.emit(s.g.node("Div", []*Value{p, count}, []*Value{s.like(p, p.Players)}))
		}
	}
	return f
}

// parts reports whether v, as one term of out or several, depends on less than out.
func (s *splitter) parts(v, out *Value) bool {
	return slices.ContainsFunc(s.termsOf(v), func(p *Value) bool { return p.Players != out.Players })
}

// constantLike returns a new constant of v's shape.
func (s *splitter) constantLike(v *Value) *Value {
	out := s.g.temporary(v)
	out.Kind, out.Dims = Constant, v.Dims
	return out
}

// elementwise takes an operation on single elements to the parts: any operation
// where they are joined, a linear one where they are added up.
func (s *splitter) elementwise(n *Node) *form {
	if !spreads(n) {
		return nil
	}
	out := n.Out[0]
	var first *form
	for _, v := range n.In {
		if v == nil || v.Kind == Constant {
			continue
		}
		f := s.forms[v]
		if f == nil || !sameShape(v, out) {
			return nil
		}
		if first == nil {
			first = f
		}
		if f.axis == added || !s.sameCuts(first, f) {
			return s.scaling(n)
		}
	}
	if first == nil {
		return nil
	}
	joined := &form{axis: first.axis}
	at := 0
	for k, p := range first.parts {
		length := p.Dims[0][first.axis]
		ins := make([]*Value, len(n.In))
		var players Set
		for i, v := range n.In {
			switch {
			case v == nil:
			case v.Kind == Constant:
				ins[i] = s.along(v, len(out.Dims[0]), first.axis, at, length)
			default:
				ins[i] = s.forms[v].parts[k]
				players |= ins[i].Players
			}
		}
		at += length
		joined.parts = append(joined.parts, s.emit(s.again(n, ins, []*Value{s.piece(out, first.axis, length, players)})))
	}
	return joined
}

// sameCuts reports whether two values are joined at the same places.
func (s *splitter) sameCuts(a, b *form) bool {
	return a.axis == b.axis && slices.EqualFunc(a.parts, b.parts, func(x, y *Value) bool {
		return x.Dims[0][a.axis] == y.Dims[0][a.axis]
	})
}

// along returns the elements of a constant that meet elements [lo, lo+length) of
// an axis of the value over which it is spread.
func (s *splitter) along(c *Value, rank, axis, lo, length int) *Value {
	at := axis - (rank - len(c.Dims[0]))
	if at < 0 || c.Dims[0][at] == 1 {
		return c
	}
	return s.cutConstant(c, at, lo, length)
}

// cutConstant returns elements [lo, lo+length) of a constant's axis.
func (s *splitter) cutConstant(c *Value, axis, lo, length int) *Value {
	n := s.g.slice(c, axis, lo, lo+length)
	out := s.emit(n)
	out.Kind = Constant
	for look := range looks {
		out.Dims[look] = slices.Clone(c.Dims[look])
		out.Dims[look][axis] = length
	}
	return out
}

// scaling takes Neg, and Mul and Div by a constant, to the terms of a sum.
func (s *splitter) scaling(n *Node) *form {
	out := n.Out[0]
	if !out.DType.IsFloat() {
		return nil
	}
	data := 0
	switch n.Op {
	case "Neg", "Identity", "Dropout":
	case "Cast":
		if !n.In[0].DType.IsFloat() {
			return nil
		}
	case "Mul":
		if n.In[0].Kind == Constant {
			data = 1
		}
		if n.In[1-data].Kind != Constant {
			return nil
		}
	case "Div":
		if n.In[1].Kind != Constant {
			return nil
		}
	default:
		return nil
	}
	v := n.In[data]
	f := s.forms[v]
	if f == nil || f.axis != added || !sameShape(v, out) {
		return nil
	}
	scaled := &form{axis: added}
	for _, p := range f.parts {
		ins := slices.Clone(n.In)
		ins[data] = p
		scaled.parts = append(scaled.parts, s.emit(s.again(n, ins, []*Value{s.like(out, p.Players)})))
	}
	return scaled
}

// matMul multiplies the parts by a constant matrix.
func (s *splitter) matMul(n *Node) *form {
	x, w, out := n.In[0], n.In[1], n.Out[0]
	if w.Kind != Constant {
		return s.constantTimes(n)
	}
	f := s.forms[x]
	if f == nil || len(w.Dims[0]) != 2 {
		return nil
	}
	last := len(x.Dims[0]) - 1
	if f.axis == added || f.axis != last {
		return s.partwise(n, f, f.axis)
	}
	var parts []*Value
	at := 0
	for _, p := range f.parts {
		length := p.Dims[0][last]
		rows := s.cutConstant(w, 0, at, length)
		at += length
		parts = append(parts, s.emit(s.again(n, []*Value{p, rows}, []*Value{s.like(out, p.Players)})))
	}
	return s.sum(parts)
}

// constantTimes multiplies a constant matrix by the terms of a sum.
func (s *splitter) constantTimes(n *Node) *form {
	f := s.forms[n.In[1]]
	if n.In[0].Kind != Constant || f == nil || f.axis != added || !f.gains(n.Out[0]) {
		return nil
	}
	product := &form{axis: added}
	for _, p := range f.parts {
		product.parts = append(product.parts, s.emit(s.again(n, []*Value{n.In[0], p}, []*Value{s.like(n.Out[0], p.Players)})))
	}
	return product
}

// partwise repeats a node of one input for every part: for terms of a sum if the
// node is linear, for parts along an axis that the node leaves alone. The output's
// axis of the parts is outAxis.
func (s *splitter) partwise(n *Node, f *form, outAxis int) *form {
	out := n.Out[0]
	if f.axis == added && !f.gains(out) {
		return nil
	}
	result := &form{axis: outAxis}
	for _, p := range f.parts {
		ins := slices.Clone(n.In)
		ins[0] = p
		to := s.like(out, p.Players)
		if outAxis != added {
			to = s.piece(out, outAxis, p.Dims[0][f.axis], p.Players)
		}
		result.parts = append(result.parts, s.emit(s.again(n, ins, []*Value{to})))
	}
	return result
}

// gemm multiplies the parts by their rows of the matrix; the constant goes with
// the first.
func (s *splitter) gemm(n *Node) *form {
	x, w, out := n.In[0], n.In[1], n.Out[0]
	f := s.forms[x]
	bias := n.in(2)
	if f == nil || w.Kind != Constant || bias != nil && bias.Kind != Constant || n.intAttribute("transA", 0) != 0 {
		return nil
	}
	if f.axis == added && !f.gains(out) || f.axis == 0 {
		return nil
	}
	inner := 0 // the axis of w along which is added up
	if n.intAttribute("transB", 0) != 0 {
		inner = 1
	}
	var parts []*Value
	at := 0
	for i, p := range f.parts {
		ins := []*Value{p, w}
		if f.axis != added {
			length := p.Dims[0][f.axis]
			ins[1] = s.cutConstant(w, inner, at, length)
			at += length
		}
		switch {
		case i == 0 && bias != nil:
			ins = append(ins, bias)
		case s.g.opset < 11:
			zero, err := s.g.scalar(out, 0) // the third input may not be left out
			if err != nil {
				s.err = err
				return nil
			}
			ins = append(ins, zero)
		}
		parts = append(parts, s.emit(s.again(n, ins, []*Value{s.like(out, p.Players)})))
	}
	return s.sum(parts)
}

// conv convolves the parts with their channels of the kernels; the constant goes
// with the first.
func (s *splitter) conv(n *Node) *form {
	x, w, out := n.In[0], n.In[1], n.Out[0]
	f := s.forms[x]
	if f == nil || w.Kind != Constant || n.in(2) != nil && n.In[2].Kind != Constant || n.intAttribute("group", 1) != 1 {
		return nil
	}
	if f.axis == added && !f.gains(out) || f.axis != added && f.axis != 1 {
		return nil
	}
	var parts []*Value
	at := 0
	for i, p := range f.parts {
		ins := []*Value{p, w}
		if f.axis != added {
			length := p.Dims[0][1]
			ins[1] = s.cutConstant(w, 1, at, length)
			at += length
		}
		if i == 0 && n.in(2) != nil {
			ins = append(ins, n.In[2])
		}
		parts = append(parts, s.emit(s.again(n, ins, []*Value{s.like(out, p.Players)})))
	}
	return s.sum(parts)
}

// batchNorm normalises the parts by statistics of their own channels. Of a sum
// only the first term is shifted.
func (s *splitter) batchNorm(n *Node) *form {
	out := n.Out[0]
	f := s.forms[n.In[0]]
	if f == nil || len(n.Out) != 1 && slices.ContainsFunc(n.Out[1:], func(v *Value) bool { return v != nil }) {
		return nil
	}
	for _, v := range n.In[1:] {
		if v.Kind != Constant || len(v.Dims[0]) != 1 {
			return nil
		}
	}
	if f.axis != added && f.axis != 1 {
		return s.partwise(n, f, f.axis) // the channels are not cut
	}
	if f.axis == added && !f.gains(out) {
		return nil
	}
	result := &form{axis: f.axis}
	at := 0
	var zero *Value
	for i, p := range f.parts {
		ins := slices.Clone(n.In)
		ins[0] = p
		to := s.like(out, p.Players)
		switch {
		case f.axis == 1:
			length := p.Dims[0][1]
			to = s.piece(out, 1, length, p.Players)
			for k := 1; k < len(ins); k++ {
				ins[k] = s.cutConstant(n.In[k], 0, at, length)
			}
			at += length
		case i > 0:
			if zero == nil {
				zero = s.zeros(n.In[2])
			}
			ins[2], ins[3] = zero, zero // the constant and the mean
		}
		result.parts = append(result.parts, s.emit(s.again(n, ins, []*Value{to})))
	}
	return result
}

// zeros returns a constant of zeros like c.
func (s *splitter) zeros(c *Value) *Value {
	return s.g.literal(c.Name, tensor.New(c.DType, product(c.Dims[0])), c.Dims[0]...)
}

// reducing adds or averages along axes of the parts.
func (s *splitter) reducing(n *Node) *form {
	x, out := n.In[0], n.Out[0]
	f := s.forms[x]
	if f == nil || !x.DType.IsFloat() {
		return nil
	}
	if f.axis == added {
		return s.partwise(n, f, added)
	}
	axes, found, err := n.axes(1, len(x.Dims[0]))
	if err != nil || !found || len(axes) == 0 {
		return nil
	}
	if !slices.Contains(axes, f.axis) {
		if n.intAttribute("keepdims", 1) == 0 {
			return nil
		}
		return s.partwise(n, f, f.axis)
	}
	total := x.Dims[0][f.axis]
	var parts []*Value
	for _, p := range f.parts {
		ins := slices.Clone(n.In)
		ins[0] = p
		y := s.emit(s.again(n, ins, []*Value{s.like(out, p.Players)}))
		if n.Op == "ReduceMean" {
			weight, err := s.g.scalar(out, float64(p.Dims[0][f.axis])/float64(total))
			if err != nil {
				s.err = err
				return nil
			}
			y = s.emit(s.g.node("Mul", []*Value{y, weight}, []*Value{s.like(y, y.Players)}))
		}
		parts = append(parts, y)
	}
	return s.sum(parts)
}
