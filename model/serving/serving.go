// Package serving asks models that run behind servers: under the Open Inference
// Protocol (KServe v2) over HTTP and gRPC, TensorFlow Serving's and KServe's
// protocol v1, and MLflow's scoring server.
//
//	m, err := serving.Open(ctx, "http://host:8000/v2/models/NAME", serving.Options{})
//
// A model is a [model.Described] where the server tells inputs and outputs, and a
// plain [model.Model] where it does not: its inputs are then those of the data.
// It is no server itself (model/serving/server is), and it holds no numbers of
// its own: what a server answers is passed on or refused, never mended.
//
// A call is cut into requests of as many rows as the server takes; equal rows are
// sent once; a limited number of requests is in flight, each with a timeout. What
// may pass by itself (429, 502, 503, 504, a lost connection, an answer that is
// cut short or late) is asked again, with growing waits and jitter, and the same
// rows in the same order, so that faults on the way change no number. What will
// not pass (400, a token that is refused, shapes that lie) is an [Error] at once.
//
// docs/serving.md is the user's page. Reading order: serving.go, address.go,
// predict.go, retry.go, failure.go; then a file for each protocol: openhttp.go,
// opengrpc.go, tensorflow.go, mlflow.go.
package serving

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// TokenVariable is the environment variable that holds a token for servers that
// ask for one. The package itself reads no variable but those of net/http's
// proxies; a program passes the token in [Options].
const TokenVariable = "INTERSHAP_TOKEN"

// ErrClosed is wrapped by the error of a call of a closed model.
var ErrClosed = errors.New("the model is closed")

// Options says how a server is asked. The zero value has sensible defaults. What
// the query of the URL says wins; see docs/serving.md.
type Options struct {
	// Token is sent as "Authorization: Bearer TOKEN"; "" sends none.
	Token string
	// Requests is the most requests in flight; 0 means eight, or one a processor where
	// that is more: this side waits while the server computes.
	Requests int
	// Rows is the most rows of a request; 0 means what the server tells, and
	// 1024 where it tells nothing. A request has no more than about 2 MiB of
	// inputs either way, but one row.
	Rows int
	// Timeout is how long one request may take; 0 means a minute.
	Timeout time.Duration
	// Attempts is how often a request is sent before the call fails; 0 means 10,
	// with waits that add up to about 40 seconds.
	Attempts int
	// Outputs is shown the outputs of the metadata and returns the names of
	// those to ask for, in the order it wants; nil, or no names, means all. It is
	// not called where the server tells no outputs.
	Outputs func(have []tensor.Spec) []string
	// firstWait is the first wait between attempts; tests have no time.
	firstWait time.Duration
}

const (
	defaultRows     = 1024
	defaultTimeout  = time.Minute
	defaultAttempts = 10
	defaultRequests = 8
	// openAttempts are enough to pass over a hiccup, and few enough that a
	// wrong port is told at once.
	openAttempts = 3
	// requestBytes keeps a request below the 4 MiB that gRPC servers take unless
	// told otherwise, with room for what is around the rows.
	requestBytes = 2 << 20
)

