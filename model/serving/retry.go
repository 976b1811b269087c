package serving

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The waits between attempts: the first, and the longest before the draw; each is
// about twice the one before. Half of a wait is drawn at random, so that many callers do not
// come back together. Random are the waits alone, never the numbers.
const (
	firstWait   = 100 * time.Millisecond
	longestWait = 15 * time.Second
	jitter      = 0.5
	// longestAsked bounds what a server may ask for with Retry-After.
	longestAsked = 2 * time.Minute
)

// A policy is how often something is asked, how long each time, and the first
// wait in between.
type policy struct {
	attempts  int
	timeout   time.Duration
	firstWait time.Duration
}

// waits is exponential, but no shorter than the server asks.
type waits struct {
	*backoff.ExponentialBackOff
	asked time.Duration
}

func newWaits(first time.Duration) *waits {
	e := backoff.NewExponentialBackOff()
	e.InitialInterval, e.MaxInterval, e.RandomizationFactor, e.Multiplier = first, longestWait, jitter, 2
	return &waits{ExponentialBackOff: e}
}

// NextBackOff returns the next wait.
func (w *waits) NextBackOff() time.Duration {
	next := max(w.ExponentialBackOff.NextBackOff(), min(w.asked, longestAsked))
	w.asked = 0
	return next
}

// An exhausted error is the last failure of several attempts.
type exhausted struct {
	*failure
	attempts int
}

func (e *exhausted) Unwrap() error { return e.failure }

// ask makes attempts until one succeeds or fails for good. The error is an
// *exhausted, or that of ctx.
func ask[T any](ctx context.Context, p policy, c *counters, attempt func(context.Context) (T, error)) (T, error) {
	w := newWaits(p.firstWait)
	tries := 0
	var last *failure
	out, err := backoff.Retry(ctx, func() (T, error) {
		if tries++; tries > 1 {
			c.retries.Add(1)
		}
		c.requests.Add(1)
		out, err := once(ctx, p.timeout, attempt)
		if err == nil || ctx.Err() != nil {
			return out, err
		}
		if !errors.As(err, &last) {
			last = &failure{err: err}
		}
		w.asked = last.after
		if !last.again {
			return out, backoff.Permanent(err)
		}
		return out, err
	}, backoff.WithBackOff(w), backoff.WithMaxTries(uint(p.attempts)), backoff.WithMaxElapsedTime(0))
	switch {
	case err == nil:
		return out, nil
	case ctx.Err() != nil:
		return out, context.Cause(ctx)
	}
	return out, &exhausted{failure: last, attempts: tries}
}

// once makes one attempt within a time of its own.
func once[T any](ctx context.Context, timeout time.Duration, attempt func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	out, err := attempt(limited)
	if err != nil && limited.Err() != nil && ctx.Err() == nil {
		f := passing("no answer within %v", timeout)
		f.hint = fmt.Sprintf("give the server more time with ?timeout=%v behind the URL, or fewer rows with ?rows=N", 5*timeout)
		return out, f
	}
	return out, err
}
