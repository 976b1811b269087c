//go:build cgo

package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// open opens a model of testdata. Without the native library the test fails
// with the remedy: a suite that skips it would test nothing.
func open(t testing.TB, name string, outputs ...string) *Model {
	t.Helper()
	return openPath(t, filepath.Join("testdata", name+".onnx"), outputs...)
}

func openPath(t testing.TB, path string, outputs ...string) *Model {
	t.Helper()
	m, err := Open(path, Options{Outputs: func([]tensor.Spec) []string { return outputs }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func TestSignature(t *testing.T) {
	f32 := func(name string, shape ...int) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.Float32, Shape: shape}
	}
	tests := []struct {
		model string
		want  model.Signature
	}{
		{"dense", model.Signature{
			Inputs:  []tensor.Spec{f32("a", -1, 4), f32("b", -1, 3)},
			Outputs: []tensor.Spec{f32("logits", -1, 3), f32("probabilities", -1, 3)}}},
		{"batch4", model.Signature{
			Inputs:    []tensor.Spec{f32("a", 4, 4), f32("b", 4, 3)},
			Outputs:   []tensor.Spec{f32("logits", 4, 3), f32("probabilities", 4, 3)},
			BatchSize: 4}},
		{"columns", model.Signature{
			Inputs: []tensor.Spec{f32("age", -1, 1),
				{Name: "stage", DType: tensor.String, Shape: []int{-1, 1}},
				{Name: "visits", DType: tensor.Int64, Shape: []int{-1, 1}}},
			Outputs: []tensor.Spec{f32("risk", -1, 1)}}},
		{"zipmap_string", model.Signature{
			Inputs: []tensor.Spec{f32("x", -1, 2)},
			Outputs: []tensor.Spec{{Name: "output_label", DType: tensor.Int64, Shape: []int{-1}},
				f32("output_probability", -1, 3)}}},
		{"gru", model.Signature{
			Inputs:  []tensor.Spec{f32("seq", -1, 4, 3)},
			Outputs: []tensor.Spec{f32("state", -1, 2)}}},
	}
	for _, tt := range tests {
		t.Run(tt.model, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, open(t, tt.model).Signature()); diff != "" {
				t.Errorf("signature (-want +got):\n%s", diff)
			}
		})
	}
}

func TestClasses(t *testing.T) {
	tests := []struct {
		model, output string
		want          []string
	}{
		{"zipmap_int", "output_probability", []string{"2", "10", "33"}},
		{"zipmap_string", "output_probability", []string{"basal", "her2", "luminal"}},
		{"zipmap_string", "output_label", nil},
		{"dense", "probabilities", nil},
	}
	for _, tt := range tests {
		if got := open(t, tt.model).Classes(tt.output); !slices.Equal(tt.want, got) {
			t.Errorf("%s, output %s: want classes %q, got %q", tt.model, tt.output, tt.want, got)
		}
	}
}

