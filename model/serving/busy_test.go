package serving

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/model/serving/server"
)

// TestSlowServerIsKeptBusy explains a model whose server takes its time for every
// request, until as many are there as may be in flight: a run sends them all at once.
func TestSlowServerIsKeptBusy(t *testing.T) {
	const limit, slow = 6, 200 * time.Millisecond
	var mu sync.Mutex
	flying, most := 0, 0
	full := make(chan struct{})
	hold := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.Method != http.MethodPost {
				h.ServeHTTP(w, r)
				return
			}
			mu.Lock()
			flying++
			if most = max(most, flying); flying == limit {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			mu.Unlock()
			select {
			case <-full:
			case <-time.After(slow):
			}
			h.ServeHTTP(w, r)
			mu.Lock()
			flying--
			mu.Unlock()
		})
	}
	data, rows := pairFiles(t)
	ask := quick()
	ask.Requests = limit
	r := openRemote(t, serve(t, pair(), server.Options{}, hold)["binary"], ask)
	if r.Requests() != limit {
		t.Fatalf("%d requests in flight, want %d", r.Requests(), limit)
	}
	if _, err := intershap.Explain(t.Context(), r, data, rows, intershap.Options{Workers: r.Requests(), Sink: intershap.Discard}); err != nil {
		t.Fatal(err)
	}
	if most != limit {
		t.Errorf("%d requests at a time, want %d", most, limit)
	}
}
