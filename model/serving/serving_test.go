package serving

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/model/serving/server"
	"github.com/intershap/intershap/tensor"
)

// TestConformance holds every transport to the contract of models, with requests
// of three rows, so that every batch is cut.
func TestConformance(t *testing.T) {
	urls := serve(t, triple(), server.Options{Rows: 3}, nil)
	for _, name := range transports {
		t.Run(name, func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T) model.Described { return openRemote(t, urls[name], quick()) },
				modeltest.Strings("", "a", "é\x00\"", "a long text"))
		})
	}
}

// TestSameBits holds all transports to the bits that the model gives by itself.
func TestSameBits(t *testing.T) {
	m, in := triple(), tripleRows(50)
	want, err := m.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	urls := serve(t, m, server.Options{Version: "7", ServerVersion: "1.2", Platform: "go", Rows: 16}, nil)
	for _, name := range transports {
		r := openRemote(t, urls[name], quick())
		sig := m.Signature()
		sig.CallBytes = model.FarCallBytes
		if diff := cmp.Diff(sig, r.Signature()); diff != "" {
			t.Errorf("%s: signature (-want +got):\n%s", name, diff)
		}
		got, err := r.Predict(t.Context(), in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := sameBatch(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		// 50 rows in requests of 16: 4, beside those that opened the model.
		if c := r.Counts(); c.Rows != 50 || c.Sent != 50 || c.Requests != 1+4 || c.Retries != 0 {
			t.Errorf("%s: got %+v", name, c)
		}
		if !strings.HasPrefix(r.Runtime(), "intershap 1.2, go (") {
			t.Errorf("%s: runtime %q", name, r.Runtime())
		}
	}
}

// TestOutputsChosen asks for one output, and for both in another order.
func TestOutputsChosen(t *testing.T) {
	urls := serve(t, triple(), server.Options{}, nil)
	for _, name := range transports {
		for _, names := range [][]string{{"label"}, {"label", "p"}} {
			opt := quick()
			opt.Outputs = func([]tensor.Spec) []string { return names }
			r := openRemote(t, urls[name], opt)
			out, err := r.Predict(t.Context(), tripleRows(2))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, o := range out {
				got = append(got, o.Name)
			}
			if diff := cmp.Diff(names, got); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
		}
	}
	opt := quick()
	opt.Outputs = func([]tensor.Spec) []string { return []string{"q"} }
	if _, err := Open(t.Context(), urls["json"], opt); err == nil || !strings.Contains(err.Error(), `no output "q" (have p, label)`) {
		t.Errorf("got %v", err)
	}
}

// TestEqualRowsOnce counts what the model sees: rows that differ in a bit, no
// matter where and how often they stand in a call.
func TestEqualRowsOnce(t *testing.T) {
	var seen atomic.Int64
	inner := triple()
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		seen.Add(int64(in.Rows()))
		return inner.Predict(ctx, in)
	}), inner.Signature())
	r := openRemote(t, serve(t, m, server.Options{}, nil)["binary"], quick())
	distinctRows := tripleRows(5)
	order := []int{3, 0, 0, 1, 3, 2, 4, 4, 4, 0}
	in := make(model.Batch, len(distinctRows))
	for i, d := range distinctRows {
		in[i] = model.Named{Name: d.Name, Tensor: pick(d.Tensor, order)}
	}
	want, err := inner.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameBatch(want, got); diff != "" {
		t.Error(diff)
	}
	if n := seen.Load(); n != 5 {
		t.Errorf("want 5 rows sent of 10, got %d", n)
	}
	if c := r.Counts(); c.Rows != 10 || c.Sent != 5 {
		t.Errorf("got %+v", c)
	}
}

// TestDistinct holds that rows count as equal only when every input is, in all
// bits, and that texts do not run into each other.
func TestDistinct(t *testing.T) {
	one := model.Batch{
		{Name: "a", Tensor: tensor.Of([]string{"ab", "c", "a", "bc", "ab", "c"}, 3, 2)},
		{Name: "b", Tensor: tensor.Of([]float32{0, 0, 0}, 3, 1)},
	}
	first, place := distinct(one)
	if diff := cmp.Diff([][]int{{0, 1}, {0, 1, 0}}, [][]int{first, place}); diff != "" {
		t.Error(diff)
	}
	tensor.Values[float32](one[1].Tensor)[2] = float32(math.Copysign(0, -1))
	if first, _ := distinct(one); len(first) != 3 {
		t.Errorf("want three kinds, since 0 and -0 differ in a bit, got rows %v", first)
	}
}

