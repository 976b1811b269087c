// Package graph cuts ONNX graphs along modalities.
//
// What a node computes depends on a set of modalities, and has as many distinct
// rows as that set asks for: a part that depends on one modality is run once for
// each sample and each background row, whatever the coalitions. [Cut] finds these
// parts and writes each as an ONNX model of its own:
//
//  1. Read. The graph is pruned to what the explained output needs; an input that
//     several modalities share becomes one input for each (graph.go).
//  2. Look. The graph is run on a few rows to see the shape of every value; what a
//     file says of shapes is optional and often wrong (look.go). Layers on tokens
//     that were written on tables are put back (unmerge.go).
//  3. Analyse. Rules prove for every node that it keeps rows apart, and where the
//     rows lie in its outputs (rule.go, analyse.go). A graph that is not proven is
//     not cut: Cut returns a *model.Uncut that names the node.
//  4. Split. What is linear in parts that belong to single modalities becomes a sum
//     of parts: a dense layer behind a concatenation, for one (split.go). Then
//     looking and analysing are done again.
//  5. Cut. The values that go from part to part are the smallest that save the
//     same work (cut.go, pipes.go), and every part is written (part.go, head.go).
//
// The package runs nothing itself: a [Runner] does. It decodes no weights.
package graph
