package oip

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Body is what one HTTP message carries.
type Body struct {
	Data []byte
	// Header is the number of bytes of JSON in front, 0 when all of it is JSON:
	// the value of the header [HeaderLength].
	Header int
}

// ContentType is the media type of the body.
func (b Body) ContentType() string {
	if b.Header > 0 {
		return "application/octet-stream"
	}
	return "application/json"
}

// A Request asks for outputs of a model.
type Request struct {
	// ID comes back with the answer.
	ID     string
	Inputs model.Batch
	// Outputs are the names of those that are wanted, none for all.
	Outputs []string
	// Binary is set where tensors travel in binary, and are wanted so.
	Binary bool
	// binary says so for outputs that were asked for by name.
	binary map[string]bool
}

// A Response answers a [Request].
type Response struct {
	ID, Model, Version string
	Outputs            model.Batch
}

// Encode writes the request.
func (r Request) Encode() (Body, error) {
	head := inferRequest{ID: r.ID}
	for _, name := range r.Outputs {
		out := requestedOutput{Name: name}
		if r.Binary {
			out.Parameters = &tensorParameters{BinaryData: &r.Binary}
		}
		head.Outputs = append(head.Outputs, out)
	}
	if r.Binary && len(r.Outputs) == 0 {
		head.Parameters = &requestParameters{BinaryDataOutput: true}
	}
	return encode(head, "inputs", r.Inputs, func(string) bool { return r.Binary })
}

// DecodeRequest reads a request.
func DecodeRequest(b Body) (Request, error) {
	var head inferRequest
	tail, err := split(b, &head)
	if err != nil {
		return Request{}, err
	}
	r := Request{ID: head.ID, Binary: head.Parameters != nil && head.Parameters.BinaryDataOutput, binary: map[string]bool{}}
	for _, out := range head.Outputs {
		r.Outputs = append(r.Outputs, out.Name)
		if p := out.Parameters; p != nil && p.BinaryData != nil {
			r.binary[out.Name] = *p.BinaryData
		}
	}
	r.Inputs, err = decode("input", head.Inputs, tail)
	return r, err
}

// Encode writes the answer as the request wants it.
func (r Response) Encode(to Request) (Body, error) {
	binary := func(name string) bool {
		if wanted, said := to.binary[name]; said {
			return wanted
		}
		return to.Binary
	}
	return encode(inferResponse{ID: r.ID, ModelName: r.Model, ModelVersion: r.Version}, "outputs", r.Outputs, binary)
}

// DecodeResponse reads an answer. Some of its tensors may be in binary and others
// in JSON.
func DecodeResponse(b Body) (Response, error) {
	var head inferResponse
	tail, err := split(b, &head)
	if err != nil {
		return Response{}, err
	}
	r := Response{ID: head.ID, Model: head.ModelName, Version: head.ModelVersion}
	if r.Outputs, err = decode("output", head.Outputs, tail); err == nil && len(r.Outputs) == 0 {
		err = fmt.Errorf("the answer has no outputs: %s", shorten(string(b.Data)))
	}
	return r, err
}

// encode writes a message: head, an object with the list of tensors under key
// behind its other fields, then those that travel in binary. Lists of numbers are
// most of it, so that they are written in place: encoding/json would look at
// each of them twice more.
func encode(head any, key string, batch model.Batch, binary func(name string) bool) (Body, error) {
	data, err := json.Marshal(head)
	if err != nil {
		return Body{}, err
	}
	data = data[:len(data)-1] // its bracket comes behind the list
	if len(data) > 1 {
		data = append(data, ',')
	}
	data = append(strconv.AppendQuote(data, key), ':', '[')
	var tail [][]byte
	for i, n := range batch {
		if i > 0 {
			data = append(data, ',')
		}
		t := inferTensor{Name: n.Name, Shape: n.Tensor.Shape(), Datatype: Datatype(n.Tensor.DType())}
		if binary(n.Name) {
			raw := Raw(n.Tensor)
			size := len(raw)
			t.Parameters = &tensorParameters{BinaryDataSize: &size}
			tail = append(tail, raw)
		}
		description, err := json.Marshal(t)
		if err != nil {
			return Body{}, err
		}
		data = append(data, description...)
		if t.Parameters == nil {
			data = append(data[:len(data)-1], `,"data":`...)
			if data, err = AppendList(data, n.Tensor); err != nil {
				return Body{}, fmt.Errorf("tensor %q: %w", n.Name, err)
			}
			data = append(data, '}')
		}
	}
	data = append(data, ']', '}')
	if tail == nil {
		return Body{Data: data}, nil
	}
	body := Body{Header: len(data)}
	body.Data = slices.Concat(append([][]byte{data}, tail...)...)
	return body, nil
}

// split reads the JSON of a body into head and returns what follows.
func split(b Body, head any) (tail []byte, err error) {
	if b.Header < 0 || b.Header > len(b.Data) {
		return nil, fmt.Errorf("%s is %d, the body has %d bytes: %w", HeaderLength, b.Header, len(b.Data), io.ErrUnexpectedEOF)
	}
	data := b.Data
	if b.Header > 0 {
		data, tail = data[:b.Header], data[b.Header:]
	}
	return tail, ReadJSON(data, head)
}

// ReadJSON reads one JSON document. A document that ends too soon gives an error
// that wraps [io.ErrUnexpectedEOF]: it may come whole another time.
func ReadJSON(data []byte, into any) error {
	err := json.Unmarshal(data, into)
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return err
	}
	if int(syntax.Offset) >= len(data) && cutShort(data) {
		return fmt.Errorf("the JSON ends after %d bytes: %w", len(data), io.ErrUnexpectedEOF)
	}
	at := max(0, int(syntax.Offset)-1)
	rest := data[at:]
	for _, word := range []string{"NaN", "Infinity", "-Infinity"} {
		if bytes.HasPrefix(rest, []byte(word)) {
			return fmt.Errorf("byte %d: %s is no JSON; the model gave a number that is not finite, and the server wrote it all the same", at, word)
		}
	}
	return fmt.Errorf("byte %d: no JSON: %w, at %q", at, syntax, shorten(string(rest)))
}

// cutShort reports whether data are the beginning of a JSON document.
func cutShort(data []byte) bool {
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := d.Token(); err != nil {
			return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		}
	}
}

// decode makes tensors of the list, taking those in binary from tail in order.
func decode(kind string, list []inferTensor, tail []byte) (model.Batch, error) {
	var out model.Batch
	for _, in := range list {
		d, err := ParseDatatype(in.Datatype)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", kind, in.Name, err)
		}
		var t tensor.Tensor
		if size, binary := binarySize(in); binary {
			if size < 0 || size > len(tail) {
				return nil, fmt.Errorf("%s %q: want %d bytes of binary data, the body has %d left: %w", kind, in.Name, size, len(tail), io.ErrUnexpectedEOF)
			}
			t, err = ReadRaw(d, in.Shape, tail[:size])
			tail = tail[size:]
		} else {
			t, err = ReadList(d, in.Shape, in.Data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", kind, in.Name, err)
		}
		out = append(out, model.Named{Name: in.Name, Tensor: t})
	}
	if len(tail) > 0 {
		return nil, fmt.Errorf("%d bytes are left behind the last tensor in binary", len(tail))
	}
	return out, nil
}

func binarySize(t inferTensor) (size int, binary bool) {
	if t.Parameters == nil || t.Parameters.BinaryDataSize == nil {
		return 0, false
	}
	return *t.Parameters.BinaryDataSize, true
}
