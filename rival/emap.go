package rival

import (
	"fmt"
	"math"

	"github.com/intershap/intershap/score"
)

var emapCard = Card{
	Name:   ScoreEMAP,
	Title:  "EMAP gap",
	Source: "Hessel and Lee, 2020",
	Says:   "what accuracy and macro F1 lose when the model is replaced by its best sum of one part for each modality; without labels, the share of output variance that the sum misses",
	Unit:   "fraction of samples, or of F1; of variance without labels",
	Range:  "-1 to 1, negative where the sum is right more often; the share of variance over all pairs 0 to 1, over samples from 0 on",
	Zero:   "models that are sums of one part for each modality, in the outputs given (logits or probabilities)",
	Labels: "the gap; the share of variance needs none",
	Reads:  "outputs of every pair f(x1 of i, x2 of j), added up on the way; for more modalities outputs with one modality from the sample and the rest from a background of shuffled rows",
	Beyond: "least squares over the product of the modalities' own distributions, whose solution is the sum of main effects",
	Ours:   true,
}

// A Design says which distribution a projection is fitted over.
type Design uint8

const (
	// AllPairs is the original's: the modalities of n samples in all n² pairs. It
	// is for two modalities.
	AllPairs Design = iota + 1
	// Product is ours, for any number of modalities: background rows each of
	// whose modalities comes from a sample of its own, so that the modalities are
	// independent.
	Product
)

var designNames = map[Design]string{AllPairs: "all-pairs", Product: "product"}

// String returns "all-pairs" or "product".
func (d Design) String() string {
	if name, ok := designNames[d]; ok {
		return name
	}
	return fmt.Sprintf("Design(%d)", uint8(d))
}

// EMAPInput is what the additive projection of a model needs.
type EMAPInput struct {
	// Design says how Mains and Mean were made.
	Design Design
	// Outputs holds f(x) of the samples as they are, [n, C].
	Outputs Matrix
	// Mains holds a matrix [n, C] for each modality m. Row i is the mean of f with
	// modality m of sample i and all others from the distribution: over all
	// partners j under AllPairs; over the background rows under Product, where it
	// is the value v({m}) of sample i.
	Mains []Matrix
	// Mean holds the mean of f over the distribution, [C]: over all n² pairs under
	// AllPairs, and over the background rows themselves under Product. Under
	// AllPairs it is not v({}) of a background of samples as they are, which holds
	// n of the n² pairs.
	Mean []float64
	// Variance holds the variance of f over all pairs, [C]; nil leaves
	// EMAP.OverPairs undefined. It is for AllPairs.
	Variance []float64
	// Labels are the true classes, or nil.
	Labels []int
	// Threshold is what [Predicted] takes for outputs of one column.
	Threshold float64
}

// EMAP is the additive projection of a model and what is lost with it.
type EMAP struct {
	// Design is that of the input.
	Design Design
	// Projected holds the projected outputs f~ of the samples, [n, C].
	Projected Matrix
	// OverSamples is Σ(f − f~)² over Σ(f − its mean)², both over samples and
	// columns. It may exceed 1: the fit is over the distribution, in which the
	// modalities are independent, and not over the samples. Undefined where f is
	// the same for all samples.
	OverSamples score.Share
	// OverPairs is the share of the variance of f over all pairs that is not in
	// the projection, 1 − Σ_m Var(Mains_m)/Var(f), from 0 to 1.
	OverPairs score.Share
	// Gap compares accuracy and F1, nil where Unfit says why.
	Gap *EMAPGap
	// Unfit says why there is no gap, or is nil.
	Unfit *Unfit
}

// EMAPGap is what projection does to accuracy and F1.
type EMAPGap struct {
	// Model and Projection are the metrics before and after.
	Model, Projection Metrics
	// Accuracy and MacroF1 are Model less Projection, signed.
	Accuracy, MacroF1 float64
}

