package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/internal/wording"
)

// mostOfOrder is how many coalitions of one size the table shows.
const mostOfOrder = 15

// writeIndex lays out the values of an index for a person.
func writeIndex(p *page, path string, v *indexValues) {
	card := v.formula.Index().Card()
	head := [][2]string{{"game", path}}
	switch n := v.samples(); {
	case v.ids != nil:
		head = append(head, [2]string{"samples", grouped(int64(*n)) + ", in means each counts once"})
	case n != nil:
		head = append(head, [2]string{"samples", "mean over " + grouped(int64(*n)) + ", each counts once"})
	}
	if v.target != "" {
		head = append(head, [2]string{"target", v.target})
	}
	players := fmt.Sprint(v.players)
	if v.names != nil {
		players = strings.Join(v.names, ", ")
	}
	head = append(head, [2]string{"players", players},
		[2]string{"index", fmt.Sprintf("%s, order %d: %s", card.Name, v.formula.Order(), card.Title)},
		[2]string{"adds up", v.addsUp()})
	p.pairs(head)
	p.blank()
	v.writeValues(p)
	p.blank()
	v.writeSpectra(p)
}

// addsUp says what the values add up to.
func (v *indexValues) addsUp() string {
	if !v.formula.Index().EfficientAt(v.players, v.formula.Order()) {
		return "no"
	}
	if v.ids == nil && v.patterns != nil {
		return "no: values are means over different samples"
	}
	worst := 0.0
	for r := range v.tables.Len() {
		table := v.tables.Game(r)
		sum := 0.0
		for size := 1; size <= v.formula.Order(); size++ {
			lo, hi := v.formula.Range(size)
			for _, x := range v.values[r*v.formula.Len()+lo : r*v.formula.Len()+hi] {
				sum += x
			}
		}
		worst = max(worst, math.Abs(sum-(table[len(table)-1]-table[0])))
	}
	if v.ids != nil {
		return fmt.Sprintf("to v(all) - v({}) of each sample: largest residual %.2g", worst)
	}
	table := v.tables.Game(0)
	return fmt.Sprintf("to v(all) - v({}) = %s: residual %.2g", significant(table[len(table)-1]-table[0]), worst)
}

// A coalitionSummary is what the table shows of a coalition.
type coalitionSummary struct {
	placed
	// samples have all players of the coalition; the others are over these.
	samples                   int
	mean, absolute, deviation float64
}

// summaries returns what there is of each size, the largest first.
func (v *indexValues) summaries() map[int][]coalitionSummary {
	bySize := map[int][]coalitionSummary{}
	for _, c := range v.ordered() {
		s := coalitionSummary{placed: c, samples: v.having(c.coalition)}
		n := float64(s.samples)
		if v.ids == nil {
			n = 1
		}
		for x := range v.each(c) {
			s.mean += x / n
			s.absolute += math.Abs(x) / n
		}
		for x := range v.each(c) {
			s.deviation += (x - s.mean) * (x - s.mean)
		}
		s.deviation = math.Sqrt(s.deviation / (n - 1)) // not a number for one sample
		bySize[c.coalition.Size()] = append(bySize[c.coalition.Size()], s)
	}
	for size, all := range bySize {
		if len(all) > mostOfOrder {
			slices.SortStableFunc(all, func(a, b coalitionSummary) int { return cmp.Compare(b.absolute, a.absolute) })
			bySize[size] = all
		}
	}
	return bySize
}

func (v *indexValues) writeValues(p *page) {
	name := v.formula.Index().String()
	heads := []string{name}
	if v.ids != nil {
		heads = []string{"mean " + name, "mean absolute", "sd over samples"}
	}
	if v.patterns != nil {
		heads = append(heads, "samples")
	}
	rows := [][]cell{numbers("", heads...)}
	hidden := 0
	bySize := v.summaries()
	for size := range v.formula.Order() + 1 {
		all := bySize[size]
		shown := all[:min(len(all), mostOfOrder)]
		hidden += len(all) - len(shown)
		for _, s := range shown {
			texts := []string{significant(s.mean)}
			if v.ids != nil {
				texts = append(texts, significant(s.absolute), "-")
				if s.samples > 1 {
					texts[2] = significant(s.deviation)
				}
			}
			if v.patterns != nil {
				if s.samples == 0 {
					for i := range texts {
						texts[i] = undefined
					}
				}
				texts = append(texts, grouped(int64(s.samples)))
			}
			rows = append(rows, numbers(v.name(s.coalition), texts...))
		}
	}
	p.grid(rows)
	if v.patterns != nil {
		p.line("Each row is over the samples that have all of its players.")
	}
	if hidden > 0 {
		p.line("The %d largest of each size are shown; --json has %s more.", mostOfOrder, grouped(int64(hidden)))
	}
}

// name writes a coalition for a person.
func (v *indexValues) name(s game.Coalition) string {
	if s == 0 {
		return "{}"
	}
	var names []string
	for i := range v.players {
		if s.Has(i) {
			name := fmt.Sprint(i)
			if v.names != nil {
				name = v.names[i]
			}
			names = append(names, name)
		}
	}
	return strings.Join(names, wording.PairSign)
}

// writeSpectra writes the share of behaviour by order.
func (v *indexValues) writeSpectra(p *page) {
	heads := []string{}
	for _, s := range v.spectra {
		name := s.index.String()
		if s.index != index.Moebius {
			name = fmt.Sprintf("%s, order %d", name, s.order)
		}
		if v.ids == nil {
			heads = append(heads, name)
		} else {
			heads = append(heads, name+": global", "local")
		}
	}
	rows := [][]cell{numbers("share of behaviour", heads...)}
	undefinedGames := 0
	for order := 1; order <= v.players; order++ {
		var texts []string
		for _, s := range v.spectra {
			texts = append(texts, shareAt(s.Global, order, s.order))
			if v.ids != nil {
				texts = append(texts, shareAt(s.Local, order, s.order))
			}
			undefinedGames = max(undefinedGames, s.Undefined)
		}
		rows = append(rows, numbers(orderName(order), texts...))
	}
	p.grid(rows)
	if v.ids != nil && undefinedGames > 0 {
		p.line("%s without behaviour are not in the local shares.", count(int64(undefinedGames), "sample"))
	}
	if share := parityReference(v.players); share != nil {
		p.line("For comparison: parity of %d bits, which is all of order %d, scores %s under InterSHAP.", v.players, v.players, percent(*share))
	}
}

// orderName is what coalitions of a size are called.
func orderName(order int) string {
	switch order {
	case 1:
		return "one player"
	case 2:
		return "pairs"
	case 3:
		return "triples"
	}
	return fmt.Sprintf("%d players", order)
}

// shareAt writes the share of an order, of shares up to most.
func shareAt(shares []float64, order, most int) string {
	switch {
	case order > most:
		return "-"
	case shares == nil:
		return undefined
	}
	return percent(shares[order-1])
}

// parityReference returns what the paper's score says of pure parity, nil where there
// is no pair.
func parityReference(players int) *float64 {
	share, defined := index.ParityShare(players)
	if !defined {
		return nil
	}
	return &share
}
