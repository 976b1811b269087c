package serving

import (
	"encoding/binary"
	"hash/maphash"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// distinct finds equal rows: first lists the first row of each kind, in order,
// and place says for each row which of them it equals. Rows are equal when all
// their bits are, so that an answer for one is the answer for the other.
func distinct(inputs model.Batch) (first, place []int) {
	rows := inputs.Rows()
	place = make([]int, rows)
	seen := make(map[uint64][]int, rows) // kinds by hash
	seed := maphash.MakeSeed()
	var h maphash.Hash
	h.SetSeed(seed)
	for r := range rows {
		h.Reset()
		for _, in := range inputs {
			hashRow(&h, in.Tensor, r)
		}
		sum := h.Sum64()
		kind := -1
		for _, k := range seen[sum] {
			if equalRows(inputs, first[k], r) {
				kind = k
				break
			}
		}
		if kind < 0 {
			kind = len(first)
			first = append(first, r)
			seen[sum] = append(seen[sum], kind)
		}
		place[r] = kind
	}
	return first, place
}

func hashRow(h *maphash.Hash, t tensor.Tensor, r int) {
	width := t.RowLen()
	if t.DType() == tensor.String {
		var length [8]byte
		for _, s := range tensor.Values[string](t)[r*width : (r+1)*width] {
			binary.LittleEndian.PutUint64(length[:], uint64(len(s)))
			h.Write(length[:])
			h.WriteString(s)
		}
		return
	}
	bytes := width * t.DType().Size()
	h.Write(t.Bytes()[r*bytes : (r+1)*bytes])
}

func equalRows(inputs model.Batch, a, b int) bool {
	for _, in := range inputs {
		t, width := in.Tensor, in.Tensor.RowLen()
		if t.DType() == tensor.String {
			values := tensor.Values[string](t)
			for e := range width {
				if values[a*width+e] != values[b*width+e] {
					return false
				}
			}
			continue
		}
		bytes := width * t.DType().Size()
		if string(t.Bytes()[a*bytes:(a+1)*bytes]) != string(t.Bytes()[b*bytes:(b+1)*bytes]) {
			return false
		}
	}
	return true
}

// pick returns a copy of the given rows of t, in that order.
func pick(t tensor.Tensor, rows []int) tensor.Tensor {
	out := tensor.New(t.DType(), append([]int{len(rows)}, t.Shape()[1:]...)...)
	for i, r := range rows {
		out.CopyRow(i, t, r, 0, t.RowLen())
	}
	return out
}
