package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// The names of devices.
const (
	// CPU is the processor, which every library computes on.
	CPU = "cpu"
	// CUDA is the first NVIDIA GPU; "cuda:1" is the second.
	CUDA = "cuda"
)

// otherProviders are execution providers of the runtime that people may ask
// for and that no session of ours uses.
var otherProviders = []string{"coreml", "directml", "migraphx", "openvino", "qnn", "rocm", "tensorrt", "webgpu", "xnnpack"}

// maxDeviceID bounds the number of a GPU: the runtime keeps it in 32 bits.
const maxDeviceID = 1<<31 - 1

// A device is where a session computes. The zero value is the processor.
type device struct {
	cuda bool
	id   int // of the GPU
}

// ParseDevice returns the canonical name of a device: "cpu", or "cuda:0" for
// "cuda". Every other text is an error that says what there is; "" is "cpu".
func ParseDevice(text string) (string, error) {
	d, err := parseDevice(text)
	if err != nil {
		return "", fmt.Errorf("onnx: %w", err)
	}
	return d.String(), nil
}

func parseDevice(text string) (device, error) {
	if text == "" || text == CPU {
		return device{}, nil
	}
	kind, number, numbered := strings.Cut(text, ":")
	if slices.Contains(otherProviders, kind) {
		return device{}, fmt.Errorf("device %q: this execution provider is not built in; want cpu, cuda or cuda:N", text)
	}
	if kind != CUDA {
		return device{}, fmt.Errorf("device %q: want cpu, cuda or cuda:N", text)
	}
	if !numbered {
		return device{cuda: true}, nil
	}
	id, err := strconv.Atoi(number)
	// What Atoi takes and people do not mean: "+1", "007".
	if err != nil || id < 0 || id > maxDeviceID || strconv.Itoa(id) != number {
		return device{}, fmt.Errorf("device %q: want the number of a GPU behind the colon, as in cuda:0, got %q", text, number)
	}
	return device{cuda: true, id: id}, nil
}

// String returns the canonical name.
func (d device) String() string {
	if d.cuda {
		return CUDA + ":" + strconv.Itoa(d.id)
	}
	return CPU
}

// deviceHint is the remedy where a library has no CUDA.
const deviceHint = "use --device cpu, or give a library that is built with CUDA by --onnxruntime PATH, with its provider libraries beside it, and install the CUDA and cuDNN that it asks for"
