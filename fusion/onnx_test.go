//go:build cgo

package fusion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// trained returns a network after a few steps, and data that it did not see. The
// second modality has axes of its own, far from standard scale; a third has one
// element.
func trained(t *testing.T, f Fusion, standardise bool) (*Network, Data) {
	t.Helper()
	make := func(seed uint64) Data {
		d := noise(seed, 300, 3, 20, 12, 1)
		x := d.Inputs[1].Tensor.Reshape(300, 2, 3, 2)
		if standardise {
			for i, v := range tensor.Values[float32](x) {
				tensor.Values[float32](x)[i] = 50 + 20*v
			}
		}
		d.Inputs[1].Tensor = x
		return d
	}
	n, err := Train(t.Context(), f, make(1), Data{}, Options{Epochs: 20, LearningRate: 1e-3, Batch: 32, Standardise: standardise, Classes: []string{"lo", "mid", "hi"}})
	if err != nil {
		t.Fatal(err)
	}
	return n, make(2)
}

// open opens the network's file in ONNX Runtime.
func open(t *testing.T, n *Network) *onnx.Model {
	t.Helper()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, n.ONNX(), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := onnx.Open(path, onnx.Options{})
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

// runtimeBound is what ONNX Runtime and we may differ by in numbers of the order of
// one: both are float32 and add up in other orders.
const runtimeBound = 1e-6

// apart returns the largest difference of two lists.
func apart(a, b []float32) (worst float64) {
	if len(a) != len(b) {
		return math.Inf(1)
	}
	for i := range a {
		if d := math.Abs(float64(a[i]) - float64(b[i])); d > worst || d != d {
			worst = d
		}
	}
	return worst
}

// TestRuntimeAgrees runs every network in ONNX Runtime.
func TestRuntimeAgrees(t *testing.T) {
	for _, f := range Fusions {
		for _, standardise := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/standardise=%t", f, standardise), func(t *testing.T) {
				n, d := trained(t, f, standardise)
				m := open(t, n)
				if diff := cmp.Diff(n.Signature(), m.Signature()); diff != "" {
					t.Errorf("signature (-network +file):\n%s", diff)
				}
				out, err := m.Predict(t.Context(), d.Inputs)
				if err != nil {
					t.Fatal(err)
				}
				for i, want := range predict(t, n, d) {
					if worst := apart(want, tensor.Values[float32](out[i].Tensor)); !(worst <= runtimeBound) {
						t.Errorf("%s: want ONNX Runtime within %g of the network, got %g", out[i].Name, runtimeBound, worst)
					}
				}
				// The bound sees a bias that is off by a little.
				n.trunk.head[0].bias[0] += 1e-4
				if worst := apart(predict(t, n, d)[0], tensor.Values[float32](out[0].Tensor)); worst <= runtimeBound {
					t.Errorf("want the comparison to see another bias, got %g", worst)
				}
			})
		}
	}
}

// TestConformance puts networks and their files through the suite of all backends.
func TestConformance(t *testing.T) {
	for _, f := range Fusions {
		n, _ := trained(t, f, true)
		t.Run(f.String(), func(t *testing.T) {
			modeltest.Run(t, func(*testing.T) model.Described { return n }, modeltest.Rows(2*chunk+5))
		})
	}
}

// ask makes the question along the inputs of a network.
func ask(n *Network, d Data, output string) model.Question {
	q := model.Question{Output: output, Width: len(n.classes), Transform: "identity"}
	for i, in := range d.Inputs {
		q.Leaves = append(q.Leaves, model.Leaf{Name: in.Name, Input: i, Hi: in.Tensor.RowLen(), Shape: slices.Clone(in.Tensor.Shape()[1:]), Player: i})
		q.Rows = append(q.Rows, model.Named{Name: in.Name, Tensor: in.Tensor.Slice(0, 4)})
	}
	return q
}

// TestCut holds what staged evaluation makes of the files: what modalities have to
// themselves, or share only in a sum, is theirs, and the late network's logits are
// a sum altogether.
func TestCut(t *testing.T) {
	const m1, m2, m3, classes = 20, 12, 1, 3
	joined := m1/2 + m2/2 + 1
	for _, c := range []struct {
		fusion      Fusion
		standardise bool
		output      string
		own, mixed  int64 // multiply-adds of single modalities, and of all together
		additive    bool
	}{
		// 33 -> 16 -> 8 -> 3: the first layer is linear in each modality.
		{Early, false, Probabilities, (m1 + m2 + m3) * 16, 16*8 + 8*classes, false},
		{Early, true, Probabilities, (m1 + m2 + m3) * 16, 16*8 + 8*classes, false},
		// The encoders, and their share of the layer behind the join: 17 -> 8 -> 3.
		{Intermediate, true, Logits, m1*m1/2 + m2*m2/2 + m3 + int64(joined)*8, 8 * classes, false},
		// 20 -> 10 -> 5, 12 -> 6 -> 3, 1 -> 1 -> 1, and their share of 9 -> 3.
		{Late, true, Logits, 20*10 + 10*5 + 12*6 + 6*3 + 2 + 9*classes, 0, true},
		{Late, false, Probabilities, 20*10 + 10*5 + 12*6 + 6*3 + 2 + 9*classes, 0, false},
	} {
		t.Run(fmt.Sprintf("%s/standardise=%t/%s", c.fusion, c.standardise, c.output), func(t *testing.T) {
			n, d := trained(t, c.fusion, c.standardise)
			s, err := open(t, n).Stage(t.Context(), ask(n, d, c.output))
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			var own, mixed int64
			for _, p := range s.Parts {
				if len(p.Players) == 1 {
					own += p.MACs
				} else {
					mixed += p.MACs
				}
			}
			if own != c.own || mixed != c.mixed || s.MACs != own+mixed || (s.Terms != nil) != c.additive {
				t.Errorf("want %d multiply-adds of single modalities, %d of all, additive %t; got %d, %d, terms %v, %d in all",
					c.own, c.mixed, c.additive, own, mixed, s.Terms, s.MACs)
			}
		})
	}
}

