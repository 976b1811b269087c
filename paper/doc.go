// Package paper reproduces the tables of the paper (Wenderoth, Hemker, Simidjievski
// and Jamnik: Measuring Cross-Modal Interactions in Multimodal Models, AAAI 2025):
// it makes the data, trains the networks, scores them, and sets each number beside
// the published one.
//
//	Table 2   InterSHAP and its rivals on HD-XOR of two modalities
//	Table 3   InterSHAP for two, three and four modalities
//	Table 9   InterSHAP on SUM
//	Table 10  InterSHAP by fusion: early, intermediate, late
//	Table 11  F1 of single modalities and of each fusion
//
// Tables 4 and 5 are of data that cannot be passed on; the same columns are shown
// for data of the user's own, see [Options.Data].
//
// An [Experiment] is data and the networks trained on it. [Run] works through the
// experiments that the tables want and keeps every network and its scores in a
// folder, so that a run which was stopped goes on; a [Page] is the tables made of
// the scores, for a terminal or as Markdown.
//
// Conventions. Shares, F1 and gaps are percent on the page, as in the paper, and
// fractions everywhere else; information is in nats. A number of several seeds is
// their mean ± the standard deviation with n−1 below.
//
// Reading order: experiment.go, run.go, score.go; published.go, page.go.
package paper
