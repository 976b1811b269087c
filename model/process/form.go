package process

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"slices"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// An answerForm is what answers to batches of so many rows mostly have in common:
// all but the elements and their checksums. One that was read with care tells where
// they are in those that look like it. Its zero value is like no answer.
type answerForm struct {
	rows  int
	like  []byte // an answer
	parts []part // in the order of the outputs
	gaps  [][2]int
}

// formOf returns the form of an answer from which outputs were read. It is of no
// use, but does no harm, where the answer is not as intershap_serve writes it:
// then other answers are read with care too.
func formOf(payload []byte, out model.Batch, rows int) *answerForm {
	none := &answerForm{}
	var members []part
	at := 0
	for bytes.HasPrefix(payload[at:], []byte("PK\x03\x04")) {
		p, next, ok := member(payload, at, out)
		if !ok {
			return none
		}
		members = append(members, p)
		at = next
	}
	for i := range members {
		if !bytes.HasPrefix(payload[at:], []byte("PK\x01\x02")) || len(payload)-at < centralBytes {
			return none
		}
		members[i].sums[1] = at + centralSum
		if at += entryLen(payload[at:]); at > len(payload) {
			return none
		}
	}
	if len(members) != len(out) {
		return none
	}
	f := &answerForm{rows: rows, like: bytes.Clone(payload)}
	f.cut(members)
	for _, o := range out {
		i := slices.IndexFunc(members, func(p part) bool { return p.name == o.Name })
		if i < 0 {
			return none
		}
		f.parts = append(f.parts, members[i])
	}
	again, ok := f.read(payload, rows)
	if !ok || !slices.EqualFunc(again, out, func(a, b model.Named) bool { return bytes.Equal(a.Tensor.Bytes(), b.Tensor.Bytes()) }) {
		return none
	}
	return f
}

// member finds the array of a member that starts at a place, if its elements lie
// there as tensors have them, and where the next member starts.
func member(payload []byte, at int, out model.Batch) (p part, next int, ok bool) {
	const npyBytes = 10 // of an NPY array before the text of its header
	if len(payload)-at < localBytes {
		return p, 0, false
	}
	name := at + localBytes
	key, extra := int(binary.LittleEndian.Uint16(payload[at+26:])), int(binary.LittleEndian.Uint16(payload[at+28:]))
	start := name + key + extra
	next = start + int(binary.LittleEndian.Uint32(payload[at+18:]))
	if start+npyBytes > len(payload) || next > len(payload) {
		return p, 0, false
	}
	text := start + npyBytes
	p.data, p.end, p.sums[0] = text+int(binary.LittleEndian.Uint16(payload[start+8:])), next, at+localSum
	if p.data > p.end {
		return p, 0, false
	}
	p.name = strings.TrimSuffix(string(payload[name:name+key]), ".npy")
	i := slices.IndexFunc(out, func(o model.Named) bool { return o.Name == p.name })
	if i < 0 {
		return p, 0, false
	}
	t := out[i].Tensor
	p.dtype, p.shape = t.DType(), slices.Clone(t.Shape())
	p.head = crc32.ChecksumIEEE(payload[start:p.data])
	header := string(payload[text:p.data])
	// Of the type bool two bytes alone are allowed, and text is wider here.
	ok = p.dtype != tensor.Bool && p.dtype != tensor.String && p.end-p.data == len(t.Bytes()) &&
		strings.Contains(header, "'fortran_order': False") && strings.Contains(header, "'descr': '"+descrs[p.dtype]+"'")
	return p, next, ok
}

// cut notes what lies between elements and checksums.
func (f *answerForm) cut(members []part) {
	var holes [][2]int
	for _, p := range members {
		holes = append(holes, [2]int{p.data, p.end}, [2]int{p.sums[0], p.sums[0] + crc32.Size}, [2]int{p.sums[1], p.sums[1] + crc32.Size})
	}
	slices.SortFunc(holes, func(a, b [2]int) int { return a[0] - b[0] })
	at := 0
	for _, h := range append(holes, [2]int{len(f.like), len(f.like)}) {
		f.gaps = append(f.gaps, [2]int{at, h[0]})
		at = h[1]
	}
}

// read reads an answer that has the form. It returns false where it has not, or
// where a checksum is wrong: who reads with care says what is wrong.
func (f *answerForm) read(payload []byte, rows int) (model.Batch, bool) {
	if len(payload) != len(f.like) || rows != f.rows || len(f.parts) == 0 {
		return nil, false
	}
	for _, g := range f.gaps {
		if !bytes.Equal(payload[g[0]:g[1]], f.like[g[0]:g[1]]) {
			return nil, false
		}
	}
	out := make(model.Batch, len(f.parts))
	for i := range f.parts {
		p := &f.parts[i]
		sum := p.checksum(payload)
		for _, at := range p.sums {
			if binary.LittleEndian.Uint32(payload[at:]) != sum {
				return nil, false
			}
		}
		t := tensor.New(p.dtype, p.shape...)
		copy(t.Bytes(), payload[p.data:p.end])
		out[i] = model.Named{Name: p.name, Tensor: t}
	}
	return out, true
}
