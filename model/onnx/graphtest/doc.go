// Package graphtest makes ONNX graphs for tests: by hand with a [Builder], or
// multimodal models at random with [New].
//
// A [Case] is a model of one to six modalities together with what is known of it
// because of how it was made: which modalities it ignores, whether it is additive,
// and which of its nodes mix the rows of a batch, so that it must not be cut.
// Nothing here runs or reads a model; graphs are written, never checked.
//
// Conventions: axis 0 of inputs and outputs counts rows; [Rows] stands for it in
// shapes. The same seed gives the same bytes. Builders panic on shapes that do
// not fit, since a test that asks for them is wrong.
//
// Reading order: builder.go, ops.go for the operations whose form depends on the
// opset; case.go and random.go; then encoder.go, fusion.go, head.go, mixing.go for
// the pieces of random models.
package graphtest
