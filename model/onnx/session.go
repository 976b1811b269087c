//go:build cgo

package onnx

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap/tensor"
)

// intraOpThreads is the number of threads of one run. One thread gives the same
// bits whatever the batch, and more rows per second than several threads when
// as many goroutines as processors call the session.
const intraOpThreads = 1

// nativeSession is a session of ONNX Runtime.
type nativeSession struct {
	native  *ort.DynamicAdvancedSession
	outputs []output
}

// openSession opens a model file with the outputs that wanted names, or all.
func openSession(f file, wanted func([]tensor.Spec) []string) (opened, error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return opened{}, err
	}
	defer destroy(options)
	if err := errors.Join(
		options.SetIntraOpNumThreads(intraOpThreads),
		options.SetLogSeverityLevel(ort.LoggingLevelFatal),
	); err != nil {
		return opened{}, err
	}
	inputs, outputs, err := describe(f)
	if err != nil {
		return opened{}, err
	}
	o := opened{runtime: runtimeName()}
	if o.inputs, err = inputSpecs(inputs, f.content); err != nil {
		return opened{}, err
	}
	supported, unsupported := outputSpecs(outputs, f.content)
	chosen, err := choose(supported, unsupported, wanted)
	if err != nil {
		return opened{}, err
	}
	o.unsupported = unsupported

	var in, out []string
	for _, spec := range o.inputs {
		in = append(in, spec.Name)
	}
	for _, c := range chosen {
		o.outputs = append(o.outputs, c.Spec)
		out = append(out, c.Name)
	}
	native, err := ort.NewDynamicAdvancedSession(f.path, in, out, options)
	if err != nil {
		return opened{}, refused(f, err)
	}
	o.session = &nativeSession{native: native, outputs: chosen}
	return o, nil
}

// describe asks the runtime for the inputs and outputs. It costs a session of
// its own, made without optimising the graph.
func describe(f file) (inputs, outputs []ort.InputOutputInfo, err error) {
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, nil, err
	}
	defer destroy(options)
	if err := errors.Join(
		options.SetIntraOpNumThreads(intraOpThreads),
		options.SetLogSeverityLevel(ort.LoggingLevelFatal),
		options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll),
	); err != nil {
		return nil, nil, err
	}
	inputs, outputs, err = ort.GetInputOutputInfoWithOptions(f.path, options)
	if err != nil {
		return nil, nil, refused(f, err)
	}
	return inputs, outputs, nil
}

// run calls the runtime once.
func (s *nativeSession) run(ctx context.Context, inputs []tensor.Tensor) (results []tensor.Tensor, err error) {
	// The runtime reads the inputs, and writes float16 outputs, in Go memory.
	var pins runtime.Pinner
	defer pins.Unpin()

	in := make([]ort.Value, 0, len(inputs))
	defer func() { destroyAll(in) }()
	for _, t := range inputs {
		v, err := newValue(t, &pins)
		if err != nil {
			return nil, err
		}
		in = append(in, v)
	}
	out := make([]ort.Value, len(s.outputs))
	defer func() { destroyAll(out) }()
	results = make([]tensor.Tensor, len(s.outputs))
	for i, o := range s.outputs {
		if o.DType != tensor.Float16 {
			continue // the runtime allocates
		}
		shape := append([]int(nil), o.Shape...)
		shape[0] = inputs[0].Rows()
		results[i] = tensor.New(o.DType, shape...)
		if out[i], err = newValue(results[i], &pins); err != nil {
			return nil, err
		}
	}

	options, stop, err := terminateWith(ctx)
	if err != nil {
		return nil, err
	}
	err = s.native.RunWithOptions(in, out, options)
	stop()
	if cause := ctx.Err(); cause != nil {
		return nil, cause
	}
	if err != nil {
		return nil, fmt.Errorf("run of %d rows: %w", inputs[0].Rows(), err)
	}
	for i, o := range s.outputs {
		if o.DType == tensor.Float16 {
			continue // written in place
		}
		if o.maps {
			results[i], err = readMaps(out[i])
		} else {
			results[i], err = readTensor(out[i])
		}
		if err != nil {
			return nil, fmt.Errorf("output %q: %w", o.Name, err)
		}
	}
	return results, nil
}

// terminateWith returns run options whose run ends when ctx does; the caller
// calls stop after the run.
func terminateWith(ctx context.Context) (options *ort.RunOptions, stop func(), err error) {
	if ctx.Done() == nil {
		return nil, func() {}, nil
	}
	options, err = ort.NewRunOptions()
	if err != nil {
		return nil, nil, err
	}
	ended := make(chan struct{})
	cancel := context.AfterFunc(ctx, func() {
		defer close(ended)
		// Failing to set the flag only means that the run takes its time.
		_ = options.Terminate()
	})
	return options, func() {
		if !cancel() {
			<-ended // Terminate must not meet freed options
		}
		destroy(options)
	}, nil
}

func (s *nativeSession) close() error { return s.native.Destroy() }

// destroyer is anything of the binding that holds native memory.
type destroyer interface{ Destroy() error }

// destroy frees native memory. The binding's Destroy fails only on what was
// freed or never made.
func destroy(d destroyer) { _ = d.Destroy() }

func destroyAll(values []ort.Value) {
	for _, v := range values {
		if v != nil {
			destroy(v)
		}
	}
}
