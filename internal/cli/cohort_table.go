package cli

import (
	"slices"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

const (
	// mostGroups are the rows of a table for the groups of a partition, and for
	// patterns; the JSON has all.
	mostGroups = 15
	// contributionsWidth is the room that contributions may take in the rows of groups:
	// what a line of 80 letters leaves.
	contributionsWidth = 36
)

// cohortOf says in a line of the head what the samples are; "" where nothing was said.
func cohortOf(from *result.Provenance) string {
	var parts []string
	if from.Cluster != "" {
		parts = append(parts, "clusters by "+from.Cluster)
	}
	if from.Weight != "" {
		parts = append(parts, "weights "+from.Weight)
	}
	if len(from.Missing) > 0 {
		parts = append(parts, "may lack "+strings.Join(from.Missing, ", "))
	}
	if len(from.Pad) > 0 {
		parts = append(parts, "padded "+strings.Join(from.Pad, ", "))
	}
	return strings.Join(parts, "; ")
}

// macroRow is the row of the macro average below those of the classes.
func macroRow(p *page, t *result.Target, clustered bool) []cell {
	m := t.Macro.Headline(t.Headline)
	row := []cell{{head: "macro average"}, {}, interval{m.InterSHAP, m.Low, m.High}.cell(), {}, {}}
	if clustered {
		row = slices.Insert(row, 2, cell{})
	}
	return withBar(p, row, wording.Interval{Share: m.InterSHAP, Low: m.Low, High: m.High}, true)
}

// writeCohort breaks a target down by groups of samples, and by what they lack.
func writeCohort(p *page, t *result.Target, modalities []string) {
	for i := range t.By {
		by := &t.By[i]
		writeGroupRows(p, t, wording.PartitionName(by), wording.Groups(by), modalities)
	}
	if t.Patterns == nil {
		return
	}
	writeGroupRows(p, t, "present", wording.Patterns(t), modalities)
	if len(t.Patterns) > 1 {
		p.line("in all other tables each part is a mean over the samples that have its modalities")
	}
}

// brokenDown says by what a target is broken down; "" where it is not.
func brokenDown(t *result.Target) string {
	var by []string
	if len(t.ByClass) > 0 {
		by = append(by, "by predicted class")
	}
	if len(t.By) > 0 {
		by = append(by, "by group")
	}
	if len(t.Patterns) > 0 {
		by = append(by, "by "+wording.PatternsBy)
	}
	return strings.Join(by, ", ")
}

// writeGroupRows writes a row for each group of samples: its headline, and the
// contributions where there is room for all of them.
func writeGroupRows(p *page, t *result.Target, heading string, groups []wording.SampleGroup, modalities []string) {
	shown := groups[:min(len(groups), mostGroups)]
	clustered := countsFewer(shown)
	alone := contributionsFit(modalities)
	head := []cell{{head: heading}, {head: "samples", number: true}}
	if clustered {
		head = append(head, cell{head: "independent", number: true})
	}
	head = append(head, cell{head: scoreName(t) + " *"})
	if alone {
		for _, m := range modalities {
			head = append(head, cell{head: m, number: true})
		}
	} else {
		head = append(head, cell{head: "base", number: true}, cell{head: "output", number: true})
	}
	rows := [][]cell{head}
	for _, g := range shown {
		a := wording.HeadlineAggregate(g.Breakdown, t.Headline)
		row := []cell{{head: g.Name}, {head: grouped(int64(g.Samples)), number: true}}
		if clustered {
			row = append(row, independentCell(g.Breakdown))
		}
		row = append(row, interval{a.Score(), a.Low, a.High}.cell())
		if alone {
			for _, m := range modalities {
				row = append(row, groupContribution(g.Breakdown, a, m))
			}
		} else {
			row = append(row, cell{head: significant(g.Base), number: true}, cell{head: significant(g.Output), number: true})
		}
		rows = append(rows, withBar(p, row, wording.Interval{Share: a.Score(), Low: a.Low, High: a.High}, true))
	}
	if haveBars(rows[1:]) {
		rows[0] = append(rows[0], barsHead(t.Headline))
	}
	p.blank()
	p.grid(rows)
	if more := len(groups) - len(shown); more > 0 {
		p.line("%s in --json", count(int64(more), "more row"))
	}
}

// contributionsFit reports whether a row has room for a contribution of each modality.
func contributionsFit(modalities []string) bool {
	const percentage = 6 // "12.3 %"
	width := 0
	for _, m := range modalities {
		width += max(visible(m), percentage) + gap
	}
	return width <= contributionsWidth
}

// groupContribution is what a modality does alone, without its interval; nothing where
// the samples lack the modality.
func groupContribution(b *result.Breakdown, a *result.Aggregate, modality string) cell {
	if _, has := a.Contributions[modality]; !has || b.Nobody(modality) {
		return cell{number: true}
	}
	v := contributionOf(a, modality)
	head, _ := v.Parts()
	return cell{head: head, number: true}
}

// countsFewer reports whether the samples of any group count as fewer independent ones.
func countsFewer(groups []wording.SampleGroup) bool {
	return slices.ContainsFunc(groups, func(g wording.SampleGroup) bool { return g.Clusters != nil })
}

// independentCell says how many independent samples there are.
func independentCell(b *result.Breakdown) cell {
	n := float64(b.Samples)
	if b.Clusters != nil {
		n = *b.Clusters
	}
	return cell{head: grouped(int64(n + 0.5)), number: true}
}
