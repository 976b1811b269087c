package graph

import "slices"

// joining makes a form of a Concat. Parts that are joined along the same axis
// themselves are taken apart.
func (s *splitter) joining(n *Node) *form {
	out := n.Out[0]
	axis := n.intAttribute("axis", 1)
	if axis < 0 {
		axis += len(out.Dims[0])
	}
	f := &form{axis: axis}
	for _, v := range n.In {
		if v.Kind != Rows {
			return nil
		}
		if inner := s.forms[v]; inner != nil && inner.axis == axis {
			f.parts = append(f.parts, inner.parts...)
			continue
		}
		f.parts = append(f.parts, v)
	}
	return f
}

// movesElements lists the operations of one tensor that put its elements elsewhere,
// or add up neighbours, and do the same to every term of a sum. Expand and Tile
// are not among them: a sum had better be spread after it is added up.
var movesElements = []string{
	"Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Slice", "Gather", "Split",
	"GlobalAveragePool", "AveragePool", "DepthToSpace", "SpaceToDepth",
}

// movingSum moves the terms of a sum.
func (s *splitter) movingSum(n *Node, f *form) []*form {
	if !slices.Contains(movesElements, n.Op) || !n.Out[0].DType.IsFloat() {
		return nil
	}
	for _, v := range n.In[1:] {
		if v != nil && v.Kind == Rows {
			return nil
		}
	}
	forms := make([]*form, len(n.Out))
	for _, p := range f.parts {
		ins := slices.Clone(n.In)
		ins[0] = p
		outs := make([]*Value, len(n.Out))
		for i, out := range n.Out {
			if out == nil {
				continue
			}
			outs[i] = s.like(out, p.Players)
			if forms[i] == nil {
				forms[i] = &form{axis: added}
			}
			forms[i].parts = append(forms[i].parts, outs[i])
		}
		s.emit(s.again(n, ins, outs))
	}
	return forms
}

// movingConcat moves parts that are joined.
func (s *splitter) movingConcat(n *Node, f *form) []*form {
	one := func(f *form) []*form {
		if f == nil {
			return nil
		}
		return []*form{f}
	}
	switch n.Op {
	case "Flatten", "Reshape":
		return one(s.flattening(n, f))
	case "Transpose":
		perm := n.intsAttribute("perm")
		if perm == nil {
			for i := range n.In[0].Dims[0] {
				perm = append([]int{i}, perm...)
			}
		}
		return one(s.partwise(n, f, slices.Index(perm, f.axis)))
	case "Slice":
		return one(s.slicing(n, f))
	case "Split":
		return s.splitting(n, f)
	case "Gather":
		return one(s.gathering(n, f))
	}
	return nil
}

// flattening handles [rows, a, ...] to [rows, a·...]: parts along axis 1 stay
// next to each other.
func (s *splitter) flattening(n *Node, f *form) *form {
	x, out := n.In[0], n.Out[0]
	if f.axis != 1 || x.Layout != (Layout{0, 1}) || out.Layout != (Layout{0, 1}) || len(out.Dims[0]) != 2 {
		return nil
	}
	inner := out.Dims[0][1] / max(1, x.Dims[0][1]) // elements behind axis 1
	flat := &form{axis: 1}
	for _, p := range f.parts {
		to := s.piece(out, 1, p.Dims[0][1]*inner, p.Players)
		flat.parts = append(flat.parts, s.emit(s.g.node("Flatten", []*Value{p}, []*Value{to}, intAttribute("axis", 1))))
	}
	return flat
}

// A range of elements [lo, hi) along the axis of the parts.
type stretch struct{ lo, hi int }

// take returns the parts of a stretch.
func (s *splitter) take(f *form, want stretch) *form {
	taken := &form{axis: f.axis}
	at := 0
	for _, p := range f.parts {
		length := p.Dims[0][f.axis]
		lo, hi := max(want.lo, at)-at, min(want.hi, at+length)-at
		at += length
		switch {
		case lo >= hi:
		case lo == 0 && hi == length:
			taken.parts = append(taken.parts, p)
		default:
			cut := s.g.slice(p, f.axis, lo, hi)
			to := s.piece(p, f.axis, hi-lo, p.Players)
			cut = s.again(cut, cut.In, []*Value{to})
			taken.parts = append(taken.parts, s.emit(cut))
		}
	}
	return taken
}