// NewEMAP projects a model onto sums of one part for each modality, by least
// squares over the distribution of the input's design:
//
//	f~(x) = Σ_m E[f | x_m] − (M−1)·E[f]
//
// For two modalities under AllPairs this is EMAP (Hessel and Lee, 2020, section 3):
// the mean of row i, and of column i, of the matrix of all pairs, less the mean of
// the matrix. For more it is ours: modalities that are independent make main
// effects orthogonal, so that their sum is the least-squares solution. Under
// Product a model that is such a sum is reproduced, whatever the background rows,
// as long as Mains and Mean come from the same ones; the main effects of any other
// are estimates that more rows make better.
//
// NewEMAP fails when arrays do not belong together; under AllPairs the mean over
// samples of both Mains must be Mean. It costs O(M·n·C).
func NewEMAP(in EMAPInput) (EMAP, error) {
	if err := in.validate(); err != nil {
		return EMAP{}, err
	}
	out := EMAP{Design: in.Design, Projected: in.project()}
	out.OverSamples = missed(in.Outputs, out.Projected)
	if in.Variance != nil {
		var err error
		if out.OverPairs, err = in.overPairs(); err != nil {
			return EMAP{}, err
		}
	}
	if out.Unfit = checkLabels(ScoreEMAP, in.Labels); out.Unfit != nil {
		return out, nil
	}
	model, err := Measure(Predicted(in.Outputs, in.Threshold), in.Labels)
	if err != nil {
		return EMAP{}, err
	}
	projection, err := Measure(Predicted(out.Projected, in.Threshold), in.Labels)
	if err != nil {
		return EMAP{}, err
	}
	out.Gap = &EMAPGap{
		Model: model, Projection: projection,
		Accuracy: model.Accuracy - projection.Accuracy,
		MacroF1:  model.MacroF1 - projection.MacroF1,
	}
	return out, nil
}

func (in EMAPInput) validate() error {
	n, cols := in.Outputs.Rows, in.Outputs.Cols
	if err := in.Outputs.check("outputs"); err != nil {
		return err
	}
	switch {
	case in.Design != AllPairs && in.Design != Product:
		return fmt.Errorf("rival: emap: want the design all-pairs or product, got %v", in.Design)
	case len(in.Mains) < 2:
		return fmt.Errorf("rival: emap: want at least 2 modalities, got %d", len(in.Mains))
	case in.Design == AllPairs && len(in.Mains) != 2:
		return fmt.Errorf("rival: emap: want 2 modalities for all pairs, got %d: use the product design", len(in.Mains))
	case in.Design == Product && in.Variance != nil:
		return fmt.Errorf("rival: emap: want a variance under the design all-pairs alone")
	case n == 0:
		return fmt.Errorf("rival: emap: want at least one sample")
	case in.Labels != nil && len(in.Labels) != n:
		return fmt.Errorf("rival: emap: want %d labels, got %d", n, len(in.Labels))
	}
	for m, main := range in.Mains {
		if err := main.checkShape(fmt.Sprintf("means of modality %d", m), n, cols); err != nil {
			return err
		}
	}
	if err := (Matrix{1, len(in.Mean), in.Mean}).checkShape("mean", 1, cols); err != nil {
		return err
	}
	if in.Variance != nil {
		if err := (Matrix{1, len(in.Variance), in.Variance}).checkShape("variance over all pairs", 1, cols); err != nil {
			return err
		}
	}
	if in.Design == Product {
		return nil
	}
	// The mean of the row means, of the column means and of the matrix are one
	// number. Single precision must pass, v({}) in the place of the mean must not.
	for m, main := range in.Mains {
		within := 1e-5 * max(in.Outputs.largest(), main.largest())
		for c, got := range main.columnMeans() {
			if math.Abs(got-in.Mean[c]) > within {
				return fmt.Errorf("rival: emap: the means of modality %d average %v in column %d and the mean over all pairs is %v, want the same: v({}) of a background is not that mean", m, got, c, in.Mean[c])
			}
		}
	}
	return nil
}

// project returns the sum of main effects at each sample.
func (in EMAPInput) project() Matrix {
	n, cols := in.Outputs.Rows, in.Outputs.Cols
	out := Matrix{n, cols, make([]float64, n*cols)}
	for i := range n {
		row := out.Row(i)
		copy(row, in.Mean)
		for _, main := range in.Mains {
			for c, v := range main.Row(i) {
				row[c] += v - in.Mean[c]
			}
		}
	}
	return out
}

// missed returns Σ(f − g)² over Σ(f − mean f)².
func missed(f, g Matrix) score.Share {
	rest := 0.0
	for i, v := range f.Data {
		rest += (v - g.Data[i]) * (v - g.Data[i])
	}
	return shareOf(rest, f.squares(f.columnMeans()), f)
}

