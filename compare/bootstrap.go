package compare

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/intershap/intershap/internal/share"
	"github.com/intershap/intershap/score"
)

// A table holds the samples of one run as the bootstrap takes them, ordered by unit.
type table struct {
	m, classes, units int
	convention        score.Convention
	level             float64
	unit              []int
	// class is the position of the predicted class; outside for samples that are in no
	// share, but whose label counts.
	class []int
	// phi holds the packed matrix of each sample.
	phi   []float64
	local []score.Share
	// right is nil where labels are not known.
	right []bool
}

// outside is the class of samples on which the runs do not agree.
const outside = -1

// A sums vector has, for each class and then for all of them, the number of samples, Σ
// phi, Σ |phi|, and the number and sum of local scores; behind them the number of labels
// and of right predictions.
type layout struct{ classes, p int }

func (l layout) width() int { return 1 + 2*l.p + 2 }
func (l layout) len() int   { return (l.classes+1)*l.width() + 2 }

// all is the group behind the classes that adds them up.
func (l layout) all() int { return l.classes }

func (l layout) group(sums []float64, g int) []float64 {
	return sums[g*l.width() : (g+1)*l.width()]
}

func (l layout) count(sums []float64, g int) *float64 { return &l.group(sums, g)[0] }
func (l layout) phi(sums []float64, g int) []float64  { return l.group(sums, g)[1 : 1+l.p] }
func (l layout) absolute(sums []float64, g int) []float64 {
	return l.group(sums, g)[1+l.p : 1+2*l.p]
}
func (l layout) local(sums []float64, g int) []float64 { return l.group(sums, g)[1+2*l.p:] }
func (l layout) labels(sums []float64) []float64       { return sums[(l.classes+1)*l.width():] }

func (t *table) layout() layout { return layout{t.classes, packedLen(t.m)} }

// sumTo adds the samples up into dst, each as often as its unit was drawn.
func (t *table) sumTo(dst []float64, drawn []float64) {
	clear(dst)
	l := t.layout()
	labels := l.labels(dst)
	for i, u := range t.unit {
		w := drawn[u]
		if w == 0 {
			continue
		}
		if t.right != nil {
			labels[0] += w
			labels[1] += w * boolean(t.right[i])
		}
		g := t.class[i]
		if g == outside {
			continue
		}
		*l.count(dst, g) += w
		phi, absolute := l.phi(dst, g), l.absolute(dst, g)
		for k, x := range t.phi[i*l.p : (i+1)*l.p] {
			phi[k] += w * x
			absolute[k] += w * math.Abs(x)
		}
		if x, ok := t.local[i].Value(); ok {
			local := l.local(dst, g)
			local[0] += w
			local[1] += w * x
		}
	}
	total := l.group(dst, l.all())
	for g := range t.classes {
		for k, x := range l.group(dst, g) {
			total[k] += x
		}
	}
}

// sums returns the sums over all samples.
func (t *table) sums() []float64 {
	once := make([]float64, t.units)
	for i := range once {
		once[i] = 1
	}
	out := make([]float64, t.layout().len())
	t.sumTo(out, once)
	return out
}

// members reports whether sample i is in a group.
func (t *table) member(i, group int) bool {
	return t.class[i] != outside && (group == t.classes || group == t.class[i])
}

// sameGroup reports whether a group of two paired tables has the same samples with the
// same numbers.
func (t *table) sameGroup(o *table, group int) bool {
	if t.m != o.m || t.convention != o.convention {
		return false
	}
	p := packedLen(t.m)
	for i := range t.unit {
		in := t.member(i, group)
		if in != o.member(i, group) {
			return false
		}
		if in && (t.local[i] != o.local[i] || !slices.Equal(t.phi[i*p:(i+1)*p], o.phi[i*p:(i+1)*p])) {
			return false
		}
	}
	return true
}

// independent returns the number of units with a sample in the group.
func (t *table) independent(group int) int {
	n, last := 0, -1
	for i, u := range t.unit {
		if t.member(i, group) && u != last {
			n, last = n+1, u
		}
	}
	return n
}

