package process

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// debianPython has the modules of Debian's packages. Another Python that comes
// first in PATH has its own, or none.
const debianPython = "/usr/bin/python3"

// needPython skips a test for want of Python or of a module.
func needPython(t testing.TB, modules ...string) {
	t.Helper()
	for _, module := range append([]string{"numpy"}, modules...) {
		if !hasModule(module) {
			t.Skipf("%s has no module %s: apt-get install python3-%s", debianPython, module, module)
		}
	}
}

func hasModule(name string) bool {
	find := "import importlib.util, sys; sys.exit(importlib.util.find_spec('" + name + "') is None)"
	return exec.Command(debianPython, "-c", find).Run() == nil
}

// pythonFolder is a folder with the module and a model.py.
func pythonFolder(t testing.TB, model string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	for name, text := range map[string]string{"intershap_serve.py": Python, "model.py": model} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// openPython opens a model in Python.
func openPython(t testing.TB, model string, opt Options) *Model {
	t.Helper()
	return openFolder(t, pythonFolder(t, model), opt)
}

// openFolder opens the model.py of a folder.
func openFolder(t testing.TB, folder string, opt Options) *Model {
	t.Helper()
	m, err := Open(t.Context(), debianPython+" '"+filepath.Join(folder, "model.py")+"'", opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		noneLeft(t, m)
	})
	return m
}

// TestPythonByItself runs the module as the model that it is by itself: exclusive
// or.
func TestPythonByItself(t *testing.T) {
	needPython(t)
	folder := pythonFolder(t, "")
	m, err := Open(t.Context(), debianPython+" '"+filepath.Join(folder, "intershap_serve.py")+"'", Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	out, err := m.Predict(t.Context(), model.Batch{
		{Name: "left", Tensor: tensor.Of([]float32{-1, -1, 1, 1})}, {Name: "right", Tensor: tensor.Of([]float32{-1, 1, -1, 1})}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tensor.Values[float32](out[0].Tensor); !slices.Equal(got, []float32{0, 1, 1, 0}) {
		t.Errorf("want 0 1 1 0, got %v", got)
	}
	if got := m.Runtime(); !strings.HasPrefix(got, "try-out, python 3.") || !strings.Contains(got, "numpy ") {
		t.Errorf("runtime: got %q", got)
	}
}

func TestPythonConformance(t *testing.T) {
	needPython(t)
	// Classes, labels as text, a free axis, and rows of a fixed number.
	const mixed = `
from intershap_serve import serve
import numpy as np

rng = np.random.default_rng(1)
w1, w2 = rng.normal(size=(7, 33)).astype("float32"), rng.normal(size=(33, 3)).astype("float32")

def predict(image, series, sex, age):
    flat = np.concatenate([image.reshape(len(image), -1), series.sum(axis=1, keepdims=True),
                           (sex == "f")[:, None], age[:, None].astype("float32")], axis=1)
    h = np.tanh(flat.astype("float32") @ w1) @ w2
    p = np.exp(h - h.max(axis=1, keepdims=True))
    return {"label": np.array(["no", "yes", "später"])[p.argmax(axis=1)], "probabilities": p / p.sum(axis=1, keepdims=True)}

serve(predict, inputs={"image": "float32[%[1]s,2,2]", "series": "float64[%[1]s,?]", "sex": "string[%[1]s]", "age": "int16[%[1]s]"},
      outputs={"probabilities": "float32[%[1]s,3]", "label": "string[%[1]s]"}, max_rows=%[2]s)
`
	for _, c := range []struct{ rows, most string }{{"N", "0"}, {"N", "20"}, {"8", "8"}} {
		m := openPython(t, fmt.Sprintf(mixed, c.rows, c.most), Options{Children: 2})
		t.Run(c.rows+"-"+c.most, func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T) model.Described { return m }, modeltest.Rows(40), modeltest.Strings("f", "m", "ä"), modeltest.Integers("age", 0, 90))
		})
	}
}

