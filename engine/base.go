package engine

// A base is v({}), where it is the same for every sample.
type base struct {
	plan *Plan
	// sums[c] holds, for each block, the sum of column c over the background rows
	// alone.
	sums [][]mean
	// broken[c] is the fault of the first row whose transform is not finite in
	// column c. It matters only where that column is explained: the logarithm of
	// a class that nobody asks about may be infinite.
	broken []error
	first  []int // the row of broken
}

func newBase(p *Plan) *base {
	b := &base{plan: p, sums: make([][]mean, p.opt.Width), broken: make([]error, p.opt.Width), first: make([]int, p.opt.Width)}
	for c := range b.sums {
		b.sums[c] = make([]mean, len(p.blocks))
	}
	return b
}

// add adds the transformed output of a background row.
func (b *base) add(row int, output []float64) {
	for c, y := range output {
		if y-y != 0 && (b.broken[c] == nil || row < b.first[c]) { // NaN and Inf alone
			b.broken[c], b.first[c] = b.plan.transformedError(place{background: row}, output, c), row
		}
		b.sums[c][b.plan.blockOf[row]].add(y)
	}
}

// addSum adds a sum over rows of one block.
func (b *base) addSum(block int, output []float64) {
	for c, y := range output {
		b.sums[c][block].add(y)
	}
}
