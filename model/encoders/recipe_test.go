package encoders

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	tests := []struct{ name, text, reason string }{
		{"flow", "encoders: {image: a.onnx, ecg: b.onnx}\nhead: h.onnx\n", "as in the manual"},
		{"block", "# parts\nhead: \"h.onnx\"\nencoders:\n  image: a.onnx\n  ecg: 'b.onnx'\n", "in any order, with quotes"},
		{"JSON", `{"encoders": {"image": "a.onnx", "ecg": "b.onnx"}, "head": "h.onnx"}`, "YAML that is JSON"},
	}
	for _, tt := range tests {
		r, err := parse([]byte(tt.text))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := []string{r.head.path}
		for _, e := range r.encoders {
			got = append(got, e.key, e.path)
		}
		if want := []string{"h.onnx", "image", "a.onnx", "ecg", "b.onnx"}; !slices.Equal(want, got) {
			t.Errorf("%s (%s): want %q, got %q", tt.name, tt.reason, want, got)
		}
	}
}

func TestParseErrors(t *testing.T) {
	tests := []struct {
		name, text string
		line       int // 0 for none
		want       string
	}{
		{"empty", "", 0, "the file is empty"},
		{"comment", "# nothing\n", 0, "the file is empty"},
		{"null", "---\n", 2, `want "encoders:`},
		{"list", "\n- a.onnx\n", 2, `want "encoders:`},
		{"no YAML", "encoders: {image: a.onnx\nhead", 0, "not YAML"},
		{"two documents", "encoders: {a: a.onnx}\nhead: h.onnx\n---\nhead: h.onnx\n", 0, "want one YAML document"},
		{"unknown key", "encoders: {a: a.onnx}\nheads: h.onnx\n", 2, `unknown key "heads"`},
		{"key twice", "head: h.onnx\nencoders: {a: a.onnx}\nhead: i.onnx\n", 3, `"head" stands on line 1 already`},
		{"encoder twice", "encoders:\n  a: a.onnx\n  a: b.onnx\nhead: h.onnx\n", 3, `"a" stands on line 2 already`},
		{"no encoders", "head: h.onnx\n", 0, "no encoders"},
		{"empty encoders", "encoders: {}\nhead: h.onnx\n", 0, "no encoders"},
		{"list of encoders", "encoders: [a.onnx]\nhead: h.onnx\n", 1, "want names and files"},
		{"no head", "encoders: {a: a.onnx}\n", 0, "no head"},
		{"null head", "encoders: {a: a.onnx}\nhead:\n", 2, "head: want the path of an ONNX file"},
		{"number", "encoders: {a: 5}\nhead: h.onnx\n", 1, `encoder "a": want the path of an ONNX file`},
		{"list of files", "encoders: {a: [b.onnx]}\nhead: h.onnx\n", 1, `encoder "a": want the path of an ONNX file`},
		{"alias", "encoders: {a: &x a.onnx, b: *x}\nhead: h.onnx\n", 1, `encoder "b": want the path`},
		{"key that is no name", "encoders: {[a]: a.onnx}\nhead: h.onnx\n", 1, "want a name"},
		{"key without letters", "encoders: {\"\": a.onnx}\nhead: h.onnx\n", 1, "want a name"},
	}
	for _, tt := range tests {
		_, err := parse([]byte(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.name, tt.want, err)
			continue
		}
		line := 0
		var at *lineError
		if errors.As(err, &at) {
			line = at.line
		}
		if line != tt.line {
			t.Errorf("%s: want line %d, got %d: %v", tt.name, tt.line, line, err)
		}
	}
}

// FuzzParse holds that any bytes are a recipe or an error.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"encoders: {image: a.onnx}\nhead: h.onnx\n", "a: &a [*a]", "? {a: b}\n: c", "%YAML 1.2\n---\nhead: !!binary aGk=\n", "<<: {head: h}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := parse(data)
		if err != nil {
			return
		}
		if r.head.path == "" || len(r.encoders) == 0 {
			t.Errorf("no error, and no head or no encoders: %+v", r)
		}
		for _, e := range r.encoders {
			if e.key == "" || e.path == "" || e.line == 0 {
				t.Errorf("no error, and an encoder without name, path or line: %+v", e)
			}
		}
	})
}
