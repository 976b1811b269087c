package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// addInteractions adds the flags of interactions of any order.
func addInteractions(cmd *cobra.Command, o *intershap.Options) {
	flags := cmd.Flags()
	define(flags, &o.Index, "index", "", "NAME", "index of interactions of 1 to K modalities, beside the score: "+strings.Join(index.Names(), ", ")+" (default: k-SII with --order, else none)",
		readNamed(index.Parse, index.Names()...))
	define(flags, &o.Order, "order", "", "K", "most modalities of an interaction, 1 to their number (default with --index: 2; 1 for SV and BV)", readCount(1))
	if err := cmd.RegisterFlagCompletionFunc("index", completeWords(index.Names()...)); err != nil {
		panic(fmt.Sprintf("cli: completion of --index: %v", err))
	}
}

// checkInteractions refuses an order that an index does not have for any number of
// modalities.
func checkInteractions(o *intershap.Options) error {
	if o.Index != 0 && o.Index.Card().Single && o.Order > 1 {
		fault := usagef("--order %d: %s has values of single modalities, order 1", o.Order, o.Index)
		fault.hint = "SII, k-SII, STII, FSII, BII, FBII and Moebius have higher orders"
		return fault
	}
	return nil
}

// writeSpectrum writes the share of behaviour by order in a line.
func writeSpectrum(p *page, t *result.Target, modalities int) {
	if t.Spectrum == nil {
		return
	}
	sp, name := t.Spectrum.Moebius, "Möbius transform"
	if sp == nil {
		if sp = t.Spectrum.KSII; sp == nil {
			return
		}
		name = fmt.Sprintf("k-SII of order %d", sp.Order)
	}
	var parts []string
	for _, o := range sp.Headline(t.Headline) {
		text, _ := wording.Interval{Share: o.Share, Low: o.Low, High: o.High}.Parts()
		parts = append(parts, wording.OrderName(o.Order)+" "+text)
	}
	about := name + ", " + wording.HeadlineName(t.Headline)
	if x, ok := t.Spectrum.Parity.Value(); ok {
		about += fmt.Sprintf("; pure parity of %d has an InterSHAP of %s", modalities, percent(x))
	}
	p.blank()
	p.pairs([][2]string{{"by order", strings.Join(parts, ", ") + " (" + about + ")"}})
}

// writeInteractions writes the values of the index that was asked for, the largest
// first.
func writeInteractions(p *page, t *result.Target) {
	x := t.Interactions
	if x == nil {
		return
	}
	p.blank()
	rows := [][]cell{{{head: fmt.Sprintf("%s to order %d", x.Index, x.Order)}, {head: "mean"}, {head: "share, global"}}}
	all := x.SortedValues()
	for _, at := range all[:min(len(all), mostPairs)] {
		v := &x.Values[at]
		value := cell{head: significant(v.Phi)}
		low, ok1 := v.Low.Value()
		if high, ok2 := v.High.Value(); ok1 && ok2 {
			value.tail = fmt.Sprintf("[%s, %s]", significant(low), significant(high))
		}
		rows = append(rows, []cell{{head: coalitionName(v.Players)}, value, interval{v.Share, v.ShareLow, v.ShareHigh}.cell()})
	}
	p.grid(rows)
	if more := len(all) - mostPairs; more > 0 {
		p.line("%s more in --json", count(int64(more), "interaction"))
	}
	if x.Efficient {
		sum := 0.0
		for i := range x.Values {
			sum += x.Values[i].Phi
		}
		p.line("all %s add up to output - base: %s", x.Index, significant(sum))
	}
}

// coalitionName is that of a coalition at the head of a row.
func coalitionName(players []string) string { return strings.Join(players, wording.PairSign) }
