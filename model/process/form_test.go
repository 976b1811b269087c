package process

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// numbers is a batch of several types, whose elements follow from the seed.
func numbers(rows, seed int) model.Batch {
	var out model.Batch
	for i, d := range []tensor.DType{tensor.Float32, tensor.Int64, tensor.Float16, tensor.Uint8} {
		t := tensor.New(d, rows, i+1)
		for j := range t.Bytes() {
			t.Bytes()[j] = byte(j*j*seed+j) & 0x3b // a moderate exponent: finite
		}
		out = append(out, model.Named{Name: fmt.Sprintf("v%d", i), Tensor: t})
	}
	return out
}

// A frame that served before holds the same bytes as a new one, whatever it held.
func TestFrameServesAgain(t *testing.T) {
	text := func(words ...string) model.Batch {
		return model.Batch{{Name: "v", Tensor: tensor.Of(words)}}
	}
	var f batchFrame
	for i, batch := range []model.Batch{
		numbers(16, 1), numbers(16, 2), numbers(32, 2), numbers(16, 3), text("a", "b"), text("c", "d"), text("cd", "d"),
		{{Name: "v", Tensor: tensor.Of([]float32{1, 2})}}, {{Name: "v", Tensor: tensor.Of([]int32{1, 2})}}, {{Name: "w", Tensor: tensor.Of([]int32{1, 2})}},
		{{Name: "w", Tensor: tensor.Of([]int32{1, 2}, 2, 1)}}, {{Name: "w", Tensor: tensor.Of([]int32{3, 2}, 2, 1)}},
	} {
		fresh, err := encodeBatch(nil, batch)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.set(batch); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(fresh, f.bytes) {
			t.Errorf("batch %d: other bytes than in a new frame", i)
		}
	}
	if err := f.set(numbers(16, 1)); err != nil {
		t.Fatal(err)
	}
	again := numbers(16, 2)
	if n := testing.AllocsPerRun(10, func() { _ = f.set(again) }); n > 0 {
		t.Errorf("want no allocations for a batch like the last, got %v", n)
	}
}

// answers returns payloads of answers and what they hold.
func answers(t testing.TB, out model.Batch) (payload []byte, sig model.Signature) {
	t.Helper()
	frame, err := encodeBatch(nil, out)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range out {
		shape := append([]int{-1}, o.Tensor.Shape()[1:]...)
		sig.Outputs = append(sig.Outputs, tensor.Spec{Name: o.Name, DType: o.Tensor.DType(), Shape: shape})
	}
	return frame[headerBytes:], sig
}

// formFrom reads an answer with care and returns its form.
func formFrom(t testing.TB, payload []byte, sig model.Signature, rows int) *answerForm {
	t.Helper()
	out, err := decodeOutputs(payload, sig, rows)
	if err != nil {
		t.Fatal(err)
	}
	return formOf(payload, out, rows)
}

func TestAnswerForm(t *testing.T) {
	const rows = 16
	first, sig := answers(t, numbers(rows, 1))
	// The outputs may be wanted in another order than they lie in.
	sig.Outputs[0], sig.Outputs[3] = sig.Outputs[3], sig.Outputs[0]
	form := formFrom(t, first, sig, rows)
	second, _ := answers(t, numbers(rows, 2))
	want, err := decodeOutputs(second, sig, rows)
	if err != nil {
		t.Fatal(err)
	}
	got, ok := form.read(second, rows)
	if !ok {
		t.Fatal("want an answer like the first to be read")
	}
	if diff := same(want, got); diff != "" {
		t.Error(diff)
	}
	for i := range second {
		second[i] = 0
	}
	if diff := same(want, got); diff != "" {
		t.Errorf("the memory of the answer is still of use: %s", diff)
	}

	longer, _ := answers(t, numbers(rows+1, 2))
	second, _ = answers(t, numbers(rows, 2))
	for name, c := range map[string]struct {
		payload []byte
		rows    int
	}{"more rows": {longer, rows + 1}, "rows of another batch": {second, rows + 1}, "nothing": {nil, rows}, "cut off": {second[:len(second)-1], rows}} {
		if _, ok := form.read(c.payload, c.rows); ok {
			t.Errorf("%s: want it left to who reads with care", name)
		}
	}
	// Any byte that changes alone is one of structure, of elements whose checksum is
	// wrong then, or of a checksum.
	for i := range second {
		changed := bytes.Clone(second)
		changed[i] ^= 1
		if _, ok := form.read(changed, rows); ok {
			t.Fatalf("byte %d was changed and nobody saw it", i)
		}
	}
}

