package share

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// Each thing is done once, and the first error ends it.
func TestAmong(t *testing.T) {
	var done [50]atomic.Int32
	if err := Among(t.Context(), 3, len(done), func(_ context.Context, i int) error {
		done[i].Add(1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range done {
		if done[i].Load() != 1 {
			t.Errorf("%d was done %d times", i, done[i].Load())
		}
	}
	enough := errors.New("enough")
	if err := Among(t.Context(), 3, 50, func(_ context.Context, i int) error {
		if i == 7 {
			return enough
		}
		return nil
	}); !errors.Is(err, enough) {
		t.Errorf("got %v, want the error of number 7", err)
	}
}

// Fewer than one worker are one, who goes through the numbers in order.
func TestAmongWithoutWorkers(t *testing.T) {
	for _, workers := range []int{0, -3} {
		next := 0
		if err := Among(t.Context(), workers, 5, func(_ context.Context, i int) error {
			if i != next {
				t.Errorf("%d workers: want number %d, got %d", workers, next, i)
			}
			next++
			return nil
		}); err != nil || next != 5 {
			t.Errorf("%d workers: want 5 done, got %d and %v", workers, next, err)
		}
	}
}

// Of two errors the one that came first in time is returned, here that of number 1.
func TestAmongReturnsTheFirstErrorInTime(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	err := Among(t.Context(), 2, 2, func(ctx context.Context, i int) error {
		if i == 1 {
			return first
		}
		<-ctx.Done()
		return second
	})
	if err != first {
		t.Errorf("want %v, got %v", first, err)
	}
}

func TestAmongEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	var done atomic.Int32
	err := Among(ctx, 2, 1000, func(ctx context.Context, i int) error {
		if done.Add(1) == 5 {
			stop()
		}
		return nil
	})
	if !errors.Is(err, context.Canceled) || done.Load() > 10 {
		t.Errorf("want an early end with the context's error, got %v after %d", err, done.Load())
	}
	if err := Among(t.Context(), 3, 0, nil); err != nil {
		t.Errorf("nothing to do: got %v", err)
	}
}
