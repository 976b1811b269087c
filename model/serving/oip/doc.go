// Package oip reads and writes what travels under the Open Inference Protocol
// (KServe v2): JSON over HTTP, tensors in binary behind it (the binary tensor
// data extension, as Triton defines it), and the messages of gRPC. It opens no
// connection: model/serving asks with it, model/serving/server answers with it,
// and both hold the other to it.
//
// Every tensor is row-major and little-endian. Numbers that are read must fit
// the declared datatype and shape exactly; nothing is converted. JSON numbers
// are written as the shortest decimals that give the same bits again, so that
// no transport loses anything as long as the other side does the same. FP16 has
// no JSON form, by the protocol, and BF16 no tensor here.
//
// Reading order: datatype.go, raw.go, list.go, message.go, body.go, proto.go.
package oip