// TestClassesOfMetadata adds class names to files of testdata.
func TestClassesOfMetadata(t *testing.T) {
	tests := []struct {
		model, output, reason, names string
		want                         []string
	}{
		{"dense", "probabilities", "a name for each column", `["a","b","c"]`, []string{"a", "b", "c"}},
		{"dense", "logits", "every output of that width", `["a","b","c"]`, []string{"a", "b", "c"}},
		{"batch4", "logits", "rows are not columns", `["a","b","c"]`, []string{"a", "b", "c"}},
		{"batch4", "logits", "rows are not columns", `["a","b","c","d"]`, nil},
		{"dense", "logits", "a name is missing", `["a","b"]`, nil},
		{"dense", "logits", "damaged", `["a","b","c"`, nil},
		{"dense", "a", "an input has no classes", `["a","b","c","d"]`, nil},
		{"dense", "nothing", "no such output", `["a","b","c"]`, nil},
		{"zipmap_string", "output_probability", "the labels of a ZipMap are nearer", `["a","b","c"]`, []string{"basal", "her2", "luminal"}},
		{"zipmap_string", "output_label", "labels have no columns", `["a","b","c"]`, nil},
	}
	for _, tt := range tests {
		data, err := os.ReadFile(filepath.Join("testdata", tt.model+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		// In protocol buffers what stands behind is added.
		data = append(data, marshal(t, &onnxpb.ModelProto{MetadataProps: metadata(tt.names)})...)
		path := filepath.Join(t.TempDir(), "m.onnx")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		m := openPath(t, path)
		got := m.Classes(tt.output)
		if !slices.Equal(tt.want, got) {
			t.Errorf("%s, output %s (%s): want classes %q, got %q", tt.model, tt.output, tt.reason, tt.want, got)
		}
		if len(got) > 0 {
			got[0] = "changed"
			if again := m.Classes(tt.output); !slices.Equal(tt.want, again) {
				t.Errorf("%s, output %s: want the caller's own names, got %q after a change", tt.model, tt.output, again)
			}
		}
	}
}

func TestUnsupportedOutputs(t *testing.T) {
	m := open(t, "unsupported")
	want := []string{
		"parts: a sequence",
		"half: float16 of unknown width [2,?]; put a Cast to float32 behind it",
		"mean: a scalar, which has no row axis",
	}
	if diff := cmp.Diff(want, m.Unsupported()); diff != "" {
		t.Errorf("unsupported outputs (-want +got):\n%s", diff)
	}
	out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of([]float32{-1, 2, 3, -4}, 2, 2)}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out) != 1 || out[0].Name != "y" {
		t.Errorf("want the one output y, got %v", out)
	}
}

