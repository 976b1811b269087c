package serving

import (
	"context"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/intershap/intershap/model/serving/server"
)

// kills is how often the server dies in TestKills.
const kills = 50

// A mortal is a server on one address that is killed, with all its connections,
// and started again.
type mortal struct {
	t       *testing.T
	server  *server.Server
	rpc     bool
	address string

	mu       sync.Mutex
	requests int
	deaths   int
	stop     func()
}

// seen counts a request and kills the server at every fourth, while kills are
// left. It returns when the next life has begun, and reports whether the request
// died.
func (m *mortal) seen() (died bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	if m.requests%4 != 0 || m.deaths == kills {
		return false
	}
	m.deaths++
	m.stop()
	m.live()
	return true
}

// live starts the server.
func (m *mortal) live() {
	if m.address == "" {
		m.address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", m.address)
	if err != nil {
		m.t.Error(err)
		return
	}
	m.address = listener.Addr().String()
	if m.rpc {
		rpc := m.server.NewGRPC(grpc.ChainUnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
			if strings.HasSuffix(info.FullMethod, "ModelInfer") && m.seen() {
				<-ctx.Done() // nobody hears an answer
				return nil, ctx.Err()
			}
			return handle(ctx, request)
		}))
		go func() { _ = rpc.Serve(listener) }()
		// Stop waits for handlers, and one of them is who calls it.
		m.stop = func() { closeNow(m.t, listener); go rpc.Stop() }
		return
	}
	web := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && m.seen() {
			panic(http.ErrAbortHandler)
		}
		m.server.Handler().ServeHTTP(w, r)
	})}
	go func() { _ = web.Serve(listener) }()
	m.stop = func() { _ = web.Close() }
}

func closeNow(t *testing.T, l net.Listener) {
	if err := l.Close(); err != nil {
		t.Error(err)
	}
}

// TestKills kills the server 50 times during a call and wants the bits of a
// server that lives.
func TestKills(t *testing.T) {
	in := tripleRows(260)
	want, err := triple().Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"binary", "grpc"} {
		t.Run(name, func(t *testing.T) {
			s, err := server.New(triple(), server.Options{Name: "m", Rows: 1})
			if err != nil {
				t.Fatal(err)
			}
			m := &mortal{t: t, server: s, rpc: name == "grpc"}
			m.live()
			t.Cleanup(func() { m.stop() })
			opt := quick()
			opt.Requests, opt.firstWait, opt.Attempts = 3, time.Millisecond, 200
			url := map[string]string{"binary": "http://" + m.address + "/v2/models/m", "grpc": "grpc://" + m.address + "/m"}[name]
			r := openRemote(t, url, opt)
			got, err := r.Predict(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := sameBatch(want, got); diff != "" {
				t.Error(diff)
			}
			if m.deaths != kills {
				t.Errorf("want %d deaths, got %d", kills, m.deaths)
			}
		})
	}
}
