// Package server puts a model behind the Open Inference Protocol (KServe v2), over
// HTTP with JSON and the binary tensor extension, and over gRPC: what
// `intershap serve-model` runs, so that one machine explains and another infers.
// Any client of the protocol can ask it.
//
// It serves one model that is open already, and knows no files, versions to
// choose from, or schedules: that is the work of inference servers, such as
// Triton. Numbers pass through as the model gives them. JSON has no word for NaN
// and infinities; a model that gives them is an error there, and travels in
// binary.
//
// Reading order: server.go, http.go, grpc.go.
package server

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/serving/oip"
)

// Options says how a model is served. The zero value serves it as "model".
type Options struct {
	// Name of the model in URLs; "" means "model".
	Name string
	// Version of the model, such as a digest of its file; "" tells none.
	Version string
	// Platform says what computes it.
	Platform string
	// Server and ServerVersion name the program; "" means "intershap".
	Server, ServerVersion string
	// Rows is the most rows of a request; 0 means 1024.
	Rows int
	// Workers is the most model calls at a time; 0 means one a processor. Other
	// requests wait.
	Workers int
	// Bytes is the longest request; 0 means 256 MiB.
	Bytes int64
	// Token is what clients must send as "Authorization: Bearer TOKEN"; "" asks
	// for none.
	Token string
}

const (
	defaultName   = "model"
	defaultServer = "intershap"
	defaultRows   = 1024
	defaultBytes  = 256 << 20
	headerTimeout = 10 * time.Second
	idleTimeout   = 2 * time.Minute
	// readTimeout ends requests that trickle in.
	readTimeout    = 5 * time.Minute
	shutdownPeriod = 10 * time.Second
)

// A Server serves one model. It is safe for concurrent use.
type Server struct {
	model   model.Described
	sig     model.Signature
	opt     Options
	about   oip.ModelMetadata
	server  oip.ServerMetadata
	config  oip.ModelConfig
	working chan struct{} // a token for each model call
	// bodies has a token for each request over HTTP that is read or answered, so
	// that memory holds so many at a time.
	bodies chan struct{}
	// streams is the same over gRPC, where requests above it are refused.
	streams chan struct{}
}

// bodiesPerWorker keeps workers busy while other requests come in. It is the room of
// a connection over gRPC; streamsPerBody are as many connections that may be full.
const (
	bodiesPerWorker = 4
	streamsPerBody  = 2
)

// New returns a server for m, which stays the caller's to close.
func New(m model.Described, opt Options) (*Server, error) {
	if opt.Name == "" {
		opt.Name = defaultName
	}
	if opt.Server == "" {
		opt.Server = defaultServer
	}
	if opt.Rows == 0 {
		opt.Rows = defaultRows
	}
	if opt.Workers == 0 {
		opt.Workers = runtime.GOMAXPROCS(0)
	}
	if opt.Bytes == 0 {
		opt.Bytes = defaultBytes
	}
	switch {
	case strings.ContainsAny(opt.Name, "/\x00") || opt.Name == "." || opt.Name == "..":
		return nil, fmt.Errorf("server: the name %q cannot stand in a URL; want one without slashes", opt.Name)
	case opt.Rows < 0 || opt.Workers < 0 || opt.Bytes < 0:
		return nil, fmt.Errorf("server: rows, workers and bytes are %d, %d and %d, want 1 at least", opt.Rows, opt.Workers, opt.Bytes)
	}
	s := &Server{model: m, sig: m.Signature(), opt: opt, working: make(chan struct{}, opt.Workers), bodies: make(chan struct{}, bodiesPerWorker*opt.Workers)}
	s.streams = make(chan struct{}, streamsPerBody*cap(s.bodies))
	s.about = oip.ModelMetadata{
		Name: opt.Name, Platform: opt.Platform,
		Inputs: oip.MetadataOf(s.sig.Inputs), Outputs: oip.MetadataOf(s.sig.Outputs),
	}
	if opt.Version != "" {
		s.about.Versions = []string{opt.Version}
	}
	// Predict takes any number of rows, whatever the file fixes.
	for _, side := range [][]oip.TensorMetadata{s.about.Inputs, s.about.Outputs} {
		for i := range side {
			if side[i].Shape = slices.Clone(side[i].Shape); len(side[i].Shape) > 0 {
				side[i].Shape[0] = -1
			}
		}
	}
	s.server = oip.ServerMetadata{
		Name: opt.Server, Version: opt.ServerVersion,
		Extensions: []string{oip.BinaryTensorData, oip.ModelConfiguration},
	}
	s.config = oip.ModelConfig{Name: opt.Name, Platform: opt.Platform, MaxBatchSize: opt.Rows}
	return s, nil
}

