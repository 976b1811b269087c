// Package oippb holds the messages of the Open Inference Protocol (KServe v2) over
// gRPC, generated from oip.proto. They have the numbers and types of the
// protocol's own schema (kserve/open-inference-protocol), with the two requests
// of Triton's extensions that tell the limit of rows and the models of a server.
//
// The schema's package is renamed: two Go packages that register the same
// message names cannot live in one program. Nothing of the service is generated
// for the same reason; [ServicePath] is where its methods are. To regenerate,
// with protoc and protoc-gen-go on the path, run go generate.
//
//go:generate protoc --go_out=. --go_opt=paths=source_relative oip.proto
package oippb

// ServiceName is the name of the service, and ServicePath what stands in front
// of the names of its methods: ServerLive, ServerReady, ModelReady,
// ServerMetadata, ModelMetadata, ModelInfer, and of the extensions ModelConfig
// and RepositoryIndex. Each takes the message with its name and Request, and
// answers with the one of its name and Response.
const (
	ServiceName = "inference.GRPCInferenceService"
	ServicePath = "/" + ServiceName + "/"
)