// TestFixedBatch asks a server that takes four rows, no more and no less.
func TestFixedBatch(t *testing.T) {
	inner := triple()
	var wrong atomic.Int64
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		if in.Rows() != 4 {
			wrong.Add(1)
		}
		return inner.Predict(ctx, in)
	}), inner.Signature())
	fixed := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodGet && r.URL.Path == "/v2/models/m" {
				_, _ = w.Write([]byte(`{"name": "m", "platform": "p",
					"inputs": [{"name": "x", "datatype": "FP32", "shape": [4, 3]}, {"name": "n", "datatype": "INT64", "shape": [4, 2]},
						{"name": "text", "datatype": "BYTES", "shape": [4, 1]}],
					"outputs": [{"name": "p", "datatype": "FP32", "shape": [4, 2]}]}`))
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	r := openRemote(t, serve(t, m, server.Options{}, fixed)["binary"], quick())
	if got := r.Signature().BatchSize; got != 4 {
		t.Errorf("want a batch of 4, got %d", got)
	}
	in := tripleRows(7)
	want, err := inner.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := sameBatch(want[:1], got); diff != "" {
		t.Error(diff)
	}
	if wrong.Load() > 0 {
		t.Error("the model saw another number of rows than 4")
	}
}

// TestRowsOfRequest counts rows by the server's limit, the caller's, and bytes.
func TestRowsOfRequest(t *testing.T) {
	wide := model.Batch{{Name: "x", Tensor: tensor.New(tensor.Float32, 1, 1<<17)}} // 512 KiB a row
	narrow := tripleRows(1)
	for _, tt := range []struct {
		name          string
		batch         int
		asked, served int
		in            model.Batch
		want          int
	}{
		{"nothing said", 0, 0, 0, narrow, 1024},
		{"the server's limit", 0, 0, 8, narrow, 8},
		{"the caller's", 0, 5, 8, narrow, 5},
		{"the caller's above the server's", 0, 50, 8, narrow, 8},
		{"bytes", 0, 0, 0, wide, 4},
		{"a fixed batch", 3, 50, 8, narrow, 3},
	} {
		m := &remote{opt: Options{Rows: tt.asked}, about: description{maxRows: tt.served}, batch: tt.batch}
		if got := m.rowsPerRequest(tt.in); got != tt.want {
			t.Errorf("%s: want %d, got %d", tt.name, tt.want, got)
		}
	}
}

// TestRequestsInFlight lets a server hold every request until as many are there
// as may be in flight, which a client that sends fewer would never end; and
// counts that there are never more.
func TestRequestsInFlight(t *testing.T) {
	const limit, requests = 5, 40
	var mu sync.Mutex
	flying, most, arrived := 0, 0, 0
	full := make(chan struct{})
	hold := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			mu.Lock()
			flying++
			arrived++
			most = max(most, flying)
			if arrived == limit {
				close(full)
			}
			mu.Unlock()
			<-full
			h.ServeHTTP(w, r)
			mu.Lock()
			flying--
			mu.Unlock()
		})
	}
	urls := serve(t, triple(), server.Options{Rows: 1}, hold)
	opt := quick()
	opt.Requests = limit
	r := openRemote(t, urls["binary"], opt)
	// Two callers share the limit.
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() {
			if _, err := r.Predict(t.Context(), tripleRows(requests/2)); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if most != limit || arrived != requests {
		t.Errorf("want %d requests, %d at a time, got %d, %d", requests, limit, arrived, most)
	}
}

func TestClosed(t *testing.T) {
	r := openRemote(t, serve(t, triple(), server.Options{}, nil)["binary"], quick())
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Predict(t.Context(), tripleRows(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("want %v, got %v", ErrClosed, err)
	}
}

// TestDigest holds that the digest stays while server and model do, and changes
// with the version, the name and the address.
func TestDigest(t *testing.T) {
	one := serve(t, triple(), server.Options{Version: "1"}, nil)
	two := serve(t, triple(), server.Options{Version: "2"}, nil)
	first := openRemote(t, one["binary"], quick()).Digest()
	if again := openRemote(t, one["json"]+"&rows=7", quick()).Digest(); again != first {
		t.Error("want the digest that it had: how a model is asked does not change it")
	}
	for _, url := range []string{two["binary"], one["grpc"]} {
		if openRemote(t, url, quick()).Digest() == first {
			t.Errorf("want another digest for %s", url)
		}
	}
}
