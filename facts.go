package intershap

import (
	"math/bits"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// facts are what the sums of a run are read with: all that a result needs to know of
// its plan. They are written into a shard, so that whoever merges shards needs neither
// model nor data.
type facts struct {
	Modalities []string          `json:"modalities"`
	Groups     []result.Grouping `json:"groups"`
	Classes    []string          `json:"classes"`
	Targets    []string          `json:"targets"`
	// Follows is set when the explained column follows the sample.
	Follows    bool             `json:"follows"`
	Level      float64          `json:"level"`
	Convention score.Convention `json:"convention"`
	// Index and Order are those of the interactions that were asked for, 0 for none.
	Index index.Index `json:"index,omitempty"`
	Order int         `json:"order"`
	// Families names what was added up beside the paper's matrices.
	Families []familyName     `json:"families"`
	Sampling *result.Sampling `json:"sampling"`
	// Tolerance is what rounding explains of a residual, as a part of the largest value.
	Tolerance  float64         `json:"tolerance"`
	Background backgroundFacts `json:"background"`
	// ByClass is set when the first partition is by predicted class.
	ByClass bool        `json:"by_class"`
	By      []partition `json:"by"`
	// Patterns are the modalities that samples have, with their numbers; null where
	// none may be missing.
	Patterns []pattern `json:"patterns"`
	// Clustered and Weighted are set when columns say so.
	Clustered bool `json:"clustered"`
	Weighted  bool `json:"weighted"`
}

// backgroundFacts say how far a result depends on the draw of the background.
type backgroundFacts struct {
	Rows       int  `json:"rows"`
	Drawn      int  `json:"drawn"`
	PerSample  bool `json:"per_sample"`
	Means      bool `json:"means"`
	Unknown    bool `json:"unknown"`
	WithBlocks bool `json:"with_blocks"`
}

// A partition is the groups of the samples by some columns.
type partition struct {
	Columns []string   `json:"columns"`
	Values  [][]string `json:"values"`
}

// A pattern is what some samples have.
type pattern struct {
	Present game.Coalition `json:"present"`
	Samples int            `json:"samples"`
}

// facts returns what is known before the run. byClass says whether there is room for
// sums by predicted class.
func (p *Plan) facts(byClass bool) facts {
	b := p.background
	f := facts{
		Modalities: p.names(), Groups: p.groups(), Classes: p.classes, Targets: p.target.names, Follows: p.target.follows,
		Level: p.opt.Level, Convention: p.opt.Convention, Index: p.index, Order: p.order,
		Sampling: p.sampling(), Tolerance: p.tolerance(),
		Background: backgroundFacts{
			Rows: b.Len(), Drawn: b.Drawn(), PerSample: b.PerSample(), Means: b.Mask().Means(), Unknown: b.ErrorUnknown(), WithBlocks: len(b.Blocks()) > 0,
		},
		ByClass: byClass, Clustered: p.opt.Cluster != "", Weighted: p.opt.Weight != "",
	}
	for _, by := range p.cohort.by {
		f.By = append(f.By, partition{by.columns, by.values})
	}
	for i, s := range p.cohort.patterns {
		f.Patterns = append(f.Patterns, pattern{s, p.cohort.counts[i]})
	}
	return f
}

// headline is the aggregation to read first.
func (f *facts) headline() result.Headline {
	if f.Follows {
		return result.Global
	}
	return result.MeanAbsolute
}

// exact reports whether all coalitions were evaluated.
func (f *facts) exact() bool { return f.Sampling == nil }

// estimator is that of a run on a budget.
func (f *facts) estimator() approx.Method {
	method, _ := approx.Parse(f.Sampling.Estimator) // as approx.Method.String wrote it
	return method
}

// classes is the number of groups by predicted class, one without.
func (f *facts) classes() int {
	if f.ByClass {
		return len(f.Classes)
	}
	return 1
}

// partitions are the partitions of the samples that sums are kept by, and what the
// samples of each group have: each is crossed with the patterns.
func (f *facts) partitions() (sizes []int, has [][]game.Coalition) {
	groups := []int{f.classes()}
	for _, by := range f.By {
		groups = append(groups, len(by.Values))
	}
	for _, n := range groups {
		if f.Patterns == nil {
			sizes = append(sizes, n)
			continue
		}
		var sets []game.Coalition
		for range n {
			for _, p := range f.Patterns {
				sets = append(sets, p.Present)
			}
		}
		sizes, has = append(sizes, len(sets)), append(has, sets)
	}
	return sizes, has
}

// cell returns the group of crossed partitions that samples of group g with a pattern are
// kept in; without patterns the only one is 0.
func (f *facts) cell(g, pattern int) int { return g*max(1, len(f.Patterns)) + pattern }

// cells returns those of group g with any pattern.
func (f *facts) cells(g int) []int {
	out := make([]int, max(1, len(f.Patterns)))
	for i := range out {
		out[i] = f.cell(g, i)
	}
	return out
}

// scoreOptions are the level of intervals and the distribution that they are from.
func (f *facts) scoreOptions() score.Options {
	return score.Options{Level: f.Level, Quantile: func(prob, df float64) float64 {
		return distuv.StudentsT{Sigma: 1, Nu: df}.Quantile(prob)
	}}
}

// summarise reads one target out of the sums.
func (f *facts) summarise(total *score.Accumulator, t int) (result.Target, *score.Summary) {
	opt := f.scoreOptions()
	opt.Parts = result.GroupParts(f.Groups)
	s := total.Summary(t, opt)
	opt.Parts = nil // what follows is not broken down by modality
	out := result.Target{
		Target:    f.Targets[t],
		Headline:  f.headline(),
		Breakdown: f.breakdown(s),
		Across:    result.NewAcross(s, f.Groups),
	}
	if f.ByClass && len(f.Classes) > 1 {
		out.ByClass = []result.Class{}
		var classes [][]int
		for g, name := range f.Classes {
			classes = append(classes, f.cells(g))
			if part := total.SummaryOf(t, opt, 0, f.cells(g)...); part != nil {
				out.ByClass = append(out.ByClass, result.Class{Class: name, Breakdown: f.breakdown(part)})
			}
		}
		out.Macro = result.NewMacro(total.Macro(t, opt, 0, classes...))
	}
	for k, by := range f.By {
		part := result.Partition{Columns: by.Columns, Groups: []result.Group{}}
		for g, values := range by.Values {
			if s := total.SummaryOf(t, opt, 1+k, f.cells(g)...); s != nil {
				part.Groups = append(part.Groups, result.Group{Values: values, Breakdown: f.breakdown(s)})
			}
		}
		out.By = append(out.By, part)
	}
	f.patterns(&out, total, t, opt)
	return out, s
}

// patterns breaks a target down by what samples have.
func (f *facts) patterns(out *result.Target, total *score.Accumulator, t int, opt score.Options) {
	if f.Patterns == nil {
		return
	}
	out.Patterns = []result.Pattern{}
	for i, has := range f.Patterns {
		var groups []int
		for c := range f.classes() {
			groups = append(groups, f.cell(c, i))
		}
		if s := total.SummaryOf(t, opt, 0, groups...); s != nil {
			pattern := result.NewPattern(s, f.Modalities, has.Present)
			f.describe(&pattern.Breakdown, s)
			out.Patterns = append(out.Patterns, pattern)
		}
	}
}

// breakdown puts names to a summary.
func (f *facts) breakdown(s *score.Summary) result.Breakdown {
	out := result.NewBreakdown(s, f.Modalities)
	f.describe(&out, s)
	return out
}

// describe says what the samples count for, where that is not one each, and how many
// have each modality, where some may not.
func (f *facts) describe(b *result.Breakdown, s *score.Summary) {
	if f.Weighted {
		b.Weight = &s.Weight
	}
	if s.Clusters < float64(s.Samples) {
		b.Clusters = &s.Clusters
	}
	if f.Patterns == nil {
		return
	}
	b.Present = map[string]int{}
	for _, name := range f.Modalities {
		b.Present[name] = 0
	}
	for _, c := range s.Cells {
		if c.Coalition.Size() == 1 {
			b.Present[f.Modalities[bits.TrailingZeros64(uint64(c.Coalition))]] = c.Samples
		}
	}
}

// complete reports whether every sample has every modality.
func (f *facts) complete() bool {
	return f.Patterns == nil || len(f.Patterns) == 1 && f.Patterns[0].Present == game.Grand(len(f.Modalities))
}

// A family's name is its index and order.
type familyName struct {
	Index index.Index `json:"index"`
	Order int         `json:"order"`
}

// spectralOrder is the order of the k-SII spectrum: two, or the one that was asked for.
func (f *facts) spectralOrder() int { return max(defaultOrder, f.Order) }

// matrixSpectrum reports whether the paper's matrices hold the k-SII spectrum: the
// paper's matrix is k-SII of order two with pairs in halves, of which the paper's
// convention counts both.
func (f *facts) matrixSpectrum() bool {
	return f.spectralOrder() == phiOrder && f.Convention == score.Paper
}

// interactions reads a target's interactions and spectra out of the sums. matrices is
// what the paper's matrices say of it.
func (f *facts) interactions(out *result.Target, t int, families []familyTotal, matrices *score.Summary, w *diag.List) {
	m, opt := len(f.Modalities), f.scoreOptions()
	find := func(x index.Index, order int) *score.Accumulator {
		at := slices.IndexFunc(families, func(a familyTotal) bool { return a.Index == x && a.Order == order })
		if at < 0 {
			return nil
		}
		return families[at].total
	}
	if f.Index != 0 {
		s := find(f.Index, f.Order).Summary(t, opt)
		// Estimates of other indices miss the sum where the index itself does not.
		// So do means over those who have a coalition, where some lack a part of it.
		efficient := f.complete() && (f.Index.Card().Efficient || f.exact() && f.Index.EfficientAt(m, f.Order))
		out.Interactions = result.NewInteractions(s, f.Index.String(), f.Order, efficient, f.Modalities)
	}
	if m < leastSpectral {
		return
	}
	out.Spectrum = &result.Spectra{}
	if share, ok := index.ParityShare(m); ok && f.Convention == score.Paper {
		out.Spectrum.Parity = score.Defined(share)
	}
	if f.matrixSpectrum() {
		out.Spectrum.KSII = result.NewSpectrum(matrices)
	} else if total := find(index.KSII, f.spectralOrder()); total != nil {
		out.Spectrum.KSII = result.NewSpectrum(total.Summary(t, opt))
	}
	moebius := find(index.Moebius, m)
	if moebius == nil || !f.exact() {
		return
	}
	var above score.Part
	for at, c := range moebius.Layout().Cells {
		if c.Size() > phiOrder {
			above.Cells = append(above.Cells, at)
		}
	}
	opt.Parts = []score.Part{above}
	s := moebius.Summary(t, opt)
	out.Spectrum.Moebius = result.NewSpectrum(s)
	share, name := s.Global.Parts[0], "global"
	if out.Headline == result.MeanAbsolute {
		share, name = s.MeanAbsolute.Parts[0], "mean absolute"
	}
	if share.Share.Or(0) > higherOrder && share.Low.Or(0) > 0 {
		advice := "interactions of order 3 and higher say which they are (--order 3)"
		if f.Order > phiOrder {
			advice = "the interactions say which they are"
		}
		w.Add("higher-order", out.Target, "%.1f %% of the behaviour is what three and more modalities do together (Möbius transform, %s), which the score spreads over pairs and modalities alone; %s", 100*share.Share.Or(0), name, advice)
	}
}
