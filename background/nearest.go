package background

import (
	"fmt"
	"math"
	"sort"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// neighbours finds the rows nearest to a sample: by Euclidean distance over all
// elements of all modalities, each divided by its standard deviation over the
// rows. Elements that never vary say nothing and are left out.
type neighbours struct {
	k     int
	parts []dataset.Part
	scale []float64 // one for each element of the parts, 0 to leave it out
	rows  []float64 // scaled elements, row by row
	n     int
}

func newNeighbours(inputs []tensor.Tensor, modalities []dataset.Modality, specs []tensor.Spec, k int) (*neighbours, error) {
	nb := &neighbours{k: k, n: inputs[0].Rows()}
	width := 0
	for _, m := range modalities {
		for _, p := range m.Parts {
			if specs[p.Input].DType == tensor.String {
				return nil, fmt.Errorf("background: mask nearest:%d: input %q is text, which has no distance; use marginal", k, specs[p.Input].Name)
			}
			nb.parts = append(nb.parts, p)
			width += p.Hi - p.Lo
		}
	}
	nb.rows = make([]float64, nb.n*width)
	for i := range nb.n {
		nb.elements(nb.rows[i*width:(i+1)*width], inputs, i)
	}
	nb.scale = make([]float64, width)
	for e := range nb.scale {
		// Deviations from the first row, since those of a constant are zero and
		// not what rounding makes of its mean.
		mean, squares := 0.0, 0.0
		for i := range nb.n {
			mean += (nb.rows[i*width+e] - nb.rows[e]) / float64(nb.n)
		}
		for i := range nb.n {
			d := nb.rows[i*width+e] - nb.rows[e] - mean
			squares += d * d / float64(nb.n)
		}
		if squares > 0 {
			nb.scale[e] = 1 / math.Sqrt(squares)
		}
	}
	for i := range nb.rows {
		nb.rows[i] *= nb.scale[i%width]
	}
	return nb, nil
}

// elements writes the elements of one row, part after part, into dst.
func (nb *neighbours) elements(dst []float64, inputs []tensor.Tensor, row int) {
	at := 0
	for _, p := range nb.parts {
		in := inputs[p.Input].Slice(row, row+1)
		in.Reshape(in.Len()).Slice(p.Lo, p.Hi).Float64s(dst[at : at+p.Hi-p.Lo])
		at += p.Hi - p.Lo
	}
}

// find writes the positions of the k nearest rows into dst, nearest first; of
// equally near rows the earlier one.
func (nb *neighbours) find(dst []int, sample []tensor.Tensor, row int) {
	width := len(nb.scale)
	x := make([]float64, width)
	nb.elements(x, sample, row)
	for e := range x {
		x[e] *= nb.scale[e]
	}
	order, distance := make([]int, nb.n), make([]float64, nb.n)
	for i := range order {
		order[i] = i
		for e, v := range nb.rows[i*width : (i+1)*width] {
			distance[i] += (v - x[e]) * (v - x[e])
		}
	}
	sort.SliceStable(order, func(a, b int) bool { return distance[order[a]] < distance[order[b]] })
	copy(dst, order[:nb.k])
}
