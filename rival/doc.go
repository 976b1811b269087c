// Package rival computes the scores that people compare InterSHAP with. It runs
// no model: every score takes arrays, and its input type says which.
//
//	emap        how much of a model is a sum of parts of one modality each
//	shape       what modalities gain together, in accuracy, F1 or output
//	pid         how information about labels or predictions is spread over modalities
//	sri         synergy, redundancy, independence of vectors of interactions
//	share       how much of the attributions is each modality's
//	perceptual  what accuracy is lost when a modality is shuffled
//	effects     a modality alone, and a modality last
//
// A [Card] says of each score where it comes from, its unit and range, and what it
// needs. Several were defined for two modalities; what is done with more is then
// ours, and the card says so.
//
// Conventions. Outputs are matrices, a row for each sample and a column for each
// class. A class is an index from 0 on; labels are never needed unless a card says
// so. Coalitions and value tables are those of package game, matrices phi those of
// package index. Information is in nats; [Information.Bits] converts. Sums run in
// a fixed order, and what is random is drawn by seed.
//
// A score that the data do not allow is an [Unfit], which names the score and the
// reason in one sentence, fit for a footnote. Other errors are faults of the
// caller: arrays that do not belong together. A number that does not exist is an
// undefined [score.Share], never NaN.
//
// Reading order: [Card], [Matrix], then any score.
package rival
