package serving

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// A scripted server answers paths with texts, or by functions of the body, and
// keeps the bodies of requests.
type scripted struct {
	t      *testing.T
	get    map[string]string
	post   func(path, body string) (status int, answer string)
	mu     sync.Mutex
	bodies []string
}

func (s *scripted) start() string {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if r.Method == http.MethodGet {
			text, found := s.get[r.URL.Path]
			if !found {
				w.WriteHeader(http.StatusNotFound)
			}
			_, _ = io.WriteString(w, text)
			return
		}
		s.mu.Lock()
		s.bodies = append(s.bodies, string(body))
		s.mu.Unlock()
		status, answer := s.post(r.URL.Path, string(body))
		w.WriteHeader(status)
		_, _ = io.WriteString(w, answer)
	}))
	s.t.Cleanup(web.Close)
	return web.URL
}

// halfPlusTwo is what TensorFlow Serving tells of its example model x/2 + 2: the
// metadata of the page on its REST API, with lengths as the texts that protobuf's
// JSON has for 64-bit numbers.
const halfPlusTwo = `{"model_spec": {"name": "half_plus_two", "signature_name": "", "version": "123"},
 "metadata": {"signature_def": {"signature_def": {
  "classify_x_to_y": {"inputs": {"inputs": {"dtype": "DT_STRING", "tensor_shape": {"dim": [], "unknown_rank": true}}}, "outputs": {}, "method_name": "tensorflow/serving/classify"},
  "serving_default": {
   "inputs": {"x": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": false}, "name": "x:0"}},
   "outputs": {"y": {"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1", "name": ""}, {"size": "1", "name": ""}], "unknown_rank": false}, "name": "y:0"}},
   "method_name": "tensorflow/serving/predict"}}}}}`

// TestTensorFlowServing asks the example model in both forms. x = 1, 2, 5 gives
// 2.5, 3, 4.5.
func TestTensorFlowServing(t *testing.T) {
	for _, tt := range []struct{ name, url, want, answer string }{
		{"columns", ":predict", `{"inputs":{"x":[[1],[2],[5]]}}`, `{"outputs": [[2.5], [3.0], [4.5]]}`},
		{"columns by name", "", `{"inputs":{"x":[[1],[2],[5]]}}`, `{"outputs": {"y": [[2.5], [3.0], [4.5]]}}`},
		{"rows", "?encoding=instances", `{"instances":[{"x":[1]},{"x":[2]},{"x":[5]}]}`, `{"predictions": [[2.5], [3.0], [4.5]]}`},
		{"rows by name", "?encoding=instances&signature=serving_default",
			`{"signature_name":"serving_default","instances":[{"x":[1]},{"x":[2]},{"x":[5]}]}`, `{"predictions": [{"y": [2.5]}, {"y": [3.0]}, {"y": [4.5]}]}`},
	} {
		s := &scripted{t: t, get: map[string]string{"/v1/models/half_plus_two/metadata": halfPlusTwo},
			post: func(path, _ string) (int, string) {
				if path != "/v1/models/half_plus_two:predict" {
					return 404, "no " + path
				}
				return 200, tt.answer
			}}
		m := openRemote(t, s.start()+"/v1/models/half_plus_two"+tt.url, quick())
		out, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1, 2, 5}, 3, 1)}})
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if diff := sameBatch(model.Batch{{Name: "y", Tensor: tensor.Of([]float32{2.5, 3, 4.5}, 3, 1)}}, out); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if diff := cmp.Diff([]string{tt.want}, s.bodies); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", tt.name, diff)
		}
		if !strings.Contains(m.Runtime(), "version 123") {
			t.Errorf("%s: runtime %q", tt.name, m.Runtime())
		}
	}
	s := &scripted{t: t, get: map[string]string{"/v1/models/half_plus_two/metadata": halfPlusTwo}}
	if _, err := Open(t.Context(), s.start()+"/v1/models/half_plus_two?signature=no", quick()); err == nil || !strings.Contains(err.Error(), `no signature "no", it has classify_x_to_y, serving_default`) {
		t.Errorf("got %v", err)
	}
}

