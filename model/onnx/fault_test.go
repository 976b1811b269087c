package onnx

import (
	"errors"
	"strings"
	"testing"
)

func TestRefused(t *testing.T) {
	const before = "Error loading temporary session: Load model from dir/m.onnx failed:"
	for _, tt := range []struct {
		name, text         string
		want, hint, reason string
	}{
		{"opset", before + "/src/model_load_utils.h:46 void onnxruntime::ValidateOpsetForDomain(const std::unordered_map<std::basic_string<char>, int>&, bool, int) " +
			"ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. " +
			"Current official support for domain ai.onnx is till opset 26.",
			"the model has opset 99 of domain ai.onnx, the library knows 26 at most", "with opset 26 or lower", "numbers of both sides"},
		{"IR", before + "/src/model.cc:192 onnxruntime::Model::Model(onnx::ModelProto&&, const PathString&) Unsupported model IR version: 99, max supported IR version: 13",
			"the file has IR version 99, the library knows 13 at most", "ir_version", "numbers of both sides"},
		{"operator", before + `This is an invalid model. In Node, ("node7", Frobnicate, "", -1) : ("x": tensor(float),) -> ("y": tensor(float),) , Error No Op registered for Frobnicate with domain_version of 13`,
			"there is no operator Frobnicate in the model's opset 13", "export the model again", "the node's types do not matter"},
		{"custom operator", before + "Fatal error: com.acme:Frobnicate(-1) is not a registered function/op",
			"the library has no operator com.acme:Frobnicate", "custom operators", "the overload is none"},
		{"else", before + "Invalid model. Node input 'q' is not a graph input.", "Invalid model. Node input 'q' is not a graph input.", "", "the runtime's words are clear"},
		{"another place", "Error creating session: no room", "Error creating session: no room", "", "nothing to cut"},
	} {
		native := errors.New(tt.text)
		err := refused(file{path: "dir/m.onnx", content: content{hasGraph: true}}, native)
		var load *LoadError
		if !errors.As(err, &load) || !errors.Is(err, native) {
			t.Fatalf("%s: want a LoadError around the runtime's, got %v", tt.name, err)
		}
		if want := "ONNX Runtime cannot load it: " + tt.want; err.Error() != want {
			t.Errorf("%s (%s): want %q, got %q", tt.name, tt.reason, want, err)
		}
		if (tt.hint == "") != (load.Hint == "") || !strings.Contains(load.Hint, tt.hint) {
			t.Errorf("%s (%s): want a hint with %q, got %q", tt.name, tt.reason, tt.hint, load.Hint)
		}
	}
}

// TestRefusedDoubts checks that a file without a graph is asked about.
func TestRefusedDoubts(t *testing.T) {
	err := refused(file{path: "m", looksLike: "; this looks like JSON text"}, errors.New("no graph"))
	if want := "ONNX Runtime cannot load it: no graph (is it an ONNX model?; this looks like JSON text)"; err.Error() != want {
		t.Errorf("want %q, got %q", want, err)
	}
}

func TestWithoutSignature(t *testing.T) {
	for _, tt := range []struct{ text, want, reason string }{
		{"/a/b.cc:1 void f(int) It broke.", "It broke.", "a function"},
		{"/a/b.cc:1 void f(std::function<int(int)>) It (really) broke.", "It (really) broke.", "parentheses inside, and behind"},
		{"/a/b.h:12 int ns::C::f() const It broke.", "It broke.", "a method"},
		{"/a/b.cc:1 void f(T) [with T = int] It broke.", "It broke.", "a template"},
		{"/a/b.cc:1 f(int)::<lambda(long)> It broke.", "It broke.", "a function inside a function"},
		{`D:\a\b.cc:1 void __cdecl f(int) It broke.`, "It broke.", "a path of Windows"},
		{"It (really) broke.", "It (really) broke.", "no place"},
		{"/a/b.cc:1 It broke.", "/a/b.cc:1 It broke.", "no signature: nothing is cut"},
		{"/a/b.cc:1 void f(int", "/a/b.cc:1 void f(int", "cut short"},
		{"/a/b.cc:1 void f(int)", "/a/b.cc:1 void f(int)", "nothing would be left"},
	} {
		if got := withoutSignature(tt.text); got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.reason, tt.want, got)
		}
	}
}
