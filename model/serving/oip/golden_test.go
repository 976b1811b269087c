package oip

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// The inputs of the protocol's own example: input0 [2,2] UINT32 of 1, 2, 3, 4,
// and input1 [3] BOOL, here of 1, 0, 1.
func exampleInputs() model.Batch {
	return model.Batch{
		{Name: "input0", Tensor: tensor.Of([]uint32{1, 2, 3, 4}, 2, 2)},
		{Name: "input1", Tensor: tensor.Of([]bool{true, false, true})},
	}
}

// sameJSON compares two documents whatever their blanks.
func sameJSON(t *testing.T, want, got string) {
	t.Helper()
	var a, b any
	for text, into := range map[string]*any{want: &a, got: &b} {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
	}
	if diff := cmp.Diff(a, b); diff != "" {
		t.Errorf("JSON differs (-want +got):\n%s", diff)
	}
}

// TestGoldenJSON writes the request of the protocol's example and reads its
// answer.
func TestGoldenJSON(t *testing.T) {
	body, err := Request{ID: "42", Inputs: exampleInputs(), Outputs: []string{"output0"}}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, `{"id": "42", "inputs": [
		{"name": "input0", "shape": [2, 2], "datatype": "UINT32", "data": [1, 2, 3, 4]},
		{"name": "input1", "shape": [3], "datatype": "BOOL", "data": [true, false, true]}],
		"outputs": [{"name": "output0"}]}`, string(body.Data))
	if body.Header != 0 || body.ContentType() != "application/json" {
		t.Errorf("want plain JSON, got header %d, %s", body.Header, body.ContentType())
	}
	want := tensor.Of([]float32{1, 1.1, 2, 2.1, 3, 3.1}, 3, 2)
	for name, data := range map[string]string{
		"flat":   `[1.0, 1.1, 2.0, 2.1, 3.0, 3.1]`,
		"nested": `[[1.0, 1.1], [2.0, 2.1], [3.0, 3.1]]`,
	} {
		got, err := DecodeResponse(Body{Data: []byte(`{"id": "42", "outputs": [{"name": "output0",
			"shape": [3, 2], "datatype": "FP32", "data": ` + data + `}]}`)})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.ID != "42" || len(got.Outputs) != 1 || got.Outputs[0].Name != "output0" {
			t.Fatalf("%s: got %+v", name, got)
		}
		if err := equal(want, got.Outputs[0].Tensor); err != "" {
			t.Errorf("%s: %s", name, err)
		}
	}
}

// TestGoldenBinary writes and reads the example of the binary tensor extension:
// 16 bytes for input0, little-endian, then 3 for input1.
func TestGoldenBinary(t *testing.T) {
	body, err := Request{Inputs: exampleInputs(), Outputs: []string{"output0"}, Binary: true}.Encode()
	if err != nil {
		t.Fatal(err)
	}
	sameJSON(t, `{"inputs": [
		{"name": "input0", "shape": [2, 2], "datatype": "UINT32", "parameters": {"binary_data_size": 16}},
		{"name": "input1", "shape": [3], "datatype": "BOOL", "parameters": {"binary_data_size": 3}}],
		"outputs": [{"name": "output0", "parameters": {"binary_data": true}}]}`, string(body.Data[:body.Header]))
	want := []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 1, 0, 1}
	if got := body.Data[body.Header:]; !bytes.Equal(want, got) {
		t.Errorf("want the bytes % x, got % x", want, got)
	}
	if body.ContentType() != "application/octet-stream" {
		t.Errorf("got %s", body.ContentType())
	}
	// FP32 1.0, 1.5, -2.0 are 3f800000, 3fc00000, c0000000. The second output is
	// JSON: an answer may mix.
	head := `{"outputs": [
		{"name": "output0", "shape": [3, 1], "datatype": "FP32", "parameters": {"binary_data_size": 12}},
		{"name": "label", "shape": [3], "datatype": "INT64", "data": [0, -1, 9007199254740993]}]}`
	tail := []byte{0, 0, 0x80, 0x3f, 0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0}
	got, err := DecodeResponse(Body{Data: append([]byte(head), tail...), Header: len(head)})
	if err != nil {
		t.Fatal(err)
	}
	if e := equal(tensor.Of([]float32{1, 1.5, -2}, 3, 1), got.Outputs[0].Tensor); e != "" {
		t.Error(e)
	}
	// 2^53 + 1 has no float64: integers do not go through one.
	if e := equal(tensor.Of([]int64{0, -1, 1<<53 + 1}), got.Outputs[1].Tensor); e != "" {
		t.Error(e)
	}
}

