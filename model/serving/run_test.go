package serving

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
	"github.com/intershap/intershap/model/serving/server"
	"github.com/intershap/intershap/tensor"
)

// pair is a small model of two inputs with two classes, whose probabilities fill
// the bits of a float32.
func pair() model.Described {
	return model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		b, _ := in.Lookup("b")
		out := tensor.New(tensor.Float32, in.Rows(), 2)
		for r := range in.Rows() {
			x, y := tensor.Values[float32](a)[r], tensor.Values[float32](b)[r]
			p := 1 / (1 + math.Exp(-float64(x*y)-0.3*float64(x)))
			tensor.Values[float32](out)[2*r], tensor.Values[float32](out)[2*r+1] = float32(p), float32(1-p)
		}
		return model.Batch{{Name: "probabilities", Tensor: out}}, ctx.Err()
	}), model.Signature{
		Inputs: []tensor.Spec{
			{Name: "a", DType: tensor.Float32, Shape: []int{-1, 1}}, {Name: "b", DType: tensor.Float32, Shape: []int{-1, 1}},
		},
		Outputs: []tensor.Spec{{Name: "probabilities", DType: tensor.Float32, Shape: []int{-1, 2}}},
	})
}

// pairFiles writes data and background for pair, as files, which have digests.
func pairFiles(t testing.TB) (data, rows dataset.File) {
	return filesOf(t, func(v float64) float64 { return v })
}

// filesOf is pairFiles with every number passed through level.
func filesOf(t testing.TB, level func(float64) float64) (data, rows dataset.File) {
	t.Helper()
	open := func(name string, n, step int) dataset.File {
		text := "a,b\n"
		for i := range n {
			text += strconv.FormatFloat(level(math.Sin(float64(i*step))), 'g', 6, 64) + "," + strconv.FormatFloat(level(math.Cos(float64(i*i+step))), 'g', 6, 64) + "\n"
		}
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := dataset.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
		return f
	}
	return open("data.csv", 300, 3), open("rows.csv", 40, 5)
}

// targetsOf is what an explanation says of its targets, in the shortest digits that
// tell every number from its neighbours.
func targetsOf(t *testing.T, ex *intershap.Explanation) string {
	t.Helper()
	text, err := json.MarshalIndent(ex.Targets, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExplainUnderFaults explains a model whose server fails a fifth of all
// requests, and wants every number of the explanation, to the bit.
func TestExplainUnderFaults(t *testing.T) {
	data, rows := pairFiles(t)
	opt := intershap.Options{Workers: 3}
	want, err := intershap.Explain(t.Context(), pair(), data, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range transports {
		dice := newDice(httpFaults)
		var more []grpc.ServerOption
		if name == "grpc" {
			dice.kinds = []fault{busy, throttle, hangs, late}
			more = append(more, grpc.ChainUnaryInterceptor(dice.aroundGRPC))
		}
		ask := quick()
		ask.Requests = 3
		r := openRemote(t, serve(t, pair(), server.Options{}, dice.around, more...)[name], ask)
		r.opt.Timeout = briefCall
		got, err := intershap.Explain(t.Context(), r, data, rows, opt)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(targetsOf(t, want), targetsOf(t, got)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		for i := range data.Len() {
			if diff := cmp.Diff(want.Phi(i), got.Phi(i)); diff != "" {
				t.Fatalf("%s, sample %d (-want +got):\n%s", name, i, diff)
			}
		}
		if c := r.Counts(); c.Retries < 8 {
			t.Errorf("%s: want faults, got %+v", name, c)
		}
	}
}

// TestGoesOn lets the server go away in the middle of a run: the error says so and
// blames no row, and the same run against a server that is back goes on where it
// was.
func TestGoesOn(t *testing.T) {
	data, rows := pairFiles(t)
	want, err := intershap.Explain(t.Context(), pair(), data, rows, intershap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const served = 60
	var requests, limit atomic.Int64
	limit.Store(served)
	mortal := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost && requests.Add(1) > limit.Load() {
				http.Error(w, "going down", http.StatusServiceUnavailable)
				return
			}
			h.ServeHTTP(w, r)
		})
	}
	url := serve(t, pair(), server.Options{Version: "1"}, mortal)["binary"]
	// Few workers finish tiles early, on a machine of any size.
	const workers, attempts = 2, 2
	ask := quick()
	ask.Attempts, ask.Requests, ask.Rows = attempts, workers, 256
	opt := intershap.Options{Checkpoint: filepath.Join(t.TempDir(), "kept"), Workers: workers}
	_, err = intershap.Explain(t.Context(), openRemote(t, url, ask), data, rows, opt)
	if !errors.Is(err, model.ErrUnanswered) || !strings.Contains(err.Error(), "going down (2 attempts)") || strings.Contains(err.Error(), "sample") {
		t.Fatalf("want the server's words and no row, got %v", err)
	}
	// A call of each worker may have so many requests waiting when the first fails.
	if got, most := requests.Load()-served, int64(workers*ask.Requests*attempts); got > most {
		t.Errorf("want the server left alone, got %d requests after it went, want %d at most", got, most)
	}
	limit.Store(math.MaxInt64)
	resumed := 0
	opt.Resumed = func(found, _ int) { resumed = found }
	got, err := intershap.Explain(t.Context(), openRemote(t, url, ask), data, rows, opt)
	if err != nil {
		t.Fatal(err)
	}
	if resumed == 0 {
		t.Error("want tiles kept")
	}
	if diff := cmp.Diff(targetsOf(t, want), targetsOf(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestNaN holds that NaN, which binary carries and JSON does not, is an error that
// names the place either way.
func TestNaN(t *testing.T) {
	inner := pair()
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		out, err := inner.Predict(ctx, in)
		a, _ := in.Lookup("a")
		for r, v := range tensor.Values[float32](a) {
			if v == 0 {
				tensor.Values[float32](out[0].Tensor)[2*r] = float32(math.NaN())
			}
		}
		return out, err
	}), inner.Signature())
	data, rows := pairFiles(t) // sin(0) is 0: row 0 of the data
	for name, url := range serve(t, m, server.Options{}, nil) {
		_, err := intershap.Explain(t.Context(), openRemote(t, url, quick()), data, rows, intershap.Options{})
		want := `sample 0 (id 0): output "probabilities" is NaN`
		if name == "json" {
			want = "NaN cannot travel as JSON"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", name, want, err)
		}
	}
}

// TestCulprit holds that a row which the server's model cannot compute is found.
func TestCulprit(t *testing.T) {
	inner := pair()
	m := model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		a, _ := in.Lookup("a")
		for _, v := range tensor.Values[float32](a) {
			if v == 0 {
				return nil, errors.New("division by zero")
			}
		}
		return inner.Predict(ctx, in)
	}), inner.Signature())
	data, rows := pairFiles(t)
	for name, url := range serve(t, m, server.Options{}, nil) {
		_, err := intershap.Explain(t.Context(), openRemote(t, url, quick()), data, rows, intershap.Options{})
		if err == nil || !strings.Contains(err.Error(), "row 0: ") || !strings.Contains(err.Error(), "division by zero") {
			t.Errorf("%s: want row 0 and the model's words, got %v", name, err)
		}
	}
}

