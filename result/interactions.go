package result

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/intershap/intershap/score"
)

// Interactions are the values of coalitions of 1 to Order modalities by the index that
// was asked for. They are means over samples, signs kept.
type Interactions struct {
	Index string `json:"index"`
	Order int    `json:"order"`
	// Efficient is set where the values add up to output − base.
	Efficient bool `json:"efficient"`
	// Values has every coalition: by size, and those of one size as pairs are
	// listed, (0, 1), (0, 2), ..., (1, 2), ...
	Values []CoalitionValue `json:"values"`
	// Spectrum is the share of behaviour by order, of these values.
	Spectrum Spectrum `json:"spectrum"`
}

// A CoalitionValue is what an index says of one coalition.
type CoalitionValue struct {
	Players []string `json:"players"`
	Phi     float64  `json:"phi"`
	SE      ValueSE  `json:"se"`
	// Low and High bound Phi; undefined where the error cannot be estimated.
	Low  score.Share `json:"low"`
	High score.Share `json:"high"`
	// Share is |Phi| in the sum of all sizes, with its bounds.
	Share     score.Share `json:"share"`
	ShareLow  score.Share `json:"share_low"`
	ShareHigh score.Share `json:"share_high"`
	// MeanAbsolute is the share with sizes before means.
	MeanAbsolute Bounded `json:"mean_absolute"`
}

// In returns the share in an aggregation.
func (v *CoalitionValue) In(h Headline) Bounded {
	if h == MeanAbsolute {
		return v.MeanAbsolute
	}
	return Bounded{Share: v.Share, Low: v.ShareLow, High: v.ShareHigh}
}

// ValueSE holds the standard errors of a value by source; undefined where unknown.
type ValueSE struct {
	Background score.Share `json:"background"`
	// Coalitions is the error of coalitions that were drawn; undefined where all
	// were evaluated.
	Coalitions score.Share `json:"coalitions"`
	Samples    score.Share `json:"samples"`
}

// A Spectrum is the share of behaviour by order, 1 to Order.
type Spectrum struct {
	Order int `json:"order"`
	// Global takes means over samples before sizes, MeanAbsolute sizes before means.
	Global       []OrderShare `json:"global"`
	MeanAbsolute []OrderShare `json:"mean_absolute"`
	// Local is the mean of the shares of single samples.
	Local []LocalOrderShare `json:"local"`
}

// An OrderShare is the share of one order, with bounds.
type OrderShare struct {
	Order int         `json:"order"`
	Share score.Share `json:"share"`
	Low   score.Share `json:"low"`
	High  score.Share `json:"high"`
}

// A LocalOrderShare is the mean over samples of the share of one order.
type LocalOrderShare struct {
	Order int         `json:"order"`
	Share score.Share `json:"share"`
}

// Spectra are the shares of behaviour by order by the two indices that have them for
// every run of three and more modalities.
type Spectra struct {
	// Moebius has every order; null where coalitions were drawn or there are too
	// many modalities.
	Moebius *Spectrum `json:"moebius"`
	// KSII shares out what is above its order to the orders below.
	KSII *Spectrum `json:"k_sii"`
	// Parity is what the score says of pure parity of all modalities under the paper's
	// convention, M/(2M−2), undefined under another: a reference, to which nothing is
	// compared.
	Parity score.Share `json:"parity"`
}

// Headline returns the shares in the aggregation to read first.
func (s *Spectrum) Headline(h Headline) []OrderShare {
	if h == MeanAbsolute {
		return s.MeanAbsolute
	}
	return s.Global
}

// BySize returns the positions of the values of one modality, of two, and so on to Order,
// in each size the largest share in the aggregation first. Those without a share come
// last, and equal ones stay in order.
func (x *Interactions) BySize(h Headline) [][]int {
	out := make([][]int, x.Order)
	for i := range x.Values {
		if size := len(x.Values[i].Players); 1 <= size && size <= x.Order {
			out[size-1] = append(out[size-1], i)
		}
	}
	const last = -1 // below every share
	for _, of := range out {
		slices.SortStableFunc(of, func(a, b int) int {
			return cmp.Compare(x.Values[b].In(h).Share.Or(last), x.Values[a].In(h).Share.Or(last))
		})
	}
	return out
}

// NewInteractions puts names to the summary of an index's values.
func NewInteractions(s *score.Summary, index string, order int, efficient bool, modalities []string) *Interactions {
	out := &Interactions{Index: index, Order: order, Efficient: efficient, Spectrum: *NewSpectrum(s)}
	cells := slices.Clone(s.Cells)
	slices.SortStableFunc(cells, func(a, b score.Cell) int {
		switch different := a.Coalition ^ b.Coalition; {
		case a.Coalition.Size() != b.Coalition.Size():
			return a.Coalition.Size() - b.Coalition.Size()
		case different == 0:
			return 0
		case a.Coalition&different&-different != 0: // the first that one alone has
			return -1
		}
		return 1
	})
	for _, c := range cells {
		v := CoalitionValue{
			Phi: c.Mean + 0, Low: c.Low, High: c.High, // no -0
			SE:    ValueSE{Background: c.BackgroundSE, Coalitions: c.CoalitionSE, Samples: c.SamplesSE},
			Share: c.Share.Share, ShareLow: c.Share.Low, ShareHigh: c.Share.High,
			MeanAbsolute: Bounded{Share: c.MeanAbsoluteShare.Share, Low: c.MeanAbsoluteShare.Low, High: c.MeanAbsoluteShare.High},
		}
		for i, name := range modalities {
			if c.Coalition.Has(i) {
				v.Players = append(v.Players, name)
			}
		}
		out.Values = append(out.Values, v)
	}
	return out
}

