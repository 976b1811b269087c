package compare

import (
	"slices"

	"github.com/intershap/intershap/score"
)

// A measure computes a quantity of one side from sums. It reports false where there is
// none.
type measure func(sums []float64, b bound) (float64, bool)

// A statistic is a quantity as the bootstrap computes it.
type statistic struct {
	Quantity
	// of is nil for a side that does not have the quantity.
	of [2]measure
	// point is what either side says of all its samples, n how many those are.
	point [2]score.Share
	n     [2]int
	// independent is the number of units of the side that has fewer.
	independent int
	// same is set where both sides are made of the same numbers of the same samples, so
	// that no draw of them can differ.
	same bool
}

// draw returns both ends of the difference in one draw: the other side as small as it
// may be less the base as large as it may be, and the reverse.
func (s *statistic) draw(sums [2][]float64) drawn {
	if s.of[0] == nil || s.of[1] == nil {
		return drawn{}
	}
	aSmall, ok1 := s.of[0](sums[0], small)
	aLarge, ok2 := s.of[0](sums[0], large)
	bSmall, ok3 := s.of[1](sums[1], small)
	bLarge, ok4 := s.of[1](sums[1], large)
	return drawn{low: bSmall - aLarge, high: bLarge - aSmall, ok: ok1 && ok2 && ok3 && ok4}
}

// estimate returns the difference with the interval that draws give.
func (s *statistic) estimate(draws []drawn, level float64) estimate {
	a, ok1 := s.point[0].Value()
	b, ok2 := s.point[1].Value()
	if !ok1 || !ok2 {
		return estimate{} // row tells that it is undefined
	}
	if s.same {
		return estimate{}
	}
	if s.independent < LeastSamples {
		return estimate{delta: b - a, reason: needs("5")}
	}
	return percentile(draws, b-a, expandedTail(s.independent, level))
}

// row lays the statistic out with its difference.
func (s *statistic) row(e estimate) Row {
	r := Row{Quantity: s.Quantity, Base: Value{Value: s.point[0], N: s.n[0]}, Other: Value{Value: s.point[1], N: s.n[1]}}
	r.settle(e)
	return r
}

// settle writes an estimate into a row whose values are there, or that the difference
// is undefined.
func (r *Row) settle(e estimate) {
	_, ok1 := r.Base.Value.Value()
	_, ok2 := r.Other.Value.Value()
	if !ok1 || !ok2 {
		r.Verdict = Undefined
		return
	}
	e.fill(r)
}

// A statistics builder lists what two tables can be compared by.
type builder struct {
	tables [2]*table
	sums   [2][]float64
	// names are the modalities of either run, classes those of both.
	names   [2][]string
	classes []string
	out     []statistic
	frames  map[frameKey]*frame
	// same tells the groups in which paired sides hold the same numbers.
	same []bool
}

type frameKey struct {
	side, group int
	absolute    bool
}

// frame describes the cells of a group once for all that is made of them.
func (b *builder) frame(key frameKey) *frame {
	f, ok := b.frames[key]
	if !ok {
		made := b.tables[key.side].frame(b.sums[key.side], key.group, key.absolute)
		f = &made
		b.frames[key] = f
	}
	return f
}

// statistics lists the scores, what modalities and pairs do, and the scores of each
// class where there are classes.
func statistics(tables [2]*table, paired bool, names [2][]string, classes []string) []statistic {
	b := &builder{tables: tables, names: names, classes: classes, frames: map[frameKey]*frame{}}
	b.same = make([]bool, tables[0].classes+1)
	for g := range b.same {
		b.same[g] = paired && slices.Equal(names[0], names[1]) && tables[0].sameGroup(tables[1], g)
	}
	for k, t := range tables {
		b.sums[k] = t.sums()
	}
	b.scores(nil, tables[0].classes)
	for _, by := range []Aggregation{Global, MeanAbsolute} {
		modalities := union(names)
		for _, name := range modalities {
			b.share(Quantity{Kind: Contribution, Aggregation: by, Modalities: []string{name}}, b.all())
		}
		for i, first := range modalities {
			for _, second := range modalities[i+1:] {
				b.share(Quantity{Kind: Pair, Aggregation: by, Modalities: []string{first, second}}, b.all())
			}
		}
	}
	for g := range classes {
		if b.count(0, g)+b.count(1, g) > 0 {
			b.scores(&classes[g], g)
		}
	}
	b.accuracy()
	return b.out
}

