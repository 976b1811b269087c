package process

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// maxHello bounds the JSON of a hello: names and shapes are short.
const maxHello = 16 << 20

// A hello is what a child says of itself before the first batch.
type hello struct {
	Name    string `json:"name"`
	Runtime string `json:"runtime"`
	// Digest is the SHA-256, in hexadecimal, of what the command does not name.
	Digest string `json:"digest"`
	// MaxRows is the most rows of a batch, 0 for any number.
	MaxRows int         `json:"max_rows"`
	Inputs  []helloSpec `json:"inputs"`
	Outputs []helloSpec `json:"outputs"`
}

type helloSpec struct {
	Name  string `json:"name"`
	DType string `json:"dtype"`
	Shape []int  `json:"shape"`
	// Classes names the columns of an output; it may be absent.
	Classes []string `json:"classes"`
}

// readHello reads and checks the payload of a hello.
func readHello(payload []byte) (hello, model.Signature, error) {
	var h hello
	if err := json.Unmarshal(payload, &h); err != nil {
		return h, model.Signature{}, breachf("", "its hello is no JSON of the right form: %v", err)
	}
	sig, err := h.signature()
	if err != nil {
		return h, sig, breachf("mend what the model declares: see intershap help python", "its hello: %v", err)
	}
	return h, sig, nil
}

// digestBytes is the length of a SHA-256.
const digestBytes = 32

func (h hello) signature() (sig model.Signature, err error) {
	if h.MaxRows < 0 {
		return sig, fmt.Errorf("max_rows is %d, want 0 for any number, or more", h.MaxRows)
	}
	if raw, err := hex.DecodeString(h.Digest); err != nil || len(raw) != 0 && len(raw) != digestBytes {
		return sig, fmt.Errorf("digest is %q, want a SHA-256 in hexadecimal", h.Digest)
	}
	if sig.Inputs, err = specs("input", h.Inputs); err != nil {
		return sig, err
	}
	if sig.Outputs, err = specs("output", h.Outputs); err != nil {
		return sig, err
	}
	for _, s := range slices.Concat(sig.Inputs, sig.Outputs) {
		if first := sig.Inputs[0]; s.Shape[0] != first.Shape[0] {
			return sig, fmt.Errorf("%s and %s differ in axis 0, want the same rows everywhere", first, s)
		}
	}
	if fixed := sig.Inputs[0].Shape[0]; fixed > 0 {
		if h.MaxRows > 0 && h.MaxRows < fixed {
			return sig, fmt.Errorf("max_rows is %d, but every batch has the %d rows of axis 0", h.MaxRows, fixed)
		}
		sig.BatchSize = fixed
	}
	return sig, nil
}

// specs checks what a hello says of inputs or outputs.
func specs(kind string, list []helloSpec) ([]tensor.Spec, error) {
	if len(list) == 0 {
		return nil, fmt.Errorf("it has no %ss", kind)
	}
	out := make([]tensor.Spec, len(list))
	for i, s := range list {
		switch {
		case s.Name == "" || strings.ContainsRune(s.Name, 0):
			return nil, fmt.Errorf("%s %d is called %q, want a name", kind, i, s.Name)
		case slices.ContainsFunc(list[:i], func(other helloSpec) bool { return other.Name == s.Name }):
			return nil, fmt.Errorf("two %ss are called %q", kind, s.Name)
		case len(s.Shape) == 0:
			return nil, fmt.Errorf("%s %q has no axes, want axis 0 for the rows", kind, s.Name)
		}
		dtype, err := parseDType(s.DType)
		if err != nil {
			return nil, fmt.Errorf("%s %q: %w", kind, s.Name, err)
		}
		for axis, n := range s.Shape {
			if n < -1 || n == 0 {
				return nil, fmt.Errorf("%s %q: axis %d has the length %d, want -1 for any, or at least 1", kind, s.Name, axis, n)
			}
		}
		if s.Classes != nil && (len(s.Shape) != 2 || s.Shape[1] > 0 && s.Shape[1] != len(s.Classes)) {
			return nil, fmt.Errorf("%s %q has the shape %s and %d names of classes, want a name for each column", kind, s.Name, tensor.FormatShape(s.Shape), len(s.Classes))
		}
		out[i] = tensor.Spec{Name: s.Name, DType: dtype, Shape: s.Shape}
	}
	return out, nil
}

func parseDType(text string) (tensor.DType, error) {
	var known []string
	for d := tensor.Float16; d <= tensor.String; d++ {
		if d.String() == text {
			return d, nil
		}
		known = append(known, d.String())
	}
	return 0, fmt.Errorf("the type %q is unknown, want one of %s", text, strings.Join(known, ", "))
}

// same reports whether two children take and give the same.
func (h hello) same(other hello) bool {
	h.Name, h.Runtime = other.Name, other.Runtime // words
	return reflect.DeepEqual(h, other)
}
