package process

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// A child is a running process and our ends of its pipes. It answers batches in
// the order in which they are sent; a second may be on its way while it computes.
type child struct {
	cmd  *exec.Cmd
	in   *os.File // it reads what is written here
	out  *os.File // it writes what is read here
	read *bufio.Reader
	// direct is the longest batch that is written without waiting for the child.
	direct int
	words  *words

	// write is held while a batch is written.
	write sync.Mutex
	// turn is closed when the batch that was sent last has its answer.
	turn chan struct{}

	mu    sync.Mutex
	why   cause // of what we did to it
	gone  bool  // it may have been waited for: its number is another's
	state *os.ProcessState
	// ended is closed when the process has been waited for.
	ended chan struct{}
}

// A cause says why a child was ended by us; none is that it ended by itself.
type cause int

const (
	byItself cause = iota
	timedOut
	cancelled
	breached
	closed
)

// errLost is the error of a call whose child ended, or was ended, before the
// answer.
var errLost = errors.New("the child is gone")

// WorkerVariable is the environment variable in which a child finds its number,
// from 0 to one less than the number of children.
const WorkerVariable = "INTERSHAP_WORKER"

// threadVariables bound the threads of numerical libraries. A child has one
// unless they are set: children are as many as workers, and sums of several
// threads have other last bits.
var threadVariables = []string{"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"}

// readBytes is what is read of an answer at a time; small ones are read at once.
const readBytes = 64 << 10

// patience is how long a child that should end may take before it is killed.
const patience = 5 * time.Second

// start starts a process. It does not wait for the hello.
func start(command []string, environment []string, number int, stderr io.Writer) (_ *child, err error) {
	var (
		files []*os.File
		room  int
	)
	defer func() {
		if err != nil {
			for _, f := range files {
				_ = f.Close() // nothing was written
			}
		}
	}()
	pipe := func() (r, w *os.File) {
		if err == nil {
			if r, w, err = os.Pipe(); err == nil {
				files = append(files, r, w)
				room = widen(w)
			}
		}
		return r, w
	}
	out, theirOut := pipe()
	theirIn, in := pipe()
	if err != nil {
		return nil, err
	}
	c := &child{in: in, out: out, direct: room / PerChild, words: &words{to: stderr}, turn: make(chan struct{}), ended: make(chan struct{})}
	close(c.turn)
	c.read = bufio.NewReaderSize(out, readBytes)
	c.cmd = exec.Command(command[0], command[1:]...)
	c.cmd.Env = childEnvironment(environment, number)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = theirIn, theirOut, c.words
	c.cmd.WaitDelay = patience // what it started may hold standard error open
	ownGroup(c.cmd)
	if err = c.cmd.Start(); err != nil {
		return nil, err
	}
	_, _ = theirIn.Close(), theirOut.Close() // the child has its own
	go c.wait()
	return c, nil
}

// childEnvironment returns the environment of child number.
func childEnvironment(base []string, number int) []string {
	set := map[string]bool{}
	for _, entry := range base {
		for i := range entry {
			if entry[i] == '=' {
				set[entry[:i]] = true
				break
			}
		}
	}
	env := append([]string(nil), base...)
	for _, name := range threadVariables {
		if !set[name] {
			env = append(env, name+"=1")
		}
	}
	return append(env, WorkerVariable+"="+strconv.Itoa(number))
}

// untilEnd is awaitEnd, which tests replace by that of other systems.
var untilEnd = awaitEnd

// wait takes the end of the process, and ends what it leaves behind where the
// system tells of the end before it is taken.
func (c *child) wait() {
	if untilEnd(c.cmd.Process.Pid) {
		c.mu.Lock()
		killGroup(c.cmd.Process)
		c.gone = true
		c.mu.Unlock()
	}
	_ = c.cmd.Wait() // the state says it
	c.mu.Lock()
	c.gone, c.state = true, c.cmd.ProcessState
	c.mu.Unlock()
	close(c.ended)
}

// kill ends the process and whoever waits for it. The first cause stays.
func (c *child) kill(why cause) {
	c.mu.Lock()
	if c.why == byItself {
		c.why = why
	}
	if !c.gone {
		killGroup(c.cmd.Process)
	}
	c.mu.Unlock()
	// What is in a group of its own may hold the other ends.
	_, _ = c.in.Close(), c.out.Close()
}

