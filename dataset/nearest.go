package dataset

import "strings"

// nearest returns the candidate that name is most likely a slip of, "" if none
// is close: equal but for case, or few letters apart.
func nearest(name string, candidates []string) string {
	// A third of the letters wrong is another word.
	best, distance := "", max((len(name)+1)/3, 1)+1
	for _, c := range candidates {
		if strings.EqualFold(name, c) {
			return c
		}
		if d := editDistance(name, c, distance); d < distance {
			best, distance = c, d
		}
	}
	return best
}

// editDistance counts the letters to add, drop or replace; it may stop early
// with any number of at least limit.
func editDistance(a, b string, limit int) int {
	if d := len(a) - len(b); d >= limit || -d >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// didYouMean is the end of a hint, empty when no candidate is close.
func didYouMean(name string, candidates []string) string {
	if near := nearest(name, candidates); near != "" {
		return "; did you mean " + quote(near) + "?"
	}
	return ""
}
