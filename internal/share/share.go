// Package share divides numbered work among workers.
package share

import (
	"context"
	"sync"
)

// Among has workers call f with 0 to n−1, each once; fewer than one worker are one.
// It returns the error that came first in time, which is not always that of the least
// number. The context of f ends with it, or when ctx does. No goroutine outlives the
// call.
func Among(ctx context.Context, workers, n int, f func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan int, n)
	for i := range n {
		next <- i
	}
	close(next)
	var group sync.WaitGroup
	for range min(max(1, workers), n) {
		group.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					return
				}
				if err := f(ctx, i); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}
