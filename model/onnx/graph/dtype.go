package graph

import (
	"strings"

	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

// inferTypes sets the element types of a node's outputs. A type that is wrong
// here cannot do harm: the runtime checks every input of every part, and refuses
// to load what does not fit.
func inferTypes(n *Node) {
	for i, out := range n.Out {
		if out != nil && out.DType == 0 {
			out.DType = outputType(n, i)
		}
	}
}

func outputType(n *Node, output int) tensor.DType {
	of := func(i int) tensor.DType {
		if v := n.in(i); v != nil {
			return v.DType
		}
		return 0
	}
	switch n.Op {
	case "If":
		return 0 // that of the branch, once it is known
	case "Shape", "Size", "NonZero", "ArgMax", "ArgMin":
		return tensor.Int64
	case "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf":
		return tensor.Bool
	case "Cast":
		return dtypeOf(onnxpb.TensorProto_DataType(n.intAttribute("to", 0)))
	case "CastLike", "Where":
		return of(1)
	case "OneHot":
		return of(2)
	case "Constant":
		return constantType(n)
	case "ConstantOfShape", "EyeLike":
		if a := n.attribute("value"); a != nil {
			return dtypeOf(onnxpb.TensorProto_DataType(a.GetT().GetDataType()))
		}
		if d := n.intAttribute("dtype", 0); d != 0 {
			return dtypeOf(onnxpb.TensorProto_DataType(d))
		}
		if n.Op == "EyeLike" {
			return of(0)
		}
		return tensor.Float32
	case "TopK", "Dropout", "MaxPool":
		if output > 0 {
			if n.Op == "Dropout" {
				return tensor.Bool
			}
			return tensor.Int64
		}
		return of(0)
	case "QuantizeLinear":
		if v := n.in(2); v != nil {
			return v.DType
		}
		return tensor.Uint8
	case "DequantizeLinear":
		return of(1)
	case "QLinearConv", "QLinearMatMul":
		return of(7)
	case "MatMulInteger", "ConvInteger":
		return tensor.Int32
	}
	if strings.HasPrefix(n.Op, "ai.onnx.ml.") {
		return outputTypeML(n, output)
	}
	return of(0)
}

// outputTypeML returns the type of an output of classical machine learning.
func outputTypeML(n *Node, output int) tensor.DType {
	labels := output == 0 && strings.HasSuffix(n.Op, "Classifier")
	switch {
	case labels && n.attribute("classlabels_strings") != nil:
		return tensor.String
	case labels:
		return tensor.Int64
	case n.Op == "ai.onnx.ml.Binarizer" || n.Op == "ai.onnx.ml.ArrayFeatureExtractor" || n.Op == "ai.onnx.ml.Imputer":
		return n.In[0].DType
	}
	return tensor.Float32
}

func constantType(n *Node) tensor.DType {
	for _, a := range n.Proto.GetAttribute() {
		switch a.GetName() {
		case "value":
			return dtypeOf(onnxpb.TensorProto_DataType(a.GetT().GetDataType()))
		case "sparse_value":
			return dtypeOf(onnxpb.TensorProto_DataType(a.GetSparseTensor().GetValues().GetDataType()))
		case "value_float", "value_floats":
			return tensor.Float32
		case "value_int", "value_ints":
			return tensor.Int64
		case "value_string", "value_strings":
			return tensor.String
		}
	}
	return 0
}
