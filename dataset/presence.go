package dataset

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/intershap/intershap/tensor"
)

// Presence says which samples have which modalities.
type Presence struct {
	// Rows has bit i set for a sample that has modality i.
	Rows []uint64
	// First is, for each modality, the first sample that lacks it; -1 if none
	// does.
	First []int
}

// presenceCache keeps what a pass over the file has found.
type presenceCache struct {
	mu    sync.Mutex
	found *Presence
}

func (c *presenceCache) keep(p *Presence) {
	c.mu.Lock()
	c.found = p
	c.mu.Unlock()
}

// newPresence returns the presence of rows that are still to be set.
func (s *Samples) newPresence() *Presence {
	p := &Presence{Rows: make([]uint64, s.rows), First: make([]int, len(s.modalities))}
	for i := range p.First {
		p.First[i] = -1
	}
	return p
}

// set takes down rows from lo on.
func (p *Presence) set(lo int, present []uint64) {
	for r, has := range present {
		p.Rows[lo+r] = has
		for i, first := range p.First {
			if first < 0 && has&(1<<i) == 0 {
				p.First[i] = lo + r
			}
		}
	}
}

// Presence returns who has what, 8 bytes a sample; nil unless MayLack was called.
// It goes over the file once, and not at all after a Check. The caller must not
// change it.
func (s *Samples) Presence(ctx context.Context) (*Presence, error) {
	if s.modalities == nil {
		return nil, nil
	}
	s.presence.mu.Lock()
	defer s.presence.mu.Unlock()
	if s.presence.found != nil {
		return s.presence.found, nil
	}
	p := s.newPresence()
	step := maxChunkRows
	if at := s.tells(); len(at) > 0 {
		columns := make([]Column, len(at))
		for i, position := range at {
			columns[i] = s.columns[position]
		}
		step = chunkRows(columns)
	}
	for lo := 0; lo < s.rows; lo += step {
		present, err := s.ReadPresent(ctx, lo, min(lo+step, s.rows))
		if err != nil {
			return nil, err
		}
		p.set(lo, present)
	}
	s.presence.found = p
	return p, nil
}

// ReadPresent returns Rows.Present of rows [lo, hi) and reads no more than it
// takes: where columns say who has what, values are not looked at. It is nil
// unless MayLack was called.
func (s *Samples) ReadPresent(ctx context.Context, lo, hi int) ([]uint64, error) {
	if s.modalities == nil {
		return nil, nil
	}
	parts := make([]cells, len(s.reads))
	if at := s.tells(); len(at) > 0 {
		var err error
		if parts, err = s.readParts(ctx, lo, hi, at); err != nil {
			return nil, s.advise(ctx, err)
		}
	}
	present, err := s.presentOf(parts, lo, hi-lo)
	return present, s.locate(err)
}

// tells returns the positions of the columns that tell who lacks what.
func (s *Samples) tells() []int {
	at := []int{}
	for _, l := range s.lacks {
		if l.at >= 0 {
			at = append(at, l.at)
		} else {
			at = append(at, s.at(l.own)...)
		}
	}
	return at
}

// presentOf returns who has what of n rows from lo on; nil unless MayLack was
// called. Where a column says that a sample has a modality, there must be a value
// of it, if values were read.
func (s *Samples) presentOf(all []cells, lo, n int) ([]uint64, error) {
	if s.modalities == nil {
		return nil, nil
	}
	out := make([]uint64, n)
	for r := range out {
		out[r] = 1<<len(s.modalities) - 1
	}
	for _, l := range s.lacks {
		if l.at < 0 {
			for r := range out {
				if !s.anyValue(l.own, all, r) {
					out[r] &^= l.players
				}
			}
			continue
		}
		has, fault := s.flags(l, all[l.at], lo)
		if fault != nil {
			return nil, fault
		}
		first := s.at(l.own)[0]
		known := all[first].DType() != 0
		for r := range out {
			if !has[r] {
				out[r] &^= l.players
				continue
			}
			if known && !s.anyValue(l.own, all, r) {
				return nil, &Error{
					File: s.file.Path(), Row: lo + r, Column: s.columns[first].Name,
					Expected: fmt.Sprintf("values of modality %q, since column %q says that the sample has it", l.name, s.columns[l.at].Name),
					Found:    "none",
					Hint:     "write 0 in column " + quote(s.columns[l.at].Name) + " where a sample lacks the modality",
				}
			}
		}
	}
	return out, nil
}

// flags reads a column of 0 and 1.
func (s *Samples) flags(l lack, c cells, lo int) ([]bool, *Error) {
	fault := func(r int, found string) *Error {
		return &Error{
			File: s.file.Path(), Row: lo + r, Column: s.columns[l.at].Name,
			Expected: "0 or 1, whether the sample has modality " + quote(l.name), Found: found, Hint: availabilityHint,
		}
	}
	out := make([]bool, c.Rows())
	if gap := slices.Index(c.gaps, true); gap >= 0 {
		return nil, fault(gap, "none (missing)")
	}
	if c.DType() == tensor.String {
		for r, text := range tensor.Values[string](c.Tensor) {
			switch strings.ToLower(strings.TrimSpace(text)) {
			case "1", "true":
				out[r] = true
			case "0", "false":
			default:
				return nil, fault(r, quote(shown(text)))
			}
		}
		return out, nil
	}
	numbers := make([]float64, c.Rows())
	c.Float64s(numbers)
	for r, v := range numbers {
		switch v {
		case 1:
			out[r] = true
		case 0:
		default: // NaN too
			return nil, fault(r, c.Format(r))
		}
	}
	return out, nil
}