// TestWithoutSignature explains a model whose server tells nothing: its inputs are
// those of the data.
func TestWithoutSignature(t *testing.T) {
	data, rows := pairFiles(t)
	// The same function of float64 numbers, which is what CSV columns are.
	wide := model.RowFunc("predictions", func(x model.Row) []float64 {
		p := 1 / (1 + math.Exp(-x("a")[0]*x("b")[0]-0.3*x("a")[0]))
		return []float64{p, 1 - p}
	})
	want, err := intershap.Explain(t.Context(), wide, data, rows, intershap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := &scripted{t: t, post: func(_, body string) (int, string) { return predictFrame(t, wide, body) }}
	m, err := Open(t.Context(), s.start()+"/invocations", quick())
	if err != nil {
		t.Fatal(err)
	}
	got, err := intershap.Explain(t.Context(), m, data, rows, intershap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(targetsOf(t, want), targetsOf(t, got)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// BenchmarkExplain measures a run through each transport beside the same run
// without a server, and what share of rows was sent: of measurements, where hardly
// two rows are alike, and of categories, here four levels.
func BenchmarkExplain(b *testing.B) {
	b.Run("data=numbers", func(b *testing.B) { benchmarkExplain(b, func(v float64) float64 { return v }) })
	b.Run("data=levels", func(b *testing.B) { benchmarkExplain(b, func(v float64) float64 { return math.Round(1.5*v+1.5) - 1 }) })
}

func benchmarkExplain(b *testing.B, level func(float64) float64) {
	data, rows := filesOf(b, level)
	run := func(b *testing.B, m model.Model) {
		for b.Loop() {
			if _, err := intershap.Explain(b.Context(), m, data, rows, intershap.Options{Sink: intershap.Discard}); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.Run("transport=none", func(b *testing.B) { run(b, pair()) })
	urls := serve(b, pair(), server.Options{}, nil)
	for _, name := range transports {
		b.Run("transport="+name, func(b *testing.B) {
			m := openRemote(b, urls[name], Options{})
			run(b, m)
			c := m.Counts()
			b.ReportMetric(float64(c.Sent)/float64(c.Rows), "sent/row")
		})
	}
}

// predictFrame answers a request of the encoding dataframe_split.
func predictFrame(t *testing.T, m model.Model, body string) (int, string) {
	var frame struct {
		Split struct {
			Columns []string    `json:"columns"`
			Data    [][]float64 `json:"data"`
		} `json:"dataframe_split"`
	}
	if err := json.Unmarshal([]byte(body), &frame); err != nil {
		return 400, err.Error()
	}
	var in model.Batch
	for c, name := range frame.Split.Columns {
		x := tensor.New(tensor.Float64, len(frame.Split.Data))
		for r, row := range frame.Split.Data {
			tensor.Values[float64](x)[r] = row[c]
		}
		in = append(in, model.Named{Name: name, Tensor: x})
	}
	out, err := m.Predict(t.Context(), in)
	if err != nil {
		return 500, err.Error()
	}
	list, err := oip.AppendRows(nil, out[0].Tensor)
	if err != nil {
		return 500, err.Error()
	}
	return 200, `{"predictions": ` + string(list) + `}`
}
