// Package process runs a model in child processes: a program in any language
// that reads batches of rows from its standard input and writes outputs to its
// standard output. It is for models that never become a file which this project
// can open; numpy is all that the other side of a Python model needs.
//
// [Open] starts the program, reads what it takes and gives, and returns a
// [Model], which answers batches from any number of goroutines with several
// children. A child that dies is started again and its batch repeated. Children
// are in process groups of their own, and end with the model.
//
// docs/format/process.md specifies the protocol. [Python] is the module that
// speaks it for Python models. The package does not judge what a model computes:
// outputs that are not finite are the caller's concern.
//
// Reading order: process.go, predict.go for batches and repeats, child.go for a
// process; frame.go, hello.go and npz.go for what goes through the pipes;
// command.go, digest.go.
package process

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// Python is the source of intershap_serve, a Python module that serves a model by
// the protocol: what intershap help python prints.
//
//go:embed intershap_serve.py
var Python string

// Scheme starts the name of a model that is a command: "exec:python3 model.py".
const Scheme = "exec:"

// DefaultTimeout is how long a child may take for its hello, and for a batch.
const DefaultTimeout = 10 * time.Minute

// Options says how a model is run. The zero value is good for one caller.
type Options struct {
	// Children is the most processes at a time, at least 1; 0 means 1. They are
	// started when they are needed, and two calls at a time keep one busy
	// ([PerChild]).
	Children int
	// Timeout is how long a child may take for its hello or for a batch; 0 means
	// DefaultTimeout.
	Timeout time.Duration
	// Stderr is given what children write to their standard error, a line at a
	// time, and a line for every child that is started again; nil drops it.
	Stderr io.Writer
	// Env is the environment of the children, as os.Environ gives it; nil is that
	// of this process. Each child gets WorkerVariable, and one thread for
	// numerical libraries whose variables are not set.
	Env []string
	// Outputs is shown the outputs that the model declares and returns the names
	// of those to give, in the order it wants; nil, or no names, means all.
	Outputs func(have []tensor.Spec) []string
}

func (o Options) withDefaults() Options {
	o.Children = max(o.Children, 1)
	if o.Timeout == 0 {
		o.Timeout = DefaultTimeout
	}
	if o.Env == nil {
		o.Env = os.Environ()
	}
	if o.Stderr != nil {
		o.Stderr = &oneByOne{to: o.Stderr}
	}
	return o
}

func (o Options) validate() error {
	if o.Children < 0 || o.Timeout < 0 {
		return fmt.Errorf("process: want no negative options, got %d children and the timeout %v", o.Children, o.Timeout)
	}
	return nil
}

// A Model is a command whose processes answer batches. It is safe for concurrent
// use.
type Model struct {
	command string
	shown   string // the command in messages
	words   []string
	opt     Options
	hello   hello
	// declared is what a child takes and gives; sig has the outputs that are given.
	declared, sig model.Signature
	digest        string

	// life ends with Close.
	life context.Context
	end  context.CancelFunc
	room chan struct{} // a token for each call in flight
	// frames are those of batches that are on nobody's way.
	frames   chan *batchFrame
	like     atomic.Pointer[answerForm] // of the answers so far
	answered atomic.Int64               // batches
	searches sync.Once                  // for a row that processes end at, of which a line tells

	mu     sync.Mutex // of what is below
	slots  []*slot
	calls  sync.WaitGroup
	closed bool
}

// A slot is the place of a child.
type slot struct {
	number int
	busy   int // calls; of Model.mu

	mu    sync.Mutex // held while a child starts
	child *child     // nil until it is needed
}

var _ model.Described = (*Model)(nil)