func TestOutputsByName(t *testing.T) {
	m := open(t, "dense", "probabilities")
	if got := m.Signature().Outputs; len(got) != 1 || got[0].Name != "probabilities" {
		t.Errorf("want the one output probabilities, got %v", got)
	}
	swapped := open(t, "dense", "probabilities", "logits").Signature().Outputs
	if swapped[0].Name != "probabilities" || swapped[1].Name != "logits" {
		t.Errorf("want the outputs in the order asked for, got %v", swapped)
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	dense, err := os.ReadFile("testdata/dense.onnx")
	if err != nil {
		t.Fatal(err)
	}
	ext, err := os.ReadFile("testdata/external.onnx")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	testdata := func(name string) string { return filepath.Join("testdata", name) }
	tests := []struct {
		name, reason string
		path         string
		outputs      []string
		want         string
	}{
		{"missing", "the path is the remedy", filepath.Join(dir, "none.onnx"), nil, "none.onnx: no such file"},
		{"folder", "a folder is no model", dir, nil, "want a file, got a folder"},
		{"empty", "a failed download", write("empty.onnx", nil), nil, "got an empty file"},
		{"text", "an error page", write("page.onnx", []byte("<html>not found</html>")), nil, "looks like HTML"},
		{"zip", "a PyTorch checkpoint", write("model.pt", []byte("PK\x03\x04\x00\x00")), nil, "torch.onnx.export"},
		{"pickle", "a scikit-learn model", write("model.pkl", []byte("\x80\x04\x95\x10\x00")), nil, "skl2onnx"},
		{"lfs", "a pointer instead of the file", write("lfs.onnx", []byte("version https://git-lfs.github.com/spec/v1\n")), nil, "git lfs pull"},
		{"random", "garbage", write("random.onnx", []byte{0xff, 0x13, 0x37, 0x00, 0x99}), nil, "not an ONNX model"},
		{"other message", "a protocol buffer, but no model", write("other.onnx", []byte{0x08, 0x01}), nil, "is it an ONNX model?"},
		{"half", "a copy that broke off", write("half.onnx", dense[:len(dense)/2]), nil, "cut short"},
		{"one byte short", "a copy that broke off late", write("short.onnx", dense[:len(dense)-1]), nil, "cut short"},
		{"external missing", "the data file was left behind", write("external.onnx", ext), nil, `external data "external.data", wanted beside the model: no such file`},
		{"external outside", "a model must not read just any file",
			write("outside.onnx", []byte(strings.Replace(string(ext), "external.data", "../etc/passwd", 3))), nil, "lies outside the model's folder"},
		{"scalar", "no row axis", testdata("scalar_input.onnx"), nil, `input "scale" is a scalar`},
		{"two batches", "no common number of rows", testdata("two_batches.onnx"), nil, `inputs "x" and "z" fix axis 0 at 4 and 1`},
		{"bfloat16", "no data file holds it", testdata("bfloat16.onnx"), nil, `input "x" has element type bfloat16`},
		{"unknown output", "a typing error", testdata("dense.onnx"), []string{"logit"}, `no output "logit"; outputs: logits, probabilities`},
		{"output twice", "two columns of one name", testdata("dense.onnx"), []string{"logits", "logits"}, "asked for twice"},
		{"unsupported output", "asked for all the same", testdata("unsupported.onnx"), []string{"parts"}, "output parts: a sequence; supported outputs: y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m, err := Open(tt.path, Options{Outputs: func([]tensor.Spec) []string { return tt.outputs }})
			if err == nil {
				t.Fatalf("%s: want an error, got a model: %v", tt.reason, errors.Join(m.Close()))
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.HasPrefix(err.Error(), "onnx: ") {
				t.Errorf("%s: want an error of onnx with %q, got %v", tt.reason, tt.want, err)
			}
			if n := strings.Count(err.Error(), filepath.Base(tt.path)); n > 2 {
				t.Errorf("want the path once, got it %d times: %v", n, err)
			}
		})
	}
}

// TestOpenRefused checks that the runtime's own words are recognised: a library
// that changes them fails here.
func TestOpenRefused(t *testing.T) {
	dense, err := os.ReadFile("testdata/dense.onnx")
	if err != nil {
		t.Fatal(err)
	}
	change := func(old, new string) []byte {
		if strings.Count(string(dense), old) == 0 {
			t.Fatalf("dense.onnx has no %q", old)
		}
		return []byte(strings.Replace(string(dense), old, new, 1))
	}
	// y is declared as a vector, whatever x is.
	relu := func(shape *onnxpb.TensorShapeProto) []byte {
		info := func(name string, shape *onnxpb.TensorShapeProto) []*onnxpb.ValueInfoProto {
			return []*onnxpb.ValueInfoProto{{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{
				TensorType: &onnxpb.TypeProto_Tensor{ElemType: proto.Int32(int32(onnxpb.TensorProto_FLOAT)), Shape: shape}}}}}
		}
		one := &onnxpb.TensorShapeProto{Dim: []*onnxpb.TensorShapeProto_Dimension{{Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: 1}}}}
		return marshal(t, &onnxpb.ModelProto{
			IrVersion:   proto.Int64(8),
			OpsetImport: []*onnxpb.OperatorSetIdProto{{Version: proto.Int64(13)}},
			Graph: &onnxpb.GraphProto{
				Name:  proto.String("g"),
				Node:  []*onnxpb.NodeProto{{OpType: proto.String("Relu"), Input: []string{"x"}, Output: []string{"y"}}},
				Input: info("x", shape), Output: info("y", one),
			},
		})
	}
	for _, tt := range []struct {
		name       string
		data       []byte
		want, hint string
	}{
		{"opset", change("\x42\x04\x0a\x00\x10\x0d", "\x42\x04\x0a\x00\x10\x63"), "the model has opset 99 of domain ai.onnx, the library knows ", "or lower"},
		{"ir", change("\x08\x08", "\x08\x63"), "the file has IR version 99, the library knows ", "ir_version"},
		{"operator", change("Softmax", "Softmix"), "there is no operator Softmix in the model's opset 13", "export the model again"},
		{"shape", relu(nil), `input "x" has no shape in the file`, ""},
		{"scalar", relu(&onnxpb.TensorShapeProto{}), `(y: a scalar, which has no row axis)`, ""},
	} {
		path := filepath.Join(t.TempDir(), tt.name+".onnx")
		if err := os.WriteFile(path, tt.data, 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path, Options{})
		if err == nil {
			t.Fatalf("%s: want an error, got a model (close: %v)", tt.name, m.Close())
		}
		if !strings.Contains(err.Error(), tt.want) || strings.ContainsAny(err.Error(), "?*") {
			t.Errorf("%s: want %q and no question, got %v", tt.name, tt.want, err)
		}
		var load *LoadError
		if errors.As(err, &load) != (tt.hint != "") || load != nil && !strings.Contains(load.Hint, tt.hint) {
			t.Errorf("%s: want a hint with %q, got %+v", tt.name, tt.hint, load)
		}
	}
}

