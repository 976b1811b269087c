package onnx

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestScan(t *testing.T) {
	tests := []struct {
		model string
		want  content
	}{
		{"dense", content{hasGraph: true, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
		{"external", content{hasGraph: true, external: []string{"external.data"}, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
		{"zipmap_int", content{
			hasGraph:  true,
			scoreMaps: map[string]bool{"output_probability": true},
			zipMaps:   map[string][]string{"output_probability": {"2", "10", "33"}}}},
		{"unsupported", content{hasGraph: true, scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}},
	}
	for _, tt := range tests {
		data, err := os.ReadFile(filepath.Join("testdata", tt.model+".onnx"))
		if err != nil {
			t.Fatal(err)
		}
		got, err := scan(data)
		if err != nil {
			t.Fatalf("%s: %v", tt.model, err)
		}
		if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(content{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.model, diff)
		}
	}
}

// message builds a field that holds a message.
func message(number int, inside ...[]byte) []byte {
	body := slices.Concat(inside...)
	if len(body) > 127 {
		return slices.Concat([]byte{byte(number<<3 | wireBytes), byte(len(body)&127 | 128), byte(len(body) >> 7)}, body)
	}
	return slices.Concat([]byte{byte(number<<3 | wireBytes), byte(len(body))}, body)
}

// TestScanFindsExternalDataAnywhere hides a tensor where tensors can be.
func TestScanFindsExternalDataAnywhere(t *testing.T) {
	tensor := func(number int) []byte {
		return message(number, message(tensorExternal,
			message(entryKey, []byte("location")), message(entryValue, []byte("w.bin"))))
	}
	sparse := slices.Concat([]byte{0xb2, 0x01}, message(attributeSparse, tensor(sparseValues))[1:]) // number 22 takes two bytes
	tests := []struct {
		name  string
		graph []byte
	}{
		{"initializer", tensor(graphInitializer)},
		{"sparse initializer", message(graphSparse, tensor(sparseIndices))},
		{"constant", message(graphNode, message(nodeAttribute, tensor(attributeTensor)))},
		{"list of tensors", message(graphNode, message(nodeAttribute, tensor(attributeTensors)))},
		{"sparse constant", message(graphNode, message(nodeAttribute, sparse))},
		{"branch", message(graphNode, message(nodeAttribute, message(attributeGraph, tensor(graphInitializer))))},
		{"branches", message(graphNode, message(nodeAttribute, message(attributeGraphs, tensor(graphInitializer))))},
	}
	for _, tt := range tests {
		got, err := scan(message(modelGraph, tt.graph))
		if err != nil || !slices.Equal(got.external, []string{"w.bin"}) {
			t.Errorf("%s: want w.bin, got %v, %v", tt.name, got.external, err)
		}
	}
}

// TestScanFindsExternalDataOutsideTheGraph hides a tensor in what a model has
// beside its graph. Neither is the model's own output or ZipMap.
func TestScanFindsExternalDataOutsideTheGraph(t *testing.T) {
	constant := message(nodeAttribute, message(attributeTensor, message(tensorExternal,
		message(entryKey, []byte("location")), message(entryValue, []byte("w.bin")))))
	zipMap := slices.Concat(message(nodeOpType, []byte("ZipMap")), message(nodeOutput, []byte("y")))
	long := func(number int, body []byte) []byte { // numbers above 15 take two bytes
		m := message(1, body)
		return slices.Concat([]byte{byte(number<<3&127 | wireBytes | 128), byte(number >> 4)}, m[1:])
	}
	graph := slices.Concat(message(graphNode, constant), message(graphNode, zipMap))
	tests := []struct {
		name string
		data []byte
	}{
		{"function", long(modelFunctions, slices.Concat(message(functionNode, constant), message(functionNode, zipMap)))},
		{"default of a function", long(modelFunctions, message(functionAttributes, constant[2:]))},
		{"initialization", long(modelTraining, message(trainingInitialization, graph))},
		{"algorithm", long(modelTraining, message(trainingAlgorithm, graph))},
	}
	for _, tt := range tests {
		got, err := scan(tt.data)
		if err != nil || !slices.Equal(got.external, []string{"w.bin"}) || len(got.zipMaps) > 0 {
			t.Errorf("%s: want w.bin and no ZipMap, got %v, %v, %v", tt.name, got.external, got.zipMaps, err)
		}
	}
}

// TestScanFindsShapes tells a scalar, whose shape is there and empty, from a
// tensor of unknown rank.
func TestScanFindsShapes(t *testing.T) {
	tensor := func(name string, shape []byte) []byte {
		return slices.Concat(message(infoName, []byte(name)), message(infoType, message(typeTensor, []byte{tensorTypeElement << 3, elementFloat}, shape)))
	}
	sequence := slices.Concat(message(infoName, []byte("sequence")), message(infoType, message(typeSequence)))
	scalar := message(tensorTypeShape)
	got, err := scan(message(modelGraph,
		message(graphInput, tensor("unknown", nil)), message(graphInput, tensor("scalar", scalar)), message(graphInput, sequence),
		message(graphOutput, tensor("out", nil)), message(graphOutput, tensor("known", scalar)),
		message(graphNode, message(nodeAttribute, message(attributeGraph, message(graphInput, tensor("inner", nil)))))))
	if want := []string{"unknown", "out"}; err != nil || !slices.Equal(want, got.shapeless) {
		t.Errorf("want %q without a shape, got %q, %v", want, got.shapeless, err)
	}
}

func TestScanErrors(t *testing.T) {
	deep := []byte{}
	for range maxDepth + 2 {
		deep = message(graphNode, message(nodeAttribute, message(attributeGraph, deep)))
	}
	tests := []struct {
		name, reason string
		data         []byte
		want         error
	}{
		{"group", "ONNX has none", []byte{7<<3 | 3}, errWire},
		{"number zero", "no field has it", []byte{0, 0}, errWire},
		{"endless key", "more bytes than a number has", slices.Repeat([]byte{0xff}, 11), errWire},
		{"long field", "it ends before its length", []byte{7<<3 | wireBytes, 5, 1}, io.ErrUnexpectedEOF},
		{"no length", "it ends before its length begins", []byte{7<<3 | wireBytes}, errWire},
		{"no value", "a key without a number", []byte{1 << 3}, errWire},
		{"half a double", "8 bytes promised", []byte{1<<3 | wireFixed64, 1, 2}, io.ErrUnexpectedEOF},
		{"half a float", "4 bytes promised", []byte{1<<3 | wireFixed32, 1, 2}, io.ErrUnexpectedEOF},
		{"deep", "recursion must end", message(modelGraph, deep), errDepth},
	}
	for _, tt := range tests {
		if _, err := scan(tt.data); !errors.Is(err, tt.want) {
			t.Errorf("%s (%s): want %v, got %v", tt.name, tt.reason, tt.want, err)
		}
	}
}

func TestIntegers(t *testing.T) {
	packed := field{bytes: []byte{1, 0xac, 0x02, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}}
	got, err := packed.integers(nil)
	if want := []int64{1, 300, -1}; err != nil || !slices.Equal(want, got) {
		t.Errorf("packed: want %v, got %v, %v", want, got, err)
	}
	if got, err := (field{value: 7}).integers(got); err != nil || !slices.Equal(got, []int64{1, 300, -1, 7}) {
		t.Errorf("single: want 7 appended, got %v, %v", got, err)
	}
	if _, err := (field{bytes: []byte{0x80}}).integers(nil); !errors.Is(err, errWire) {
		t.Errorf("cut: want %v, got %v", errWire, err)
	}
}

// FuzzScan feeds our own reader; the native one is not fuzzed here.
func FuzzScan(f *testing.F) {
	models, err := filepath.Glob("testdata/*.onnx")
	if err != nil || len(models) == 0 {
		f.Fatalf("want the models of testdata, got %v, %v", models, err)
	}
	for _, path := range models {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := scan(data)
		if err == nil && len(c.external) > len(data) {
			t.Errorf("%d files of external data from %d bytes", len(c.external), len(data))
		}
		if !slices.IsSorted(c.external) {
			t.Errorf("want sorted names, got %q", c.external)
		}
	})
}