// TestPythonTypes sends every type there and back.
func TestPythonTypes(t *testing.T) {
	needPython(t)
	var inputs, outputs, names []string
	var batch model.Batch
	const rows = 16
	for d := tensor.Float16; d <= tensor.String; d++ {
		name := "in_" + d.String()
		in := tensor.New(d, rows, 2, 3)
		for i := range in.Bytes() {
			in.Bytes()[i] = byte(i*7 + i/5)
			switch {
			case d == tensor.Bool:
				in.Bytes()[i] = byte(i * i % 3 % 2)
			case d.IsFloat() && i%d.Size() == d.Size()-1:
				in.Bytes()[i] = byte(i % 60) // a moderate exponent: finite
			}
		}
		if d == tensor.String {
			for i := range tensor.Values[string](in) {
				tensor.Values[string](in)[i] = strings.Repeat("ü𝄞", i%4)
			}
		}
		batch = append(batch, model.Named{Name: name, Tensor: in})
		inputs = append(inputs, fmt.Sprintf("%q: \"%s[N,2,3]\"", name, d))
		outputs = append(outputs, fmt.Sprintf("\"out_%s\": \"%s[N,?,3]\"", d, d))
		names = append(names, name)
	}
	m := openPython(t, fmt.Sprintf(`
from intershap_serve import serve

def predict(%s):
    return %s

serve(predict, inputs={%s}, outputs={%s})
`, strings.Join(names, ", "), strings.Join(names, ", "), strings.Join(inputs, ", "), strings.Join(outputs, ", ")), Options{})
	out, err := m.Predict(t.Context(), batch)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range out {
		in := batch[i]
		in.Name = strings.Replace(in.Name, "in_", "out_", 1)
		if diff := same(model.Batch{in}, model.Batch{o}); diff != "" {
			t.Error(diff)
		}
	}
}

// Whatever a model prints, wherever, goes to standard error.
func TestPythonPrints(t *testing.T) {
	needPython(t)
	var told bytes.Buffer
	m := openPython(t, `
print("before the import")
from intershap_serve import serve
import os, subprocess, sys
print("while it is loaded")
os.write(1, b"from C\n")

def predict(x):
    print("in a batch")
    subprocess.run(["echo", "in a program"])
    assert sys.stdin.read() == ""
    return x

serve(predict, inputs={"x": "float32[N]"}, outputs={"y": "float32[N]"})
`, Options{Stderr: &told, Env: append(os.Environ(), "PYTHONUNBUFFERED=")})
	in := tensor.Of([]float32{1, 2})
	out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: in}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(model.Batch{{Name: "y", Tensor: in}}, out); diff != "" {
		t.Error(diff)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	for _, want := range []string{"before the import", "while it is loaded", "from C", "in a batch", "in a program"} {
		if !strings.Contains(told.String(), want+"\n") {
			t.Errorf("%q is missing in %q", want, &told)
		}
	}
}

