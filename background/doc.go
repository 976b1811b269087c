// Package background says what an absent modality looks like: the rows that
// fill it, and the rule by which they do.
//
// [ParseMask] reads the rules, one for each part of each modality. [Draw] picks
// rows of a data set by a seed, without replacement, and applies the rules to
// them once, so that whoever fills absent modalities afterwards copies elements
// from [Rows] and knows no rule. The seed puts rows into blocks: means over
// blocks tell how much a result depends on the draw.
package background