// TestTruncated opens every prefix of a model: each is an error, none a crash.
func TestTruncated(t *testing.T) {
	data, err := os.ReadFile("testdata/dense.onnx")
	if err != nil {
		t.Fatal(err)
	}
	// The file ends with an opset import that this graph does not need; cut
	// right before it, it is a model still.
	const unused = len("\x42\x0e\x0a\x0aai.onnx.ml\x10\x02")
	path := filepath.Join(t.TempDir(), "model.onnx")
	for n := range data {
		if err := os.WriteFile(path, data[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := Open(path, Options{})
		if err == nil {
			err := m.Close()
			if n != len(data)-unused {
				t.Errorf("%d of %d bytes: want an error, got a model (close: %v)", n, len(data), err)
			}
		}
	}
}

func TestDigest(t *testing.T) {
	// Computed in testdata with sha256sum and, for external data,
	// `sha256sum external.onnx external.data | sha256sum`.
	tests := []struct{ model, want string }{
		{"dense", "3ab0305228e8db06dbe64625053186db71d31b3eed5a3d2421a933c88dd59a88"},
		{"external", "d6b976e31c987a6f63f61d6f6c1e12185dc17cee4a4ccc6b27017e6aa598b60b"},
	}
	for _, tt := range tests {
		if got := open(t, tt.model).Digest(); got != tt.want {
			t.Errorf("%s: want %s, got %s", tt.model, tt.want, got)
		}
	}
}

func TestExternalDataChangesDigest(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"external.onnx", "external.data"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "external.data" {
			data[0] ^= 1
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	changed := openPath(t, filepath.Join(dir, "external.onnx"))
	if original := open(t, "external"); original.Digest() == changed.Digest() {
		t.Errorf("want another digest for other weights, got %s for both", changed.Digest())
	}
}

func TestRuntime(t *testing.T) {
	got := open(t, "dense").Runtime()
	if want := runtime.GOOS + "/" + runtime.GOARCH; !strings.HasPrefix(got, "onnxruntime 1.") || !strings.HasSuffix(got, want) {
		t.Errorf("want \"onnxruntime 1.x.y %s\", got %q", want, got)
	}
}

func TestOneLibraryPerProcess(t *testing.T) {
	open(t, "dense") // loads the library that is found
	lib, err := FindLibrary("")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Open("testdata/dense.onnx", Options{Library: lib.Path})
	if err != nil {
		t.Fatalf("the library that is loaded, by its path: %v", err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	other := filepath.Join(t.TempDir(), "libonnxruntime.so")
	if err := os.WriteFile(other, []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("testdata/dense.onnx", Options{Library: other}); err == nil || !strings.Contains(err.Error(), "one process loads one library") {
		t.Errorf("another library: want an error that says so, got %v", err)
	}
	if _, err := Open("testdata/dense.onnx", Options{Library: other + ".none"}); !errors.Is(err, ErrNoLibrary) {
		t.Errorf("a library that is not there: want ErrNoLibrary, got %v", err)
	}
}

func TestClose(t *testing.T) {
	m, err := Open("testdata/dense.onnx", Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := m.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	if _, err := m.Predict(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("predict after close: want ErrClosed, got %v", err)
	}
}

// TestNoCUDA asks the library that the tests use, which computes on the
// processor alone, for a GPU: an error in the runtime's words, no fallback.
func TestNoCUDA(t *testing.T) {
	_, err := Open("testdata/dense.onnx", Options{Device: "cuda:1"})
	if err == nil {
		t.Skip("the library has CUDA and a GPU")
	}
	for _, want := range []string{"device cuda:1", "CUDA execution provider is not enabled in this build"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
	if hint := hintOf(err); !strings.Contains(hint, "--device cpu") || !strings.Contains(hint, "--onnxruntime PATH") {
		t.Errorf("want the remedies as a hint, got %q", hint)
	}
}
