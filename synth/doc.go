// Package synth makes data with known answers: HD-XOR (Wenderoth et al., 2025)
// and SUM (Liang et al., 2023), the two generators of the paper's tables.
//
// [HDXOR] hides bits in noisy vectors, one vector for each modality, and makes
// the label of the bits: which bits a modality carries is the setting. [SUM] makes
// the label of sums of the vectors themselves. Both give a [Set]: training,
// validation and test splits, and for HD-XOR the clean bits of every sample.
//
// What the labels are made by is a model too: a [Baseline] is the labelling
// function on the clean bits, as a Go function and as an ONNX file.
// [HDXOROptions.Population] lists the bits with their exact frequencies, so that
// its InterSHAP is known as a rational number.
//
// The package trains nothing and explains nothing. It writes to writers, not to
// folders ([Set.Files]). The same options give the same bits on every machine:
// normal.go says what that takes. docs/format/synth.md is the same contract for
// people who read the files.
//
// Modalities are called m1, m2, ...; settings and modalities count from 1 in
// names and from 0 in slices.
//
// Reading order: options.go, labelling.go, hdxor.go, sum.go, set.go, then
// population.go, baseline.go and the files in files.go, npz.go, parquet.go.
package synth