// TestGoldenRaw has the bytes of types whose layout the extension spells out.
func TestGoldenRaw(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   tensor.Tensor
		want []byte
	}{
		{"FP16", tensor.Of([]tensor.Float16Bits{0x3c00, 0xc000, 0x7bff}), []byte{0x00, 0x3c, 0x00, 0xc0, 0xff, 0x7b}}, // 1, -2, 65504
		{"BYTES", tensor.Of([]string{"ab", "", "é"}), []byte{2, 0, 0, 0, 'a', 'b', 0, 0, 0, 0, 2, 0, 0, 0, 0xc3, 0xa9}},
		{"BOOL", tensor.Of([]bool{false, true}), []byte{0, 1}},
		{"INT16", tensor.Of([]int16{-2, 258}), []byte{0xfe, 0xff, 0x02, 0x01}},
		{"FP64", tensor.Of([]float64{1}), []byte{0, 0, 0, 0, 0, 0, 0xf0, 0x3f}},
	} {
		if got := Raw(tt.in); !bytes.Equal(tt.want, got) {
			t.Errorf("%s: want % x, got % x", tt.name, tt.want, got)
		}
		back, err := ReadRaw(tt.in.DType(), tt.in.Shape(), tt.want)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if e := equal(tt.in, back); e != "" {
			t.Errorf("%s: %s", tt.name, e)
		}
	}
}

// equal says how two tensors differ in a bit, "" if they do not.
func equal(want, got tensor.Tensor) string {
	if want.DType() != got.DType() {
		return "want " + want.DType().String() + ", got " + got.DType().String()
	}
	if d := cmp.Diff(want.Shape(), got.Shape()); d != "" {
		return d
	}
	if want.DType() == tensor.String {
		return cmp.Diff(tensor.Values[string](want), tensor.Values[string](got))
	}
	return cmp.Diff(want.Bytes(), got.Bytes())
}

func TestEqualFails(t *testing.T) {
	one := tensor.Of([]float32{1, 2}, 1, 2)
	for _, other := range []tensor.Tensor{
		tensor.Of([]float32{1, 3}, 1, 2), tensor.Of([]float32{1, 2}, 2, 1), tensor.Of([]int32{1, 2}, 1, 2),
	} {
		if equal(one, other) == "" {
			t.Errorf("want a difference to %v", other)
		}
	}
	if equal(tensor.Of([]string{"a"}), tensor.Of([]string{"b"})) == "" {
		t.Error("want a difference of texts")
	}
}

// allTypes has one tensor of each type, [2, 2], with extreme values.
func allTypes() model.Batch {
	smallest, largest := float32(0x1p-149), float32(0x1.fffffep+127)
	return model.Batch{
		{Name: "bool", Tensor: tensor.Of([]bool{true, false, false, true}, 2, 2)},
		{Name: "u8", Tensor: tensor.Of([]uint8{0, 1, 254, 255}, 2, 2)},
		{Name: "u16", Tensor: tensor.Of([]uint16{0, 1, 2, 65535}, 2, 2)},
		{Name: "u32", Tensor: tensor.Of([]uint32{0, 1, 2, 1<<32 - 1}, 2, 2)},
		{Name: "u64", Tensor: tensor.Of([]uint64{0, 1, 1<<53 + 1, 1<<64 - 1}, 2, 2)},
		{Name: "i8", Tensor: tensor.Of([]int8{-128, -1, 0, 127}, 2, 2)},
		{Name: "i16", Tensor: tensor.Of([]int16{-32768, -1, 0, 32767}, 2, 2)},
		{Name: "i32", Tensor: tensor.Of([]int32{-1 << 31, -1, 0, 1<<31 - 1}, 2, 2)},
		{Name: "i64", Tensor: tensor.Of([]int64{-1 << 63, -1, 1<<53 + 1, 1<<63 - 1}, 2, 2)},
		{Name: "f16", Tensor: tensor.Of([]tensor.Float16Bits{0x3c00, 0xc000, 1, 0x7bff}, 2, 2)},
		{Name: "f32", Tensor: tensor.Of([]float32{smallest, -largest, 0.1, 16777217}, 2, 2)},
		{Name: "f64", Tensor: tensor.Of([]float64{5e-324, -1.7976931348623157e308, 0.1, 1e-7}, 2, 2)},
		{Name: "text", Tensor: tensor.Of([]string{"", "a\"b\\", "é\x00\n", strings.Repeat("x", 300)}, 2, 2)},
	}
}

