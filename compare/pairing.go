package compare

import (
	"fmt"
	"strconv"
)

// A pairing says which samples of two runs are the same.
type pairing struct {
	// rows are positions in the samples of either run, pair by pair.
	rows [2][]int
	// unit numbers the ids among the pairs: samples with one id are drawn together.
	unit  []int
	units int
}

// pair matches two lists of ids. Of an id that repeats, as with several visits of one
// patient, the first is matched with the first, the second with the second.
func pair(a, b []string) *pairing {
	type key struct {
		id   string
		turn int
	}
	keys := func(ids []string) []key {
		met := make(map[string]int, len(ids))
		out := make([]key, len(ids))
		for i, id := range ids {
			out[i] = key{id, met[id]}
			met[id]++
		}
		return out
	}
	where := make(map[key]int, len(b))
	for i, k := range keys(b) {
		where[k] = i
	}
	out := &pairing{}
	number := map[string]int{}
	for i, k := range keys(a) {
		j, ok := where[k]
		if !ok {
			continue
		}
		unit, ok := number[k.id]
		if !ok {
			unit = len(number)
			number[k.id] = unit
		}
		out.rows[0] = append(out.rows[0], i)
		out.rows[1] = append(out.rows[1], j)
		out.unit = append(out.unit, unit)
	}
	out.units = len(number)
	return out
}

// alone returns the samples of one run with their units, for a bootstrap of its own.
func alone(ids []string) (unit []int, units int) {
	p := pair(ids, ids)
	return p.unit, p.units
}

// Positional reports whether ids are 0, 1, 2, ...: what samples get that have no id.
// Such ids name places in a file, and nothing beyond it.
func Positional(ids []string) bool {
	for i, id := range ids {
		if id != strconv.Itoa(i) {
			return false
		}
	}
	return true
}

// classes maps the classes of two runs to those of the first.
type classes struct {
	names []string
	// of[side][class] is a position in names.
	of [2][]int
	// byPosition is set where the names differ and positions stand in for them.
	byPosition bool
}

// matchClasses matches classes by name, or by position where the runs have as many and
// call them differently. It reports false where neither is possible.
func matchClasses(a, b []string) (c classes, ok bool) {
	c.names = a
	c.of[0] = make([]int, len(a))
	where := map[string]int{}
	for i, name := range a {
		c.of[0][i] = i
		where[name] = i
	}
	if len(a) != len(b) {
		return c, false
	}
	c.of[1] = make([]int, len(b))
	for i, name := range b {
		k, known := where[name]
		if !known {
			c.byPosition = true
			for i := range b {
				c.of[1][i] = i
			}
			return c, true
		}
		c.of[1][i] = k
	}
	return c, true
}

// Right says of each sample of a run whether its predicted class is its label, given
// the ids and labels of the data. A label is the name of a class, else its position. Of
// an id that repeats, the first sample has the first label, and so on.
func Right(r *Run, ids, labels []string) ([]bool, error) {
	names := r.Result.Classes
	switch {
	case r.Samples == nil:
		return nil, fmt.Errorf("compare: %s: accuracy needs the predicted classes, which are in the file of samples", r.Path)
	case len(names) == 0:
		return nil, fmt.Errorf("compare: %s: accuracy needs classes, and the task %s has none", r.Path, r.Result.Provenance.Task)
	}
	p := pair(r.Samples.IDs, ids)
	if n := r.Samples.Len(); len(p.unit) < n {
		return nil, fmt.Errorf("compare: %s: labels for %d of %d samples: want the data that was explained, with the same ids", r.Path, len(p.unit), n)
	}
	out := make([]bool, r.Samples.Len())
	for k, i := range p.rows[0] {
		label := labels[p.rows[1][k]]
		class, err := classOf(label, names)
		if err != nil {
			return nil, fmt.Errorf("compare: %s: id %q: %w", r.Path, r.Samples.IDs[i], err)
		}
		out[i] = class == r.Samples.Predicted[i]
	}
	return out, nil
}

// classOf returns the position of a label among the names of classes.
func classOf(label string, names []string) (int, error) {
	for i, name := range names {
		if name == label {
			return i, nil
		}
	}
	if i, err := strconv.Atoi(label); err == nil && i >= 0 && i < len(names) {
		return i, nil
	}
	return 0, fmt.Errorf("label %q is no class (have %q)", label, names)
}
