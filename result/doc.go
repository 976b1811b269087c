// Package result is an explanation on disk: one versioned JSON document for
// the run, and a file of values for every sample.
//
// [Explanation] has the fields of the schema intershap/explanation/v1, which
// docs/format/explanation.md specifies; [NewBreakdown] fills its numbers from
// the sums of a run; [Read] and [Explanation.Write] are the way in and out.
// [CreateSamples] writes samples as NPZ, Parquet, CSV or JSON lines, as
// docs/format/samples.md specifies, and [ReadSamples] reads them; [SamplesMemory]
// keeps them without a file. Shares are fractions; whatever is undefined, or
// belongs to a feature that did not run, is null.
//
// A file is there complete or not at all: all are written under another name,
// see [WriteFile].
//
// The package computes no score and prints nothing.
//
// Reading order: explanation.go, with explanation_json.go and, for what Read
// refuses, explanation_check.go; samples.go, samples_check.go and
// samples_columns.go, then one format each in samples_csv.go, samples_jsonl.go,
// samples_parquet.go and samples_npz.go (over npy.go, spool.go and
// spool_text.go); samples_read.go with samples_read_check.go, one format each in
// samples_read_npz.go, samples_read_csv.go, samples_read_jsonl.go and
// samples_read_parquet.go (the last three over samples_read_table.go), then
// samples_belongs.go and samples_memory.go; file.go.
package result