// TestPythonFaults has models in Python with a fault each.
func TestPythonFaults(t *testing.T) {
	needPython(t)
	const rest = "\nfrom intershap_serve import serve\nserve(predict, inputs={\"x\": \"float32[N]\"}, outputs={\"y\": \"float32[N]\", \"z\": \"int64[N]\"})\n"
	for _, c := range []struct{ name, code, want string }{
		{"exception", "def predict(x):\n    return [1, 2][int(x[0])]", "the model failed: IndexError: list index out of range (PATH/model.py:2)"},
		{"too few", "def predict(x):\n    return x", "the model failed: ValueError: predict returned 1 outputs, want 2: y, z"},
		{"a list", "def predict(x):\n    return list(x)", "the model failed: ValueError: predict returned a list, which counts as 16 outputs, want 2: y, z"},
		{"no return", "def predict(x):\n    x + 1", "the model failed: ValueError: predict returned nothing: is a return missing?"},
		{"None among them", "def predict(x):\n    return x, None", "the model failed: TypeError: output 'z' holds NoneType, want int64"},
		{"arguments", "def predict(y):\n    return y", "the model failed: TypeError: predict() got an unexpected keyword argument 'x'"},
		{"no name", "def predict(x):\n    return {\"y\": x}", "the model failed: ValueError: predict returned no output 'z'"},
		{"cast", "def predict(x):\n    return x, x + 0.5", "the model failed: TypeError: output 'z' is float32, declared as int64"},
		{"shape", "def predict(x):\n    return x[:, None], x.astype(int)", `output "y" is float32[16,1] for 16 rows, want float32[16]`},
		{"rows", "def predict(x):\n    return x[:3], x.astype(int)", `output "y" is float32[3] for 16 rows, want float32[16]`},
		{"a single value", "def predict(x):\n    return x.sum(), x.astype(int)", `column "y": want one row a sample on axis 0, got a single value`},
		{"no module", "import no_such_module", "ended before it said what it takes: exit status 1; the last that it said: ModuleNotFoundError: No module named 'no_such_module'"},
		{"no file", "predict = None\nimport intershap_serve\nintershap_serve.serve(None, {\"x\": \"bool[N]\"}, {\"y\": \"bool[N]\"}, files=[\"w.pt\"])", "FileNotFoundError: [Errno 2] No such file or directory: 'w.pt'"},
		{"no shape", "import intershap_serve\nintershap_serve.serve(None, {\"x\": \"bool\"}, {\"y\": \"bool[N]\"})", "ValueError: x: want a type and a shape such as float32[N,4], got 'bool'"},
		{"no type", "import intershap_serve\nintershap_serve.serve(None, {\"x\": \"float[N]\"}, {\"y\": \"bool[N]\"})", `input "x": the type "float" is unknown`},
		{"exits", "import sys\ndef predict(x):\n    sys.exit(\"no licence\")", "3 processes ended at the same batch of 16 rows, the last: exit status 1; the last that it said: no licence"},
	} {
		t.Run(c.name, func(t *testing.T) {
			folder := pythonFolder(t, c.code+rest)
			m, err := Open(t.Context(), debianPython+" '"+filepath.Join(folder, "model.py")+"'", Options{})
			if err == nil {
				defer m.Close()
				_, err = m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of([]float32{5, 6})}})
			}
			want := strings.ReplaceAll(c.want, "PATH", folder)
			if err != nil && strings.Contains(err.Error(), "intershap_serve.py:") {
				t.Errorf("want no place inside of the module, got %v", err)
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("want %q, got %v", want, err)
			}
		})
	}
}

// TestPythonLists holds that a list of a row's numbers each is the array of a model
// with one output, and a list of one array its outputs.
func TestPythonLists(t *testing.T) {
	needPython(t)
	in := tensor.Of([]float32{1, 2, 3})
	for _, body := range []string{"[float(v) for v in x]", "list(x)", "[x]", "(x,)", "x.astype(float).tolist()"} {
		m := openPython(t, "from intershap_serve import serve\ndef predict(x):\n    return "+body+"\nserve(predict, {\"x\": \"float32[N]\"}, {\"y\": \"float32[N]\"})\n", Options{})
		out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: in}})
		if err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		if diff := same(model.Batch{{Name: "y", Tensor: in}}, out); diff != "" {
			t.Errorf("%s: %s", body, diff)
		}
	}
}

// The memory of a batch serves the next where nobody has kept an array of it, and is
// left alone where somebody has, if only by a part of it.
func TestPythonMemory(t *testing.T) {
	needPython(t)
	for _, c := range []struct {
		name, body string
		again      bool
	}{
		{"kept by nobody", "pass", true},
		{"kept", "kept.append(x)", false},
		{"kept in part", "kept.append(x[3:5])", false},
		{"kept by a view of a view", "kept.append(memoryview(x.reshape(-1, 2).T[1]))", false},
		{"kept by an exception", "\n    try: raise ValueError(x)\n    except ValueError as e: kept.append(e)", false},
	} {
		m := openPython(t, fmt.Sprintf(`
from intershap_serve import serve
import numpy

kept, places, first = [], [], []

def predict(x):
    places.append(x.ctypes.data)
    if not first:
        first.append(x.copy())
    %s
    same = all(numpy.all(numpy.isin(numpy.asarray(k.args[0] if isinstance(k, Exception) else k), first[0])) for k in kept[:1])
    return numpy.full(len(x), same), numpy.full(len(x), len(set(places)) < len(places)), x

serve(predict, inputs={"x": "float32[N]"}, outputs={"same": "bool[N]", "again": "bool[N]", "y": "float32[N]"})
`, c.body), Options{})
		var again bool
		for i := range 4 {
			in := tensor.New(tensor.Float32, 16)
			for j := range 16 {
				tensor.Values[float32](in)[j] = float32(100*i + j)
			}
			out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: in}})
			if err != nil {
				t.Fatal(err)
			}
			if !tensor.Values[bool](out[0].Tensor)[0] {
				t.Errorf("%s: batch %d is written over what was kept of the first", c.name, i)
			}
			again = tensor.Values[bool](out[1].Tensor)[0]
			if diff := same(model.Batch{{Name: "y", Tensor: in}}, out[2:]); diff != "" {
				t.Errorf("%s: %s", c.name, diff)
			}
		}
		if again != c.again {
			t.Errorf("%s: the memory serves again: want %v, got %v", c.name, c.again, again)
		}
	}
}

