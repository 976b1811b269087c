package server

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/model/serving/oippb"
	"github.com/intershap/intershap/tensor"
)

// double is a model of one input whose output is twice that; -1 makes it fail,
// -2 panic.
func double() model.Described {
	return model.Describe(model.Func(func(_ context.Context, in model.Batch) (model.Batch, error) {
		x, y := tensor.Values[float32](in[0].Tensor), tensor.New(tensor.Float32, in[0].Tensor.Shape()...)
		for i, v := range x {
			switch v {
			case -1:
				return nil, errors.New("out of memory")
			case -2:
				panic("a fault of the model")
			}
			tensor.Values[float32](y)[i] = 2 * v
		}
		return model.Batch{{Name: "y", Tensor: y}}, nil
	}), model.Signature{
		Inputs:  []tensor.Spec{{Name: "x", DType: tensor.Float32, Shape: []int{-1, 1}}},
		Outputs: []tensor.Spec{{Name: "y", DType: tensor.Float32, Shape: []int{-1, 1}}}, BatchSize: 4,
	})
}

func newServer(t *testing.T, opt Options) *Server {
	t.Helper()
	s, err := New(double(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestHTTP sends requests to the handler and compares status and a part of the
// body.
func TestHTTP(t *testing.T) {
	h := newServer(t, Options{Name: "d", Version: "7", Platform: "go", ServerVersion: "1", Rows: 3, Bytes: 4096}).Handler()
	x := func(data string) string {
		return `{"id": "5", "inputs": [{"name": "x", "shape": [2, 1], "datatype": "FP32", "data": [` + data + `]}]}`
	}
	const infer = "POST /v2/models/d/infer"
	for _, tt := range []struct {
		name, request, body string
		status              int
		want                string
	}{
		{"server", "GET /v2", "", 200, `{"name":"intershap","version":"1","extensions":["binary_tensor_data","model_configuration"]}`},
		{"live", "GET /v2/health/live", "", 200, `{"live":true}`},
		{"ready", "GET /v2/health/ready", "", 200, `{"ready":true}`},
		{"model", "GET /v2/models/d", "", 200, `{"name":"d","versions":["7"],"platform":"go","inputs":[{"name":"x","datatype":"FP32","shape":[-1,1]}],"outputs":[{"name":"y","datatype":"FP32","shape":[-1,1]}]}`},
		{"version", "GET /v2/models/d/versions/7", "", 200, `"name":"d"`},
		{"other version", "GET /v2/models/d/versions/8", "", 404, `no version \"8\"`},
		{"model ready", "GET /v2/models/d/ready", "", 200, `{"name":"d","ready":true}`},
		{"config", "GET /v2/models/d/config", "", 200, `"max_batch_size":3`},
		{"index", "POST /v2/repository/index", "{}", 200, `[{"name":"d","version":"7","state":"READY"}]`},
		{"other model", "GET /v2/models/e", "", 404, `no model \"e\"`},
		{"other path", "GET /", "", 404, "no such path"},
		{"other verb", "DELETE /v2/models/d", "", 404, "no such path"},
		{"infer", infer, x("1, 2"), 200, `{"model_name":"d","model_version":"7","id":"5","outputs":[{"name":"y","shape":[2,1],"datatype":"FP32","data":[2,4]}]}`},
		{"infer of a version", "POST /v2/models/d/versions/7/infer", x("1, 2"), 200, `[2,4]`},
		{"infer of another version", "POST /v2/models/d/versions/8/infer", x("1, 2"), 404, `no version`},
		{"no JSON", infer, "x", 400, "no JSON"},
		{"cut", infer, x("1, 2")[:40], 400, "ends after 40 bytes"},
		{"no inputs", infer, "{}", 400, `input \"x\": missing`},
		{"other input", infer, strings.Replace(x("1, 2"), `"x"`, `"z"`, 1), 400, "no such input"},
		{"other type", infer, strings.Replace(x("1, 2"), "FP32", "FP64", 1), 400, "want float32, got float64"},
		{"other width", infer, strings.Replace(x("1, 2"), "[2, 1]", "[1, 2]", 1), 400, "want shape [N,1], got [1,2]"},
		{"too many rows", infer, strings.Replace(x("1, 2, 3, 4"), "[2, 1]", "[4, 1]", 1), 400, "takes 3 a request"},
		{"too long", infer, x("1, 2" + strings.Repeat(" ", 5000)), 413, "too large"},
		{"other output", infer, strings.Replace(x("1, 2"), `{"id"`, `{"outputs": [{"name": "z"}], "id"`, 1), 400, `no output \"z\"`},
		{"output twice", infer, strings.Replace(x("1, 2"), `{"id"`, `{"outputs": [{"name": "y"}, {"name": "y"}], "id"`, 1), 400, "twice"},
		{"the model fails", infer, x("1, -1"), 500, "out of memory"},
		{"the model panics", infer, x("1, -2"), 500, "panicked"},
		{"NaN in JSON", infer, x("1, 3e38"), 500, "cannot travel as JSON"},
	} {
		verb, path, _ := strings.Cut(tt.request, " ")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(verb, path, strings.NewReader(tt.body)))
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.want) {
			t.Errorf("%s: want %d and %s, got %d and %s", tt.name, tt.status, tt.want, w.Code, w.Body)
		}
	}
}

// TestMixedOutputs asks for an output in binary though the inputs are JSON, and
// the other way round.
func TestMixedOutputs(t *testing.T) {
	h := newServer(t, Options{}).Handler()
	const in = `{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [0.75]}], `
	for _, tt := range []struct{ name, rest, want string }{
		{"by name", `"outputs": [{"name": "y", "parameters": {"binary_data": true}}]}`, "\x00\x00\xc0\x3f"}, // 1.5
		{"all", `"parameters": {"binary_data_output": true}}`, "\x00\x00\xc0\x3f"},
		{"all but one", `"parameters": {"binary_data_output": true}, "outputs": [{"name": "y", "parameters": {"binary_data": false}}]}`, `"data":[1.5]}]}`},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", "/v2/models/model/infer", strings.NewReader(in+tt.rest)))
		if w.Code != 200 || !strings.HasSuffix(w.Body.String(), tt.want) {
			t.Errorf("%s: got %d, %q", tt.name, w.Code, w.Body)
		}
	}
	head := `{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "parameters": {"binary_data_size": 4}}]}`
	r := httptest.NewRequest("POST", "/v2/models/model/infer", strings.NewReader(head+"\x00\x00\x40\x3f")) // 0.75
	r.Header.Set(oip.HeaderLength, "103")
	if len(head) != 103 {
		t.Fatalf("the header is %d bytes", len(head))
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if !strings.HasSuffix(w.Body.String(), `"data":[1.5]}]}`) {
		t.Errorf("got %d, %q", w.Code, w.Body)
	}
	r = httptest.NewRequest("POST", "/v2/models/model/infer", strings.NewReader(head))
	r.Header.Set(oip.HeaderLength, "x")
	w = httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != 400 {
		t.Errorf("got %d, %q", w.Code, w.Body)
	}
}

func TestToken(t *testing.T) {
	h := newServer(t, Options{Token: "s3cret"}).Handler()
	for header, want := range map[string]int{"": 401, "Bearer other": 401, "s3cret": 401, "Bearer s3cret": 200, "bearer s3cret": 200, "Basic s3cret": 401, "Bearer S3cret": 401} {
		r := httptest.NewRequest("GET", "/v2", nil)
		r.Header.Set("Authorization", header)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != want {
			t.Errorf("%q: want %d, got %d", header, want, w.Code)
		}
	}
}

// TestBodies holds that no more requests are read than there is room for.
func TestBodies(t *testing.T) {
	s := newServer(t, Options{Name: "d", Workers: 1})
	for range bodiesPerWorker {
		s.bodies <- struct{}{}
	}
	ask := func(ctx context.Context) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, "POST", "/v2/models/d/infer", strings.NewReader("{")))
		return w
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if w := ask(gone); !strings.Contains(w.Body.String(), context.Canceled.Error()) {
		t.Errorf("want a request without room to wait, got %d, %s", w.Code, w.Body)
	}
	<-s.bodies
	if w := ask(t.Context()); w.Code != 400 {
		t.Errorf("want the request read, got %d, %s", w.Code, w.Body)
	}
	if len(s.bodies) != bodiesPerWorker-1 {
		t.Errorf("want the room given back, %d are taken", len(s.bodies))
	}
}

