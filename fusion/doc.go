// Package fusion trains the fusion networks of the InterSHAP paper and writes
// them as ONNX files. Training is a means here: it makes models of which the
// interaction is known, or that a user wants to compare, without another
// framework. It is no framework: there is one kind of layer, one loss and one
// optimiser.
//
// A network joins its modalities early, between its layers or at its end
// ([Fusion]). Layers are dense, the loss is cross entropy, the optimiser Adam
// with the weight decay added to the gradient; the initialisation is PyTorch's,
// and losses agree with PyTorch's to 2e-6.
//
//	Data           labelled samples: a tensor for each modality, a class each
//	ReadFolder     Data from the files train, valid and test of a folder
//	Train          Data and Options to a Network
//	Network        a model.Model; ONNX writes it, Evaluate judges it
//
// Conventions: a matrix is row-major, a row is a sample. Weights are stored as
// PyTorch does, [out, in], so that a layer is y = x·Wᵀ + b. Arithmetic is
// float32, sums over samples are float64. The same data, options and seed give
// the same network to the last bit on one machine, and so does a row whatever
// the batch that it is in.
//
// Reading order: fusion.go, options.go, data.go; network.go; matrix.go and forward.go;
// backward.go, adam.go and train.go; onnx.go, predict.go and evaluate.go; read.go.
package fusion
