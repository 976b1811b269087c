//go:build cgo

package process

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

func init() {
	serveFile = func(path string, in io.Reader, out io.Writer) error {
		m, err := onnx.Open(path, onnx.Options{})
		if err != nil {
			return err
		}
		defer m.Close()
		list := func(specs []tensor.Spec) (out []helloSpec) {
			for _, s := range specs {
				out = append(out, helloSpec{Name: s.Name, DType: s.DType.String(), Shape: s.Shape})
			}
			return out
		}
		payload, err := json.Marshal(hello{Inputs: list(m.Signature().Inputs), Outputs: list(m.Signature().Outputs)})
		if err != nil {
			return err
		}
		if _, err := out.Write(frameOf(helloKind, payload)); err != nil {
			return err
		}
		var (
			room  []byte
			form  = &answerForm{}
			reply batchFrame
		)
		for {
			_, payload, err := readFrame(in, room, 1<<40, batchKind)
			if err == io.ErrUnexpectedEOF {
				return nil
			}
			if err != nil {
				return err
			}
			room = payload
			batch, ok := form.read(payload, form.rows)
			if !ok {
				arrays, err := dataset.ReadNPZ("batch", payload)
				if err != nil {
					return err
				}
				for _, a := range arrays {
					batch = append(batch, model.Named{Name: a.Name, Tensor: a.Tensor})
				}
				form = formOf(payload, batch, batch.Rows())
			}
			answer, err := m.Predict(context.Background(), batch)
			if err != nil {
				return err
			}
			if err := reply.set(answer); err != nil {
				return err
			}
			reply.bytes[5] = outputsKind
			if _, err := out.Write(reply.bytes); err != nil {
				return err
			}
		}
	}
}

