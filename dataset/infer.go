package dataset

import (
	"slices"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// InferInputs proposes inputs for a model without a signature: every array or
// column except id and label is one, and scalar columns input.feature form one
// together. Types and shapes are those of the file; scalar columns of several
// numeric types become Float64. What cannot be read is left out. Inputs that are
// padded have a nil Shape, which Bind fills in.
func InferInputs(f File, pads ...Padding) []tensor.Spec {
	columns := f.Columns()
	members := map[string][]Column{}
	var order []string
	for _, c := range columns {
		if c.Name == idColumn || c.Name == labelColumn {
			continue
		}
		// A column that misses values is proposed, since leaving it out would
		// change what the model sees without a word; Bind refuses it.
		if c.DType == 0 {
			continue
		}
		name := c.Name
		if group, _, dotted := strings.Cut(name, "."); dotted && group != "" && c.RowLen() == 1 {
			name = group
		}
		if members[name] == nil {
			order = append(order, name)
		}
		members[name] = append(members[name], c)
	}
	var specs []tensor.Spec
	for _, name := range order {
		all := members[name]
		// A column of exactly this name takes the name for itself, as in Bind.
		for _, c := range all {
			if c.Name == name {
				all = []Column{c}
				break
			}
		}
		spec := tensor.Spec{Name: name, DType: commonType(all), Shape: []int{-1, len(all)}}
		if all[0].Name == name {
			spec.Shape = append([]int{-1}, all[0].Shape...)
		}
		if slices.ContainsFunc(pads, func(p Padding) bool { return p.Input == name }) {
			spec.Shape = nil
		}
		specs = append(specs, spec)
	}
	return specs
}

// commonType returns the type in which columns can stand side by side. Text
// among numbers is left for Bind to name.
func commonType(columns []Column) tensor.DType {
	var common tensor.DType
	for _, c := range columns {
		switch {
		case common == 0, common == tensor.String:
			common = c.DType
		case c.DType != common && c.DType != tensor.String:
			common = tensor.Float64
		}
	}
	return common
}