// A traceback is written once, however often the row at fault is looked for.
func TestPythonTellsOnce(t *testing.T) {
	needPython(t)
	var told bytes.Buffer
	m := openPython(t, "from intershap_serve import serve\ndef predict(x):\n    raise ValueError('no')\nserve(predict, {\"x\": \"float32[N]\"}, {\"y\": \"float32[N]\"})\n", Options{Stderr: &told})
	for range 3 {
		_, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of([]float32{5, 6})}})
		if errors.Is(err, model.ErrUnanswered) || err == nil {
			t.Errorf("want an error for which the row is looked for, got %v", err)
		}
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if n := strings.Count(told.String(), "Traceback"); n != 1 {
		t.Errorf("want one traceback, got %d:\n%s", n, &told)
	}
}

// examples are the models of the module's page, by the first word of the text
// above each.
func examples(t *testing.T) map[string]string {
	t.Helper()
	page, _, _ := strings.Cut(strings.TrimPrefix(Python, `"""`), `"""`)
	found := map[string]string{}
	title, code := "", ""
	for line := range strings.SplitSeq(page+"end", "\n") {
		text, indented := strings.CutPrefix(line, "    ")
		switch {
		case indented || line == "" && code != "":
			code += text + "\n"
		case line != "":
			if strings.Contains(code, "serve(") {
				found[title] = code
			}
			title, _, _ = strings.Cut(strings.TrimRight(line, ":"), ",")
			code = ""
		}
	}
	return found
}

// prepare writes what the examples of the page read, with rows, and what the
// libraries themselves say of them.
const prepare = `
import sys, numpy as np
kind = sys.argv[1]
rng = np.random.default_rng(1)
n = 40
labs = rng.normal(size=(n, 4))
if kind == "A plain function":
    age, ecg = rng.uniform(0, 100, n).astype("float32"), rng.normal(size=(n, 48)).astype("float32")
    want = np.array([np.max(np.abs(ecg[i])) if age[i] > 50 else 0 for i in range(n)], dtype="float32")
    rows = {"age": age, "ecg": ecg, "risk": want}
elif kind == "PyTorch":
    import torch
    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.image, self.labs = torch.nn.Linear(64, 3), torch.nn.Linear(4, 3)
        def forward(self, image, labs):
            return self.image(image.flatten(1)) * self.labs(labs)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    net = Net().eval()
    torch.jit.save(torch.jit.script(net), "model.pt")
    image, labs = rng.normal(size=(n, 1, 8, 8)).astype("float32"), labs.astype("float32")
    want = torch.softmax(net(torch.tensor(image), torch.tensor(labs)), 1).detach().numpy()
    rows = {"image": image, "labs": labs, "probabilities": want}
else:
    image = rng.normal(size=(n, 64))
    label = (image[:, 0] > 0).astype(int) + (labs[:, 0] > 0)
    x = np.hstack([image, labs])
    if kind == "scikit-learn":
        import joblib
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        fit = make_pipeline(StandardScaler(), LogisticRegression()).fit(x, np.array(["a", "b", "c"])[label])
        joblib.dump(fit, "model.joblib")
        want = fit.predict_proba(x)
    else:
        import xgboost
        image, labs = image.astype("float32"), labs.astype("float32")
        x = np.hstack([image, labs])
        fit = xgboost.XGBClassifier(n_estimators=10, n_jobs=1).fit(x, label)
        fit.save_model("model.json")
        want = fit.predict_proba(x)
    rows = {"image": image, "labs": labs, "probabilities": want}
np.savez("rows.npz", **rows)
`

