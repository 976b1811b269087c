package oip

import (
	"testing"

	"github.com/intershap/intershap/tensor"
)

// FuzzBody reads any body as a request and as an answer: no panic, and what is
// read gives the same tensors again when it is written and read.
func FuzzBody(f *testing.F) {
	all := allTypes()
	for _, in := range all {
		for _, binary := range []bool{false, true} {
			if body, err := (Request{Inputs: all[:0:0], Binary: binary}).Encode(); err == nil {
				f.Add(body.Data, body.Header)
			}
			if body, err := (Response{Outputs: append(all[:0:0], in)}).Encode(Request{Binary: binary}); err == nil {
				f.Add(body.Data, body.Header)
			}
		}
	}
	f.Add([]byte(`{"outputs":[{"name":"p","shape":[1],"datatype":"BYTES","data":["\u00e9\ud800"]}]}`), 0)
	f.Fuzz(func(t *testing.T, data []byte, header int) {
		body := Body{Data: data, Header: header}
		_, _ = DecodeRequest(body)
		r, err := DecodeResponse(body)
		if err != nil {
			return
		}
		again, err := r.Encode(Request{Binary: true})
		if err != nil {
			t.Fatal(err)
		}
		back, err := DecodeResponse(again)
		if err != nil {
			t.Fatal(err)
		}
		for i, out := range r.Outputs {
			if e := equal(out.Tensor, back.Outputs[i].Tensor); e != "" {
				t.Errorf("%q: %s", out.Name, e)
			}
		}
	})
}

// FuzzList reads any list as every type: no panic, bounded memory, and the walk
// itself needs no valid JSON to stay inside the data.
func FuzzList(f *testing.F) {
	for _, seed := range []string{`[1,2]`, `[[1],[2]]`, `["a\"","b"]`, `[true]`, `[null]`, `[[[[`, `["`, `["\`, `[1`, `[,]`} {
		f.Add([]byte(seed), 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, rows int) {
		for d := tensor.Float16; d <= tensor.String; d++ {
			_, _ = ReadList(d, []int{rows}, data)
			_, _ = ReadRaw(d, []int{rows}, data)
		}
		_, _ = InferList(0, data)
	})
}