// TestStreams holds the same over gRPC: a request above the room is refused before
// its message is read, with a code that clients ask again after.
func TestStreams(t *testing.T) {
	s := newServer(t, Options{Name: "d", Workers: 1})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, nil, listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ask := func(method string, in, out any) codes.Code {
		return status.Code(conn.Invoke(t.Context(), oippb.ServicePath+method, in, out))
	}
	infer := func() codes.Code {
		return ask("ModelInfer", oip.Request{Inputs: model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1}, 1, 1)}}}.Proto("d", ""), &oippb.ModelInferResponse{})
	}
	const room = streamsPerBody * bodiesPerWorker
	for range room {
		s.streams <- struct{}{}
	}
	if got := infer(); got != codes.ResourceExhausted {
		t.Errorf("want a request without room refused, got %v", got)
	}
	if got := ask("ModelReady", &oippb.ModelReadyRequest{Name: "d"}, &oippb.ModelReadyResponse{}); got != codes.OK {
		t.Errorf("want other methods answered, got %v", got)
	}
	<-s.streams
	for i := range 2 * room { // each gives its room back, if a moment after the answer
		for deadline := time.Now().Add(10 * time.Second); infer() != codes.OK; {
			if time.Now().After(deadline) {
				t.Fatalf("request %d: the room was not given back", i)
			}
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("after the end: %v", err)
	}
	if len(s.streams) != room-1 {
		t.Errorf("want the room given back, %d are taken", len(s.streams))
	}
}