// TestKServeV1 asks a server of protocol v1 that tells nothing of its model.
func TestKServeV1(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   model.Batch
		want string
	}{
		{"one input", model.Batch{{Name: "x", Tensor: tensor.Of([]float64{1, 2, 3, 4}, 2, 2)}}, `{"instances":[[1,2],[3,4]]}`},
		{"several", model.Batch{{Name: "a", Tensor: tensor.Of([]int64{1, 2})}, {Name: "b", Tensor: tensor.Of([]string{"x", "y"}, 2, 1)}},
			`{"instances":[{"a":1,"b":["x"]},{"a":2,"b":["y"]}]}`},
	} {
		s := &scripted{t: t, get: map[string]string{"/v1/models/m": `{"name": "m", "ready": true}`},
			post: func(string, string) (int, string) { return 200, `{"predictions": [[0.25, 0.75], [1, 0]]}` }}
		m, err := Open(t.Context(), s.start()+"/v1/models/m:predict", quick())
		if err != nil {
			t.Fatal(err)
		}
		if _, known := m.(model.Described); known {
			t.Error("want a model without a signature")
		}
		out, err := m.Predict(t.Context(), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameBatch(model.Batch{{Name: "predictions", Tensor: tensor.Of([]float64{0.25, 0.75, 1, 0}, 2, 2)}}, out); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		if diff := cmp.Diff([]string{tt.want}, s.bodies); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestMLflowEncodings writes the four forms, for a table and for an array.
func TestMLflowEncodings(t *testing.T) {
	table := model.Batch{{Name: "age", Tensor: tensor.Of([]float64{61, 40.5})}, {Name: "sex", Tensor: tensor.Of([]string{"f", "m"}, 2, 1)}}
	array := model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1, 2, 3, 4}, 2, 2)}}
	for _, tt := range []struct {
		encoding string
		in       model.Batch
		want     string
	}{
		{frameSplit, table, `{"dataframe_split":{"columns":["age","sex"],"data":[[61,"f"],[40.5,"m"]]}}`},
		{frameRecords, table, `{"dataframe_records":[{"age":61,"sex":"f"},{"age":40.5,"sex":"m"}]}`},
		{mlflowInputs, table, `{"inputs":{"age":[61,40.5],"sex":[["f"],["m"]]}}`},
		{mlflowInstances, table, `{"instances":[{"age":61,"sex":["f"]},{"age":40.5,"sex":["m"]}]}`},
		{frameSplit, array, `{"dataframe_split":{"columns":["x.0","x.1"],"data":[[1,2],[3,4]]}}`},
		{frameRecords, array, `{"dataframe_records":[{"x.0":1,"x.1":2},{"x.0":3,"x.1":4}]}`},
		{mlflowInputs, array, `{"inputs":[[1,2],[3,4]]}`},
		{mlflowInstances, array, `{"instances":[[1,2],[3,4]]}`},
	} {
		s := &scripted{t: t, get: map[string]string{"/version": "2.9.2"}, post: func(string, string) (int, string) { return 200, `{"predictions": [0, 1]}` }}
		m, err := Open(t.Context(), s.start()+"/invocations?encoding="+tt.encoding, quick())
		if err != nil {
			t.Fatal(err)
		}
		out, err := m.Predict(t.Context(), tt.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := sameBatch(model.Batch{{Name: "predictions", Tensor: tensor.Of([]float64{0, 1})}}, out); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{tt.want}, s.bodies); diff != "" {
			t.Errorf("%s: body (-want +got):\n%s", tt.encoding, diff)
		}
		if m.Runtime() != "MLflow 2.9.2 (JSON)" {
			t.Errorf("runtime %q", m.Runtime())
		}
	}
}

// TestMLflowNames gives the elements of an input the names that the data have.
func TestMLflowNames(t *testing.T) {
	s := &scripted{t: t, post: func(string, string) (int, string) { return 200, `[0.5, 1]` }}
	m, err := Open(t.Context(), s.start()+"/invocations", quick())
	if err != nil {
		t.Fatal(err)
	}
	m.(interface{ NameColumns(string, []string) }).NameColumns("lab", []string{"lab.crp", "lab.wbc"})
	if _, err := m.Predict(t.Context(), model.Batch{{Name: "lab", Tensor: tensor.Of([]float64{1, 2, 3, 4}, 2, 2)}}); err != nil {
		t.Fatal(err)
	}
	if want := `{"dataframe_split":{"columns":["lab.crp","lab.wbc"],"data":[[1,2],[3,4]]}}`; !slices.Equal(s.bodies, []string{want}) {
		t.Errorf("want %s, got %s", want, s.bodies)
	}
}

// TestMLflowOrder holds that the encodings are tried in their order, once, until
// one is answered.
func TestMLflowOrder(t *testing.T) {
	table := model.Batch{{Name: "a", Tensor: tensor.Of([]float64{1, 2})}}
	array := model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1, 2, 3, 4, 5, 6, 7, 8}, 2, 2, 2)}}
	for _, tt := range []struct {
		in    model.Batch
		takes string
		tried []string
	}{
		{table, frameSplit, []string{frameSplit}},
		{table, mlflowInstances, []string{frameSplit, frameRecords, mlflowInputs, mlflowInstances}},
		{array, mlflowInputs, []string{mlflowInputs}},
		{array, frameRecords, []string{mlflowInputs, mlflowInstances, frameSplit, frameRecords}},
	} {
		s := &scripted{t: t, post: func(_, body string) (int, string) {
			if !strings.HasPrefix(body, `{"`+tt.takes+`"`) {
				return 400, `{"error_code": "BAD_REQUEST", "message": "Failed to enforce schema"}`
			}
			return 200, `{"predictions": [[0.5], [1]]}`
		}}
		m, err := Open(t.Context(), s.start()+"/invocations", quick())
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := m.Predict(t.Context(), tt.in); err != nil {
				t.Fatal(err)
			}
		}
		var tried []string
		for _, body := range s.bodies {
			encoding, _, _ := strings.Cut(body[2:], `"`)
			tried = append(tried, encoding)
		}
		if diff := cmp.Diff(append(tt.tried, tt.takes), tried); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.takes, diff)
		}
	}
	s := &scripted{t: t, post: func(string, string) (int, string) { return 400, `{"message": "no such column"}` }}
	m, err := Open(t.Context(), s.start()+"/invocations", quick())
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Predict(t.Context(), table)
	var e *Error
	if !errors.As(err, &e) || strings.Count(err.Error(), "no such column") != 4 || !strings.Contains(e.Hint, "?encoding=") {
		t.Errorf("want the four refusals and the remedy, got %v", err)
	}
	s.post = func(string, string) (int, string) { return 401, "" }
	if _, err = m.Predict(t.Context(), table); !errors.As(err, &e) || !strings.Contains(e.Hint, TokenVariable) || !errors.Is(err, model.ErrUnanswered) {
		t.Errorf("want the remedy for a refused token, got %v", err)
	}
}

