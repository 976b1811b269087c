// Package score turns matrices of interaction indices into InterSHAP: the
// share of a model's behaviour that is interaction between modalities.
//
// Three aggregations over samples, from the same matrices phi (package index):
//
//	global          Σ_{i≠j} |mean phi_ij| / Σ |mean phi_ij|     the paper's score
//	mean absolute   Σ_{i≠j} mean |phi_ij| / Σ mean |phi_ij|
//	local           mean over samples of Σ_{i≠j} |phi_ij| / Σ |phi_ij|
//
// The sums run over the cells that the [Convention] counts. The denominator is
// called behaviour. Where there is no behaviour a share is undefined, which is
// a state of [Share] and never a number. Instead of matrices, samples may have the
// values of any coalitions, such as an index of a higher order ([Layout]); the sums
// of the numerators then run over the coalitions of two modalities and more, and a
// share can be told by order and for any set of cells ([Part]).
//
// An [Accumulator] adds samples up; [Tiles] merges the accumulators of tiles
// so that the total has the same bits however a run was cut into shards, and has a binary
// form in which a shard is kept. An [Accumulator] keeps what intervals need: sums by
// background block, by draw of coalitions and by bootstrap replicate. See
// [Accumulator.Summary] for how the intervals are made.
//
// A cohort is more than samples that count alike. They may have weights, which every mean
// takes; they may be told apart in several ways at once, each a partition into groups,
// which have summaries of their own; and they may lack modalities: then each mean is over
// the samples that have what it is of. [Macro] is the mean of the shares of classes, in
// which a rare class counts as much as a common one.
//
// Like game and index, the package imports the standard library and such packages
// alone, and knows no models. Reading order: [Convention], [Share], [Local],
// [Layout], [Accumulator], [Tiles], [Summary]; gathered.go, moments.go and estimate.go,
// where intervals are made; macro.go.
package score
