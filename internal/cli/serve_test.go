//go:build cgo

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/intershap/intershap/model/serving"
	"github.com/intershap/intershap/result"
)

// startServe runs serve-model until the test ends and returns what it announced.
func startServe(t *testing.T, env []string, args ...string) serveReport {
	t.Helper()
	s, _, errs := fakeStreams(false, 0, env...)
	announced, out := io.Pipe()
	s.out = out
	ctx, cancel := context.WithCancelCause(t.Context())
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"serve-model", "--json", "--addr", "127.0.0.1:0", "--grpc", "127.0.0.1:0"}, args...), s)
		out.Close()
	}()
	t.Cleanup(func() {
		cancel(&interruption{signal: syscall.SIGTERM})
		if got := <-code; got != exitDone {
			t.Errorf("want exit code %d after a signal, got %d: %s", exitDone, got, errs)
		}
	})
	var report serveReport
	if err := json.NewDecoder(announced).Decode(&report); err != nil {
		t.Fatalf("%v: %s", err, errs)
	}
	return report
}

// TestServeModel explains the example by its file, and behind a server of ours by
// each transport: the same bytes but for where the model is and how long it took.
func TestServeModel(t *testing.T) {
	file := filepath.Join(triage, "model.onnx")
	report := startServe(t, nil, file, "--rows", "100")
	explain := func(model string) string {
		s, out, errs := fakeStreams(false, 0)
		code := run(t.Context(), []string{
			"explain", model, filepath.Join(triage, "test.npz"), "--background", filepath.Join(triage, "train.npz"),
			"--background-size", "10", "--plan", "full", "--json", "-q",
		}, s)
		if code != exitDone {
			t.Fatalf("%s: exit code %d: %s", model, code, errs)
		}
		var ex result.Explanation
		if err := json.Unmarshal(out.Bytes(), &ex); err != nil {
			t.Fatal(err)
		}
		targets, err := json.Marshal(ex.Targets)
		if err != nil {
			t.Fatal(err)
		}
		if ex.Provenance.Model.Source != model || ex.Provenance.Model.SHA256 == "" || ex.Provenance.Runtime == "" {
			t.Errorf("%s: provenance %+v", model, ex.Provenance)
		}
		return string(targets)
	}
	want := explain(file)
	for _, url := range []string{report.HTTP, report.HTTP + "?encoding=json&requests=1", report.GRPC} {
		if got := explain(url); got != want {
			t.Errorf("%s: the explanation differs from the file's", url)
		}
	}
	if !strings.HasSuffix(report.HTTP, "/v2/models/model") || !strings.HasSuffix(report.GRPC, "/model") || report.Model != file {
		t.Errorf("got %+v", report)
	}
}

// TestServeToken holds that a token is asked for, and taken from the variable.
func TestServeToken(t *testing.T) {
	const token = serving.TokenVariable + "=s3cret"
	report := startServe(t, []string{token}, filepath.Join(triage, "model.onnx"), "--name", "a b")
	if !strings.HasSuffix(report.HTTP, "/a%20b") {
		t.Errorf("got %s", report.HTTP)
	}
	for _, url := range []string{report.HTTP, report.GRPC} {
		s, _, errs := fakeStreams(false, 0)
		if code := run(t.Context(), []string{"inspect", url}, s); code != exitFailed || !strings.Contains(errs.String(), "hint: set the environment variable "+serving.TokenVariable) {
			t.Errorf("%s without a token: exit code %d: %s", url, code, errs)
		}
		s, out, errs := fakeStreams(false, 0, token)
		if code := run(t.Context(), []string{"inspect", url}, s); code != exitDone || !strings.Contains(out.String(), "labs") {
			t.Errorf("%s with the token: exit code %d: %s", url, code, errs)
		}
		if strings.Contains(out.String()+errs.String(), "s3cret") {
			t.Errorf("%s: the token is printed", url)
		}
	}
}

// TestServeFailed holds that a port that is taken is an error, and leaves nothing
// open.
func TestServeFailed(t *testing.T) {
	file := filepath.Join(triage, "model.onnx")
	report := startServe(t, nil, file)
	taken, _, _ := strings.Cut(strings.TrimPrefix(report.GRPC, "grpc://"), "/")
	for _, args := range [][]string{{"--addr", taken}, {"--addr", "127.0.0.1:0", "--grpc", taken}} {
		s, out, errs := fakeStreams(false, 0)
		if code := run(t.Context(), append([]string{"serve-model", file}, args...), s); code != exitFailed || !strings.Contains(errs.String(), "hint: choose another port") {
			t.Errorf("%q: exit code %d: %s", args, code, errs)
		}
		if out.Len() > 0 {
			t.Errorf("%q: printed %s", args, out)
		}
	}
}

// TestOpenDoor holds that a server that others can reach without a token says so.
func TestOpenDoor(t *testing.T) {
	for _, tt := range []struct {
		address string
		guarded bool
		quiet   bool
		want    bool
	}{
		{"0.0.0.0:0", false, false, true}, {"0.0.0.0:0", true, false, false}, {"0.0.0.0:0", false, true, false}, {"127.0.0.1:0", false, false, false},
	} {
		l, err := listen("addr", tt.address)
		if err != nil {
			t.Fatal(err)
		}
		s, _, errs := fakeStreams(false, 0)
		opt := serveOptions{name: "m", narration: narration{quiet: tt.quiet}}
		if err := errors.Join(opt.announce(s, l, nil, tt.guarded), l.Close()); err != nil {
			t.Fatal(err)
		}
		if got := bytes.Contains(errs.Bytes(), []byte("anybody who reaches this machine")); got != tt.want {
			t.Errorf("%+v: got %s", tt, errs)
		}
	}
}
