package compare

import (
	"slices"
	"strings"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// groups compares the groups of the partitions that every run has; at says where each
// run has the target. Partitions that some run lacks are told, and not compared.
func (q *question) groups(at []int) []Partition {
	runs := slices.Concat(q.sides[0].Runs, q.sides[1].Runs)
	targets := make([]*result.Target, len(runs))
	for i, r := range runs {
		targets[i] = &r.Result.Targets[at[i]]
	}
	var columns [][]string
	for _, t := range targets {
		for _, p := range t.By {
			if !slices.ContainsFunc(columns, func(c []string) bool { return slices.Equal(c, p.Columns) }) {
				columns = append(columns, p.Columns)
			}
		}
	}
	var out []Partition
	for _, c := range columns {
		var all []*result.Partition
		for _, t := range targets {
			if i := slices.IndexFunc(t.By, func(p result.Partition) bool { return slices.Equal(c, p.Columns) }); i >= 0 {
				all = append(all, &t.By[i])
			}
		}
		if len(all) < len(runs) {
			q.warnings.Add("groups-not-compared", strings.Join(c, ","), "groups by %s are in %d of %d results: explain all with --by %s to compare them", strings.Join(c, ", "), len(all), len(runs), strings.Join(c, ","))
			continue
		}
		out = append(out, q.partition(c, all))
	}
	return out
}

// partition compares the groups of one partition: those of the first run, then those
// that others have alone.
func (q *question) partition(columns []string, all []*result.Partition) Partition {
	out := Partition{Columns: columns, Method: Carried, Groups: []Group{}}
	if q.kind == Replicates {
		out.Method = Welch
	}
	for _, p := range all {
		for i := range p.Groups {
			values := p.Groups[i].Values
			if slices.ContainsFunc(out.Groups, func(g Group) bool { return slices.Equal(g.Values, values) }) {
				continue
			}
			out.Groups = append(out.Groups, Group{Values: values, Rows: q.groupRows(values, all)})
		}
	}
	return out
}

// groupRows compares the scores of one group. A run without such samples has none.
func (q *question) groupRows(values []string, all []*result.Partition) []Row {
	var out []Row
	for _, quantity := range scores(nil) {
		var from [2][]reading
		var levels [2]float64
		run := 0
		for k, s := range q.sides {
			for _, r := range s.Runs {
				level := r.Result.Provenance.Level
				var x reading
				if i := slices.IndexFunc(all[run].Groups, func(g result.Group) bool { return slices.Equal(g.Values, values) }); i >= 0 {
					x = readOf(&all[run].Groups[i].Breakdown, quantity, level)
				}
				from[k], levels[k] = append(from[k], x), level
				run++
			}
		}
		if q.kind == Replicates {
			out = append(out, replicateRow(quantity, [2][]score.Share{shares(from[0]), shares(from[1])}, q.opt.Level))
			continue
		}
		row := carriedRow(quantity, [2]reading{from[0][0], from[1][0]}, levels, q.opt.Level)
		if q.sameResult {
			row.settle(estimate{})
		}
		out = append(out, row)
	}
	return out
}

func shares(all []reading) []score.Share {
	var out []score.Share
	for _, r := range all {
		out = append(out, r.share)
	}
	return out
}
