package engine

import (
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A halvedSum is a [model.Sum] with its terms as numbers of features.
type halvedSum struct {
	model.Sum
	ownership
	dtype tensor.DType
	row   []int
	terms []int
}

// sum returns the number of the sum of a name, checked.
func (st *staging) sum(name string, sums []model.Sum) (int, error) {
	if at := slices.IndexFunc(st.sums, func(h halvedSum) bool { return h.Name == name }); at >= 0 {
		return at, nil
	}
	at := slices.IndexFunc(sums, func(s model.Sum) bool { return s.Name == name })
	if at < 0 {
		return 0, errors.New("which is no leaf, no output of an earlier part and no sum")
	}
	h := halvedSum{Sum: sums[at]}
	if len(h.Terms) == 0 {
		return 0, errors.New("a sum without terms")
	}
	for i, name := range h.Terms {
		f, ok := st.known[name]
		if !ok {
			return 0, fmt.Errorf("a sum with the term %q, which is no leaf and no output of an earlier part", name)
		}
		term := st.features[f]
		switch {
		case term.players.Size() > 1 || term.fixed && term.players != 0:
			return 0, fmt.Errorf("a sum with the term %q, which depends on more than one modality", name)
		case term.dtype != tensor.Float32 && term.dtype != tensor.Float64:
			return 0, fmt.Errorf("a sum with the term %q of type %s, want float32 or float64", name, term.dtype)
		case i > 0 && (term.dtype != h.dtype || !slices.Equal(term.row, h.row)):
			return 0, fmt.Errorf("a sum that adds %s %v to %s %v", term.dtype, term.row, h.dtype, h.row)
		}
		h.dtype, h.row = term.dtype, term.row
		h.players |= term.players
		h.fixed = h.fixed || term.fixed
		h.terms = append(h.terms, f)
	}
	st.sums = append(st.sums, h)
	return len(st.sums) - 1, nil
}

// halves returns both inputs that a part gets for a sum when the modalities in s
// are the sample's own.
// The tensors are used again by the next call on the same sides.
func (st *staging) halves(v *sides, number int, s game.Coalition) (sample, background model.Named) {
	h := &st.sums[number]
	var own, others []tensor.Tensor
	for _, f := range h.terms {
		switch term := st.features[f]; {
		case !term.fixed && s&term.players == 0:
			others = append(others, v.background[f])
		default:
			own = append(own, v.sample[f])
		}
	}
	// A half varies along its axis where the sum does.
	n, b := 1, 1
	if t := first(v.sample); t.Len() > 0 && (h.fixed || s&h.players != 0) {
		n = t.Rows()
	}
	if t := first(v.background); t.Len() > 0 && s&h.players != h.players {
		b = t.Shape()[1]
	}
	sample = model.Named{Name: h.Sample, Tensor: addUp(v.roomFor(2*number, h.dtype, grid(n, 1, h.row)), own)}
	rows := 1
	for _, t := range others {
		rows = max(rows, t.Rows())
	}
	background = model.Named{Name: h.Background, Tensor: addUp(v.roomFor(2*number+1, h.dtype, grid(rows, b, h.row)), others)}
	return sample, background
}

// roomFor returns a tensor of zeros, the same as before if it fits: new memory
// costs more than the additions.
func (v *sides) roomFor(place int, dtype tensor.DType, shape []int) tensor.Tensor {
	for len(v.rooms) <= place {
		v.rooms = append(v.rooms, tensor.Tensor{})
	}
	room := &v.rooms[place]
	if room.DType() == dtype && slices.Equal(room.Shape(), shape) {
		clear(room.Bytes())
	} else {
		*room = tensor.New(dtype, shape...)
	}
	return *room
}

// first returns the first tensor that holds anything.
func first(tensors []tensor.Tensor) tensor.Tensor {
	for _, t := range tensors {
		if t.Len() > 0 {
			return t
		}
	}
	return tensor.Tensor{}
}

// addUp adds tensors to dst, each of dst's shape or one entry long on axis 0, 1
// or both.
func addUp(dst tensor.Tensor, terms []tensor.Tensor) tensor.Tensor {
	if dst.DType() == tensor.Float64 {
		addUpTo[float64](dst, terms)
	} else {
		addUpTo[float32](dst, terms)
	}
	return dst
}

func addUpTo[T float32 | float64](dst tensor.Tensor, terms []tensor.Tensor) {
	to := tensor.Values[T](dst)
	n, b := dst.Shape()[0], dst.Shape()[1]
	width := len(to) / (n * b)
	for _, t := range terms {
		from := tensor.Values[T](t)
		rows, columns := t.Shape()[0], t.Shape()[1]
		for i := range n {
			for k := range b {
				row := to[(i*b+k)*width:][:width]
				for c, x := range from[(i%rows*columns+k%columns)*width:][:len(row)] {
					row[c] += x
				}
			}
		}
	}
}