func TestBadOptions(t *testing.T) {
	for _, opt := range []Options{{Name: "a/b"}, {Name: ".."}, {Rows: -1}, {Workers: -1}} {
		if _, err := New(double(), opt); err == nil {
			t.Errorf("%+v: want an error", opt)
		}
	}
}

// TestGRPC asks every method, and compares codes.
func TestGRPC(t *testing.T) {
	s := newServer(t, Options{Name: "d", Version: "7", Rows: 3})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, nil, listener) }()
	conn, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	request := func(values ...float32) *oippb.ModelInferRequest {
		return oip.Request{ID: "5", Inputs: model.Batch{{Name: "x", Tensor: tensor.Of(values, len(values), 1)}}}.Proto("d", "")
	}
	halved := request(1)
	halved.RawInputContents[0] = halved.RawInputContents[0][:2]
	for _, tt := range []struct {
		method      string
		in, out     any
		code        codes.Code
		want, reply string
	}{
		{"ServerLive", &oippb.ServerLiveRequest{}, &oippb.ServerLiveResponse{}, codes.OK, "", "live:true"},
		{"ServerReady", &oippb.ServerReadyRequest{}, &oippb.ServerReadyResponse{}, codes.OK, "", "ready:true"},
		{"ServerMetadata", &oippb.ServerMetadataRequest{}, &oippb.ServerMetadataResponse{}, codes.OK, "", `extensions:"binary_tensor_data"`},
		{"ModelReady", &oippb.ModelReadyRequest{Name: "d"}, &oippb.ModelReadyResponse{}, codes.OK, "", "ready:true"},
		{"ModelReady", &oippb.ModelReadyRequest{Name: "e"}, &oippb.ModelReadyResponse{}, codes.NotFound, `no model "e"`, ""},
		{"ModelMetadata", &oippb.ModelMetadataRequest{Name: "d", Version: "7"}, &oippb.ModelMetadataResponse{}, codes.OK, "", `datatype:"FP32"`},
		{"ModelMetadata", &oippb.ModelMetadataRequest{Name: "d", Version: "8"}, &oippb.ModelMetadataResponse{}, codes.NotFound, `no version "8"`, ""},
		{"ModelConfig", &oippb.ModelConfigRequest{Name: "d"}, &oippb.ModelConfigResponse{}, codes.OK, "", "max_batch_size:3"},
		{"RepositoryIndex", &oippb.RepositoryIndexRequest{}, &oippb.RepositoryIndexResponse{}, codes.OK, "", `name:"d"`},
		{"ModelInfer", request(1, 2), &oippb.ModelInferResponse{}, codes.OK, "", `id:"5"`},
		{"ModelInfer", request(1, 2, 3, 4), &oippb.ModelInferResponse{}, codes.InvalidArgument, "takes 3 a request", ""},
		{"ModelInfer", halved, &oippb.ModelInferResponse{}, codes.InvalidArgument, "want 4 bytes", ""},
		{"ModelInfer", request(-1), &oippb.ModelInferResponse{}, codes.Internal, "out of memory", ""},
		{"ModelInfer", request(-2), &oippb.ModelInferResponse{}, codes.Internal, "panicked", ""},
		{"ModelLoad", &oippb.ServerLiveRequest{}, &oippb.ServerLiveResponse{}, codes.Unimplemented, "", ""},
	} {
		err := conn.Invoke(t.Context(), oippb.ServicePath+tt.method, tt.in, tt.out)
		if got := status.Convert(err); got.Code() != tt.code || !strings.Contains(got.Message(), tt.want) {
			t.Errorf("%s: want %v and %q, got %v", tt.method, tt.code, tt.want, err)
		}
		if text := strings.ReplaceAll(tt.out.(interface{ String() string }).String(), ":  ", ":"); !strings.Contains(strings.ReplaceAll(text, ": ", ":"), tt.reply) {
			t.Errorf("%s: want %s, got %s", tt.method, tt.reply, text)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("after the end: %v", err)
	}
}