// union returns the names of the first list, then those of the second alone.
func union(names [2][]string) []string {
	out := slices.Clone(names[0])
	for _, name := range names[1] {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

func (b *builder) all() int { return b.tables[0].layout().all() }

func (b *builder) count(side, group int) int {
	return int(*b.tables[side].layout().count(b.sums[side], group))
}

// scores adds the three scores of a group.
func (b *builder) scores(class *string, group int) {
	for _, by := range []Aggregation{Global, MeanAbsolute} {
		b.share(Quantity{Kind: InterSHAP, Aggregation: by, Modalities: []string{}, Class: class}, group)
	}
	b.add(Quantity{Kind: InterSHAP, Aggregation: Local, Modalities: []string{}, Class: class}, group, func(side int) measure {
		l := b.tables[side].layout()
		return func(sums []float64, _ bound) (float64, bool) {
			local := l.local(sums, group)
			if local[0] == 0 {
				return 0, false
			}
			return local[1] / local[0], true
		}
	})
}

// share adds a share of behaviour.
func (b *builder) share(q Quantity, group int) {
	b.add(q, group, func(side int) measure {
		t := b.tables[side]
		part := partOf(q, b.names[side])
		if part == nil || b.count(side, group) == 0 {
			return nil
		}
		absolute, l := q.Aggregation == MeanAbsolute, t.layout()
		f := b.frame(frameKey{side, group, absolute})
		return func(sums []float64, end bound) (float64, bool) {
			switch {
			case *l.count(sums, group) == 0:
				return 0, false
			case absolute:
				return f.share(l.absolute(sums, group), part, end)
			}
			return f.share(l.phi(sums, group), part, end)
		}
	})
}

// partOf returns the cells of a quantity; nil where the run lacks a modality of it.
func partOf(q Quantity, names []string) []bool {
	m := len(names)
	var at []int
	for _, name := range q.Modalities {
		i := slices.Index(names, name)
		if i < 0 {
			return nil
		}
		at = append(at, i)
	}
	switch q.Kind {
	case Contribution:
		return oneCell(at[0], at[0], m)
	case Pair:
		return oneCell(at[0], at[1], m)
	}
	return allPairs(m)
}

// accuracy adds the share of right predictions, where both sides know labels.
func (b *builder) accuracy() {
	if b.tables[0].right == nil || b.tables[1].right == nil {
		return
	}
	s := statistic{Quantity: Quantity{Kind: Accuracy, Aggregation: Count, Modalities: []string{}}}
	s.independent = min(b.tables[0].units, b.tables[1].units)
	for k, t := range b.tables {
		l := t.layout()
		s.of[k] = func(sums []float64, _ bound) (float64, bool) {
			labels := l.labels(sums)
			return labels[1] / labels[0], true // a draw has as many as there are
		}
		s.n[k] = len(t.unit)
	}
	b.finish(s)
}

func (b *builder) add(q Quantity, group int, of func(side int) measure) {
	s := statistic{Quantity: q, same: b.same[group]}
	for k, t := range b.tables {
		if s.of[k] = of(k); s.of[k] != nil {
			s.n[k] = b.count(k, group)
		}
		if n := t.independent(group); k == 0 || n < s.independent {
			s.independent = n
		}
	}
	if s.of[0] != nil || s.of[1] != nil {
		b.finish(s)
	}
}

func (b *builder) finish(s statistic) {
	for k, of := range s.of {
		if of == nil {
			continue
		}
		if x, ok := of(b.sums[k], plain); ok {
			s.point[k] = score.Defined(x)
		}
	}
	b.out = append(b.out, s)
}
