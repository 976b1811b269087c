package cli

import (
	"fmt"
	"slices"
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
	defined := false
	for _, o := range sp.Headline(t.Headline) {
		text, _ := wording.Interval{Share: o.Share, Low: o.Low, High: o.High}.Parts()
		parts = append(parts, wording.OrderName(o.Order)+" "+text)
		_, ok := o.Share.Value()
		defined = defined || ok
	}
	if !defined {
		parts = []string{undefined}
	}
	about := name + ", " + wording.HeadlineName(t.Headline)
	if x, ok := t.Spectrum.Parity.Value(); ok {
		about += fmt.Sprintf("; pure parity of %d has an InterSHAP of %s", modalities, percent(x))
	}
	p.blank()
	p.pairs([][2]string{{"by order", strings.Join(parts, ", ") + " (" + about + ")"}})
}

// writeInteractions writes the values of the index that was asked for: of each size the
// largest first.
func writeInteractions(p *page, t *result.Target) {
	x := t.Interactions
	if x == nil {
		return
	}
	p.blank()
	global, absolute := headlineHeads(t)
	rows := [][]cell{{{head: fmt.Sprintf("%s to order %d", x.Index, x.Order)}, {head: "mean", number: true}, global, absolute}}
	shown, rest := wording.LargestValues(x, t.Headline)
	var more []wording.Interval
	for size, of := range shown {
		for _, at := range of {
			v := &x.Values[at]
			rows = append(rows, []cell{
				{head: coalitionName(v.Players)}, {head: significant(v.Phi), number: true},
				interactionCell(v, result.Global), interactionCell(v, result.MeanAbsolute),
			})
		}
		for _, at := range rest[size] {
			more = append(more, wording.ValueShare(&x.Values[at], t.Headline))
		}
	}
	p.grid(rows)
	writeMore(p, "interaction", "", more)
	if x.Efficient && !wording.Lack(&t.Breakdown) {
		sum := 0.0
		for i := range x.Values {
			sum += x.Values[i].Phi
		}
		p.line("all %s add up to output - base: %s", x.Index, significant(sum))
	}
}

// writeMore says how many rows are left out, and where all of them are nothing says so. A
// row is a noun, of what.
func writeMore(p *page, noun, of string, rest []wording.Interval) {
	if len(rest) == 0 {
		return
	}
	text := count(int64(len(rest)), noun) + of + " more in --json"
	if !slices.ContainsFunc(rest, func(v wording.Interval) bool { return !v.Nothing() }) {
		text += ", each less than " + percent(nothingBelow)
	}
	p.line("%s", text)
}

// nothingBelow is the smallest share that is not nothing, as a table writes it.
const nothingBelow = 0.0001

func interactionCell(v *result.CoalitionValue, h result.Headline) cell {
	x := v.In(h)
	return interval{x.Share, x.Low, x.High}.cell()
}

// coalitionName is that of a coalition at the head of a row.
func coalitionName(players []string) string { return strings.Join(players, wording.PairSign) }