// shareOf returns part/whole for sums of squares over f. A whole that rounding alone
// can make is no variance, and the share undefined.
func shareOf(part, whole float64, f Matrix) score.Share {
	rounding := 1e-13 * f.largest()
	if whole <= rounding*rounding*float64(len(f.Data)) {
		return score.Share{}
	}
	return score.Defined(part / whole)
}

// overPairs returns the share of variance over all pairs outside the main effects.
func (in EMAPInput) overPairs() (score.Share, error) {
	n := float64(in.Outputs.Rows)
	whole, mains := 0.0, 0.0
	for _, v := range in.Variance {
		if v < 0 {
			return score.Share{}, fmt.Errorf("rival: emap: want variances from 0 on, got %v", v)
		}
		whole += n * v
	}
	for _, main := range in.Mains {
		mains += main.squares(main.columnMeans())
	}
	share := shareOf(whole-mains, whole, in.Outputs)
	v, ok := share.Value()
	if ok && v < -1e-5 {
		return share, fmt.Errorf("rival: emap: main effects vary more than the model does over all pairs (%v and %v): the variance is of other pairs", mains/n, whole/n)
	}
	if ok {
		share = score.Defined(max(v, 0)) // main effects cannot hold more than all variance
	}
	return share, nil
}

// Pairs adds up the outputs of a model of two modalities over all pairs of n
// samples, in memory for 3·n rows. Pairs arrive row by row, (0,0), (0,1), ...,
// (0,n−1), (1,0), ..., in blocks of any length, so that sums have the same bits
// however they are cut. Pair (i, j) has the first modality of sample i and the
// second of sample j.
type Pairs struct {
	n, cols int
	next    int // i*n+j of the next pair
	// first and second hold sums over partners, real the pairs (i, i).
	first, second, real []float64
	// shift is f of the first pair; squares sums (f − shift)², which loses no
	// digits where the mean is large beside the variance.
	shift, squares []float64
}

// NewPairs returns sums without pairs, of n samples and cols columns.
func NewPairs(n, cols int) *Pairs {
	if n < 1 || cols < 1 {
		panic("rival: want at least one sample and one column")
	}
	return &Pairs{
		n: n, cols: cols,
		first: make([]float64, n*cols), second: make([]float64, n*cols), real: make([]float64, n*cols),
		shift: make([]float64, cols), squares: make([]float64, cols),
	}
}

// Add adds the outputs of the next pairs, a row each.
func (p *Pairs) Add(outputs Matrix) error {
	if err := outputs.checkShape("outputs of pairs", outputs.Rows, p.cols); err != nil {
		return err
	}
	if p.next+outputs.Rows > p.n*p.n {
		return fmt.Errorf("rival: emap: want %d pairs of %d samples, got more", p.n*p.n, p.n)
	}
	for r := range outputs.Rows {
		i, j, row := p.next/p.n, p.next%p.n, outputs.Row(r)
		if p.next == 0 {
			copy(p.shift, row)
		}
		if i == j {
			copy(p.real[i*p.cols:], row)
		}
		first, second := p.first[i*p.cols:][:len(row)], p.second[j*p.cols:][:len(row)]
		for c, v := range row {
			first[c] += v
			second[c] += v
			v -= p.shift[c]
			p.squares[c] += v * v
		}
		p.next++
	}
	return nil
}

// Input returns what [NewEMAP] needs, without labels and threshold. It fails before
// the last pair.
func (p *Pairs) Input() (EMAPInput, error) {
	if p.next != p.n*p.n {
		return EMAPInput{}, fmt.Errorf("rival: emap: want %d pairs of %d samples, got %d", p.n*p.n, p.n, p.next)
	}
	n := float64(p.n)
	first, second := divided(p.first, n), divided(p.second, n)
	in := EMAPInput{
		Design:   AllPairs,
		Outputs:  Matrix{p.n, p.cols, divided(p.real, 1)},
		Mains:    []Matrix{{p.n, p.cols, first}, {p.n, p.cols, second}},
		Variance: divided(p.squares, n*n),
	}
	in.Mean = in.Mains[0].columnMeans()
	for c, mean := range in.Mean {
		in.Variance[c] = max(0, in.Variance[c]-(mean-p.shift[c])*(mean-p.shift[c]))
	}
	return in, nil
}

// divided returns x/by.
func divided(x []float64, by float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = v / by
	}
	return out
}
