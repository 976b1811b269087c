package serving

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/server"
)

// faultSeed seeds the draw of faults.
const faultSeed = 8

// A fault is what a bad network or an overloaded server does to one request.
type fault string

const (
	none     fault = "none"
	busy     fault = "503"
	throttle fault = "429 with Retry-After"
	gateway  fault = "502"
	dropped  fault = "dropped before the answer"
	cut      fault = "cut off in the middle of the body"
	hangs    fault = "hangs until the client goes"
	late     fault = "answers after the client went"
	twice    fault = "answers twice"
)

var httpFaults = []fault{busy, throttle, gateway, dropped, cut, hangs, late, twice}

// A dice draws faults, for a fifth of all requests, and counts them.
type dice struct {
	mu     sync.Mutex
	random *rand.Rand
	kinds  []fault
	thrown map[fault]int
}

func newDice(kinds []fault) *dice {
	return &dice{random: rand.New(rand.NewPCG(faultSeed, 0)), kinds: kinds, thrown: map[fault]int{}}
}

func (d *dice) throw() fault {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := none
	if d.random.IntN(5) == 0 {
		f = d.kinds[d.random.IntN(len(d.kinds))]
	}
	d.thrown[f]++
	return f
}

// around is an HTTP server that commits the faults of a dice.
func (d *dice) around(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			h.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		commit(d.throw(), h, w, r)
	})
}

func commit(f fault, h http.Handler, w http.ResponseWriter, r *http.Request) {
	switch f {
	case none:
		h.ServeHTTP(w, r)
	case busy:
		http.Error(w, "busy", http.StatusServiceUnavailable)
	case throttle:
		w.Header().Set("Retry-After", "0")
		http.Error(w, "too many", http.StatusTooManyRequests)
	case gateway:
		http.Error(w, "<html>bad gateway</html>", http.StatusBadGateway)
	case dropped:
		panic(http.ErrAbortHandler)
	case hangs:
		<-r.Context().Done()
	case late:
		<-r.Context().Done()
		h.ServeHTTP(w, r.WithContext(context.WithoutCancel(r.Context())))
	case cut, twice:
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, r)
		var raw strings.Builder
		fmt.Fprintf(&raw, "HTTP/1.1 %d OK\r\n", answer.Code)
		if err := answer.Header().Write(&raw); err != nil {
			panic(err)
		}
		raw.WriteString("\r\n")
		raw.Write(answer.Body.Bytes())
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		text := raw.String()
		if f == cut {
			text = text[:len(text)-answer.Body.Len()/2]
		} else {
			text += text
		}
		_, _ = io.WriteString(conn, text) // the client may be gone
	}
}

// briefCall is the timeout of requests to servers of which some never answer. It is
// set after the opening, which has few attempts and all the time it wants; one
// that answers late for want of a processor is asked again.
const briefCall = 250 * time.Millisecond