// TestReadLists reads the shapes of answers.
func TestReadLists(t *testing.T) {
	floats := []tensor.Spec{{Name: "y", DType: tensor.Float32, Shape: []int{-1}}}
	for _, tt := range []struct {
		name, in string
		specs    []tensor.Spec
		want     model.Batch
	}{
		{"numbers", `[1, 2.5]`, nil, model.Batch{{Name: "p", Tensor: tensor.Of([]float64{1, 2.5})}}},
		{"typed", `[1, 2.5]`, floats, model.Batch{{Name: "y", Tensor: tensor.Of([]float32{1, 2.5})}}},
		{"texts", `["a", "b"]`, nil, model.Batch{{Name: "p", Tensor: tensor.Of([]string{"a", "b"})}}},
		{"objects", ` [ {"b": [1, 2], "a": "x"}, {"a": "y", "b": [3, 4]} ]`, nil,
			model.Batch{{Name: "a", Tensor: tensor.Of([]string{"x", "y"})}, {Name: "b", Tensor: tensor.Of([]float64{1, 2, 3, 4}, 2, 2)}}},
		{"object", `{"b": [1, 2], "a": [true, false]}`, nil,
			model.Batch{{Name: "a", Tensor: tensor.Of([]bool{true, false})}, {Name: "b", Tensor: tensor.Of([]float64{1, 2})}}},
	} {
		got, err := readLists(json.RawMessage(tt.in), "p", tt.specs)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if diff := sameBatch(tt.want, got); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
	}
	for _, bad := range []string{``, `null`, `3`, `[]`, `[[1], [2, 3]]`, `[{"a": 1}, {"b": 1}]`, `[{"a": 1}, {"a": 1, "b": 2}]`, `[{"a": 1}, 2]`, `[{"a": {}}]`, `[null]`} {
		if got, err := readLists(json.RawMessage(bad), "p", nil); err == nil {
			t.Errorf("%s: want an error, got %v", bad, got)
		}
	}
}

// TestListsConformance holds protocol v1 to the contract of models.
func TestListsConformance(t *testing.T) {
	metadata := func(fields string) string {
		return `{"model_spec": {"version": "1"}, "metadata": {"signature_def": {"signature_def": {"serving_default": {` + fields + `}}}}}`
	}
	const dims = `"tensor_shape": {"dim": [{"size": "-1"}, {"size": "2"}]}`
	s := &scripted{t: t,
		get: map[string]string{"/v1/models/m/metadata": metadata(`"inputs": {"a": {"dtype": "DT_FLOAT", ` + dims + `}, "b": {"dtype": "DT_INT32", ` + dims + `}},
			"outputs": {"y": {"dtype": "DT_DOUBLE", ` + dims + `}}`)},
		post: func(_, body string) (int, string) {
			var in struct {
				Inputs struct {
					A [][]float32
					B [][]int32
				}
			}
			if err := json.Unmarshal([]byte(body), &in); err != nil {
				return 400, err.Error()
			}
			out := [][]float64{}
			for r, a := range in.Inputs.A {
				out = append(out, []float64{math.Sin(float64(a[0])) + float64(in.Inputs.B[r][1]), float64(a[1])})
			}
			text, err := json.Marshal(map[string]any{"outputs": out})
			if err != nil {
				return 500, err.Error()
			}
			return 200, string(text)
		}}
	url := s.start() + "/v1/models/m"
	modeltest.Run(t, func(t *testing.T) model.Described { return openRemote(t, url, quick()) })
}

// FuzzReadLists reads any answer: no panic.
func FuzzReadLists(f *testing.F) {
	for _, seed := range []string{`[1]`, `[{"a": [1]}]`, `{"a": [1]}`, `[{}]`, `[[`, `{`, `[{"a":1},{"a":`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(_ *testing.T, data []byte) {
		_, _ = readLists(data, "p", nil)
	})
}
