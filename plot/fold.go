package plot

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// strongest returns the positions of the n modalities that take part in the largest
// effects, in their order. Those in first come before others.
func (s *Subject) strongest(n int, first []int) []int {
	m := len(s.names)
	size := make([]float64, m)
	for i := range m {
		size[i] = math.Abs(s.phi[i][i])
		for j := range m {
			if j != i {
				size[i] = max(size[i], math.Abs(s.phi[i][j]+s.phi[j][i]))
			}
		}
	}
	for _, i := range first {
		size[i] = math.Inf(1)
	}
	order := make([]int, m)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(size[b], size[a]) })
	kept := order[:min(n, m)]
	slices.Sort(kept)
	return kept
}

// restricted returns the subject with some of its modalities, in their order.
func (s *Subject) restricted(kept []int) *Subject {
	if len(kept) == len(s.names) {
		return s
	}
	out := *s
	out.names, out.alone, out.pairs, out.phi, out.se = nil, nil, nil, nil, nil
	for a, i := range kept {
		out.names, out.alone = append(out.names, s.names[i]), append(out.alone, s.alone[i])
		var phi, se []float64
		for b, j := range kept {
			phi = append(phi, s.phi[i][j])
			if s.se != nil {
				se = append(se, s.se[i][j])
			}
			if b > a {
				out.pairs = append(out.pairs, s.pairs[s.pairAt(i, j)])
			}
		}
		out.phi = append(out.phi, phi)
		if s.se != nil {
			out.se = append(out.se, se)
		}
	}
	out.groups = regrouped(s.groups, kept)
	return &out
}

// regrouped returns the groups of the players that are kept, at their new positions.
func regrouped(groups []result.Grouping, kept []int) []result.Grouping {
	var out []result.Grouping
	for _, g := range groups {
		var players []int
		for at, i := range kept {
			if slices.Contains(g.Players, i) {
				players = append(players, at)
			}
		}
		if players != nil {
			out = append(out, result.Grouping{Modality: g.Modality, Players: players})
		}
	}
	return out
}

// pairAt returns the position of a pair of different modalities among pairs.
func (s *Subject) pairAt(i, j int) int {
	a, b, m := min(i, j), max(i, j), len(s.names)
	return a*(2*m-a-1)/2 + b - a - 1
}

// folded returns the subject with n modalities: the last of them is all that take part
// in the smallest effects, with sums of their cells in phi and of their shares. Cells
// still sum to output - base and shares to 1. What one alone and in pairs with others of
// them does is on the diagonal. A sum of shares of which some are not clear of their error
// says nothing. n is 2 or more.
func (s *Subject) folded(n int) *Subject {
	m := len(s.names)
	if m <= n {
		return s
	}
	kept := s.strongest(n-1, nil)
	at := make([]int, m) // the new position of each
	for i := range at {
		at[i] = n - 1
	}
	for to, from := range kept {
		at[from] = to
	}
	out := *s
	out.se = nil // the errors of sums are not known
	out.names = nil
	for _, i := range kept {
		out.names = append(out.names, s.names[i])
	}
	out.names = append(out.names, fmt.Sprintf("%d more", m-len(kept)))
	out.fold = m - len(kept)
	out.phi = make([][]float64, n)
	for i := range out.phi {
		out.phi[i] = make([]float64, n)
	}
	sums := map[[2]int][]wording.Interval{}
	for i := range m {
		for j := range m {
			out.phi[at[i]][at[j]] += s.phi[i][j]
		}
		sums[[2]int{at[i], at[i]}] = append(sums[[2]int{at[i], at[i]}], s.alone[i])
		for j := i + 1; j < m; j++ {
			cell := [2]int{min(at[i], at[j]), max(at[i], at[j])}
			sums[cell] = append(sums[cell], s.pairs[s.pairAt(i, j)])
		}
	}
	out.alone, out.pairs, out.unsaid = nil, nil, map[[2]int]bool{}
	share := func(i, j int) wording.Interval {
		v, unsaid := sumOf(sums[[2]int{i, j}])
		out.unsaid[[2]int{i, j}] = unsaid
		return v
	}
	for i := range n {
		out.alone = append(out.alone, share(i, i))
		for j := i + 1; j < n; j++ {
			out.pairs = append(out.pairs, share(i, j))
		}
	}
	out.groups = regrouped(s.groups, kept)
	return &out
}

// sumOf adds shares. One alone keeps its bounds; of several, one that is not clear of its
// error makes the sum say nothing.
func sumOf(parts []wording.Interval) (sum wording.Interval, unsaid bool) {
	if len(parts) == 1 {
		return parts[0], false
	}
	total, known := 0.0, true
	for _, v := range parts {
		x, ok := v.Share.Value()
		total += x
		known = known && ok
		unsaid = unsaid || v.OneSided()
	}
	if known {
		sum.Share = score.Defined(total)
	}
	return sum, unsaid
}

// starts returns the positions at which another modality begins, where players are
// groups, and that of what is folded.
func (s *Subject) starts() []int {
	var out []int
	for i, g := range s.groups {
		if i > 0 {
			out = append(out, g.Players[0])
		}
	}
	if s.groups != nil && s.fold > 0 {
		out = append(out, len(s.names)-1)
	}
	return out
}

// foldNote says what the last row of a folded matrix is.
func (s *Subject) foldNote() string {
	if s.fold == 0 {
		return ""
	}
	note := fmt.Sprintf("“%s”: the sums over the %s with the smallest effects; on the diagonal what these do alone and with each other.", s.names[len(s.names)-1], s.players)
	for _, unsaid := range s.unsaid {
		if unsaid {
			return note + " A sum with parts that are not clear of their error has no share."
		}
	}
	return note
}
