package graph

import "slices"

// Exporters write a linear layer on tokens [L, rows, E] as a product of the table
// [L·rows, E], between two Reshapes. In such a table the rows of a batch lie apart,
// L times over, which no Layout says; so the layer is written on tokens again.

// A tokenLayer is such a layer.
type tokenLayer struct {
	before, layer, after *Node
	// tokens and width are L and E.
	tokens, width int
}

// unmerge rewrites the layers that look like this at all looks, and reports
// whether there were any.
func (g *Graph) unmerge() bool {
	takers, static := map[*Value][]*Node{}, map[*Value]bool{}
	for _, n := range g.nodes {
		quiet := g.allStatic(n, static) && refused[n.Op] != becauseRandom
		for _, v := range n.Out {
			static[v] = quiet
		}
		for _, v := range n.In {
			// A Shape of the table goes with the Reshape that wants it.
			if v != nil && n.Op != "Shape" {
				takers[v] = append(takers[v], n)
			}
		}
	}
	// only returns the node that alone takes what n gives.
	only := func(n *Node) *Node {
		out := n.Out[0]
		if len(n.Out) != 1 || len(takers[out]) != 1 || out.Name == g.output {
			return nil
		}
		return takers[out][0]
	}
	var found []tokenLayer
	for _, n := range g.nodes {
		if n.Op != "Reshape" {
			continue
		}
		if layer := only(n); layer != nil && linear(layer, n.Out[0], static) {
			if after := only(layer); after != nil && after.Op == "Reshape" && after.In[0] == layer.Out[0] {
				if m := (tokenLayer{before: n, layer: layer, after: after}); m.read() {
					found = append(found, m)
				}
			}
		}
	}
	for _, m := range found {
		g.replace(m)
	}
	g.prune()
	return len(found) > 0
}

// linear reports whether a node multiplies the rows of x by a weight, and adds at
// most a weight.
func linear(n *Node, x *Value, static map[*Value]bool) bool {
	constant := func(v *Value) bool { return v.Kind == Constant || static[v] }
	weight := func(v *Value) bool { return v != nil && constant(v) && len(v.Dims[0]) == 2 }
	switch n.Op {
	case "MatMul":
		return n.In[0] == x && weight(n.In[1])
	case "Gemm":
		plain := n.intAttribute("transA", 0) == 0 && n.floatAttribute("alpha", 1) == 1 && n.floatAttribute("beta", 1) == 1
		bias := n.in(2) == nil || constant(n.In[2]) && (len(n.In[2].Dims[0]) < 2 || n.In[2].Dims[0][0] == 1)
		return plain && bias && n.In[0] == x && weight(n.In[1])
	}
	return false
}

// read finds the numbers of tokens and columns; it reports false where the shapes
// are not those of tokens with rows behind them.
func (m *tokenLayer) read() bool {
	for look := range looks {
		table, tokens := m.before.Out[0].Dims[look], m.after.Out[0].Dims[look]
		if len(table) != 2 || len(tokens) != 3 || tokens[1] != lookRows[look] || table[0] != tokens[0]*tokens[1] {
			return false
		}
		if look > 0 && (tokens[0] != m.tokens || table[1] != m.width) {
			return false
		}
		m.tokens, m.width = tokens[0], table[1]
	}
	return m.tokens > 1
}

// replace writes the layer on tokens.
func (g *Graph) replace(m tokenLayer) {
	x := m.before.In[0]
	tokens := g.reshape(x, []int{m.tokens, -1, m.width})
	nodes := []*Node{tokens}
	w := m.layer.In[1]
	if m.layer.intAttribute("transB", 0) != 0 {
		turned := g.node("Transpose", []*Value{w}, []*Value{g.temporary(w)}, intsAttribute("perm", 1, 0))
		nodes = append(nodes, turned)
		w = turned.Out[0]
	}
	out := m.after.Out[0]
	if bias := m.layer.in(2); bias != nil {
		product := g.node("MatMul", []*Value{tokens.Out[0], w}, []*Value{g.temporary(out)})
		nodes = append(nodes, product, g.node("Add", []*Value{product.Out[0], bias}, []*Value{out}))
	} else {
		nodes = append(nodes, g.node("MatMul", []*Value{tokens.Out[0], w}, []*Value{out}))
	}
	at := slices.Index(g.nodes, m.after)
	g.nodes = slices.Replace(g.nodes, at, at+1, nodes...)
}
