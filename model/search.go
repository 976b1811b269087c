package model

import "context"

type searching struct{}

// Searching returns a context for calls that look for the row at fault: their
// caller knows already that a call with these rows among others failed. A model
// that tries a call several times before it gives it up need try it once, where
// more than one row is left.
func Searching(ctx context.Context) context.Context {
	return context.WithValue(ctx, searching{}, true)
}

// IsSearching reports whether ctx comes from [Searching].
func IsSearching(ctx context.Context) bool { return ctx.Value(searching{}) != nil }