// Answers that are laid out in another way have no form, and are read with care
// each.
func TestNoAnswerForm(t *testing.T) {
	const rows = 16
	t.Run("types", func(t *testing.T) {
		for _, out := range []model.Batch{
			{{Name: "v", Tensor: tensor.New(tensor.Bool, rows)}}, {{Name: "v", Tensor: tensor.New(tensor.String, rows)}},
		} {
			payload, sig := answers(t, out)
			if _, ok := formFrom(t, payload, sig, rows).read(payload, rows); ok {
				t.Errorf("%v: want no form", out[0].Tensor.DType())
			}
		}
	})
	t.Run("column by column", func(t *testing.T) {
		// Of zeros both orders are the same, and of other answers not.
		payload, sig := answers(t, model.Batch{{Name: "v", Tensor: tensor.New(tensor.Float32, rows, 2)}})
		payload = bytes.Replace(payload, []byte("'fortran_order': False"), []byte("'fortran_order': True "), 1)
		mendSum(payload)
		if _, ok := formFrom(t, payload, sig, rows).read(payload, rows); ok {
			t.Error("want no form")
		}
	})
	t.Run("big end first", func(t *testing.T) {
		payload, sig := answers(t, model.Batch{{Name: "v", Tensor: tensor.New(tensor.Float32, rows, 2)}})
		payload = bytes.Replace(payload, []byte("<f4"), []byte(">f4"), 1)
		mendSum(payload)
		if _, ok := formFrom(t, payload, sig, rows).read(payload, rows); ok {
			t.Error("want no form")
		}
	})
	t.Run("another array", func(t *testing.T) {
		payload, sig := answers(t, numbers(rows, 1))
		sig.Outputs = sig.Outputs[:2]
		if _, ok := formFrom(t, payload, sig, rows).read(payload, rows); ok {
			t.Error("want no form where an array is left out")
		}
	})
	if _, ok := new(answerForm).read(nil, 0); ok {
		t.Error("want the zero form to be like nothing")
	}
}

// mendSum makes the checksum of a payload's only array right again.
func mendSum(payload []byte) {
	start := bytes.Index(payload, []byte("\x93NUMPY"))
	end := bytes.Index(payload, []byte("PK\x01\x02"))
	sum := (&part{data: start, end: end}).checksum(payload) // of all of it
	binary.LittleEndian.PutUint32(payload[localSum:], sum)
	binary.LittleEndian.PutUint32(payload[end+centralSum:], sum)
}

// FuzzAnswerForm holds that forms never panic and that what they read is what is
// read with care.
func FuzzAnswerForm(f *testing.F) {
	const rows = 3
	payload, sig := answers(f, numbers(rows, 1)[:2])
	f.Add(payload, payload)
	other, _ := answers(f, numbers(rows, 2)[:2])
	f.Add(payload, other)
	f.Add([]byte(strings.Replace(string(payload), "v0", "v1", 2)), other)
	f.Fuzz(func(t *testing.T, first, second []byte) {
		out, err := decodeOutputs(first, sig, rows)
		if err != nil {
			return
		}
		form := formOf(first, out, rows)
		got, ok := form.read(second, rows)
		if !ok {
			return
		}
		want, err := decodeOutputs(second, sig, rows)
		if err != nil {
			t.Fatalf("read what cannot be read: %v", err)
		}
		if diff := same(want, got); diff != "" {
			t.Error(diff)
		}
	})
}
