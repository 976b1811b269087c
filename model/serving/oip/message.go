package oip

import "encoding/json"

// HeaderLength is the HTTP header that tells how many bytes of a body are JSON,
// where tensors in binary follow it.
const HeaderLength = "Inference-Header-Content-Length"

// The extensions that are read and written here, by their names in the metadata
// of a server.
const (
	BinaryTensorData   = "binary_tensor_data"
	ModelConfiguration = "model_configuration"
)

// ServerMetadata is the answer to GET v2.
type ServerMetadata struct {
	Name       string   `json:"name"`
	Version    string   `json:"version"`
	Extensions []string `json:"extensions"`
}

// TensorMetadata describes an input or output; a length of -1 is any.
type TensorMetadata struct {
	Name     string `json:"name"`
	Datatype string `json:"datatype"`
	Shape    []int  `json:"shape"`
}

// ModelMetadata is the answer to GET v2/models/NAME.
type ModelMetadata struct {
	Name     string           `json:"name"`
	Versions []string         `json:"versions,omitempty"`
	Platform string           `json:"platform"`
	Inputs   []TensorMetadata `json:"inputs"`
	Outputs  []TensorMetadata `json:"outputs"`
}

// ModelConfig is the answer to GET v2/models/NAME/config, an extension, as far as
// it is used here.
type ModelConfig struct {
	Name     string `json:"name"`
	Platform string `json:"platform"`
	// MaxBatchSize is the most rows of a request, 0 for a server that tells none.
	MaxBatchSize int `json:"max_batch_size"`
}

// ModelIndex is an entry of the answer to POST v2/repository/index, an extension.
type ModelIndex struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	State   string `json:"state,omitempty"`
}

// ErrorBody is the body of an answer that is an error.
type ErrorBody struct {
	Error string `json:"error"`
}

// inferTensor is a tensor of a request or an answer.
type inferTensor struct {
	Name       string            `json:"name"`
	Shape      []int             `json:"shape"`
	Datatype   string            `json:"datatype"`
	Parameters *tensorParameters `json:"parameters,omitempty"`
	Data       json.RawMessage   `json:"data,omitempty"`
}

// tensorParameters are those of the binary extension. Others stay unread.
type tensorParameters struct {
	BinaryDataSize *int  `json:"binary_data_size,omitempty"`
	BinaryData     *bool `json:"binary_data,omitempty"`
}

type requestParameters struct {
	BinaryDataOutput bool `json:"binary_data_output,omitempty"`
}

type requestedOutput struct {
	Name       string            `json:"name"`
	Parameters *tensorParameters `json:"parameters,omitempty"`
}

type inferRequest struct {
	ID         string             `json:"id,omitempty"`
	Parameters *requestParameters `json:"parameters,omitempty"`
	Inputs     []inferTensor      `json:"inputs,omitempty"`
	Outputs    []requestedOutput  `json:"outputs,omitempty"`
}

type inferResponse struct {
	ModelName    string        `json:"model_name,omitempty"`
	ModelVersion string        `json:"model_version,omitempty"`
	ID           string        `json:"id,omitempty"`
	Outputs      []inferTensor `json:"outputs,omitempty"`
}
