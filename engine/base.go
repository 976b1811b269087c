package engine

// A base is the output over the background rows, in all columns: v({}), where it is the
// same for every sample, or what a sample that lacks modalities gives as it is.
type base struct {
	plan *Plan
	// sums[c] holds, for each block, the sum of column c.
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

func (b *base) clear() {
	for _, sums := range b.sums {
		clear(sums)
	}
	clear(b.broken)
}

// add adds the transformed output with a background row.
func (b *base) add(at place, output []float64) {
	row := at.background
	for c, y := range output {
		if y-y != 0 && (b.broken[c] == nil || row < b.first[c]) { // NaN and Inf alone
			b.broken[c], b.first[c] = b.plan.transformedError(at, output, c), row
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