// NewSpectrum returns the shares by order of a summary.
func NewSpectrum(s *score.Summary) *Spectrum {
	shares := func(e *score.Estimate) []OrderShare {
		out := []OrderShare{}
		for i, v := range e.Spectrum {
			out = append(out, OrderShare{Order: i + 1, Share: v.Share, Low: v.Low, High: v.High})
		}
		return out
	}
	out := &Spectrum{Order: len(s.Global.Spectrum), Global: shares(&s.Global), MeanAbsolute: shares(&s.MeanAbsolute), Local: []LocalOrderShare{}}
	for i := range out.Order {
		local := LocalOrderShare{Order: i + 1}
		if s.Local.Spectrum != nil {
			local.Share = score.Defined(s.Local.Spectrum[i])
		}
		out.Local = append(out.Local, local)
	}
	return out
}

// check reports what cannot be. Values of an efficient index add up to the output less
// the base value; residual is what they may miss.
func (x *Interactions) check(place string, modalities []string, difference, residual float64) error {
	m := len(modalities)
	if x.Order < 1 || x.Order > m {
		return fmt.Errorf("%s.order: want 1 to %d, the number of modalities, got %d", place, m, x.Order)
	}
	faults := []error{x.Spectrum.check(place+".spectrum", x.Order)}
	want := 0
	for s, c := 1, 1; s <= x.Order; s++ {
		c = c * (m - s + 1) / s
		want += c
	}
	if len(x.Values) != want {
		return fmt.Errorf("%s.values: want %d, one for each coalition of 1 to %d of %d modalities, got %d", place, want, x.Order, m, len(x.Values))
	}
	met := map[string]bool{}
	sum, size := 0.0, math.Abs(difference)
	for i := range x.Values {
		v := &x.Values[i]
		at := fmt.Sprintf("%s.values[%d]", place, i)
		faults = append(faults, checkOrder(at+".players", v.Players, modalities))
		key := joined(v.Players)
		if len(v.Players) < 1 || len(v.Players) > x.Order || met[key] {
			faults = append(faults, fmt.Errorf("%s.players: want 1 to %d modalities, and no coalition twice, got %q", at, x.Order, v.Players))
		}
		met[key] = true
		for _, source := range []struct {
			name string
			se   score.Share
		}{{"background", v.SE.Background}, {"coalitions", v.SE.Coalitions}, {"samples", v.SE.Samples}} {
			faults = append(faults, checkSize(at+".se."+source.name, source.se.Or(0)))
		}
		if low, high := v.Low.Or(v.Phi), v.High.Or(v.Phi); !(low <= v.Phi && v.Phi <= high) {
			faults = append(faults, fmt.Errorf("%s: want phi, %v, between low and high, got %v and %v", at, v.Phi, low, high))
		}
		faults = append(faults, checkInterval(at+".share", v.Share, at+".share", v.ShareLow, v.ShareHigh))
		faults = append(faults, v.MeanAbsolute.check(at+".mean_absolute"))
		sum += v.Phi
		size += math.Abs(v.Phi)
	}
	if x.Efficient && !(math.Abs(sum-difference) <= max(residual, phiRounding*size)) {
		faults = append(faults, fmt.Errorf("%s.values: want values that sum to output - base, %v, got %v", place, difference, sum))
	}
	return errors.Join(faults...)
}

// check takes the order that the shares must have; 0 for any.
func (s *Spectrum) check(place string, order int) error {
	if s.Order < 1 || order > 0 && s.Order != order {
		return fmt.Errorf("%s.order: want %d, got %d", place, max(order, 1), s.Order)
	}
	var faults []error
	shares := func(name string, n int, at func(i int) OrderShare) {
		place := place + "." + name
		if n != s.Order {
			faults = append(faults, fmt.Errorf("%s: want %d shares, one for each order, got %d", place, s.Order, n))
			return
		}
		whole, defined := 0.0, true
		for i := range n {
			o := at(i)
			where := fmt.Sprintf("%s[%d]", place, i)
			if o.Order != i+1 {
				faults = append(faults, fmt.Errorf("%s.order: want %d, got %d", where, i+1, o.Order))
			}
			faults = append(faults, checkInterval(where+".share", o.Share, where, o.Low, o.High))
			x, ok := o.Share.Value()
			whole += x
			defined = defined && ok
		}
		if defined && !(math.Abs(whole-1) <= phiRounding) {
			faults = append(faults, fmt.Errorf("%s: want shares that add up to 1, got %v", place, whole))
		}
	}
	shares("global", len(s.Global), func(i int) OrderShare { return s.Global[i] })
	shares("mean_absolute", len(s.MeanAbsolute), func(i int) OrderShare { return s.MeanAbsolute[i] })
	shares("local", len(s.Local), func(i int) OrderShare { return OrderShare{Order: s.Local[i].Order, Share: s.Local[i].Share} })
	return errors.Join(faults...)
}

func (s *Spectra) check(place string, modalities int) error {
	var faults []error
	if s.Moebius != nil {
		faults = append(faults, s.Moebius.check(place+".moebius", modalities))
	}
	if s.KSII != nil {
		faults = append(faults, s.KSII.check(place+".k_sii", 0))
		if s.KSII.Order > modalities {
			faults = append(faults, fmt.Errorf("%s.k_sii.order: want at most %d, the number of modalities, got %d", place, modalities, s.KSII.Order))
		}
	}
	return errors.Join(append(faults, checkShare(place+".parity", s.Parity))...)
}
