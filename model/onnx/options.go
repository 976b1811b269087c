//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"strconv"

	ort "github.com/yalue/onnxruntime_go"
)

// newOptions returns what all sessions have in common; the caller destroys it.
func newOptions() (*ort.SessionOptions, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(
		options.SetIntraOpNumThreads(intraOpThreads),
		options.SetLogSeverityLevel(ort.LoggingLevelFatal),
	); err != nil {
		destroy(options)
		return nil, err
	}
	return options, nil
}

// noFallback makes the runtime refuse a model of which any node would be
// computed by the processor.
const noFallback = "session.disable_cpu_ep_fallback"

// onDevice makes a session on a device, and says which that is for the name of
// the runtime: "" for the processor, else like " cuda:0".
//
// The runtime never says what it leaves to the processor, and it always leaves
// something where a model computes shapes, so that to forbid it refuses most
// models. So it is forbidden first, and only where that fails it is allowed and
// told.
func onDevice(d device, open func(*ort.SessionOptions) (*ort.DynamicAdvancedSession, error)) (*ort.DynamicAdvancedSession, string, error) {
	if !d.cuda {
		native, err := withOptions(device{}, nil, open)
		return native, "", err
	}
	whole := map[string]string{noFallback: "1"}
	if native, err := withOptions(d, whole, open); err == nil {
		return native, " " + d.String(), nil
	}
	native, err := withOptions(d, nil, open)
	return native, " " + d.String() + " and " + CPU, err
}

// withOptions calls open with options for a device and config entries of the
// session.
func withOptions(d device, entries map[string]string, open func(*ort.SessionOptions) (*ort.DynamicAdvancedSession, error)) (*ort.DynamicAdvancedSession, error) {
	options, err := newOptions()
	if err != nil {
		return nil, err
	}
	defer destroy(options)
	for key, value := range entries {
		if err := options.AddSessionConfigEntry(key, value); err != nil {
			return nil, err
		}
	}
	if d.cuda {
		if err := appendCUDA(options, d.id); err != nil {
			return nil, &LibraryError{
				Err:  fmt.Errorf("device %s: ONNX Runtime cannot compute there: %s", d, withoutSignature(err.Error())),
				Hint: deviceHint,
			}
		}
	}
	return open(options)
}

// appendCUDA lets sessions compute on a GPU. It fails where the library, its
// provider library, CUDA or cuDNN is missing.
func appendCUDA(options *ort.SessionOptions, id int) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer destroy(cuda)
	if err := cuda.Update(map[string]string{
		"device_id": strconv.Itoa(id),
		// Products of float32 are rounded to 10 bits otherwise.
		"use_tf32": "0",
		// The others take the algorithm that was the fastest this time.
		"cudnn_conv_algo_search": "DEFAULT",
	}); err != nil {
		return err
	}
	return options.AppendExecutionProviderCUDA(cuda)
}