// frame describes the cells of a group. The standard error of a mean over units of
// several samples is that of the ratio Σ S_u / Σ n_u, by the deviations S_u − mean·n_u.
func (t *table) frame(sums []float64, group int, absolute bool) frame {
	l := t.layout()
	cells := l.phi(sums, group)
	if absolute {
		cells = l.absolute(sums, group)
	}
	n, units := *l.count(sums, group), t.independent(group)
	mean, squares, deviation := make([]float64, l.p), make([]float64, l.p), make([]float64, l.p)
	for k, x := range cells {
		mean[k] = x / max(1, n)
	}
	flush := func() {
		for k, d := range deviation {
			squares[k] += d * d
			deviation[k] = 0
		}
	}
	last := -1
	for i, u := range t.unit {
		if !t.member(i, group) {
			continue
		}
		if u != last {
			flush()
			last = u
		}
		for k, x := range t.phi[i*l.p : (i+1)*l.p] {
			if absolute {
				x = math.Abs(x)
			}
			deviation[k] += x - mean[k]
		}
	}
	flush()
	se := make([]float64, l.p)
	if units > 1 {
		for k, s := range squares {
			se[k] = math.Sqrt(s*float64(units)/float64(units-1)) / n
		}
	}
	return newFrame(mean, se, units, t.m, t.convention, t.level)
}

// drawn is what one draw says of a difference at its lower and upper end.
type drawn struct {
	low, high float64
	ok        bool
}

// drawsAtOnce is the number of draws that share scratch memory.
const drawsAtOnce = 50

// bootstrap returns the difference of each statistic with its percentile interval. Each
// draw takes as many units as there are, with replacement: the same ones for both
// tables if they are paired. The ratio of means is computed anew for each draw. A draw
// depends on the seed and its number alone, and so the result on nothing else.
func bootstrap(ctx context.Context, tables [2]*table, paired bool, stats []statistic, opt Options) ([]estimate, error) {
	all := make([][]drawn, len(stats))
	for q := range all {
		all[q] = make([]drawn, opt.Draws)
	}
	chunks := (opt.Draws + drawsAtOnce - 1) / drawsAtOnce
	err := share.Among(ctx, opt.Workers, chunks, func(ctx context.Context, chunk int) error {
		var counts, sums [2][]float64
		for k, t := range tables {
			counts[k], sums[k] = make([]float64, t.units), make([]float64, t.layout().len())
		}
		for d := chunk * drawsAtOnce; d < min(opt.Draws, (chunk+1)*drawsAtOnce); d++ {
			if err := ctx.Err(); err != nil {
				return err
			}
			rng := rand.New(rand.NewPCG(opt.Seed, uint64(d)))
			multinomialTo(counts[0], rng)
			if paired {
				copy(counts[1], counts[0])
			} else {
				multinomialTo(counts[1], rng)
			}
			for k, t := range tables {
				t.sumTo(sums[k], counts[k])
			}
			for q := range stats {
				all[q][d] = stats[q].draw(sums)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	out := make([]estimate, len(stats))
	for q := range stats {
		out[q] = stats[q].estimate(all[q], opt.Level)
	}
	return out, nil
}

// multinomialTo draws len(dst) units with replacement and counts them.
func multinomialTo(dst []float64, rng *rand.Rand) {
	clear(dst)
	for range dst {
		dst[rng.IntN(len(dst))]++
	}
}

// percentile returns the interval between the tails of the lower ends and of the upper
// ends. Draws that lack what is compared, as of a class with few samples, are left out;
// if they are the most part there is no interval.
func percentile(all []drawn, delta, tail float64) estimate {
	var lows, highs []float64
	for _, d := range all {
		if d.ok {
			lows, highs = append(lows, d.low), append(highs, d.high)
		}
	}
	if 2*len(lows) < len(all) {
		return estimate{delta: delta, reason: "most draws have none"}
	}
	slices.Sort(lows)
	slices.Sort(highs)
	return estimate{delta: delta, low: quantile(lows, tail), high: quantile(highs, 1-tail)}.within()
}