// TestPythonExamples runs every model of the page and compares it with what its
// library says by itself.
func TestPythonExamples(t *testing.T) {
	all := examples(t)
	modules := map[string][]string{"A plain function": nil, "PyTorch": {"torch"}, "scikit-learn": {"sklearn"}, "XGBoost": {"xgboost", "sklearn"}}
	if len(all) != len(modules) {
		t.Fatalf("want %d examples, got %d: %q", len(modules), len(all), all)
	}
	for title, needs := range modules {
		t.Run(title, func(t *testing.T) {
			if all[title] == "" {
				t.Fatal("the page has no such example")
			}
			if lines := strings.Count(strings.TrimSpace(all[title]), "\n") + 1; lines > 20 {
				t.Errorf("want about 20 lines at most, got %d", lines)
			}
			needPython(t, needs...)
			folder := pythonFolder(t, all[title])
			// A file, since PyTorch looks for the source of what it saves.
			if err := os.WriteFile(filepath.Join(folder, "prepare.py"), []byte(prepare), 0o600); err != nil {
				t.Fatal(err)
			}
			prepared := exec.CommandContext(t.Context(), debianPython, "prepare.py", title)
			prepared.Dir = folder
			if out, err := prepared.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			raw, err := os.ReadFile(filepath.Join(folder, "rows.npz"))
			if err != nil {
				t.Fatal(err)
			}
			arrays, err := dataset.ReadNPZ("rows.npz", raw)
			if err != nil {
				t.Fatal(err)
			}
			t.Chdir(folder) // the examples name their files without a folder
			m := openFolder(t, folder, Options{Timeout: time.Minute})
			var in model.Batch
			for _, a := range arrays[:len(arrays)-1] {
				in = append(in, model.Named{Name: a.Name, Tensor: a.Tensor})
			}
			out, err := m.Predict(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			want := arrays[len(arrays)-1]
			if out[0].Name != want.Name {
				t.Fatalf("want the output %s, got %s", want.Name, out[0].Name)
			}
			// Other batches may round otherwise, once for each of the few operations.
			tolerance := 1e-6
			if want.Tensor.DType() == tensor.Float64 {
				tolerance = 1e-14
			}
			if diff := furthest(want.Tensor, out[0].Tensor); diff > tolerance {
				t.Errorf("want the same as the library says, got a difference of %g", diff)
			}
			if title == "scikit-learn" && !slices.Equal(m.Classes("probabilities"), []string{"a", "b", "c"}) {
				t.Errorf("classes: got %q", m.Classes("probabilities"))
			}
		})
	}
}

// furthest returns the largest difference of two tensors; infinity for shapes that
// differ.
func furthest(a, b tensor.Tensor) float64 {
	if !slices.Equal(a.Shape(), b.Shape()) {
		return math.Inf(1)
	}
	x, y := make([]float64, a.Len()), make([]float64, b.Len())
	a.Float64s(x)
	b.Float64s(y)
	largest := 0.0
	for i := range x {
		if d := math.Abs(x[i] - y[i]); !(d <= largest) { // NaN too
			largest = d
		}
	}
	return largest
}

func TestFurthest(t *testing.T) {
	a := tensor.Of([]float64{1, 2})
	for _, c := range []struct {
		b    tensor.Tensor
		want float64
	}{{a, 0}, {tensor.Of([]float64{1, 2.5}), 0.5}, {tensor.Of([]float64{0.5, 2}), 0.5}, {tensor.Of([]float64{1}), math.Inf(1)}} {
		if got := furthest(a, c.b); got != c.want {
			t.Errorf("%v: want %v, got %v", c.b, c.want, got)
		}
	}
	if got := furthest(a, tensor.Of([]float64{1, math.NaN()})); got <= 1e9 {
		t.Errorf("want NaN seen, got %v", got)
	}
}
