package graph

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Cases are all cases, known and refused.
func Cases() []Case {
	return slices.Concat(elementwiseCases(), matrixCases(), movingCases(), indexingCases(), axesCases(), normalisingCases(),
		networkCases(), recurrentCases(), attentionCases(), classicalCases(), unknownCases())
}

func unknownCases() []Case {
	in := []Operand{rows(-1, 3)}
	return []Case{
		{Op: "Nonsense", Version: 13, In: in, Out: out([]int{-1, 3}), Refuse: "it is not known whether it keeps rows apart"},
		{Op: "org.example.Relu", Version: 1, In: in, Out: out([]int{-1, 3}), Refuse: "it is not known whether it keeps rows apart"},
		{Op: "Loop", Version: 13, In: in, Out: out([]int{-1, 3}), Refuse: "control flow"},
		{Op: "Bernoulli", Version: 15, In: in, Out: out([]int{-1, 3}), Refuse: "draws random numbers"},
		{Op: "NonZero", Version: 13, In: in, Out: out([]int{2, -3}), Refuse: "as many results as the data say"},
		{Op: "Unique", Version: 11, In: in, Out: out([]int{-1}), Refuse: "compares them with one another"},
	}
}

func TestLayRows(t *testing.T) {
	for _, c := range Cases() {
		t.Run(c.Name(), func(t *testing.T) {
			got, err := LayRows(c)
			if c.Refuse != "" {
				if err == nil || !strings.Contains(err.Error(), c.Refuse) {
					t.Errorf("want a refusal with %q, got %v, error %v", c.Refuse, got, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := make([]Layout, len(c.Out))
			for i, shape := range c.Out {
				want[i] = layoutOf(shape)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error("where the rows lie (-want +got):\n" + diff)
			}
		})
	}
}

// TestEveryRuleHasACase keeps the tables of rules and of cases together.
func TestEveryRuleHasACase(t *testing.T) {
	known := map[string]bool{}
	for _, c := range Cases() {
		if c.Refuse == "" {
			known[c.Op] = true
		}
	}
	for op := range operations {
		if !known[op] {
			t.Errorf("%s: the rule has no case that it accepts", op)
		}
	}
}

// TestRulesLeaveRefusedNodesAlone checks that a refusal sets nothing: the node
// may be looked at again in another way.
func TestRulesLeaveRefusedNodesAlone(t *testing.T) {
	for _, c := range Cases() {
		if c.Refuse == "" {
			continue
		}
		n := node(c)
		if err := layRows(n); err == nil {
			t.Errorf("%s: want a refusal", c.Name())
		}
		for _, v := range n.Out {
			if v != nil && v.Kind != 0 {
				t.Errorf("%s: %s became %v", c.Name(), v.Name, v.Kind)
			}
		}
	}
}

func TestUnknownShapes(t *testing.T) {
	add := func(change func(rows, other *Value)) error {
		n := node(Case{Op: "Add", Version: 13, In: []Operand{rows(-1, 3), weights(3)}, Out: out([]int{-1, 3})})
		change(n.In[0], n.In[1])
		return layRows(n)
	}
	tests := []struct {
		name, want string
		change     func(rows, other *Value)
	}{
		{"a constant without a shape", "shape is not known", func(_, other *Value) { other.Dims = [looks][]int{} }},
		{"a constant of two shapes", "not the same for all batches", func(_, other *Value) { other.Dims[1] = []int{1} }},
		{"rows without a shape", "has no axis 0", func(rows, _ *Value) { rows.Dims = [looks][]int{} }},
		{"rows that do not grow", "has the shape [5 3] for 7 rows", func(rows, _ *Value) { rows.Dims[1] = rows.Dims[0] }},
		{"another axis that grows", "has the shape [7 4]", func(rows, _ *Value) { rows.Dims[1] = []int{7, 4} }},
		{"an axis that comes and goes", "has 2 axes for 5 rows and 3 for 7", func(rows, _ *Value) { rows.Dims[1] = []int{7, 3, 1} }},
		{"no group", "in groups of 0", func(rows, _ *Value) { rows.Layout.Group = 0 }},
		{"a kind that is not set", "of which nothing is known", func(_, other *Value) { other.Kind = 0 }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := add(tt.change); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want an error with %q, got %v", tt.want, err)
			}
		})
	}
	if err := add(func(_, _ *Value) {}); err != nil {
		t.Errorf("unchanged: %v", err)
	}
}
