package cli

import (
	"fmt"
	"strings"
)

// nearest returns the candidate that a person most likely meant by name, "" if
// none is close.
func nearest(name string, candidates []string) string {
	name = strings.ToLower(name)
	best, least := "", len(name)/3+2
	for _, c := range candidates {
		d := distance(name, strings.ToLower(c))
		if strings.HasPrefix(c, name) && name != "" {
			d = min(d, 1)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the letters to add, drop, replace or swap with their
// neighbour that make b of a (Damerau, 1964; each letter edited once).
func distance(a, b string) int {
	table := make([][]int, len(a)+1)
	for i := range table {
		table[i] = make([]int, len(b)+1)
		table[i][0] = i
	}
	for j := range table[0] {
		table[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			change := table[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			table[i][j] = min(table[i-1][j]+1, table[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				table[i][j] = min(table[i][j], table[i-2][j-2]+1)
			}
		}
	}
	return table[len(a)][len(b)]
}

// A wordError is a value that is none of those that a flag takes.
type wordError struct {
	got   string
	valid []string
}

func (e *wordError) Error() string {
	return fmt.Sprintf("want %s, got %q", strings.Join(e.valid, ", "), e.got)
}

func (e *wordError) hint() string { return didYouMean(nearest(e.got, e.valid)) }

func didYouMean(name string) string {
	if name == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %q?", name)
}
