//go:build cgo

package onnx

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"

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
func openSession(f file, d device, wanted func([]tensor.Spec) []string) (opened, error) {
	inputs, outputs, err := describe(f)
	if err != nil {
		return opened{}, err
	}
	var o opened
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
	native, place, err := onDevice(d, func(options *ort.SessionOptions) (*ort.DynamicAdvancedSession, error) {
		native, err := ort.NewDynamicAdvancedSession(f.path, in, out, options)
		if err != nil {
			return nil, refused(f, err)
		}
		return native, nil
	})
	if err != nil {
		return opened{}, err
	}
	o.runtime = runtimeName() + place
	o.session = &nativeSession{native: native, outputs: chosen}
	return o, nil
}

// openBytes opens a model that is not a file of its own, such as a part that
// was cut from m, on the device of m. External data lies beside the file of m,
// as it does for m itself. The runtime allocates the outputs, whose types it
// tells; a float16 output is an error of every run, see [outputSpecs].
//
// The names of inputs and outputs are not checked here: it would cost a second
// session, and the first run fails on a wrong one.
//
// A run computes every node of the model and gives every output that is named
// here: the runtime does not skip what no output needs, and the binding has no
// way to leave an output in the runtime's memory. Who wants other outputs at
// other times opens a model for each, with the nodes that it needs alone.
func (m *Model) openBytes(data []byte, inputs, outputs []string) (session, error) {
	if len(inputs) == 0 || len(outputs) == 0 {
		return nil, errors.New("a session needs an input and an output")
	}
	native, _, err := onDevice(m.device, func(options *ort.SessionOptions) (*ort.DynamicAdvancedSession, error) {
		if len(m.file.external) > 0 {
			if err := options.AddSessionConfigEntry(externalFolder, filepath.Dir(m.file.path)); err != nil {
				return nil, err
			}
		}
		return ort.NewDynamicAdvancedSessionWithONNXData(data, inputs, outputs, options)
	})
	if err != nil {
		return nil, err
	}
	s := &nativeSession{native: native}
	for _, name := range outputs {
		s.outputs = append(s.outputs, output{Spec: tensor.Spec{Name: name}})
	}
	return s, nil
}

// externalFolder tells the runtime where the external data of a model without
// a path lies.
const externalFolder = "session.model_external_initializers_file_folder_path"

// describe asks the runtime for the inputs and outputs. It costs a session of
// its own, made without optimising the graph.
func describe(f file) (inputs, outputs []ort.InputOutputInfo, err error) {
	options, err := newOptions()
	if err != nil {
		return nil, nil, err
	}
	defer destroy(options)
	if err := options.SetGraphOptimizationLevel(ort.GraphOptimizationLevelDisableAll); err != nil {
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
		if i := slices.IndexFunc(out, untaken); i >= 0 {
			err = fmt.Errorf("output %q: %w", s.outputs[i].Name, err)
		}
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
		if v != nil && !untaken(v) {
			destroy(v)
		}
	}
}

// untaken reports whether v is an output that the binding could not take over,
// such as one without axes: it leaves a nil pointer of the output's type.
func untaken(v ort.Value) bool { return v != nil && reflect.ValueOf(v).IsNil() }
