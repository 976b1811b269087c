package cli

import (
	"strings"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap/result"
)

// addGroups adds the flag that divides modalities.
func addGroups(flags *pflag.FlagSet, q *question) {
	flags.StringArrayVar(&q.options.Groups, "group", nil,
		"`MODALITY=GROUPS` inside a modality, which are then the players: places on axis 1 (vitals=heart:0-3,breath:4-7+9), columns or inputs (labs=liver:ast+alt,kidney:crea*), each, each:4, or patches of the last two axes (image=grid:4x4); one a modality, may be repeated")
}

// checkGroups refuses what divides no modality. Whether there are such modalities and
// places depends on the model.
func checkGroups(specs []string) error {
	for _, spec := range specs {
		name, groups, found := strings.Cut(spec, "=")
		if !found || strings.TrimSpace(name) == "" || strings.TrimSpace(groups) == "" {
			fault := usagef("--group: want MODALITY=GROUP:item+item,GROUP:item, got %q", spec)
			fault.hint = "for example --group vitals=heart:0-3,breath:4-7, or --group vitals=each"
			return fault
		}
	}
	return nil
}

// writeAcross writes the shares by modality of a target whose players are groups.
func writeAcross(p *page, t *result.Target, groups []result.Grouping) {
	if t.Across == nil {
		return
	}
	global, absolute := headlineHeads(t)
	rows := [][]cell{{{head: "by modality"}, global, absolute}}
	g, a := &t.Across.Global, &t.Across.MeanAbsolute
	add := func(head string, of func(x *result.AcrossAggregate) result.Bounded) {
		rows = append(rows, []cell{{head: head}, boundedCell(of(g)), boundedCell(of(a))})
	}
	add("across modalities", func(x *result.AcrossAggregate) result.Bounded {
		return result.Bounded{Share: x.InterSHAP, Low: x.Low, High: x.High}
	})
	across := rows[len(rows)-1]
	across[1].strong, across[2].strong = t.Headline == result.Global, t.Headline == result.MeanAbsolute
	add("within modalities", func(x *result.AcrossAggregate) result.Bounded { return x.Within })
	add("cross-modal, of interaction", func(x *result.AcrossAggregate) result.Bounded { return x.CrossModal })
	for i := range groups {
		// What a single player does stands above.
		if n := len(groups[i].Players); n > 1 {
			name := groups[i].Modality
			add(name+", "+count(int64(n), "group")+" alone", func(x *result.AcrossAggregate) result.Bounded { return x.Modalities[i].Contribution })
			add(name+", within", func(x *result.AcrossAggregate) result.Bounded { return x.Modalities[i].Within })
		}
	}
	shown, rest := largestPairs(g.Between, a.Between, t.Headline)
	for _, at := range shown {
		rows = append(rows, []cell{pairHead(g.Between[at].Pair), pairCell(g.Between[at]), pairCell(a.Between[at])})
	}
	p.blank()
	p.grid(rows)
	writeMore(p, "pair", " of modalities", rest)
}

func boundedCell(x result.Bounded) cell { return interval{x.Share, x.Low, x.High}.cell() }

// scoreName is what the score of all players is called: where these are groups it is
// not the headline.
func scoreName(t *result.Target) string {
	if t.Across != nil {
		return "InterSHAP of all groups"
	}
	return "InterSHAP"
}

// scoreLabel is the same at the head of a row. There it is short: names of groups leave
// no room, and a score whose name is cut has none.
func scoreLabel(t *result.Target) string {
	if t.Across != nil {
		return "all groups"
	}
	return scoreName(t)
}
