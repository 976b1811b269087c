package engine

import "context"

// culprit finds the row that makes a call of n rows fail, by halves: run runs
// rows [lo, hi). It returns the row and the error that the row alone gives. It
// reports false when the context has ended, or when rows that failed together
// do not fail by themselves; then any of them may be at fault, or none.
func culprit(ctx context.Context, n int, run func(lo, hi int) error) (row int, err error, found bool) {
	lo, hi := 0, n
	for hi-lo > 1 {
		if ctx.Err() != nil {
			return 0, nil, false
		}
		middle := (lo + hi) / 2
		if run(lo, middle) != nil {
			hi = middle
		} else {
			lo = middle
		}
	}
	err = run(lo, hi)
	return lo, err, err != nil && ctx.Err() == nil
}