// Open starts a process of command, which is split as [Split] does, and reads its
// hello. Errors are of type [*Error], and [*CommandError] below it where the
// command is no command.
func Open(ctx context.Context, command string, opts Options) (*Model, error) {
	if err := opts.validate(); err != nil {
		return nil, err
	}
	m := &Model{command: strings.TrimSpace(command), shown: Shown(command), opt: opts.withDefaults()}
	var err error
	if m.words, err = m.program(); err != nil {
		return nil, err
	}
	for number := range m.opt.Children {
		m.slots = append(m.slots, &slot{number: number})
	}
	m.room = make(chan struct{}, m.opt.Children*PerChild)
	m.frames = make(chan *batchFrame, m.opt.Children*PerChild)
	m.life, m.end = context.WithCancel(context.Background())
	c, payload, err := m.start(ctx, 0)
	if err != nil {
		return nil, err
	}
	m.slots[0].child = c
	if m.hello, m.declared, err = readHello(payload); err != nil {
		return nil, errors.Join(m.fault(err), m.Close())
	}
	if err := m.chooseOutputs(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	if m.digest, err = digest(m.words, m.hello.Digest); err != nil {
		return nil, errors.Join(&Error{Command: m.shown, Reason: err.Error(), Err: err}, m.Close())
	}
	return m, nil
}

// program splits the command and looks for its program.
func (m *Model) program() ([]string, error) {
	words, err := Split(m.command)
	if err != nil {
		fault := &Error{Command: m.shown, Reason: err.Error(), Err: err}
		var command *CommandError
		if errors.As(err, &command) {
			fault.Hint = command.Hint
		}
		return nil, fault
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		name, _, assigned := strings.Cut(words[0], "=")
		if assigned && isVariable(name) {
			return nil, &Error{Command: m.shown, Reason: fmt.Sprintf("%s=%s is a variable, and no program", name, masked), Err: err,
				Hint: "variables are set by env: exec:env " + m.shown}
		}
		fault := &Error{Command: m.shown, Reason: fmt.Sprintf("there is no program %s", words[0]), Err: err}
		switch info, statErr := os.Stat(words[0]); {
		case statErr == nil && info.Mode().IsRegular() && filepath.Ext(words[0]) == ".py":
			fault.Reason, fault.Hint = fmt.Sprintf("%s cannot be run by itself", words[0]), "write exec:python3 "+m.shown
		case statErr == nil:
			fault.Reason, fault.Hint = fmt.Sprintf("%s cannot be run by itself", words[0]), "make it executable (chmod +x) and name it with its folder, as exec:./NAME"
		default:
			fault.Hint = "it is looked for in the folders of PATH; a program in this folder is exec:./NAME"
		}
		return nil, fault
	}
	return words, nil
}

// chooseOutputs settles the signature.
func (m *Model) chooseOutputs() error {
	m.sig = m.declared
	if m.opt.Outputs == nil {
		return nil
	}
	var chosen []tensor.Spec
	for _, name := range m.opt.Outputs(slices.Clone(m.declared.Outputs)) {
		at := slices.IndexFunc(m.declared.Outputs, func(s tensor.Spec) bool { return s.Name == name })
		if at < 0 {
			return &Error{Command: m.shown, Reason: fmt.Sprintf("the model has no output %q", name)}
		}
		chosen = append(chosen, m.declared.Outputs[at])
	}
	if chosen != nil {
		m.sig.Outputs = chosen
	}
	return nil
}

// start starts a process and returns its hello.
func (m *Model) start(ctx context.Context, number int) (*child, []byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	c, err := start(m.words, m.opt.Env, number, m.opt.Stderr)
	if err != nil {
		return nil, nil, &Error{Command: m.shown, Reason: fmt.Sprintf("it cannot be started: %v", err), Err: err}
	}
	payload, err := c.greet(ctx, m.opt.Timeout)
	switch {
	case err == nil:
		return c, payload, nil
	case ctx.Err() != nil:
		err = ctx.Err()
	case c.reason() == timedOut:
		err = &Error{Command: m.shown, Reason: fmt.Sprintf("it said nothing for %v", m.opt.Timeout),
			Hint: "does it serve a model (intershap help python)? --timeout gives it longer to load one", Stderr: c.words.end()}
	case errors.Is(err, errLost):
		err = &Error{Command: m.shown, Reason: fmt.Sprintf("it ended before it said what it takes: %s", c.fate()),
			Hint: endHint(c.words.end()), Stderr: c.words.end(), Err: errLost}
	default:
		err = m.fault(err)
	}
	c.stop()
	return nil, nil, err
}

// endHint is the remedy for a child that ended before its hello, by its last words.
func endHint(said []string) string {
	// Python's own sentence about the module that every model starts with.
	const forgotten = "No module named 'intershap_serve'"
	if n := len(said); n > 0 && strings.HasSuffix(strings.TrimSpace(said[n-1]), forgotten) {
		return "write the module beside the model: intershap help python > intershap_serve.py"
	}
	return "run the command by itself to see more; intershap help python has the form of a model"
}

// fault makes a breach of the protocol an Error.
func (m *Model) fault(err error) error {
	fault := &Error{Command: m.shown, Reason: err.Error(), Err: err}
	var b *breach
	if errors.As(err, &b) {
		fault.Hint = b.hint
	}
	return fault
}

// Signature returns what the model declares. BatchSize is the length that it
// fixes for axis 0, 0 for any.
func (m *Model) Signature() model.Signature {
	return model.Signature{Inputs: slices.Clone(m.sig.Inputs), Outputs: slices.Clone(m.sig.Outputs), BatchSize: m.sig.BatchSize, CallBytes: model.FarCallBytes}
}

// Classes returns the names that the model gives to the columns of an output, nil
// for none.
func (m *Model) Classes(output string) []string {
	for _, o := range m.hello.Outputs {
		if o.Name == output {
			return slices.Clone(o.Classes)
		}
	}
	return nil
}

// Unsupported returns nil: every declared output can be read.
func (m *Model) Unsupported() []string { return nil }

// Digest returns a SHA-256, in hexadecimal, of the command, of the files that it
// names, and of the digest that the model says of itself; docs/format/process.md
// has the form. A model that reads other files and does not say so may change
// under the same digest.
func (m *Model) Digest() string { return m.digest }

// Runtime returns what the model says of itself: its name and what computes, such
// as "python 3.11.2, numpy 1.24.2".
func (m *Model) Runtime() string {
	words := slices.DeleteFunc([]string{m.hello.Name, m.hello.Runtime}, func(w string) bool { return w == "" })
	if len(words) == 0 {
		return filepath.Base(m.words[0])
	}
	return strings.Join(words, ", ")
}

// Close ends all processes. Calls that are running fail with ErrClosed. A second
// Close does nothing.
func (m *Model) Close() error {
	m.mu.Lock()
	m.closed = true
	m.mu.Unlock()
	m.end()
	m.calls.Wait()
	var all sync.WaitGroup
	for _, s := range m.slots {
		if s.child != nil {
			all.Go(s.child.stop)
		}
	}
	all.Wait()
	return nil
}
