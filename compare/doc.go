// Package compare says whether one explanation differs from another: the difference
// of every score, with an interval.
//
// There are two kinds of question. Of two single results, it is whether other samples
// would give another difference: the answer is a bootstrap over the samples, paired
// where both results are of the same samples by their ids, and without files of samples
// it is made from the intervals that the results carry. Of two groups of replicates,
// such as networks trained with different seeds, it is whether other replicates would:
// the answer is Welch's interval of the difference of two means. [Compare] tells which
// one it answered.
//
// A difference is the other side's share less the base's, a fraction: 0.05 are five
// points. What would make it meaningless is a [RefusedError]; what makes it doubtful is
// a warning that travels with the numbers.
//
// The package computes no explanation, reads no file and prints nothing.
//
// Reading order: compare.go for what goes in and comes out, question.go for the road
// between; fit.go and pairing.go for what can be compared; interval.go, bootstrap.go
// over cells.go and statistic.go, carried.go and replicates.go for the numbers;
// document.go for the JSON.
package compare