// TestRoundTrip sends every type through each form and wants the same bits back.
func TestRoundTrip(t *testing.T) {
	all := allTypes()
	for _, form := range []string{"json", "binary", "proto"} {
		for _, in := range all {
			if form == "json" && in.Tensor.DType() == tensor.Float16 {
				continue
			}
			r := Request{ID: "1", Inputs: model.Batch{in}, Binary: form == "binary"}
			back, err := there(r, form == "proto")
			if err != nil {
				t.Errorf("%s, %s: %v", form, in.Name, err)
				continue
			}
			if back.ID != "1" || len(back.Inputs) != 1 || back.Inputs[0].Name != in.Name || back.Binary != r.Binary {
				t.Errorf("%s, %s: got %+v", form, in.Name, back)
			} else if e := equal(in.Tensor, back.Inputs[0].Tensor); e != "" {
				t.Errorf("%s, %s: %s", form, in.Name, e)
			}
		}
	}
}

func there(r Request, proto bool) (Request, error) {
	if proto {
		return RequestOf(r.Proto("m", ""))
	}
	body, err := r.Encode()
	if err != nil {
		return Request{}, err
	}
	return DecodeRequest(body)
}

// TestHalfInJSON holds that FP16 is refused in JSON, both ways.
func TestHalfInJSON(t *testing.T) {
	half := model.Batch{{Name: "h", Tensor: tensor.Of([]tensor.Float16Bits{0x3c00})}}
	if _, err := (Request{Inputs: half}).Encode(); err == nil || !strings.Contains(err.Error(), "FP16") {
		t.Errorf("writing: got %v", err)
	}
	if _, err := ReadList(tensor.Float16, []int{1}, []byte(`[1]`)); err == nil {
		t.Error("reading: want an error")
	}
}

// TestTypedContents reads a message whose contents are typed, as clients may send
// and some servers answer.
func TestTypedContents(t *testing.T) {
	for _, in := range allTypes() {
		if in.Tensor.DType() == tensor.Float16 {
			continue // has none, by the protocol
		}
		m := Request{Inputs: model.Batch{in}}.Proto("m", "")
		m.RawInputContents = nil
		m.Inputs[0].Contents = contentsOf(in.Tensor)
		got, err := RequestOf(m)
		if err != nil {
			t.Errorf("%s: %v", in.Name, err)
			continue
		}
		if e := equal(in.Tensor, got.Inputs[0].Tensor); e != "" {
			t.Errorf("%s: %s", in.Name, e)
		}
	}
	m := Request{Inputs: model.Batch{{Name: "i8", Tensor: tensor.Of([]int8{1})}}}.Proto("m", "")
	m.RawInputContents = nil
	m.Inputs[0].Contents = contentsOf(tensor.Of([]int32{300}))
	if _, err := RequestOf(m); err == nil {
		t.Error("want an error for 300 as INT8")
	}
}

// TestCutShort holds that a body which ends too soon wraps io.ErrUnexpectedEOF at
// every length, and no other fault does.
func TestCutShort(t *testing.T) {
	inputs := model.Batch{{Name: "a", Tensor: tensor.Of([]float32{1.5, -2}, 2, 1)}, {Name: "b", Tensor: tensor.Of([]string{"x", "yz"})}}
	for _, binary := range []bool{false, true} {
		body, err := Request{Inputs: inputs, Binary: binary}.Encode()
		if err != nil {
			t.Fatal(err)
		}
		for n := range body.Data {
			_, err := DecodeRequest(Body{Data: body.Data[:n], Header: body.Header})
			if !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("binary %v, %d of %d bytes: want an unexpected end, got %v", binary, n, len(body.Data), err)
			}
		}
	}
	for _, text := range []string{`{"inputs": [x]}`, `{"inputs": []} {}`, `[1]`, `{"inputs": [{"name": "a", "shape": [1], "datatype": "FP32", "data": [NaN]}]}`} {
		if _, err := DecodeRequest(Body{Data: []byte(text)}); err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: want another error, got %v", text, err)
		}
	}
}

// TestNaNNamed holds that NaN in what should be JSON is told as such.
func TestNaNNamed(t *testing.T) {
	_, err := DecodeResponse(Body{Data: []byte(`{"outputs": [{"name": "p", "shape": [2], "datatype": "FP32", "data": [1.0, NaN]}]}`)})
	if err == nil || !strings.Contains(err.Error(), "NaN is no JSON") {
		t.Errorf("got %v", err)
	}
}

