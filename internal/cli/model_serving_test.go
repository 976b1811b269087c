package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestUntoldModel asks a server that tells nothing of its model, as MLflow's does:
// inspect says so, explain takes inputs and names of columns from the data, and
// the table names the server.
func TestUntoldModel(t *testing.T) {
	var mu sync.Mutex
	var columns []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			http.NotFound(w, r) // an old one has no /version
			return
		}
		var in struct {
			Frame struct {
				Columns []string
				Data    [][]float64
			} `json:"dataframe_split"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		mu.Lock()
		columns = in.Frame.Columns
		mu.Unlock()
		var rows [][]float64
		for _, x := range in.Frame.Data {
			p := 1 / (1 + math.Exp(-x[0]*x[1]+x[2]))
			rows = append(rows, []float64{p, 1 - p})
		}
		if err := json.NewEncoder(w).Encode(map[string]any{"predictions": rows}); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(web.Close)
	url := web.URL + "/invocations"
	data := filepath.Join(t.TempDir(), "data.csv")
	text := "age,lab.crp,lab.wbc\n"
	for i := range 40 {
		text += fmt.Sprintf("%d,%d,%d\n", i%7-3, i%5-2, i%3)
	}
	if err := os.WriteFile(data, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want []string
	}{
		{[]string{"inspect", url}, []string{"the server tells no inputs and outputs", "runtime\tMLflow (JSON)"}},
		{[]string{"inspect", url, data}, []string{"lab\t2\tlab", "output\tpredictions", "only a model in a file can be cut"}},
		{[]string{"explain", url, data, "-q"}, []string{"model\t" + url + "\n", "age × lab\t"}},
		{[]string{"explain", url + "?rows=5&encoding=dataframe_split", data, "-q", "--workers", "3"}, []string{"age × lab\t"}},
	} {
		s, out, errs := fakeStreams(false, 0)
		if code := run(t.Context(), tt.args, s); code != exitDone {
			t.Fatalf("%q: exit code %d: %s", tt.args, code, errs)
		}
		for _, want := range tt.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%q: want %q in\n%s", tt.args, want, out)
			}
		}
	}
	if got := strings.Join(columns, " "); got != "age lab.crp lab.wbc" {
		t.Errorf("want the columns of the data, got %s", got)
	}
	s, _, errs := fakeStreams(false, 0)
	if code := run(t.Context(), []string{"serve-model", url, "--addr", "127.0.0.1:0"}, s); code != exitFailed || !strings.Contains(errs.String(), "tells no inputs and outputs") {
		t.Errorf("serving it: exit code %d: %s", code, errs)
	}
}

// TestCommandLineMasks holds that what results say of the command line can be read
// by a shell, with secrets masked.
func TestCommandLineMasks(t *testing.T) {
	got := commandLine([]string{"INTERSHAP_TARGET=a b"}, []string{"explain", "http://h/v2/models/m?rows=3&key=HUSH", "it's.csv", "exec:env KEY=HUSH python3 m.py", "m.onnx"})
	want := `INTERSHAP_TARGET='a b' intershap explain 'http://h/v2/models/m?rows=3&key=***' 'it'\''s.csv' 'exec:env KEY=*** python3 m.py' m.onnx`
	if got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}