// A requestError is a fault of the request, not of the model.
type requestError struct {
	err error
	// missing is set when the request names a model that is not there.
	missing bool
}

func (e *requestError) Error() string { return e.err.Error() }
func (e *requestError) Unwrap() error { return e.err }

func badRequest(format string, args ...any) error {
	return &requestError{err: fmt.Errorf(format, args...)}
}

// errToken says that a request has not the right token.
var errToken = errors.New("this server wants a token: Authorization: Bearer TOKEN")

// authorized compares what came as Authorization, the token in constant time. The
// case of the scheme means nothing (RFC 9110, section 11.1).
func (s *Server) authorized(header string) bool {
	scheme, token, _ := strings.Cut(header, " ")
	return s.opt.Token == "" || strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(token), []byte(s.opt.Token)) == 1
}

// find reports why a request for a model of this name and version finds none.
func (s *Server) find(name, version string) error {
	if name != s.opt.Name {
		return &requestError{err: fmt.Errorf("no model %q; this server has %q", name, s.opt.Name), missing: true}
	}
	if version != "" && version != s.opt.Version {
		return &requestError{err: fmt.Errorf("no version %q of model %q; this server has %q", version, name, s.opt.Version), missing: true}
	}
	return nil
}

// infer answers a request.
func (s *Server) infer(ctx context.Context, r oip.Request) (out oip.Response, err error) {
	if err := s.sig.Check(r.Inputs); err != nil {
		return out, badRequest("%w", err)
	}
	if rows := r.Inputs.Rows(); rows > s.opt.Rows {
		return out, badRequest("%d rows, and this server takes %d a request", rows, s.opt.Rows)
	}
	for i, name := range r.Outputs {
		if !slices.ContainsFunc(s.about.Outputs, func(m oip.TensorMetadata) bool { return m.Name == name }) {
			return out, badRequest("the model has no output %q", name)
		}
		if slices.Contains(r.Outputs[:i], name) {
			return out, badRequest("output %q is asked for twice", name)
		}
	}
	select {
	case s.working <- struct{}{}:
	case <-ctx.Done():
		return out, context.Cause(ctx)
	}
	defer func() { <-s.working }()
	outputs, err := s.predict(ctx, r.Inputs)
	if err != nil {
		return out, err
	}
	out = oip.Response{ID: r.ID, Model: s.opt.Name, Version: s.opt.Version, Outputs: outputs}
	if len(r.Outputs) > 0 {
		out.Outputs = nil
		for _, name := range r.Outputs {
			t, found := outputs.Lookup(name)
			if !found {
				return out, fmt.Errorf("the model gave no output %q", name)
			}
			out.Outputs = append(out.Outputs, model.Named{Name: name, Tensor: t})
		}
	}
	return out, nil
}

// predict calls the model and turns a panic into an error.
func (s *Server) predict(ctx context.Context, inputs model.Batch) (outputs model.Batch, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("the model panicked: %v", fault)
		}
	}()
	return s.model.Predict(ctx, inputs)
}

// Serve answers on the listeners until ctx ends; either may be nil. Then it takes
// no new requests, lets those that are running finish, for ten seconds at most,
// and returns nil. Otherwise it returns why a listener failed. It closes the
// listeners.
func (s *Server) Serve(ctx context.Context, overHTTP, overGRPC net.Listener) error {
	failed := make(chan error, 2)
	web := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, IdleTimeout: idleTimeout}
	rpc := s.NewGRPC()
	running := 0
	if overHTTP != nil {
		running++
		go func() { failed <- web.Serve(overHTTP) }()
	}
	if overGRPC != nil {
		running++
		go func() { failed <- rpc.Serve(overGRPC) }()
	}
	var fault error
	select {
	case <-ctx.Done():
	case fault = <-failed:
		running--
	}
	// ctx has ended, and those who are served still want their answers.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownPeriod)
	defer cancel()
	stopped := make(chan struct{})
	go func() { rpc.GracefulStop(); close(stopped) }()
	if err := web.Shutdown(grace); err != nil {
		fault = errors.Join(fault, web.Close())
	}
	select {
	case <-stopped:
	case <-grace.Done():
		rpc.Stop()
		<-stopped
	}
	for range running {
		if err := <-failed; fault == nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, grpc.ErrServerStopped) {
			fault = err
		}
	}
	return fault
}