// TestExplained explains networks in parts and whole: the same numbers, and no
// interaction in the logits of late fusion.
func TestExplained(t *testing.T) {
	for _, f := range Fusions {
		t.Run(f.String(), func(t *testing.T) {
			n, d := trained(t, f, true)
			m := open(t, n)
			file := func(lo, hi int) dataset.File {
				var arrays []dataset.Array
				for _, in := range d.Inputs {
					arrays = append(arrays, dataset.Array{Name: in.Name, Tensor: in.Tensor.Slice(lo, hi)})
				}
				all, err := dataset.FromArrays(arrays...)
				if err != nil {
					t.Fatal(err)
				}
				return all
			}
			explain := func(plan intershap.PlanKind) *intershap.Explanation {
				ex, err := intershap.Explain(t.Context(), m, file(0, 40), file(40, 140), intershap.Options{Output: Logits, Task: intershap.Classes, Plan: plan, Workers: 1})
				if err != nil {
					t.Fatal(err)
				}
				return ex
			}
			staged, full := explain(intershap.StagedPlan), explain(intershap.FullPlan)
			a, b := staged.Targets[0].Global.Phi, full.Targets[0].Global.Phi
			for i := range b {
				for j := range b[i] {
					if math.Abs(a[i][j]-b[i][j]) > runtimeBound {
						t.Errorf("phi of %d and %d: %v whole, %v in parts", i, j, b[i][j], a[i][j])
					}
				}
			}
			share, ok := full.Targets[0].Global.InterSHAP.Value()
			if !ok || (share < 1e-5) != (f == Late) {
				t.Errorf("want interaction in all networks but late fusion, got %v", share)
			}
		})
	}
}

// TestFile holds what the file says of itself, and that it is the same each time.
func TestFile(t *testing.T) {
	n, _ := trained(t, Early, true)
	raw := n.ONNX()
	if !bytes.Equal(raw, n.ONNX()) {
		t.Error("want the same bytes each time")
	}
	var file onnxpb.ModelProto
	if err := proto.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if file.GetProducerName() != "intershap" || file.GetIrVersion() != 8 || file.OpsetImport[0].GetVersion() != 13 {
		t.Errorf("want producer intershap, version 8, opset 13, got %q, %d, %v", file.GetProducerName(), file.GetIrVersion(), file.OpsetImport)
	}
	got := map[string]string{}
	for _, p := range file.MetadataProps {
		got[p.GetKey()] = p.GetValue()
	}
	want := map[string]string{
		MetadataFusion:  "early",
		MetadataClasses: `["lo","mid","hi"]`,
		MetadataTraining: `{"epochs":20,"epoch":20,"learning_rate":0.001,"weight_decay":0.0001,"batch":32,"seed":0,` +
			`"frozen_encoders":false,"standardise":true,"patience":0,"watch":"loss"}`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
	if !json.Valid([]byte(got[MetadataTraining])) || n.Fusion() != Early || !slices.Equal(n.Classes(), []string{"lo", "mid", "hi"}) {
		t.Errorf("want valid JSON, early and the classes, got %v, %v", n.Fusion(), n.Classes())
	}
}

// TestNamesThatCollide gives modalities the names of inner values: the file is
// sound all the same.
func TestNamesThatCollide(t *testing.T) {
	d := noise(1, 30, 2, 3, 4, 5)
	for i, name := range []string{"joined", "head/1", "node/joined"} {
		d.Inputs[i].Name = name
	}
	n, err := Train(t.Context(), Early, d, Data{}, Options{Epochs: 1, Standardise: true})
	if err != nil {
		t.Fatal(err)
	}
	out, err := open(t, n).Predict(t.Context(), d.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	if worst := apart(predict(t, n, d)[0], tensor.Values[float32](out[0].Tensor)); !(worst <= runtimeBound) {
		t.Errorf("want ONNX Runtime within %g of the network, got %g", runtimeBound, worst)
	}
}