// stop lets a process end that waits for a batch, and kills it where it does not.
func (c *child) stop() {
	c.mu.Lock()
	if c.why == byItself {
		c.why = closed
	}
	c.mu.Unlock()
	_ = c.in.Close() // the end of its input is its sign to end
	timer := time.AfterFunc(patience, func() { c.kill(closed) })
	<-c.ended
	timer.Stop()
	c.kill(closed)
}

// reason returns why the child was ended by us.
func (c *child) reason() cause {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// dead reports whether the child will answer no more.
func (c *child) dead() bool {
	if c.reason() != byItself {
		return true
	}
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}

// guard runs do, and kills the child when ctx ends or the time is up before. late
// says that the time was up: another call's time may be the cause of a kill too.
func (c *child) guard(ctx context.Context, limit time.Duration, do func() error) (late bool, err error) {
	release := context.AfterFunc(ctx, func() { c.kill(cancelled) })
	timer := time.AfterFunc(limit, func() { c.kill(timedOut) })
	err = do()
	release()
	return !timer.Stop(), err
}

// greet waits for the hello.
func (c *child) greet(ctx context.Context, limit time.Duration) (payload []byte, err error) {
	_, err = c.guard(ctx, limit, func() error {
		_, payload, err = readFrame(c.read, nil, maxHello, helloKind)
		return err
	})
	return payload, c.judge(err)
}

// errBefore is the error of a call that was not the child's concern yet when the
// child ended.
var errBefore = errors.New("the child ended at the batch before")

// errLate is the error of a call whose own time was up.
var errLate = errors.New("the child was killed for taking too long")

// call sends a batch and returns the payload of its answer, in room where it fits, a [Failure] where the
// child has none, errLost, errLate or errBefore where the child is gone. The frame is free
// when call returns without an error or with a Failure.
func (c *child) call(ctx context.Context, limit time.Duration, frame, room []byte, most int64) ([]byte, error) {
	release := context.AfterFunc(ctx, func() { c.kill(cancelled) })
	c.write.Lock()
	before, mine := c.turn, make(chan struct{})
	c.turn = mine
	defer close(mine)
	sent := make(chan error, 1)
	send := func() {
		defer c.write.Unlock()
		sent <- give(c.in, frame)
	}
	if len(frame) <= c.direct {
		send()
	} else {
		// It waits for the child to read, and one that is at fault may write all the
		// while.
		go send()
	}
	<-before
	release()
	if c.reason() != byItself {
		return nil, errBefore
	}
	var (
		kind    byte
		payload []byte
	)
	late, err := c.guard(ctx, limit, func() (err error) {
		if kind, payload, err = readFrame(c.read, room, most, outputsKind, failureKind); err != nil {
			return err
		}
		return <-sent
	})
	if err = c.judge(err); err != nil {
		if late && errors.Is(err, errLost) {
			return nil, errLate
		}
		return nil, err
	}
	if kind == failureKind {
		failure, err := readFailure(payload)
		if err != nil {
			return nil, c.judge(err)
		}
		return nil, failure
	}
	return payload, nil
}

// judge ends a child that failed: who breaks the protocol once has lost the place
// in it.
func (c *child) judge(err error) error {
	if err == nil {
		return nil
	}
	var b *breach
	if errors.As(err, &b) {
		c.kill(breached)
		return err
	}
	// It closed its pipes. It should end by that; one that does not is of no use.
	select {
	case <-c.ended:
	default:
		timer := time.AfterFunc(patience, func() { c.kill(breached) })
		<-c.ended
		timer.Stop()
	}
	c.kill(breached)
	return errLost
}

// fate says how the process ended: "exit status 1", or the signal that killed it.
// It waits for the end.
func (c *child) fate() string {
	<-c.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state.String()
}

// killed reports whether SIGKILL ended the process. It waits for the end.
func (c *child) killed() bool {
	<-c.ended
	c.mu.Lock()
	defer c.mu.Unlock()
	status, known := c.state.Sys().(syscall.WaitStatus)
	return known && status.Signaled() && status.Signal() == syscall.SIGKILL
}