// TestFaults asks for many small requests while a fifth of them fails, and wants
// the bits of a server without faults.
func TestFaults(t *testing.T) {
	in := tripleRows(160)
	want, err := triple().Predict(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range transports {
		t.Run(name, func(t *testing.T) {
			dice := newDice(httpFaults)
			var more []grpc.ServerOption
			if name == "grpc" {
				dice.kinds = []fault{busy, throttle, hangs, late}
				more = append(more, grpc.ChainUnaryInterceptor(dice.aroundGRPC))
			}
			opt := quick()
			opt.Requests = 4
			r := openRemote(t, serve(t, triple(), server.Options{Rows: 1}, dice.around, more...)[name], opt)
			r.opt.Timeout = briefCall
			got, err := r.Predict(t.Context(), in)
			if err != nil {
				t.Fatalf("PCG(%d, 0): %v", faultSeed, err)
			}
			if diff := sameBatch(want, got); diff != "" {
				t.Errorf("PCG(%d, 0): %s", faultSeed, diff)
			}
			for _, kind := range dice.kinds {
				if dice.thrown[kind] == 0 {
					t.Errorf("no request met the fault %q; thrown were %v", kind, dice.thrown)
				}
			}
			if c := r.Counts(); c.Retries == 0 || c.Sent != 160 {
				t.Errorf("got %+v", c)
			}
		})
	}
}

// aroundGRPC commits faults that a gRPC server has.
func (d *dice) aroundGRPC(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	if !strings.HasSuffix(info.FullMethod, "ModelInfer") {
		return handle(ctx, request)
	}
	switch d.throw() {
	case busy:
		return nil, status.Error(codes.Unavailable, "busy")
	case throttle:
		return nil, status.Error(codes.ResourceExhausted, "too many")
	case hangs:
		<-ctx.Done()
		return nil, ctx.Err()
	case late:
		<-ctx.Done()
		return handle(context.WithoutCancel(ctx), request)
	}
	return handle(ctx, request)
}

// TestLastingFaults lists answers that no repetition mends: each is an error at once that
// says what is wrong, and each is asked for once.
func TestLastingFaults(t *testing.T) {
	answerWith := func(code int, contentType, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.WriteHeader(code)
			_, _ = io.WriteString(w, body)
		}
	}
	const p = `{"outputs": [{"name": "label", "shape": [2], "datatype": "INT64", "data": [0, 1]}, {"name": "p", `
	for _, tt := range []struct {
		name       string
		answer     http.HandlerFunc
		want, hint string
	}{
		{"400", answerWith(400, "application/json", `{"error": "x is out of range"}`), "400 Bad Request: x is out of range", ""},
		{"500", answerWith(500, "application/json", `{"detail": "CUDA out of memory"}`), "500 Internal Server Error: CUDA out of memory", ""},
		{"401", answerWith(401, "text/plain", "who are you"), "401 Unauthorized: who are you", TokenVariable},
		{"403", answerWith(403, "text/plain", ""), "403 Forbidden", TokenVariable},
		{"413", answerWith(413, "text/html", "<html>too large</html>"), "413", "?rows="},
		{"404", answerWith(404, "application/json", `{"error": "no version 9"}`), "404 Not Found: no version 9", ""},
		{"page", answerWith(200, "text/html", "<html>Sign in</html>"), "no JSON", ""},
		{"no text", answerWith(418, "text/plain", "\xff\xfe"), "418 I'm a teapot: 2 bytes that are no text", ""},
		{"moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "https://other/x", http.StatusFound) },
			"302 Found", "https://other/x"},
		{"rows", answerWith(200, "application/json", p+`"shape": [3, 2], "datatype": "FP32", "data": [1,2,3,4,5,6]}]}`), `float32[3,2] for 2 rows`, "metadata"},
		{"width", answerWith(200, "application/json", p+`"shape": [2, 3], "datatype": "FP32", "data": [1,2,3,4,5,6]}]}`), `float32[2,3] for 2 rows`, "metadata"},
		{"type", answerWith(200, "application/json", p+`"shape": [2, 2], "datatype": "FP64", "data": [1,2,3,4]}]}`), `float64[2,2] for 2 rows`, "metadata"},
		{"elements", answerWith(200, "application/json", p+`"shape": [2, 2], "datatype": "FP32", "data": [1,2,3]}]}`), `want the 4 elements`, ""},
		{"missing output", answerWith(200, "application/json", `{"outputs": [{"name": "p", "shape": [2, 2], "datatype": "FP32", "data": [1,2,3,4]}]}`), `no output "label"`, ""},
		{"NaN in JSON", answerWith(200, "application/json", p+`"shape": [2, 2], "datatype": "FP32", "data": [1,NaN,3,4]}]}`), "NaN is no JSON", ""},
		{"twice in one body", answerWith(200, "application/json", strings.Repeat(p+`"shape": [2, 2], "datatype": "FP32", "data": [1,2,3,4]}]}`, 2)), "no JSON", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			asked := 0
			bad := func(h http.Handler) http.Handler {
				return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.Method != http.MethodPost {
						h.ServeHTTP(w, r)
						return
					}
					asked++
					tt.answer(w, r)
				})
			}
			r := openRemote(t, serve(t, triple(), server.Options{}, bad)["json"], quick())
			_, err := r.Predict(t.Context(), tripleRows(2))
			var e *Error
			if !errors.As(err, &e) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(e.Hint, tt.hint) || (tt.hint == "") != (e.Hint == "") {
				t.Errorf("want %q and the hint %q, got %v", tt.want, tt.hint, err)
				if e != nil {
					t.Errorf("hint %q", e.Hint)
				}
			}
			if asked != 1 {
				t.Errorf("want one attempt, got %d", asked)
			}
		})
	}
}