// slicing keeps the parts that a Slice keeps, if it takes neighbours.
func (s *splitter) slicing(n *Node, f *form) *form {
	x, out := n.In[0], n.Out[0]
	if out.Dims[0][f.axis] == x.Dims[0][f.axis] {
		return s.partwise(n, f, f.axis) // along other axes
	}
	for axis := range x.Dims[0] {
		if axis != f.axis && x.Dims[0][axis] != out.Dims[0][axis] {
			return nil
		}
	}
	starts, axes, ok := n.slices()
	if !ok {
		return nil
	}
	for i, axis := range axes {
		if axis < 0 {
			axis += len(x.Dims[0])
		}
		if axis != f.axis {
			continue
		}
		lo := starts[i]
		if lo < 0 {
			lo += x.Dims[0][axis]
		}
		lo = max(lo, 0)
		return s.take(f, stretch{lo, lo + out.Dims[0][axis]})
	}
	return nil
}

// slices returns where a Slice of step 1 starts, and along which axes.
func (n *Node) slices() (starts, axes []int, ok bool) {
	if n.Version < 10 {
		starts, axes, ok = n.intsAttribute("starts"), n.intsAttribute("axes"), true
	} else {
		starts, ok = n.in(1).constInts()
		if v := n.in(3); v != nil {
			var known bool
			axes, known = v.constInts()
			ok = ok && known
		}
		if v := n.in(4); v != nil {
			steps, known := v.constInts()
			ok = ok && known && !slices.ContainsFunc(steps, func(step int) bool { return step != 1 })
		}
	}
	if axes == nil {
		for i := range starts {
			axes = append(axes, i)
		}
	}
	return starts, axes, ok && len(axes) == len(starts)
}

// splitting gives each output of a Split its parts.
func (s *splitter) splitting(n *Node, f *form) []*form {
	axis := n.intAttribute("axis", 0)
	if axis < 0 {
		axis += len(n.In[0].Dims[0])
	}
	if axis != f.axis {
		return nil
	}
	var forms []*form
	at := 0
	for _, out := range n.Out {
		if out == nil {
			return nil // its length is not known
		}
		length := out.Dims[0][axis]
		forms = append(forms, s.take(f, stretch{at, at + length}))
		at += length
	}
	return forms
}

// gathering takes elements along the axis of the parts by constant indices, or
// along another axis of every part.
func (s *splitter) gathering(n *Node, f *form) *form {
	x, out := n.In[0], n.Out[0]
	axis := n.intAttribute("axis", 0)
	if axis < 0 {
		axis += len(x.Dims[0])
	}
	indices, ok := n.In[1].constInts()
	if !ok || axis != f.axis {
		return nil
	}
	scalar := len(n.In[1].Dims[0]) == 0
	if !scalar && len(n.In[1].Dims[0]) != 1 || len(indices) == 0 {
		return nil
	}
	// Runs of indices into the same part become one Gather from it.
	gathered := &form{axis: axis}
	for i := 0; i < len(indices); {
		part, _ := f.find(indices[i], x.Dims[0][axis])
		if part == nil {
			return nil
		}
		var local []int
		for ; i < len(indices); i++ {
			p, at := f.find(indices[i], x.Dims[0][axis])
			if p != part {
				break
			}
			local = append(local, at)
		}
		to := s.like(out, part.Players)
		index := s.g.integers(n.In[1].Name, local...)
		if scalar {
			index = s.g.index(n.In[1].Name, local[0])
		} else {
			to = s.piece(out, axis, len(local), part.Players)
		}
		y := s.emit(s.g.node("Gather", []*Value{part, index}, []*Value{to}, intAttribute("axis", axis)))
		if scalar {
			return &form{axis: added, parts: []*Value{y}}
		}
		gathered.parts = append(gathered.parts, y)
	}
	return gathered
}

// find returns the part that holds an index of the whole, and the index in it.
func (f *form) find(index, total int) (part *Value, local int) {
	if index < 0 {
		index += total
	}
	for _, p := range f.parts {
		length := p.Dims[0][f.axis]
		if index >= 0 && index < length {
			return p, index
		}
		index -= length
	}
	return nil, 0
}
