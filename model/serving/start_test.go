package serving

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/server"
	"github.com/intershap/intershap/tensor"
)

// triple is a model of three inputs whose output depends on all of them, by
// functions whose values fill every bit of a float32.
func triple() model.Described {
	return model.Describe(model.Func(func(ctx context.Context, in model.Batch) (model.Batch, error) {
		x, _ := in.Lookup("x")
		n, _ := in.Lookup("n")
		text, _ := in.Lookup("text")
		rows := x.Rows()
		out := tensor.New(tensor.Float32, rows, 2)
		label := tensor.New(tensor.Int64, rows)
		for r := range rows {
			sum := float64(len(tensor.Values[string](text)[r]))
			for i, v := range tensor.Values[float32](x)[3*r : 3*r+3] {
				sum += math.Sin(float64(v) * float64(i+1))
			}
			for _, v := range tensor.Values[int64](n)[2*r : 2*r+2] {
				sum += math.Cos(float64(v))
			}
			p := 1 / (1 + math.Exp(-sum))
			tensor.Values[float32](out)[2*r], tensor.Values[float32](out)[2*r+1] = float32(p), float32(1-p)
			if p < 0.5 {
				tensor.Values[int64](label)[r] = 1
			}
		}
		return model.Batch{{Name: "p", Tensor: out}, {Name: "label", Tensor: label}}, ctx.Err()
	}), model.Signature{
		Inputs: []tensor.Spec{
			{Name: "x", DType: tensor.Float32, Shape: []int{-1, 3}},
			{Name: "n", DType: tensor.Int64, Shape: []int{-1, 2}},
			{Name: "text", DType: tensor.String, Shape: []int{-1, 1}},
		},
		Outputs: []tensor.Spec{
			{Name: "p", DType: tensor.Float32, Shape: []int{-1, 2}},
			{Name: "label", DType: tensor.Int64, Shape: []int{-1}},
		},
	})
}

// tripleRows are inputs for triple: row r depends on r alone, and no two are equal.
func tripleRows(rows int) model.Batch {
	x, n, text := tensor.New(tensor.Float32, rows, 3), tensor.New(tensor.Int64, rows, 2), tensor.New(tensor.String, rows, 1)
	for r := range rows {
		for i := range 3 {
			tensor.Values[float32](x)[3*r+i] = float32(math.Sqrt(float64(3*r+i+2))) - 2
		}
		tensor.Values[int64](n)[2*r], tensor.Values[int64](n)[2*r+1] = int64(r), int64(-r*r)
		tensor.Values[string](text)[r] = strings.Repeat("é", r%3)
	}
	return model.Batch{{Name: "x", Tensor: x}, {Name: "n", Tensor: n}, {Name: "text", Tensor: text}}
}

// sameBatch says how two batches differ in a bit, "" if they do not.
func sameBatch(want, got model.Batch) string {
	if len(want) != len(got) {
		return fmt.Sprintf("want %d tensors, got %d", len(want), len(got))
	}
	for i, w := range want {
		g := got[i]
		if w.Name != g.Name || w.Tensor.DType() != g.Tensor.DType() || fmt.Sprint(w.Tensor.Shape()) != fmt.Sprint(g.Tensor.Shape()) {
			return fmt.Sprintf("want %s %s%v, got %s %s%v", w.Name, w.Tensor.DType(), w.Tensor.Shape(), g.Name, g.Tensor.DType(), g.Tensor.Shape())
		}
		for e := range w.Tensor.Len() {
			same := w.Tensor.Format(e) == g.Tensor.Format(e)
			if size := w.Tensor.DType().Size(); size > 0 {
				same = string(w.Tensor.Bytes()[e*size:(e+1)*size]) == string(g.Tensor.Bytes()[e*size:(e+1)*size])
			}
			if !same {
				return fmt.Sprintf("%s, element %d: want %s, got %s", w.Name, e, w.Tensor.Format(e), g.Tensor.Format(e))
			}
		}
	}
	return ""
}

func TestSameBatchFails(t *testing.T) {
	one := model.Batch{{Name: "a", Tensor: tensor.Of([]float32{0, 1})}}
	negative := float32(math.Copysign(0, -1))
	for _, other := range []model.Batch{
		{}, {{Name: "b", Tensor: tensor.Of([]float32{0, 1})}}, {{Name: "a", Tensor: tensor.Of([]float32{negative, 1})}},
		{{Name: "a", Tensor: tensor.Of([]float32{0, 1}, 2, 1)}}, {{Name: "a", Tensor: tensor.Of([]int32{0, 1})}},
	} {
		if sameBatch(one, other) == "" {
			t.Errorf("want a difference to %v", other)
		}
	}
}

// serve starts our own server for m on loopback and returns the URL of the model
// for each transport. around changes what answers over HTTP; nil leaves it.
func serve(t testing.TB, m model.Described, opt server.Options, around func(http.Handler) http.Handler, more ...grpc.ServerOption) map[string]string {
	t.Helper()
	opt.Name = "m"
	s, err := server.New(m, opt)
	if err != nil {
		t.Fatal(err)
	}
	h := s.Handler()
	if around != nil {
		h = around(h)
	}
	web := httptest.NewServer(h)
	t.Cleanup(func() {
		web.CloseClientConnections()
		web.Close()
	})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	rpc := s.NewGRPC(more...)
	served := make(chan error, 1)
	go func() { served <- rpc.Serve(listener) }()
	t.Cleanup(func() {
		rpc.Stop()
		// A short test may end before the server has begun.
		if err := <-served; err != nil && !errors.Is(err, grpc.ErrServerStopped) {
			t.Error(err)
		}
	})
	return map[string]string{
		"json":   web.URL + "/v2/models/m?encoding=json",
		"binary": web.URL + "/v2/models/m",
		"grpc":   "grpc://" + listener.Addr().String() + "/m",
	}
}

// transports are the keys of what serve returns.
var transports = []string{"json", "binary", "grpc"}

// quick are options for tests: waits that nobody notices.
func quick() Options {
	return Options{Attempts: 40, Timeout: 20 * time.Second, firstWait: time.Microsecond}
}

// openRemote opens a model that the server describes.
func openRemote(t testing.TB, url string, opt Options) *describedRemote {
	t.Helper()
	m, err := Open(t.Context(), url, opt)
	if err != nil {
		t.Fatal(err)
	}
	d, ok := m.(*describedRemote)
	if !ok {
		t.Fatalf("%s: want a model with a signature, got %T", url, m)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
