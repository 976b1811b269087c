package serving

import "sync/atomic"

// Counts tells what a model asked its server so far.
type Counts struct {
	// Rows were asked for by callers, and Sent to the server: equal rows of a
	// call go once, repeated requests count once.
	Rows, Sent int64
	// Requests were sent, repetitions included; Retries are the repetitions.
	Requests, Retries int64
}

type counters struct{ rows, sent, requests, retries atomic.Int64 }

func (c *counters) read() Counts {
	return Counts{Rows: c.rows.Load(), Sent: c.sent.Load(), Requests: c.requests.Load(), Retries: c.retries.Load()}
}

// Requests is the most requests in flight.
func (m *remote) Requests() int { return cap(m.flying) }
