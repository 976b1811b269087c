// Package intershap measures how much of a multimodal model's behaviour is
// interaction between modalities, and how much each modality does alone.
//
// A multimodal model takes several inputs: an image, a text, lab values. Its
// modalities are the players of a cooperative game in which v(S) is the model's
// output when only the modalities in S are shown and the others are replaced
// from background rows. The Shapley interaction index splits the behaviour
// exactly into what each modality does alone and what they do together;
// InterSHAP is the share of the latter (Wenderoth, Hemker, Simidjievski and
// Jamnik: Measuring Cross-Modal Interactions in Multimodal Models, AAAI 2025).
//
// [Explain] is the whole road:
//
//	model, err := onnx.Open("model.onnx", onnx.Options{})
//	samples, err := dataset.Open(ctx, "test.npz")
//	background, err := dataset.Open(ctx, "train.npz")
//	ex, err := intershap.Explain(ctx, model, samples, background, intershap.Options{})
//
// [NewPlan] stops before the first large cost, to look at what a run would do;
// [Plan.Explain] goes on from there. Runs that are too large for one machine are cut into
// a [Shard] each: [Plan.Partial] runs one, and [Merge] makes the result of all. Every number travels with the convention,
// mask, seed and files that made it, and doubts are data: see
// [Explanation.Warnings].
package intershap