// TestShutdown ends a server while it computes: the answer still comes, and no new
// request is taken.
func TestShutdown(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		close(begun)
		<-finish
		return double().Predict(ctx, in)
	}), double().Signature())
	s, err := New(m, Options{})
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener, nil) }()
	url := "http://" + listener.Addr().String() + "/v2/models/model"
	answered := make(chan string, 1)
	go func() {
		response, err := http.Post(url+"/infer", "application/json", strings.NewReader(`{"inputs": [{"name": "x", "shape": [1, 1], "datatype": "FP32", "data": [0.75]}]}`))
		if err != nil {
			answered <- err.Error()
			return
		}
		defer response.Body.Close()
		text, err := io.ReadAll(response.Body)
		answered <- string(text) + errorText(err)
	}()
	<-begun
	cancel()
	// The listener closes first; then new connections are refused.
	for refused := false; !refused; {
		response, err := http.Get(url)
		if refused = err != nil; !refused {
			response.Body.Close()
		}
	}
	close(finish)
	if got := <-answered; !strings.Contains(got, "[1.5]") {
		t.Errorf("want the answer, got %s", got)
	}
	if err := <-served; err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestListenerFails holds that a server whose listener fails says so, and does not
// go on with the other.
func TestListenerFails(t *testing.T) {
	s := newServer(t, Options{})
	var listeners [2]net.Listener
	for i := range listeners {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		listeners[i] = l
	}
	if err := listeners[0].Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context(), listeners[0], listeners[1]); err == nil || !errors.Is(err, net.ErrClosed) {
		t.Errorf("want the listener's error, got %v", err)
	}
}

// TestWorkers counts model calls at a time: as many as workers, never more.
func TestWorkers(t *testing.T) {
	const workers, requests = 2, 8
	var running, most atomic.Int64
	both := make(chan struct{})
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		now := running.Add(1)
		defer running.Add(-1)
		for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
		}
		if now == workers {
			select {
			case <-both:
			default:
				close(both)
			}
		}
		<-both
		return double().Predict(ctx, in)
	}), double().Signature())
	s, err := New(m, Options{Workers: workers})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, requests)
	for range requests {
		go func() {
			_, err := s.infer(t.Context(), oip.Request{Inputs: model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1}, 1, 1)}}})
			done <- err
		}()
	}
	for range requests {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if most.Load() != workers {
		t.Errorf("want %d calls at a time, got %d", workers, most.Load())
	}
}
