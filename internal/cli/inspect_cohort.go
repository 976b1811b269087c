package cli

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// A cohortReport says what the samples are, by the flags of addCohort.
type cohortReport struct {
	// Cluster and Weight are the columns, Missing and Pad the flags; empty for none.
	Cluster string   `json:"cluster"`
	Weight  string   `json:"weight"`
	Missing []string `json:"missing"`
	Pad     []string `json:"pad"`
	// All are all samples.
	All unitsReport `json:"all"`
	By  []byReport  `json:"by"`
	// Patterns and Present are nil without --missing.
	Patterns []patternReport `json:"patterns"`
	Present  map[string]int  `json:"present"`
	// Background counts the rows that background rows are drawn from.
	Background candidatesReport `json:"background"`
	Lists      []listReport     `json:"lists"`
}

type unitsReport struct {
	Samples int `json:"samples"`
	// Weight is the sum of weights, without --weight the number of samples.
	Weight   float64 `json:"weight"`
	Clusters float64 `json:"clusters"`
}

type byReport struct {
	Columns []string      `json:"columns"`
	Groups  []groupReport `json:"groups"`
}

type groupReport struct {
	Values []string `json:"values"`
	unitsReport
}

type patternReport struct {
	Present []string `json:"present"`
	unitsReport
}

type candidatesReport struct {
	Rows     int `json:"rows"`
	Complete int `json:"complete"`
}

type listReport struct {
	Input string `json:"input"`
	Value string `json:"value"`
	// Length is what all lists are filled up to; Data and Background are the longest.
	Length     int `json:"length"`
	Data       int `json:"data"`
	Background int `json:"background"`
}

// asksCohort reports whether a run says anything of what its samples are.
func asksCohort(o *intershap.Options) bool {
	return o.Cluster != "" || o.Weight != "" || len(o.By) > 0 || len(o.Missing) > 0 || len(o.Pad) > 0
}

// reportCohort counts the samples of a plan.
func reportCohort(ctx context.Context, plan *intershap.Plan, o *intershap.Options) (*cohortReport, error) {
	c, err := plan.Cohort(ctx)
	if err != nil {
		return nil, err
	}
	r := &cohortReport{
		Cluster: o.Cluster, Weight: o.Weight, Missing: append([]string{}, o.Missing...), Pad: append([]string{}, o.Pad...),
		All: unitsReport(c.All), By: []byReport{}, Background: candidatesReport{c.BackgroundRows, c.Complete}, Lists: []listReport{},
	}
	for _, by := range c.By {
		part := byReport{Columns: by.Columns}
		for _, g := range by.Groups {
			part.Groups = append(part.Groups, groupReport{g.Values, unitsReport(g.Units)})
		}
		r.By = append(r.By, part)
	}
	for _, p := range c.Patterns {
		r.Patterns = append(r.Patterns, patternReport{p.Present, unitsReport(p.Units)})
	}
	if c.Present != nil {
		r.Present = map[string]int{}
		for i, m := range plan.Modalities() {
			r.Present[m.Name] = c.Present[i]
		}
	}
	for _, l := range c.Lists {
		r.Lists = append(r.Lists, listReport(l))
	}
	return r, nil
}

// independent says for how many samples they count; fewer than there are is worth a line.
func (u unitsReport) independent() string { return grouped(int64(u.Clusters + 0.5)) }

// weight writes the sum of weights; of a large one the fraction says nothing.
func (u unitsReport) weight() string {
	if whole := math.Round(u.Weight); whole == u.Weight || whole >= 1000 {
		if whole < 1e15 {
			return grouped(int64(whole))
		}
	}
	return significant(u.Weight)
}

// heads are the lines of the head of a page: what explain writes of the flags, and what
// was counted.
func (r *cohortReport) heads(samples int) [][2]string {
	var lines [][2]string
	if text := cohortOf(&result.Provenance{Cluster: r.Cluster, Weight: r.Weight, Missing: r.Missing, Pad: r.Pad}); text != "" {
		lines = append(lines, [2]string{"cohort", text})
	}
	if r.All.Samples < samples {
		lines = append(lines, [2]string{"counted", fmt.Sprintf("%s of a weight above 0", count(int64(r.All.Samples), "sample"))})
	}
	if fewer(r.All) {
		lines = append(lines, [2]string{"independent", fmt.Sprintf("as many as %s", count(int64(r.All.Clusters+0.5), "sample"))})
	}
	for _, l := range r.Lists {
		lines = append(lines, [2]string{"lists", fmt.Sprintf("%s filled up to %d, the longest %d in the data, %d in the background", l.Input, l.Length, l.Data, l.Background)})
	}
	return lines
}

// fewer reports whether independent samples are fewer, but for rounding.
func fewer(u unitsReport) bool { return u.Clusters < float64(u.Samples)*(1-1e-9) }

// lacking returns how many samples lack a modality; "" without --missing.
func (r *inspection) lacking(modality string) string {
	if r.Cohort == nil || r.Cohort.Present == nil {
		return ""
	}
	return grouped(int64(r.Cohort.All.Samples - r.Cohort.Present[modality]))
}

// writeUnits writes the groups of each partition, and what samples have.
func (r *cohortReport) writeUnits(p *page) {
	for _, by := range r.By {
		var rows []namedUnits
		for _, g := range by.Groups {
			rows = append(rows, namedUnits{wording.GroupName(g.Values), g.unitsReport})
		}
		r.writeRows(p, strings.Join(by.Columns, ", "), rows)
	}
	if r.Patterns != nil {
		var rows []namedUnits
		for _, g := range r.Patterns {
			rows = append(rows, namedUnits{wording.PatternName(g.Present), g.unitsReport})
		}
		r.writeRows(p, "present", rows)
	}
}

type namedUnits struct {
	name string
	unitsReport
}

func (r *cohortReport) writeRows(p *page, heading string, units []namedUnits) {
	shown := units[:min(len(units), mostGroups)]
	clustered := slices.ContainsFunc(shown, func(u namedUnits) bool { return fewer(u.unitsReport) })
	head := []cell{{head: heading}, {head: "samples", number: true}}
	if clustered {
		head = append(head, cell{head: "independent", number: true})
	}
	if r.Weight != "" {
		head = append(head, cell{head: "weight", number: true})
	}
	rows := [][]cell{head}
	for _, u := range shown {
		row := []cell{{head: u.name}, {head: grouped(int64(u.Samples)), number: true}}
		if clustered {
			row = append(row, cell{head: u.independent(), number: true})
		}
		if r.Weight != "" {
			row = append(row, cell{head: u.weight(), number: true})
		}
		rows = append(rows, row)
	}
	p.blank()
	p.grid(rows)
	if more := len(units) - len(shown); more > 0 {
		p.line("%s in --json", count(int64(more), "more row"))
	}
}
