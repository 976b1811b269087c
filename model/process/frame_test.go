package process

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// TestHeader pins the bytes of docs/format/process.md.
func TestHeader(t *testing.T) {
	want := []byte{0x93, 'I', 'S', 'P', 1, 2, 0, 0, 0x15, 0xcd, 0x5b, 0x07, 0, 0, 0, 0} // 123456789
	if got := appendHeader(nil, batchKind, 123456789); !bytes.Equal(want, got) {
		t.Errorf("want % x, got % x", want, got)
	}
}

func TestReadFrame(t *testing.T) {
	long := bytes.Repeat([]byte("payload "), 5<<20) // above growth
	for _, payload := range [][]byte{nil, []byte("x"), long} {
		frame := frameOf(outputsKind, payload)
		kind, got, err := readFrame(bytes.NewReader(frame), nil, int64(len(payload)), helloKind, outputsKind)
		if err != nil || kind != outputsKind || !bytes.Equal(payload, got) {
			t.Errorf("%d bytes: got kind %d, %d bytes, %v", len(payload), kind, len(got), err)
		}
		if len(payload) > 0 {
			if _, _, err := readFrame(bytes.NewReader(frame), nil, int64(len(payload))-1, outputsKind); err == nil {
				t.Errorf("%d bytes: want an error for one more than the limit", len(payload))
			}
			if _, _, err := readFrame(bytes.NewReader(frame[:len(frame)-1]), nil, 1<<40, outputsKind); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%d bytes: want the end of the stream, got %v", len(payload), err)
			}
		}
	}
	if _, _, err := readFrame(iotest.OneByteReader(bytes.NewReader(frameOf(helloKind, []byte("abc")))), nil, 3, helloKind); err != nil {
		t.Errorf("byte by byte: %v", err)
	}
}

// A header that announces much and brings little must not cost memory.
func TestPayloadGrows(t *testing.T) {
	frame := append(appendHeader(nil, outputsKind, 1<<32), make([]byte, 100)...)
	if n := testing.AllocsPerRun(1, func() {
		if _, _, err := readFrame(bytes.NewReader(frame), nil, 1<<33, outputsKind); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	}); n > 10 {
		t.Errorf("want few allocations, got %v", n)
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(frameOf(helloKind, []byte("{}")))
	f.Add(frameOf(outputsKind, []byte("PK")))
	f.Add([]byte("loading the model"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		stream = bytes.Clone(stream)
		kind, payload, err := readFrame(bytes.NewReader(stream), nil, 1<<20, helloKind, outputsKind, failureKind)
		if err != nil {
			return
		}
		if stream[6], stream[7] = 0, 0; !bytes.HasPrefix(stream, frameOf(kind, payload)) { // nobody looks at these two
			t.Errorf("%q: read as kind %d and %q", stream, kind, payload)
		}
	})
}

// FuzzHello holds that no hello makes us panic, and that what passes has types and
// rows.
func FuzzHello(f *testing.F) {
	f.Add([]byte(`{"max_rows": 3, "digest": "", "inputs": [{"name": "x", "dtype": "float32", "shape": [-1, 2]}], "outputs": [{"name": "y", "dtype": "string", "shape": [-1, 2], "classes": ["a", "b"]}]}`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		_, sig, err := readHello(payload)
		if err != nil {
			return
		}
		for _, s := range append(sig.Inputs, sig.Outputs...) {
			if s.DType == 0 || len(s.Shape) == 0 || s.Name == "" {
				t.Errorf("%q gave %v", payload, s)
			}
		}
	})
}

// Batches are NPZ files that package dataset reads, with elements in their places.
func TestEncodeBatch(t *testing.T) {
	in := rowsOf(5, -1)
	frame, err := encodeBatch(nil, in)
	if err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint64(frame[8:]); got != uint64(len(frame)-headerBytes) {
		t.Errorf("want the length %d, got %d", len(frame)-headerBytes, got)
	}
	arrays, err := dataset.ReadNPZ("batch", frame[headerBytes:])
	if err != nil {
		t.Fatal(err)
	}
	var got model.Batch
	for _, a := range arrays {
		got = append(got, model.Named{Name: a.Name, Tensor: a.Tensor})
	}
	if diff := same(in, got); diff != "" {
		t.Error(diff)
	}
	payload := frame[headerBytes:]
	for at := 0; ; {
		next := bytes.Index(payload[at:], []byte("NUMPY"))
		if next < 0 {
			break
		}
		at += next
		data := at - 1 + 10 + int(binary.LittleEndian.Uint16(payload[at+7:]))
		if data%align != 0 {
			t.Errorf("elements at %d, want a multiple of %d", data, align)
		}
		at = data
	}
	again, err := encodeBatch(frame, rowsOf(3, -1))
	if err != nil || &again[0] != &frame[0] {
		t.Errorf("want the same memory for a smaller batch, got %v", err)
	}
}

func TestTextThatNumPyCannotHold(t *testing.T) {
	for _, text := range []string{"a\x00", "\xff"} {
		in := rowsOf(2, -1)
		in[2].Tensor = tensor.Of([]string{"a", text})
		_, err := encodeBatch(nil, in)
		if err == nil || !strings.Contains(err.Error(), `input "s": row 1: the text`) {
			t.Errorf("%q: got %v", text, err)
		}
	}
}

func TestAnswerLimit(t *testing.T) {
	spec := func(d tensor.DType, shape ...int) []tensor.Spec {
		return []tensor.Spec{{Name: "y", DType: d, Shape: shape}}
	}
	for _, c := range []struct {
		specs []tensor.Spec
		rows  int
		want  int64
	}{
		{spec(tensor.Float32, -1, 10), 100, answerSlack + 100*10*answerWider},
		{spec(tensor.Float32, -1, -1), 1, maxAnswer},
		{spec(tensor.String, -1), 1, maxAnswer},
		{spec(tensor.Float64, -1, 1<<30), 1 << 20, maxAnswer},
	} {
		if got := answerLimit(c.specs, c.rows); got != c.want {
			t.Errorf("%v: want %d, got %d", c.specs, c.want, got)
		}
	}
}

func TestWords(t *testing.T) {
	var told bytes.Buffer
	w := &words{to: &told}
	for _, part := range []string{"one\ntw", "o\r\n", "10 %\r20 %\r30 %\n", "\n", strings.Repeat("x", longestLine), "end"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Errorf("got %d, %v", n, err)
		}
	}
	last := w.end()
	want := "one\ntwo\n30 %\n\n" + strings.Repeat("x", longestLine) + "\nend\n"
	if told.String() != want {
		t.Errorf("want %d bytes, got %d", len(want), told.Len())
	}
	if len(last) != 5 || last[1] != "two" || last[4] != "end" {
		t.Errorf("got %.40q", last)
	}
	for range 3 * keptLines {
		_, _ = w.Write([]byte("more\n"))
	}
	if got := len(w.end()); got != keptLines {
		t.Errorf("want %d lines kept, got %d", keptLines, got)
	}
}
