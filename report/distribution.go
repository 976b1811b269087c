package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// bins is the number of bars of the histogram, 5 % of share each.
const bins = 20

// A spread is how the samples of a target differ.
type spread struct {
	Summary   string
	Undefined string
	// Unweighted says that samples count once each in a run with weights; else empty.
	Unweighted string
	Bars       []binBar
	Most       string
	Ticks      []tick
	// Phi has the values of modalities and pairs over samples, Classes the local scores
	// by predicted class.
	Phi     ranges
	Folded  string
	Classes *ranges
}

// A binBar is a bar of the histogram.
type binBar struct {
	X, Width, Y, Height string
	Range, Count        string
}

func newSpread(t *result.Target, ex *result.Explanation, samples *result.Samples, at int) spread {
	s := &samples.ByTarget[at]
	var scores []float64
	byClass := map[int][]float64{}
	for i, share := range s.InterSHAP {
		if x, ok := share.Value(); ok {
			scores = append(scores, x)
			if len(ex.Classes) > 0 {
				byClass[samples.Predicted[i]] = append(byClass[samples.Predicted[i]], x)
			}
		}
	}
	out := spread{Ticks: percentTicks(), Bars: histogram(scores), Unweighted: wording.Unweighted(ex)}
	if missing := len(s.InterSHAP) - len(scores); missing > 0 {
		out.Undefined = fmt.Sprintf("Of %s, %s: nothing that the modalities do changes this output there.",
			wording.Count(int64(len(s.InterSHAP)), "sample"), hasNoScore(missing))
	}
	if len(scores) == 0 {
		out.Bars = nil
	} else {
		slices.Sort(scores)
		out.Summary = fmt.Sprintf("The local score of %s: half of them lie between %s and %s, the median is %s.",
			wording.Count(int64(len(scores)), "sample"), percent(quantile(scores, 0.25)), percent(quantile(scores, 0.75)), percent(quantile(scores, 0.5)))
		var most int
		for _, n := range countBins(scores) {
			most = max(most, n)
		}
		out.Most = wording.Count(int64(most), "sample")
	}
	out.Phi, out.Folded = phiRanges(t, ex.Modalities, s, samples.Present)
	out.Classes = classRanges(ex.Classes, byClass)
	return out
}

func hasNoScore(n int) string {
	if n == 1 {
		return "1 has no score"
	}
	return wording.Grouped(int64(n)) + " have no score"
}

func countBins(scores []float64) [bins]int {
	var n [bins]int
	for _, x := range scores {
		n[max(0, min(bins-1, int(x*bins)))]++
	}
	return n
}

// histogram counts scores in bins; the last holds its upper end.
func histogram(scores []float64) []binBar {
	counts := countBins(scores)
	most := slices.Max(counts[:])
	if most == 0 {
		return nil
	}
	var out []binBar
	for i, n := range counts {
		height := 100 * float64(n) / float64(most)
		out = append(out, binBar{
			X: length(100 * float64(i) / bins), Width: length(100.0 / bins),
			Y: length(100 - height), Height: length(height),
			Range: fmt.Sprintf("%d to %d\u00a0%%", 100*i/bins, 100*(i+1)/bins),
			Count: wording.Grouped(int64(n)),
		})
	}
	return out
}

// quantile returns the q-quantile of sorted numbers: linear between the order
// statistics (definition 7 of Hyndman and Fan 1996). There is at least one number.
func quantile(sorted []float64, q float64) float64 {
	h := q * float64(len(sorted)-1)
	i := int(math.Floor(h))
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	part := h - float64(i)
	return sorted[i]*(1-part) + sorted[i+1]*part
}

// five are the quantiles of a row: the ends of the line, of the box, and the dot.
type five struct{ low, first, middle, third, high float64 }

// newFive sorts values and takes their quantiles.
func newFive(values []float64) five {
	slices.Sort(values)
	q := func(p float64) float64 { return quantile(values, p) }
	return five{q(0.05), q(0.25), q(0.5), q(0.75), q(0.95)}
}

// span draws the quantiles on an axis, and writes them by text.
func (f five) span(l label, kind string, a axis, text func(float64) string) span {
	s := span{
		Label: l, Kind: kind, Low: a.place(f.low), High: a.place(f.high), Dot: a.place(f.middle),
		Text: text(f.middle), Bounds: wording.NoBreak("[" + text(f.first) + ", " + text(f.third) + "]"),
		Title: fmt.Sprintf("nine of ten between %s and %s", text(f.low), text(f.high)),
	}
	s.X, s.Width = a.span(f.first, f.third)
	return s
}

// phiRanges shows each modality's and pair's value over the samples that have it; of many
// the largest by their mean. present is nil where all samples have all.
func phiRanges(t *result.Target, modalities []string, s *result.TargetSamples, present []game.Coalition) (table ranges, left string) {
	type part struct {
		label label
		kind  string
		size  float64
		i, j  int
	}
	m := len(modalities)
	n := len(s.Base)
	if n == 0 {
		return ranges{}, ""
	}
	var parts, pairs []part
	for i := range m {
		l := aloneOf(modalities[i])
		parts = append(parts, part{l, kindAlone, math.Abs(t.Global.Phi[i][i]), i, i})
		for j := i + 1; j < m; j++ {
			size := math.Abs(t.Global.Phi[i][j] + t.Global.Phi[j][i])
			pairs = append(pairs, part{pairOf([2]string{modalities[i], modalities[j]}), kindPair, size, i, j})
		}
	}
	largest := func(a, b part) int { return cmp.Compare(b.size, a.size) }
	var folded []string
	if n := len(parts) - openRows; n > 0 {
		slices.SortStableFunc(parts, largest)
		parts = parts[:openRows]
		folded = append(folded, wording.Grouped(int64(n))+" more alone")
	}
	slices.SortStableFunc(pairs, largest)
	if n := len(pairs) - openRows; n > 0 {
		pairs = pairs[:openRows]
		folded = append(folded, wording.Count(int64(n), "more pair"))
	}
	if folded != nil {
		left = strings.Join(folded, " and ") + ", whose means are smaller, are not shown."
	}
	parts = append(parts, pairs...)
	values := make([]float64, 0, n)
	var fives []five
	var labels []part
	extent := []float64{0}
	for _, p := range parts {
		values = values[:0]
		for k := range n {
			if present != nil && !(present[k].Has(p.i) && present[k].Has(p.j)) {
				continue
			}
			phi := s.Matrix(k, m)
			x := phi[p.i*m+p.j]
			if p.i != p.j {
				x = bounded(x + phi[p.j*m+p.i])
			}
			values = append(values, x)
		}
		if len(values) == 0 {
			continue // no sample has it
		}
		f := newFive(values)
		fives, labels = append(fives, f), append(labels, p)
		extent = append(extent, f.low, f.high)
	}
	a := newAxis(extent...)
	table = ranges{Ticks: a.ticks(4), Zero: a.place(0)}
	for at, p := range labels {
		table.Rows = append(table.Rows, fives[at].span(p.label, p.kind, a, signed))
	}
	return table, left
}

// classRanges shows the local scores by predicted class; nil with fewer than two.
func classRanges(classes []string, byClass map[int][]float64) *ranges {
	table := &ranges{Ticks: percentTicks()}
	for c, name := range classes {
		scores := byClass[c]
		if len(scores) == 0 {
			continue
		}
		row := newFive(scores).span(label{First: wording.Escape(name)}, kindPair, percentAxis, wording.Points)
		row.Text += "\u00a0%"
		table.Rows = append(table.Rows, row)
	}
	if len(table.Rows) < 2 {
		return nil
	}
	return table
}