// TestRetryAfter reads seconds, a date, and what is neither.
func TestRetryAfter(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "3": 3 * time.Second, "-1": 0, "x": 0, "100000": longestAsked} {
		if got := retryAfter(text); got != want {
			t.Errorf("%q: want %v, got %v", text, want, got)
		}
	}
	at := time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)
	if got := retryAfter(at); got < 50*time.Minute || got > time.Hour {
		t.Errorf("%s: got %v", at, got)
	}
	w := newWaits(time.Millisecond)
	w.asked = time.Hour
	if got := w.NextBackOff(); got != longestAsked {
		t.Errorf("want %v at most, got %v", longestAsked, got)
	}
	if got := w.NextBackOff(); got > longestWait {
		t.Errorf("want the next wait to be our own, got %v", got)
	}
}

// TestWaitsGrow holds the waits to their bounds: each between half and one and a
// half of its place in the row, and none beyond the longest.
func TestWaitsGrow(t *testing.T) {
	w := newWaits(firstWait)
	total := time.Duration(0)
	for i := range defaultAttempts - 1 {
		middle := min(firstWait<<i, longestWait)
		got := w.NextBackOff()
		total += got
		if got < middle/2 || got > middle*3/2 {
			t.Errorf("wait %d: want %v give or take half, got %v", i, middle, got)
		}
	}
	if total < 20*time.Second || total > time.Minute {
		t.Errorf("want about 40 s in all, got %v", total)
	}
}

// TestGivesUp holds that a server that stays away is an error that counts its
// attempts, and that it is asked no more after that.
func TestGivesUp(t *testing.T) {
	asked := 0
	var mu sync.Mutex
	down := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			mu.Lock()
			asked++
			mu.Unlock()
			http.Error(w, "down for repair", http.StatusServiceUnavailable)
		})
	}
	opt := quick()
	opt.Attempts = 4
	r := openRemote(t, serve(t, triple(), server.Options{}, down)["json"], opt)
	for i := range 3 {
		_, err := r.Predict(t.Context(), tripleRows(1))
		if err == nil || !strings.Contains(err.Error(), "down for repair (4 attempts)") || !errors.Is(err, model.ErrUnanswered) {
			t.Errorf("call %d: got %v", i, err)
		}
	}
	if asked != 4 {
		t.Errorf("want 4 requests in all, got %d", asked)
	}
}

// TestTimeout holds that a server that never answers is an error that names the
// time, and that the caller's own end comes first.
func TestTimeout(t *testing.T) {
	hang := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			_, _ = io.Copy(io.Discard, r.Body) // or the server does not see the client go
			<-r.Context().Done()
		})
	}
	opt := quick()
	url := serve(t, triple(), server.Options{}, hang)["json"]
	opt.Attempts = 2
	r := openRemote(t, url, opt)
	r.opt.Timeout = 20 * time.Millisecond // of the call: the opening may take longer
	if _, err := r.Predict(t.Context(), tripleRows(1)); err == nil || !strings.Contains(err.Error(), "no answer within 20ms (2 attempts)") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r = openRemote(t, url, quick())
	if _, err := r.Predict(ctx, tripleRows(1)); err == nil || !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, model.ErrUnanswered) {
		t.Errorf("want the caller's own deadline, got %v", err)
	}
	if _, err := r.Predict(ctx, tripleRows(1)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// TestCrossedAnswers holds that an answer to another request is seen.
func TestCrossedAnswers(t *testing.T) {
	crossed := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, r)
			text := strings.Replace(answer.Body.String(), `"id":"0"`, `"id":"9"`, 1)
			w.Header().Set("Content-Length", strconv.Itoa(len(text)))
			_, _ = io.WriteString(w, text)
		})
	}
	opt := quick()
	opt.Attempts = 2
	r := openRemote(t, serve(t, triple(), server.Options{}, crossed)["json"], opt)
	if _, err := r.Predict(t.Context(), tripleRows(1)); err == nil || !strings.Contains(err.Error(), `want id "0", got "9"`) {
		t.Errorf("got %v", err)
	}
}
