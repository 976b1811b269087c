package graph

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// layEinsum knows equations in which the rows of all inputs that have some bear
// the same letter, and the output keeps it: nothing is added up over it.
func layEinsum(n *Node, _ int) (Layout, error) {
	operands, result, err := n.equation()
	if err != nil {
		return Layout{}, err
	}
	letter, group := "", 0
	for i, v := range n.In {
		if !v.isRows() {
			continue
		}
		own := operands[i][v.Layout.Axis : v.Layout.Axis+1]
		if strings.Count(operands[i], own) != 1 {
			return Layout{}, errors.New("mixes rows: it takes the diagonal along them")
		}
		if letter != "" && (own != letter || group != v.Layout.Group) {
			return Layout{}, errors.New("mixes rows: it multiplies the rows of the batch with one another")
		}
		letter, group = own, v.Layout.Group
	}
	for i, v := range n.In {
		if !v.isRows() && strings.Contains(operands[i], letter) {
			return Layout{}, fmt.Errorf("depends on the place of a row in the batch: the constant %q has the axis of the rows", v.Name)
		}
	}
	if strings.Count(result, letter) != 1 {
		return Layout{}, fmt.Errorf("mixes rows: it adds up over the axis %q", letter)
	}
	return Layout{Axis: strings.Index(result, letter), Group: group}, nil
}

// equation returns the letters of the axes of all inputs and of the output.
func (n *Node) equation() (operands []string, result string, err error) {
	text := strings.ReplaceAll(n.stringAttribute("equation", ""), " ", "")
	left, result, explicit := strings.Cut(text, "->")
	operands = strings.Split(left, ",")
	if len(operands) != len(n.In) {
		return nil, "", fmt.Errorf("has the equation %q for %d inputs", text, len(n.In))
	}
	for i, letters := range append(slices.Clone(operands), result) {
		for _, r := range letters {
			if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') {
				return nil, "", fmt.Errorf("has the equation %q, of which only letters are known", text)
			}
		}
		if i < len(n.In) && (n.In[i] == nil || n.In[i].rank() != len(letters)) {
			return nil, "", fmt.Errorf("has the equation %q, which does not fit input %d", text, i)
		}
	}
	if !explicit {
		result = implied(left)
	}
	return operands, result, nil
}

// implied returns the output of an equation that leaves it out: the letters
// that stand in it once, in order.
func implied(left string) string {
	var once []rune
	for _, r := range left {
		if r != ',' && strings.Count(left, string(r)) == 1 {
			once = append(once, r)
		}
	}
	slices.Sort(once)
	return string(once)
}
