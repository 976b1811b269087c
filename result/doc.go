// Package result is an explanation on disk: one versioned JSON document for
// the run, and a file of values for every sample.
//
// [Explanation] has the fields of the schema intershap/explanation/v1, which
// docs/format/explanation.md specifies; [NewTarget] fills one of its targets
// from the sums of a run. [CreateSamples] writes samples as NPZ, Parquet, CSV
// or JSON lines, as docs/format/samples.md specifies. Shares are fractions;
// whatever is undefined, or belongs to a feature that did not run, is null.
package result