// BenchmarkTransport measures rows a second of an ONNX file by itself and in a child
// process that does nothing else, as BenchmarkTransport of model/serving does for
// servers: one caller, batches of so many rows.
func BenchmarkTransport(b *testing.B) {
	type subject struct{ name, path string }
	subjects := []subject{{"wide", "../onnx/testdata/wide.onnx"}}
	if shared := os.Getenv("INTERSHAP_SHARED"); shared != "" {
		subjects = append(subjects, subject{"mfeat", filepath.Join(shared, "data/mfeat/model_intermediate.onnx")})
	}
	for _, s := range subjects {
		file, err := onnx.Open(s.path, onnx.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer file.Close()
		for _, rows := range []int{32, 256} {
			var in model.Batch
			for k, spec := range file.Signature().Inputs {
				x := tensor.New(tensor.Float32, append([]int{rows}, spec.Shape[1:]...)...)
				for i := range tensor.Values[float32](x) {
					tensor.Values[float32](x)[i] = float32((i*7919+k)%1000)/500 - 1
				}
				in = append(in, model.Named{Name: spec.Name, Tensor: x})
			}
			want, err := file.Predict(b.Context(), in)
			if err != nil {
				b.Fatal(err)
			}
			run := func(name string, m model.Model) {
				b.Run(fmt.Sprintf("model=%s/rows=%d/transport=%s", s.name, rows, name), func(b *testing.B) {
					var got model.Batch
					b.ReportAllocs()
					for b.Loop() {
						if got, err = m.Predict(b.Context(), in); err != nil {
							b.Fatal(err)
						}
					}
					if diff := same(want, got); diff != "" {
						b.Error(diff)
					}
					b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
				})
			}
			run("none", file)
			run("exec", openChild(b, "onnx="+s.path, Options{}))
		}
	}
}

// numpyGraph computes an ONNX file of a few operators with numpy, from graph.json
// and weights.npz.
const numpyGraph = `
from intershap_serve import serve
import json, os
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
graph = json.load(open(os.path.join(here, "graph.json")))
weights = dict(np.load(os.path.join(here, "weights.npz")))

def gemm(a, b, c, transB=0, **rest):
    assert not rest, rest
    return a @ (b.T if transB else b) + c

def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)

operators = {
    "Concat": lambda *x, axis: np.concatenate(x, axis=axis), "Sub": np.subtract, "Div": np.divide,
    "Flatten": lambda x, axis=1: x.reshape(len(x), -1), "Relu": lambda x: np.maximum(x, 0), "Gemm": gemm, "Softmax": softmax,
}

def predict(**values):
    values.update(weights)
    for op, inputs, outputs, attributes in graph["nodes"]:
        values[outputs[0]] = operators[op](*[values[i] for i in inputs], **attributes)
    return values["probabilities"]

serve(predict, inputs=dict(graph["inputs"]), outputs=dict(graph["outputs"]))
`

// exportGraph writes graph.json and weights.npz of an ONNX file into a folder.
func exportGraph(t *testing.T, path, folder string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var file onnxpb.ModelProto
	if err := proto.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	graph := file.GetGraph()
	var nodes []any
	for _, n := range graph.GetNode() {
		attributes := map[string]any{}
		for _, a := range n.GetAttribute() {
			switch {
			case a.GetType() == onnxpb.AttributeProto_INT:
				attributes[a.GetName()] = a.GetI()
			case a.GetType() == onnxpb.AttributeProto_FLOAT && a.GetF() == 1: // alpha and beta
			default:
				t.Fatalf("node %s: attribute %s of another kind", n.GetName(), a.GetName())
			}
		}
		nodes = append(nodes, []any{n.GetOpType(), n.GetInput(), n.GetOutput(), attributes})
	}
	var weights model.Batch
	for _, w := range graph.GetInitializer() {
		shape := []int{}
		for _, d := range w.GetDims() {
			shape = append(shape, int(d))
		}
		if len(shape) == 0 {
			shape = []int{1}
		}
		if w.GetDataType() != int32(onnxpb.TensorProto_FLOAT) {
			t.Fatalf("the weight %s is no float32", w.GetName())
		}
		values := tensor.New(tensor.Float32, shape...)
		if copy(values.Bytes(), w.GetRawData()) == 0 {
			copy(tensor.Values[float32](values), w.GetFloatData())
		}
		weights = append(weights, model.Named{Name: w.GetName(), Tensor: values})
	}
	frame, err := encodeBatch(nil, weights)
	if err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	// Pairs keep the order, which is that of the modalities.
	specs := func(list []tensor.Spec) (out [][2]string) {
		for _, s := range list {
			out = append(out, [2]string{s.Name, s.DType.String() + tensor.FormatShape(s.Shape)})
		}
		return out
	}
	var outputs []tensor.Spec
	for _, o := range m.Signature().Outputs {
		if o.Name == "probabilities" {
			outputs = append(outputs, o)
		}
	}
	text, err := json.Marshal(map[string]any{"nodes": nodes, "inputs": specs(m.Signature().Inputs), "outputs": specs(outputs)})
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"graph.json": text, "weights.npz": frame[headerBytes:]} {
		if err := os.WriteFile(filepath.Join(folder, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// firstRows returns the first rows of a file.
func firstRows(t *testing.T, path string, n int) dataset.File {
	t.Helper()
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var arrays []dataset.Array
	for i, c := range f.Columns() {
		rows, err := f.Read(t.Context(), 0, n, []int{i})
		if err != nil {
			t.Fatal(err)
		}
		copied := tensor.Concat(rows[0])
		arrays = append(arrays, dataset.Array{Name: c.Name, Tensor: copied})
	}
	all, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestSameAsONNX explains trained models as ONNX files and, with the same weights,
// in Python: v(S) of every sample must be equal to the rounding of float32.
func TestSameAsONNX(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED names no folder of trained models")
	}
	needPython(t)
	for _, set := range []string{"icu_mortality", "breast_tcga"} {
		t.Run(set, func(t *testing.T) {
			at := func(name string) string { return filepath.Join(shared, "data", set, name) }
			folder := pythonFolder(t, numpyGraph)
			exportGraph(t, at("model_early.onnx"), folder)
			file, err := onnx.Open(at("model_early.onnx"), onnx.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer file.Close()
			const samples, background = 24, 30
			explain := func(m model.Model) *result.TargetSamples {
				var kept result.SamplesMemory
				_, err := intershap.Explain(t.Context(), m, firstRows(t, at("test.npz"), samples), firstRows(t, at("train.npz"), background),
					intershap.Options{Output: "probabilities", Workers: 2, Sink: &kept})
				if err != nil {
					t.Fatal(err)
				}
				all, err := kept.Samples()
				if err != nil {
					t.Fatal(err)
				}
				return &all.ByTarget[0]
			}
			want, got := explain(file), explain(openFolder(t, folder, Options{Children: 2}))
			diff := furthest(tensor.Of(want.Values), tensor.Of(got.Values))
			t.Logf("%d values, largest difference %.2g", len(want.Values), diff)
			// Probabilities of at most 1 behind sums of up to a few hundred float32
			// terms: some units of 2^-24.
			if most := 32 * 0x1p-24; diff > most {
				t.Errorf("want differences of at most %.2g, got %.2g", most, diff)
			}
			if diff := furthest(tensor.Of(want.Values), tensor.Of(make([]float64, len(want.Values)))); diff < 0.1 {
				t.Errorf("want values that differ from zero, got %g", diff)
			}
		})
	}
}
