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

// A door listens on a port for as long as a test takes. Nobody else gets the port
// between the lives of a server.
type door struct {
	net.Listener
	conns  chan net.Conn
	closed chan struct{}
}

func openDoor(t *testing.T) *door {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &door{Listener: l, conns: make(chan net.Conn), closed: make(chan struct{})}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return // it is closed
			}
			select {
			case d.conns <- conn:
			case <-d.closed:
				_ = conn.Close() // the test is over
			}
		}
	}()
	t.Cleanup(func() {
		close(d.closed)
		if err := l.Close(); err != nil {
			t.Error(err)
		}
		<-ended
	})
	return d
}

// A turn is a server's listener at a door. Closing it leaves the door open.
type turn struct {
	*door
	over chan struct{}
	once sync.Once
}

func (d *door) turn() *turn { return &turn{door: d, over: make(chan struct{})} }

func (l *turn) Accept() (net.Conn, error) {
	select {
	case <-l.over:
	case conn := <-l.conns:
		select {
		case <-l.over:
			_ = conn.Close() // it came to a server that is dead: the client tries again
		default:
			return conn, nil
		}
	}
	return nil, net.ErrClosed
}

func (l *turn) Close() error {
	l.once.Do(func() { close(l.over) })
	return nil
}

// A mortal is a server at one door that is killed, with all its connections,
// and started again.
type mortal struct {
	server *server.Server
	rpc    bool
	door   *door

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
	listener := m.door.turn()
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
		m.stop = func() { _ = listener.Close(); go rpc.Stop() }
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
			m := &mortal{server: s, rpc: name == "grpc", door: openDoor(t)}
			m.live()
			t.Cleanup(func() { m.stop() })
			opt := quick()
			opt.Requests, opt.firstWait, opt.Attempts = 3, time.Millisecond, 200
			at := m.door.Addr().String()
			url := map[string]string{"binary": "http://" + at + "/v2/models/m", "grpc": "grpc://" + at + "/m"}[name]
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
