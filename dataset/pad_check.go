package dataset

import (
	"context"
	"slices"
)

// Fills reports whether padding adds anything to rows of an input. It may go over the
// lists of the column once.
func (s *Samples) Fills(ctx context.Context, input string) (bool, error) {
	i := s.inputAt(input)
	if i < 0 {
		return false, nil
	}
	src := s.sources[i]
	if view, ok := s.view.(*filledFile); ok {
		columns := s.columnsAt(src.at)
		below, _ := view.own(columns)
		if len(below) < len(columns) || slices.ContainsFunc(view.fills, func(p columnPad) bool { return p.column == columns[0] }) {
			return true, nil
		}
	}
	pad, lengths, err := s.listsOf(ctx, i)
	if err != nil || pad == nil {
		return false, err
	}
	return slices.ContainsFunc(lengths, func(n int32) bool { return n != noList && int(n) < pad.dims[0] }), nil
}

// inputAt returns the position of an input, -1 for none.
func (s *Samples) inputAt(name string) int {
	for i, in := range s.inputs {
		if in.Name == name {
			return i
		}
	}
	return -1
}

// listsOf returns how the lists of an input are padded, nil if they are not, and their
// lengths in the file, noList for a null.
func (s *Samples) listsOf(ctx context.Context, input int) (*columnPad, []int32, error) {
	column := s.reads[s.sources[input].at[0]]
	i := slices.IndexFunc(s.pads, func(p columnPad) bool { return p.column == column })
	if i < 0 {
		return nil, nil, nil
	}
	extent, err := s.lists.extent(ctx, column)
	return &s.pads[i], extent.lengths, err
}

// Unequal is a row in which two padded inputs of one modality have lists of different
// lengths.
type Unequal struct {
	Row     int
	Inputs  [2]string
	Lengths [2]int
	// Rows is how many rows are so.
	Rows int
}

// UnequalLists returns the first row in which padded inputs of a modality differ in
// length, such as three ids beside a mask of one, nil if there is none. It may go over
// the lists once.
func (s *Samples) UnequalLists(ctx context.Context, m Modality) (*Unequal, error) {
	var (
		first   = -1 // the input that the others are held against
		lengths []int32
	)
	for _, p := range m.Parts {
		pad, of, err := s.listsOf(ctx, p.Input)
		switch {
		case err != nil:
			return nil, err
		case pad == nil || p.Input == first:
			continue
		case first < 0:
			first, lengths = p.Input, of
			continue
		}
		var found *Unequal
		for r, n := range of {
			if n == lengths[r] || n == noList || lengths[r] == noList {
				continue
			}
			if found == nil {
				found = &Unequal{Row: r, Inputs: [2]string{s.inputs[first].Name, s.inputs[p.Input].Name}, Lengths: [2]int{int(lengths[r]), int(n)}}
			}
			found.Rows++
		}
		if found != nil {
			return found, nil
		}
	}
	return nil, nil
}