func (o Options) withDefaults() Options {
	if o.Requests == 0 {
		o.Requests = max(defaultRequests, runtime.GOMAXPROCS(0))
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	if o.Attempts == 0 {
		o.Attempts = defaultAttempts
	}
	if o.firstWait == 0 {
		o.firstWait = firstWait
	}
	return o
}

func (o Options) validate() error {
	var faults []error
	for _, n := range []struct {
		name  string
		value int
	}{{"requests", o.Requests}, {"rows", o.Rows}, {"attempts", o.Attempts}} {
		if n.value < 0 {
			faults = append(faults, fmt.Errorf("%s: want at least 1, got %d", n.name, n.value))
		}
	}
	if o.Timeout < 0 {
		faults = append(faults, fmt.Errorf("timeout: want a time above 0, got %v", o.Timeout))
	}
	return errors.Join(faults...)
}

// tokenForm is the remedy for a token that cannot be sent.
const tokenForm = "read a token from a file without its line ends: $(tr -d '\\r\\n' < FILE)"

// CheckToken reports why a token cannot be sent as a header, without telling it:
// it must be visible ASCII.
func CheckToken(token string) error {
	for i := range len(token) {
		if c := token[i]; c <= ' ' || c > '~' {
			return fmt.Errorf("the token in %s has a blank, a line end or a character beyond ASCII at byte %d of %d, which cannot be sent", TokenVariable, i+1, len(token))
		}
	}
	return nil
}

// A Remote is a model behind a server. Where the server tells inputs and outputs
// it is a [model.Described] too.
type Remote interface {
	model.Model
	// Digest is the SHA-256 of the address and of what the server tells about
	// the model. It changes with the model only where the server tells a
	// version that does, as `intershap serve-model` does.
	Digest() string
	// Runtime names the server and how it is asked.
	Runtime() string
	// Unsupported lists outputs that cannot be read as tensors, with reasons.
	Unsupported() []string
	// Requests is the most requests in flight. Calls of fewer rows than a request
	// takes need as many callers to keep the server busy.
	Requests() int
	// Counts tells what was asked so far.
	Counts() Counts
	// Close drops the connections. Running calls fail.
	Close() error
}

// A transport is one protocol. Its methods make one attempt.
type transport interface {
	// describe asks for what the server tells about the model.
	describe(ctx context.Context) (description, error)
	// infer asks for outputs by name, none for all. Inputs and their order are
	// those of the description, where it has any.
	infer(ctx context.Context, id string, inputs model.Batch, outputs []string) (model.Batch, error)
	close() error
}

// A description is what a server tells about a model.
type description struct {
	// inputs and outputs; no outputs, or no inputs, where it tells neither.
	inputs, outputs []tensor.Spec
	// unsupported outputs, with reasons.
	unsupported []string
	// maxRows is the most rows of a request, 0 where it tells none.
	maxRows int
	// runtime names the server.
	runtime string
	// identity is all that was told, for the digest.
	identity string
}

func (d description) complete() bool { return len(d.inputs) > 0 && len(d.outputs) > 0 }

// remote is a model behind a server that told no inputs or outputs.
type remote struct {
	address   address
	opt       Options
	transport transport
	about     description
	// asked are the outputs to ask for, nil for all.
	asked []string
	// batch is the fixed number of rows of a request, 0 for any.
	batch int
	// flying holds a token for each request in flight.
	flying chan struct{}
	counts counters

	mu     sync.Mutex
	closed bool
	// down is why the server is given up, nil while it is not.
	down error
}

// describedRemote is a model behind a server that told inputs and outputs.
type describedRemote struct{ *remote }

var _ model.Described = (*describedRemote)(nil)

// Open asks the server at url about a model. The forms of URLs are
//
//	http://HOST/v2/models/NAME[/versions/V]      Open Inference Protocol
//	grpc://HOST/NAME[/versions/V]                the same over gRPC
//	http://HOST/v1/models/NAME[:predict]         TensorFlow Serving, KServe v1
//	http://HOST/invocations                      MLflow
//
// with https and grpcs for TLS. ctx is for the opening alone.
func Open(ctx context.Context, url string, opt Options) (Remote, error) {
	a, opt, err := parseAddress(url, opt)
	if err != nil {
		return nil, err
	}
	opt = opt.withDefaults()
	if err := opt.validate(); err != nil {
		return nil, &Error{URL: a.shown, Err: err}
	}
	if err := CheckToken(opt.Token); err != nil {
		return nil, &Error{URL: a.shown, Err: err, Hint: tokenForm}
	}
	t, err := a.connect(opt)
	if err != nil {
		return nil, &Error{URL: a.shown, Err: err}
	}
	m, err := open(ctx, a, opt, t)
	if err != nil {
		return nil, errors.Join(err, t.close())
	}
	return m, nil
}

func open(ctx context.Context, a address, opt Options, t transport) (Remote, error) {
	m := &remote{address: a, opt: opt, transport: t, flying: make(chan struct{}, opt.Requests)}
	var err error
	if m.about, err = ask(ctx, policy{min(opt.Attempts, openAttempts), opt.Timeout, opt.firstWait}, &m.counts, t.describe); err != nil {
		return nil, m.fault(err)
	}
	if !m.about.complete() {
		return m, nil
	}
	if m.batch, err = fixedBatch(m.about.inputs); err != nil {
		return nil, m.fault(err)
	}
	if opt.Outputs != nil {
		if err := m.choose(opt.Outputs(slices.Clone(m.about.outputs))); err != nil {
			return nil, m.fault(err)
		}
	}
	return &describedRemote{m}, nil
}

// choose keeps the outputs that names lists, in that order.
func (m *remote) choose(names []string) error {
	if len(names) == 0 {
		return nil
	}
	var chosen []tensor.Spec
	for _, name := range names {
		i := slices.IndexFunc(m.about.outputs, func(s tensor.Spec) bool { return s.Name == name })
		if i < 0 {
			return fmt.Errorf("the model has no output %q (have %s)", name, namesOf(m.about.outputs))
		}
		chosen = append(chosen, m.about.outputs[i])
	}
	m.about.outputs, m.asked = chosen, names
	return nil
}

// fixedBatch returns the one length above zero that inputs fix for axis 0, or 0
// when all leave it free.
func fixedBatch(inputs []tensor.Spec) (int, error) {
	fixed, by := 0, ""
	for _, in := range inputs {
		switch n := in.Shape[0]; {
		case n < 0 || n == fixed:
		case n == 0:
			return 0, fmt.Errorf("the server tells axis 0 of input %q to be 0 long; want rows there", in.Name)
		case fixed == 0:
			fixed, by = n, in.Name
		default:
			return 0, fmt.Errorf("the server tells axis 0 of inputs %q and %q to be %d and %d long; want one number of rows", by, in.Name, fixed, n)
		}
	}
	return fixed, nil
}

// Signature implements [model.Described].
func (m *describedRemote) Signature() model.Signature {
	return model.Signature{Inputs: slices.Clone(m.about.inputs), Outputs: slices.Clone(m.about.outputs), BatchSize: m.batch, CallBytes: model.FarCallBytes}
}

// NameColumns gives the names that data have for the elements of a row of an
// input. Only MLflow's data frames, which have a name for each column, need them;
// without, the elements of x are x.0, x.1 and so on.
func (m *remote) NameColumns(input string, names []string) {
	if t, ok := m.transport.(interface{ nameColumns(string, []string) }); ok {
		t.nameColumns(input, names)
	}
}

// Digest implements [Remote].
func (m *remote) Digest() string {
	sum := sha256.Sum256([]byte(m.address.full + "\n" + m.about.identity))
	return hex.EncodeToString(sum[:])
}

// Runtime implements [Remote].
func (m *remote) Runtime() string { return m.about.runtime }

// Unsupported implements [Remote].
func (m *remote) Unsupported() []string { return slices.Clone(m.about.unsupported) }

// Counts implements [Remote].
func (m *remote) Counts() Counts { return m.counts.read() }

// Close implements [Remote]. A second Close does nothing.
func (m *remote) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	return m.transport.close()
}