// TestBadTensors lists what a peer may get wrong.
func TestBadTensors(t *testing.T) {
	for _, tt := range []struct{ name, tensor, want string }{
		{"datatype", `"shape": [1], "datatype": "BF16", "data": [1]`, "BF16"},
		{"no shape", `"datatype": "FP32", "data": [1]`, "no axis 0"},
		{"negative", `"shape": [-1], "datatype": "FP32", "data": [1]`, "negative"},
		{"too few", `"shape": [2], "datatype": "FP32", "data": [1]`, "want the 2 elements"},
		{"too many", `"shape": [1], "datatype": "FP32", "data": [1, 2]`, "more than the 1"},
		{"huge", `"shape": [1000000, 1000000], "datatype": "FP32", "data": [1]`, "more than"},
		{"large lie", `"shape": [100000000], "datatype": "FP32", "data": [1]`, "characters"},
		{"large lie in binary", `"shape": [100000000], "datatype": "FP32", "parameters": {"binary_data_size": 0}`, "bytes"},
		{"transposed", `"shape": [2, 3], "datatype": "FP32", "data": [[1,2],[3,4],[5,6]]`, "want lists of shape"},
		{"ragged", `"shape": [2, 2], "datatype": "FP32", "data": [[1,2,3],[4]]`, "length and depth"},
		{"mixed depth", `"shape": [3], "datatype": "FP32", "data": [1,[2,3]]`, "length and depth"},
		{"object", `"shape": [1], "datatype": "FP32", "data": [{"a": 1}]`, "object"},
		{"null", `"shape": [1], "datatype": "FP32", "data": [null]`, "null"},
		{"text for a number", `"shape": [1], "datatype": "FP32", "data": ["1"]`, "want FP32"},
		{"number for a text", `"shape": [1], "datatype": "BYTES", "data": [1]`, "want BYTES"},
		{"true for a number", `"shape": [1], "datatype": "FP32", "data": [true]`, "want FP32"},
		{"2 for a BOOL", `"shape": [1], "datatype": "BOOL", "data": [2]`, "want BOOL"},
		{"fraction", `"shape": [1], "datatype": "INT32", "data": [1.5]`, "want INT32"},
		{"overflow", `"shape": [1], "datatype": "UINT8", "data": [256]`, "want UINT8"},
		{"float overflow", `"shape": [1], "datatype": "FP32", "data": [1e39]`, "want FP32"},
		{"no list", `"shape": [1], "datatype": "FP32", "data": 1`, "want a list"},
		{"no data", `"shape": [1], "datatype": "FP32"`, "characters"},
		{"deep", `"shape": [1], "datatype": "FP32", "data": ` + strings.Repeat("[", 40) + "1" + strings.Repeat("]", 40), "deeper"},
	} {
		_, err := DecodeResponse(Body{Data: []byte(`{"outputs": [{"name": "p", ` + tt.tensor + `}]}`)})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
		}
	}
}

func TestBadRaw(t *testing.T) {
	for _, tt := range []struct {
		name  string
		d     tensor.DType
		shape []int
		data  []byte
	}{
		{"short", tensor.Float32, []int{2}, make([]byte, 7)},
		{"long", tensor.Float32, []int{2}, make([]byte, 9)},
		{"bool of 2", tensor.Bool, []int{1}, []byte{2}},
		{"text length beyond", tensor.String, []int{1}, []byte{5, 0, 0, 0, 'a'}},
		{"text length huge", tensor.String, []int{1}, []byte{255, 255, 255, 255}},
		{"no length", tensor.String, []int{2}, []byte{0, 0, 0, 0}},
		{"rest", tensor.String, []int{1}, []byte{0, 0, 0, 0, 'a'}},
		{"scalar", tensor.Float32, nil, make([]byte, 4)},
	} {
		if _, err := ReadRaw(tt.d, tt.shape, tt.data); err == nil {
			t.Errorf("%s: want an error", tt.name)
		}
	}
}

func TestInferList(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want tensor.Tensor
	}{
		{`[1, 0, 2]`, tensor.Of([]float64{1, 0, 2})},
		{`[[0.25], [1e-3]]`, tensor.Of([]float64{0.25, 1e-3}, 2, 1)},
		{`["a", "b"]`, tensor.Of([]string{"a", "b"})},
		{`[true, false]`, tensor.Of([]bool{true, false})},
	} {
		got, err := InferList(0, []byte(tt.in))
		if err != nil {
			t.Errorf("%s: %v", tt.in, err)
		} else if e := equal(tt.want, got); e != "" {
			t.Errorf("%s: %s", tt.in, e)
		}
	}
	for _, bad := range []string{`[]`, `[[]]`, `[1, "a"]`, `{}`, `1`} {
		if _, err := InferList(0, []byte(bad)); err == nil {
			t.Errorf("%s: want an error", bad)
		}
	}
}

func TestAppendRows(t *testing.T) {
	got, err := AppendRows(nil, tensor.Of([]int64{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2))
	if want := "[[[1,2],[3,4]],[[5,6],[7,8]]]"; err != nil || string(got) != want {
		t.Errorf("want %s, got %s, %v", want, got, err)
	}
}
