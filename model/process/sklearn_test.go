//go:build cgo

package process

import (
	"encoding/json"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// fitPipeline fits a pipeline on a table of numbers and words, and writes it as
// model.joblib, what it learnt as learnt.json, rows as rows.npz and, where skl2onnx
// is there, skl2onnx's file of it.
const fitPipeline = `
import json, sys
import joblib
import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

kind = sys.argv[1]
rng = np.random.default_rng(1)
n = 400
columns = {
    "age": rng.uniform(20, 90, n).astype("float32"), "bmi": rng.normal(27, 4, n).astype("float32"),
    "sex": rng.choice(["female", "männlich"], n), "stage": rng.choice(["I", "II", "III", "IV"], n),
}
x = np.empty((n, 4), object)
for i, name in enumerate(columns):
    x[:, i] = columns[name]
score = sum(c.astype(int) for c in (columns["age"] > 55, (columns["stage"] > "II") & (columns["sex"] == "female"), columns["bmi"] > 30))
label = np.minimum(score, 2)

numbers = StandardScaler() if kind == "logistic" else "passthrough"
table = ColumnTransformer([("numbers", numbers, [0, 1]), ("words", OneHotEncoder(handle_unknown="ignore"), [2, 3])], sparse_threshold=0)
last = LogisticRegression(max_iter=1000) if kind == "logistic" else RandomForestClassifier(7, max_depth=5, random_state=1, n_jobs=1)
fit = make_pipeline(table, last).fit(x, label)
joblib.dump(fit, "model.joblib")
np.savez("rows.npz", **{name: column[:, None] for name, column in columns.items()})

learnt = {"words": [list(c) for c in table.named_transformers_["words"].categories_], "classes": last.classes_.tolist()}
if kind == "logistic":
    scaler = table.named_transformers_["numbers"]
    learnt.update(mean=scaler.mean_.tolist(), scale=scaler.scale_.tolist(), coefficients=last.coef_.tolist(), intercepts=last.intercept_.tolist())
else:
    learnt["trees"] = [{"left": t.children_left.tolist(), "right": t.children_right.tolist(), "feature": t.feature.tolist(),
                        "threshold": t.threshold.tolist(), "value": t.value[:, 0].tolist()} for t in (e.tree_ for e in last.estimators_)]
json.dump(learnt, open("learnt.json", "w"))

if len(sys.argv) > 2:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, StringTensorType
    types = [(name, (FloatTensorType if column.dtype.kind == "f" else StringTensorType)([None, 1])) for name, column in columns.items()]
    with open("model.onnx", "wb") as file:
        file.write(convert_sklearn(fit, initial_types=types, options={id(fit): {"zipmap": False}}).SerializeToString())
`

const servePipeline = `
from intershap_serve import serve
import joblib
import numpy as np

model = joblib.load("model.joblib")

def predict(age, bmi, sex, stage):
    x = np.empty((len(age), 4), object)
    for i, column in enumerate((age, bmi, sex, stage)):
        x[:, i] = column[:, 0]
    return model.predict_proba(x)

serve(predict, files=["model.joblib"],
      inputs={"age": "float32[N,1]", "bmi": "float32[N,1]", "sex": "string[N,1]", "stage": "string[N,1]"},
      outputs={"probabilities": "float64[N,3]"})
`

// learnt is what a fitted pipeline knows, in scikit-learn's terms.
type learnt struct {
	Words      [][]string
	Classes    []int64
	Mean       []float64
	Scale      []float64
	Coeffs     [][]float64 `json:"coefficients"`
	Intercepts []float64
	Trees      []struct {
		Left, Right []int64
		Feature     []int64
		Threshold   []float64
		Value       [][]float64
	}
}

// A pipelineGraph writes the ONNX file of a pipeline.
type pipelineGraph struct{ graph onnxpb.GraphProto }

const onnxML = "ai.onnx.ml"

// node adds a node of a domain and returns the name of its last output.
func (g *pipelineGraph) node(domain, op string, inputs, outputs []string, attributes ...*onnxpb.AttributeProto) string {
	g.graph.Node = append(g.graph.Node, &onnxpb.NodeProto{Domain: proto.String(domain), OpType: proto.String(op), Input: slices.Clone(inputs), Output: outputs, Attribute: attributes})
	return outputs[len(outputs)-1]
}

func number(name string, v int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INT.Enum(), I: proto.Int64(v)}
}

func integers(name string, v []int64) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_INTS.Enum(), Ints: v}
}

func floats(name string, v []float32) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_FLOATS.Enum(), Floats: v}
}

func bytesOf(name string, words ...string) *onnxpb.AttributeProto {
	a := &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRINGS.Enum()}
	for _, w := range words {
		a.Strings = append(a.Strings, []byte(w))
	}
	return a
}

func word(name, v string) *onnxpb.AttributeProto {
	return &onnxpb.AttributeProto{Name: proto.String(name), Type: onnxpb.AttributeProto_STRING.Enum(), S: []byte(v)}
}

