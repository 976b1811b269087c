package graph

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/tensor"
)

// TestMalformedNodes breaks the nodes of all cases at random: what the rules
// accept fits the shapes, what they refuse has a reason, and nothing panics.
func TestMalformedNodes(t *testing.T) {
	const each, seed = 200, 5
	rng := rand.New(rand.NewPCG(seed, seed))
	refusals := 0
	for _, c := range Cases() {
		for i := range each {
			n := node(c)
			what := fmt.Sprintf("%s, try %d", c.Name(), i)
			if damage(rng, n); !holdsRows(n) {
				continue
			}
			func() {
				defer func() {
					if r := recover(); r != nil {
						t.Fatalf("%s: %v", what, r)
					}
				}()
				if err := layRows(n); err != nil {
					refusals++
					if err.Error() == "" {
						t.Errorf("%s: a refusal without a reason", what)
					}
					return
				}
				for _, out := range n.Out {
					if out == nil {
						continue
					}
					if err := out.holds(out.Layout); err != nil || out.Kind != Rows {
						t.Errorf("%s: accepted, but its output of kind %d %v", what, out.Kind, err)
					}
				}
				macs(n)
			}()
		}
	}
	if refusals == 0 {
		t.Error("no damage was found")
	}
}

// holdsRows reports whether a node is one that the rules are asked about.
func holdsRows(n *Node) bool { return slices.ContainsFunc(n.In, (*Value).isRows) }

// damage changes one thing about a node.
func damage(rng *rand.Rand, n *Node) {
	v := n.In[rng.IntN(len(n.In))]
	if rng.IntN(4) == 0 && n.Out[0] != nil {
		v = n.Out[0]
	}
	if v == nil {
		v = n.In[0]
	}
	switch rng.IntN(8) {
	case 0:
		n.In = n.In[:rng.IntN(len(n.In)+1)]
	case 1:
		n.In[rng.IntN(len(n.In))] = nil
	case 2:
		n.In = append(n.In, &Value{Name: "more", Kind: Rows, Layout: Layout{0, 1}, Dims: [looks][]int{{lookRows[0]}, {lookRows[1]}}})
	case 3:
		v.Kind, v.Layout = Rows, Layout{rng.IntN(4) - 1, rng.IntN(3)}
	case 4:
		v.Kind = Kind(rng.IntN(4))
	case 5:
		look := rng.IntN(looks)
		v.Dims[look] = slices.Clone(v.Dims[look])[:rng.IntN(len(v.Dims[look])+1)]
	case 6:
		v.Content[rng.IntN(looks)] = tensor.New(tensor.Int64, rng.IntN(3))
	case 7:
		attributes := slices.Clone(n.Proto.GetAttribute())
		if len(attributes) == 0 {
			return
		}
		i := rng.IntN(len(attributes))
		a := proto.CloneOf(attributes[i])
		a.I, a.Ints, a.S = proto.Int64(int64(rng.IntN(20)-10)), a.GetInts()[:rng.IntN(len(a.GetInts())+1)], nil
		attributes[i] = a
		n.Proto.Attribute = attributes
	}
}
