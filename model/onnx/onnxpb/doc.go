// Package onnxpb holds the messages of an ONNX file, generated from the ONNX
// project's schema (onnx-ml.proto of ONNX 1.12, Apache-2.0), with the default
// attributes of functions from 1.13. Fields of later versions are kept as they
// are, unread.
//
// The schema's package is renamed: two Go packages that register the same
// message names cannot live in one program. To regenerate, with protoc and
// protoc-gen-go on the path, run go generate.
//
//go:generate protoc --go_out=. --go_opt=paths=source_relative --go_opt=Monnx.proto=github.com/intershap/intershap/model/onnx/onnxpb onnx.proto
package onnxpb