func narrow(v []float64) []float32 {
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out
}

// value describes a tensor [rows, width].
func value(name string, d onnxpb.TensorProto_DataType, width int64) *onnxpb.ValueInfoProto {
	return &onnxpb.ValueInfoProto{Name: proto.String(name), Type: &onnxpb.TypeProto{Value: &onnxpb.TypeProto_TensorType{TensorType: &onnxpb.TypeProto_Tensor{
		ElemType: proto.Int32(int32(d)), Shape: &onnxpb.TensorShapeProto{Dim: []*onnxpb.TensorShapeProto_Dimension{
			{Value: &onnxpb.TensorShapeProto_Dimension_DimParam{DimParam: "N"}}, {Value: &onnxpb.TensorShapeProto_Dimension_DimValue{DimValue: width}},
		}},
	}}}}
}

// file returns the ONNX file of a pipeline, operation by operation.
func (l *learnt) file(t *testing.T) []byte {
	t.Helper()
	g := &pipelineGraph{}
	g.graph.Name = proto.String("pipeline")
	table := []string{g.node("", "Concat", []string{"age", "bmi"}, []string{"numbers"}, number("axis", 1))}
	if l.Scale != nil {
		inverse := make([]float64, len(l.Scale))
		for i, s := range l.Scale {
			inverse[i] = 1 / s
		}
		table[0] = g.node(onnxML, "Scaler", table, []string{"scaled"}, floats("offset", narrow(l.Mean)), floats("scale", narrow(inverse)))
	}
	for i, name := range []string{"sex", "stage"} {
		// A word that was not there when the pipeline was fitted is all zeros.
		hot := g.node(onnxML, "OneHotEncoder", []string{name}, []string{name + "_hot"}, bytesOf("cats_strings", l.Words[i]...), number("zeros", 1))
		table = append(table, g.node("", "Flatten", []string{hot}, []string{name + "_flat"}, number("axis", 1)))
	}
	all := g.node("", "Concat", table, []string{"all"}, number("axis", 1))
	if l.Trees == nil {
		g.linear(l, all)
	} else {
		g.forest(l, all)
	}
	g.graph.Input = []*onnxpb.ValueInfoProto{
		value("age", onnxpb.TensorProto_FLOAT, 1), value("bmi", onnxpb.TensorProto_FLOAT, 1),
		value("sex", onnxpb.TensorProto_STRING, 1), value("stage", onnxpb.TensorProto_STRING, 1),
	}
	g.graph.Output = []*onnxpb.ValueInfoProto{value("probabilities", onnxpb.TensorProto_FLOAT, int64(len(l.Classes)))}
	raw, err := proto.Marshal(&onnxpb.ModelProto{IrVersion: proto.Int64(7), Graph: &g.graph, OpsetImport: []*onnxpb.OperatorSetIdProto{
		{Domain: proto.String(""), Version: proto.Int64(13)}, {Domain: proto.String(onnxML), Version: proto.Int64(2)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// linear adds a multinomial logistic regression.
func (g *pipelineGraph) linear(l *learnt, table string) {
	var coefficients []float32
	for _, c := range l.Coeffs {
		coefficients = append(coefficients, narrow(c)...)
	}
	g.node(onnxML, "LinearClassifier", []string{table}, []string{"label", "probabilities"}, floats("coefficients", coefficients),
		floats("intercepts", narrow(l.Intercepts)), integers("classlabels_ints", l.Classes), number("multi_class", 0), word("post_transform", "SOFTMAX"))
}

// forest adds a forest: the mean over trees of the shares of classes in a leaf.
func (g *pipelineGraph) forest(l *learnt, table string) {
	var (
		trees, nodes, features, yes, no []int64
		modes                           []string
		thresholds                      []float32
		classTrees, classNodes, classes []int64
		weights                         []float32
	)
	for tree, t := range l.Trees {
		for node := range t.Left {
			trees, nodes = append(trees, int64(tree)), append(nodes, int64(node))
			if t.Left[node] >= 0 {
				modes, features = append(modes, "BRANCH_LEQ"), append(features, t.Feature[node])
				yes, no = append(yes, t.Left[node]), append(no, t.Right[node])
				thresholds = append(thresholds, below(t.Threshold[node]))
				continue
			}
			modes, features, yes, no, thresholds = append(modes, "LEAF"), append(features, 0), append(yes, 0), append(no, 0), append(thresholds, 0)
			sum := 0.0
			for _, v := range t.Value[node] {
				sum += v
			}
			for class, v := range t.Value[node] {
				classTrees, classNodes, classes = append(classTrees, int64(tree)), append(classNodes, int64(node)), append(classes, int64(class))
				weights = append(weights, float32(v/sum/float64(len(l.Trees))))
			}
		}
	}
	g.node(onnxML, "TreeEnsembleClassifier", []string{table}, []string{"label", "probabilities"},
		integers("nodes_treeids", trees), integers("nodes_nodeids", nodes), integers("nodes_featureids", features),
		integers("nodes_truenodeids", yes), integers("nodes_falsenodeids", no), bytesOf("nodes_modes", modes...), floats("nodes_values", thresholds),
		integers("class_treeids", classTrees), integers("class_nodeids", classNodes), integers("class_ids", classes), floats("class_weights", weights),
		integers("classlabels_int64s", l.Classes), word("post_transform", "NONE"))
}

// below returns the largest float32 that is not above v: of float32 numbers the same
// are at most that and at most v.
func below(v float64) float32 {
	f := float32(v)
	if float64(f) > v {
		f = math.Nextafter32(f, float32(math.Inf(-1)))
	}
	return f
}

func TestBelow(t *testing.T) {
	for _, v := range []float64{0.1, 1.0 / 3, -0.1, 55.499998092651367, 1, 0} {
		f := below(v)
		if up := math.Nextafter32(f, float32(math.Inf(1))); float64(f) > v || float64(up) <= v {
			t.Errorf("%v: got %v, and %v is above it", v, f, up)
		}
	}
}

// fitted is a folder with a fitted pipeline that intershap_serve serves.
func fitted(t *testing.T, kind ...string) (folder string) {
	t.Helper()
	needPython(t, "sklearn", "joblib")
	folder = pythonFolder(t, servePipeline)
	if err := os.WriteFile(filepath.Join(folder, "fit.py"), []byte(fitPipeline), 0o600); err != nil {
		t.Fatal(err)
	}
	fit := exec.CommandContext(t.Context(), debianPython, append([]string{"fit.py"}, kind...)...)
	fit.Dir = folder
	if out, err := fit.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return folder
}

// explainPipeline explains a model on the rows of a folder and returns v(S) of every
// sample.
func explainPipeline(t *testing.T, m model.Model, folder string) []float64 {
	t.Helper()
	const samples = 30
	rows := firstRows(t, filepath.Join(folder, "rows.npz"), samples)
	var kept result.SamplesMemory
	_, err := intershap.Explain(t.Context(), m, rows, rows, intershap.Options{Output: "probabilities", Target: "all", Workers: 2, Sink: &kept})
	if err != nil {
		t.Fatal(err)
	}
	all, err := kept.Samples()
	if err != nil {
		t.Fatal(err)
	}
	var values []float64
	for _, target := range all.ByTarget {
		values = append(values, target.Values...)
	}
	return values
}

// samePipeline explains the pipeline of a folder as exec: and as the ONNX file that
// is there, and compares.
func samePipeline(t *testing.T, folder string) {
	t.Helper()
	file, err := onnx.Open(filepath.Join(folder, "model.onnx"), onnx.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	t.Chdir(folder) // where model.py finds what it reads
	want, got := explainPipeline(t, openFolder(t, folder, Options{Children: 2}), folder), explainPipeline(t, file, folder)
	diff := furthest(tensor.Of(want), tensor.Of(got))
	t.Logf("%d values, largest difference %.2g", len(want), diff)
	// Probabilities of at most 1 behind sums of some float32 terms: some units of
	// 2^-24.
	if most := 32 * 0x1p-24; diff > most {
		t.Errorf("want differences of at most %.2g, got %.2g", most, diff)
	}
	lowest, highest := math.Inf(1), math.Inf(-1)
	for _, v := range want {
		lowest, highest = min(lowest, v), max(highest, v)
	}
	if highest-lowest < 0.5 {
		t.Errorf("want values that tell something, got all from %g to %g", lowest, highest)
	}
}

// TestPipelinesAsONNX explains the same fitted pipelines by scikit-learn itself, in
// a child process, and as ONNX files that are written here from what they learnt.
func TestPipelinesAsONNX(t *testing.T) {
	for _, kind := range []string{"logistic", "forest"} {
		t.Run(kind, func(t *testing.T) {
			folder := fitted(t, kind)
			raw, err := os.ReadFile(filepath.Join(folder, "learnt.json"))
			if err != nil {
				t.Fatal(err)
			}
			var l learnt
			if err := json.Unmarshal(raw, &l); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(folder, "model.onnx"), l.file(t), 0o600); err != nil {
				t.Fatal(err)
			}
			samePipeline(t, folder)
		})
	}
}

// TestPipelinesBySkl2ONNX is TestPipelinesAsONNX with the files of skl2onnx.
func TestPipelinesBySkl2ONNX(t *testing.T) {
	if !hasModule("skl2onnx") {
		t.Skipf("%s has no module skl2onnx, which Debian does not package: pip install skl2onnx", debianPython)
	}
	for _, kind := range []string{"logistic", "forest"} {
		t.Run(kind, func(t *testing.T) { samePipeline(t, fitted(t, kind, "skl2onnx")) })
	}
}
