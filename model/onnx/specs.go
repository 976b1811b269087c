//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/intershap/intershap/tensor"
)

// elementTypes has the runtime's name of each element type.
var elementTypes = map[tensor.DType]ort.TensorElementDataType{
	tensor.Float16: ort.TensorElementDataTypeFloat16,
	tensor.Float32: ort.TensorElementDataTypeFloat,
	tensor.Float64: ort.TensorElementDataTypeDouble,
	tensor.Int8:    ort.TensorElementDataTypeInt8,
	tensor.Int16:   ort.TensorElementDataTypeInt16,
	tensor.Int32:   ort.TensorElementDataTypeInt32,
	tensor.Int64:   ort.TensorElementDataTypeInt64,
	tensor.Uint8:   ort.TensorElementDataTypeUint8,
	tensor.Uint16:  ort.TensorElementDataTypeUint16,
	tensor.Uint32:  ort.TensorElementDataTypeUint32,
	tensor.Uint64:  ort.TensorElementDataTypeUint64,
	tensor.Bool:    ort.TensorElementDataTypeBool,
	tensor.String:  ort.TensorElementDataTypeString,
}

// dtypeOf returns our name of an element type, if there is one.
func dtypeOf(e ort.TensorElementDataType) (tensor.DType, bool) {
	for d, native := range elementTypes {
		if native == e {
			return d, true
		}
	}
	return 0, false
}

// plain shortens the runtime's name of a type: "bfloat16", "sequence".
func plain(name string) string {
	for _, prefix := range []string{"ONNX_TENSOR_ELEMENT_DATA_TYPE_", "ONNX_TYPE_"} {
		name = strings.TrimPrefix(name, prefix)
	}
	return strings.ToLower(name)
}

// An output is one that the session can compute.
type output struct {
	tensor.Spec
	// maps is set where the runtime gives one map per row (a ZipMap).
	maps bool
}

// inputSpecs translates the runtime's inputs.
func inputSpecs(infos []ort.InputOutputInfo, c content) ([]tensor.Spec, error) {
	if len(infos) == 0 {
		return nil, errors.New("the model has no inputs")
	}
	specs := make([]tensor.Spec, len(infos))
	for i, info := range infos {
		if info.OrtValueType != ort.ONNXTypeTensor {
			return nil, fmt.Errorf("input %q is a %s; want a tensor", info.Name, plain(info.OrtValueType.String()))
		}
		d, known := dtypeOf(info.DataType)
		if !known {
			return nil, fmt.Errorf("input %q has element type %s, which no data file holds; put a Cast in front of it", info.Name, plain(info.DataType.String()))
		}
		if len(info.Dimensions) == 0 && slices.Contains(c.shapeless, info.Name) {
			return nil, fmt.Errorf("input %q has no shape in the file, so that its rows cannot be told; export it with one, such as [batch, 3] with a free axis 0", info.Name)
		}
		specs[i] = spec(info, d)
	}
	return specs, nil
}

// outputSpecs translates the runtime's outputs and lists those that cannot be
// read, with reasons.
func outputSpecs(infos []ort.InputOutputInfo, c content) (supported []output, unsupported []string) {
	for _, info := range infos {
		reason := ""
		switch {
		case info.OrtValueType == ort.ONNXTypeSequence && c.scoreMaps[info.Name]:
			classes := -1
			if labels := c.zipMaps[info.Name]; len(labels) > 0 {
				classes = len(labels)
			}
			supported = append(supported, output{
				Spec: tensor.Spec{Name: info.Name, DType: tensor.Float32, Shape: []int{-1, classes}}, maps: true})
			continue
		case info.OrtValueType != ort.ONNXTypeTensor:
			reason = "a " + plain(info.OrtValueType.String())
		case len(info.Dimensions) == 0 && slices.Contains(c.shapeless, info.Name):
			reason = "of unknown shape; export it with one, such as [batch, 3] with a free axis 0"
		case len(info.Dimensions) == 0:
			reason = "a scalar, which has no row axis"
		default:
			d, known := dtypeOf(info.DataType)
			s := spec(info, d)
			switch {
			case !known:
				reason = "element type " + plain(info.DataType.String())
			case d == tensor.Float16 && s.RowLen() < 0:
				// The binding sizes what the runtime allocates by one byte for
				// each element of a type that Go lacks, so we must allocate.
				reason = "float16 of unknown width " + tensor.FormatShape(s.Shape) + "; put a Cast to float32 behind it"
			default:
				supported = append(supported, output{Spec: s})
				continue
			}
		}
		unsupported = append(unsupported, info.Name+": "+reason)
	}
	return supported, unsupported
}

func spec(info ort.InputOutputInfo, d tensor.DType) tensor.Spec {
	s := tensor.Spec{Name: info.Name, DType: d, Shape: make([]int, len(info.Dimensions))}
	for i, n := range info.Dimensions {
		s.Shape[i] = max(int(n), -1)
	}
	return s
}

// choose returns the outputs that wanted names, in that order, or all that are
// supported.
func choose(supported []output, unsupported []string, wanted func([]tensor.Spec) []string) ([]output, error) {
	known, specs := make([]string, len(supported)), make([]tensor.Spec, len(supported))
	for i, out := range supported {
		known[i], specs[i] = out.Name, out.Spec
	}
	if len(supported) == 0 {
		return nil, fmt.Errorf("no output can be read as a tensor (%s)", strings.Join(unsupported, "; "))
	}
	var names []string
	if wanted != nil {
		names = wanted(specs)
	}
	if len(names) == 0 {
		return supported, nil
	}
	var chosen []output
	for i, name := range names {
		if slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("output %q is asked for twice", name)
		}
		at := slices.Index(known, name)
		if at < 0 {
			for _, u := range unsupported {
				if strings.HasPrefix(u, name+": ") {
					return nil, fmt.Errorf("output %s; supported outputs: %s", u, strings.Join(known, ", "))
				}
			}
			return nil, fmt.Errorf("no output %q; outputs: %s", name, strings.Join(known, ", "))
		}
		chosen = append(chosen, supported[at])
	}
	return chosen, nil
}
