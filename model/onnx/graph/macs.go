package graph

// workOf counts the multiply-adds of a node at the first look.
var workOf = map[string]func(n *Node) int{
	"MatMul":                  func(n *Node) int { return workOfProduct(n, factor{n.in(0), false}) },
	"MatMulInteger":           func(n *Node) int { return workOfProduct(n, factor{n.in(0), false}) },
	"QLinearMatMul":           func(n *Node) int { return workOfProduct(n, factor{n.in(0), false}) },
	microsoft + "FusedMatMul": workOfGemm,
	"Gemm":                    workOfGemm,
	"Einsum":                  workOfEinsum,

	"Conv":          func(n *Node) int { return workOfWindow(n.Out[0], n.in(1)) },
	"ConvInteger":   func(n *Node) int { return workOfWindow(n.Out[0], n.in(1)) },
	"QLinearConv":   func(n *Node) int { return workOfWindow(n.Out[0], n.in(3)) },
	"ConvTranspose": func(n *Node) int { return workOfWindow(n.in(0), n.in(1)) },

	"RNN": workOfRecurrent, "GRU": workOfRecurrent, "LSTM": workOfRecurrent,

	"Attention": workOfAttention,

	onnxML + "LinearClassifier": func(n *Node) int { return workOfVectors(n, "coefficients") },
	onnxML + "LinearRegressor":  func(n *Node) int { return workOfVectors(n, "coefficients") },
	onnxML + "SVMClassifier":    func(n *Node) int { return workOfVectors(n, "support_vectors") },
	onnxML + "SVMRegressor":     func(n *Node) int { return workOfVectors(n, "support_vectors") },
}

// macs returns the multiply-adds of a node for each row of the batch: 0 for what
// moves elements or makes them one by one, and for what holds no rows.
func macs(n *Node) int64 {
	count, ok := workOf[n.Op]
	if !ok {
		return 0
	}
	for _, out := range n.Out {
		if out.isRows() {
			return int64(count(n) / lookRows[0])
		}
	}
	return 0
}

// elements returns the number of elements of v at the first look, 0 if it is
// left out.
func elements(v *Value) int {
	if v == nil {
		return 0
	}
	return product(v.Dims[0])
}

// lengthFromEnd returns the length of the last axis, or one before it; 0 if
// there is none.
func lengthFromEnd(v *Value, before int) int {
	if v == nil || v.rank() <= before {
		return 0
	}
	return v.Dims[0][v.rank()-1-before]
}

// workOfProduct counts, for each element of the product, the length that is
// added up over: the last axis of the left factor.
func workOfProduct(n *Node, left factor) int {
	if left.transposed {
		return elements(n.Out[0]) * lengthFromEnd(left.Value, 1)
	}
	return elements(n.Out[0]) * lengthFromEnd(left.Value, 0)
}

func workOfGemm(n *Node) int {
	return workOfProduct(n, factor{n.in(0), n.intAttribute("transA", 0) != 0})
}

// workOfEinsum counts every combination of the letters once for each product of
// two operands, as if the equation were computed in one loop.
func workOfEinsum(n *Node) int {
	operands, _, err := n.equation()
	if err != nil {
		return 0
	}
	lengths := map[rune]int{}
	for i, letters := range operands {
		for a, r := range letters {
			lengths[r] = max(lengths[r], n.In[i].Dims[0][a])
		}
	}
	total := max(len(operands)-1, 1)
	for _, d := range lengths {
		total *= d
	}
	return total
}

// workOfWindow counts a window of weights, [channels, ...], for each place that
// it is put on.
func workOfWindow(places, weights *Value) int {
	if weights == nil || weights.rank() == 0 {
		return 0
	}
	return elements(places) * product(weights.Dims[0][1:])
}

// workOfRecurrent counts the weights of the input and of the state once a step.
func workOfRecurrent(n *Node) int {
	entries := lengthFromEnd(n.in(0), 0)
	if entries == 0 {
		return 0
	}
	return elements(n.in(0)) / entries * (elements(n.in(1)) + elements(n.in(2)))
}

// workOfAttention counts, for each key, the scores of all queries and the
// weighting of the values. Heads part the entries and add nothing.
func workOfAttention(n *Node) int {
	return lengthFromEnd(n.in(1), 1) * (elements(n.in(0)) + elements(n.Out[0]))
}

// workOfVectors counts a product with each of the vectors of an attribute.
func workOfVectors(n *Node, attribute string) int {
	width, rows := lengthFromEnd(n.in(0), 0), elements(n.in(0))
	if width == 0 {
		return 0
	}
	return rows / width * len(n.attribute(attribute).GetFloats())
}
