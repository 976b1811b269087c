package graph

import "github.com/intershap/intershap/model/onnx/onnxpb"

func classicalCases() []Case {
	model := func(op string, version int, shapes [][]int, a ...*onnxpb.AttributeProto) Case {
		return Case{Op: onnxML + op, Version: version, Attributes: a, In: []Operand{rows(-1, 3)}, Out: shapes}
	}
	table := out([]int{-1, 3})
	scale := []*onnxpb.AttributeProto{floatsAttr("offset", .1, .2, .3), floatsAttr("scale", 1, 2, 3)}
	vector := model("Scaler", 1, out([]int{-1}), scale...).refuse("want a table")
	vector.In = []Operand{rows(-1)}
	labels := model("LabelEncoder", 2, out([]int{-1, 3}), []*onnxpb.AttributeProto{intsAttr("keys_int64s", 0, 1, 2), floatsAttr("values_floats", 5, 6, 7)}...)
	labels.In = []Operand{below(3, -1, 3)}
	categories := model("OneHotEncoder", 1, out([]int{-1, 3, 3}), intsAttr("cats_int64s", 0, 1, 2))
	categories.In = []Operand{below(3, -1, 3)}
	features := model("FeatureVectorizer", 1, out([]int{-1, 5}), intsAttr("inputdimensions", 3, 2))
	features.In = append(features.In, rows(-1, 2))
	fixed := model("FeatureVectorizer", 1, out([]int{-1, 5}), intsAttr("inputdimensions", 3, 2)).refuse("not a table of the same rows")
	fixed.In = append(fixed.In, weights(5, 2))

	// One tree: feature 0 at most 0.5, else feature 1 at most 0.4.
	tree := []*onnxpb.AttributeProto{
		intsAttr("nodes_treeids", 0, 0, 0, 0, 0), intsAttr("nodes_nodeids", 0, 1, 2, 3, 4),
		intsAttr("nodes_featureids", 0, 0, 1, 0, 0), floatsAttr("nodes_values", .5, 0, .4, 0, 0),
		stringsAttr("nodes_modes", "BRANCH_LEQ", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF"),
		intsAttr("nodes_truenodeids", 1, 0, 3, 0, 0), intsAttr("nodes_falsenodeids", 2, 0, 4, 0, 0),
	}
	regressor := append([]*onnxpb.AttributeProto{intsAttr("target_treeids", 0, 0, 0), intsAttr("target_nodeids", 1, 3, 4),
		intsAttr("target_ids", 0, 0, 0), floatsAttr("target_weights", 1, 2, 3), intAttr("n_targets", 1)}, tree...)
	classifier := append([]*onnxpb.AttributeProto{intsAttr("class_treeids", 0, 0, 0), intsAttr("class_nodeids", 1, 3, 4),
		intsAttr("class_ids", 0, 1, 2), floatsAttr("class_weights", 1, 1, 1), intsAttr("classlabels_int64s", 0, 1, 2)}, tree...)
	forest := []*onnxpb.AttributeProto{
		intAttr("n_targets", 1), intsAttr("tree_roots", 0), intsAttr("nodes_featureids", 0, 1),
		tensorAttr("nodes_splits", constant[float32](.5, .4)), tensorAttr("nodes_modes", constant[uint8](0, 0)),
		intsAttr("nodes_truenodeids", 0, 1), intsAttr("nodes_trueleafs", 1, 1),
		intsAttr("nodes_falsenodeids", 1, 2), intsAttr("nodes_falseleafs", 0, 1),
		intsAttr("leaf_targetids", 0, 0, 0), tensorAttr("leaf_weights", constant[float32](1, 2, 3)),
	}
	mapper := model("CategoryMapper", 1, table, intsAttr("cats_int64s", 0, 1, 2), stringsAttr("cats_strings", "a", "b", "c"))
	mapper.Unrun = "strings are not compared"
	return []Case{
		model("TreeEnsemble", 5, out([]int{-1, 1}), forest...), mapper,
		model("Scaler", 1, table, scale...), vector,
		model("Normalizer", 1, table, stringAttr("norm", "L2")),
		model("Imputer", 1, table, floatsAttr("imputed_value_floats", 1, 2, 3), floatAttr("replaced_value_float", 9)),
		model("Binarizer", 1, table, floatAttr("threshold", .5)),
		labels, categories, features, fixed,
		model("LinearRegressor", 1, out([]int{-1, 1}), floatsAttr("coefficients", 1, 2, 3), intAttr("targets", 1)),
		model("LinearClassifier", 1, out([]int{-1}, []int{-1, 2}), floatsAttr("coefficients", 1, -2, 1, -1, 2, -1), floatsAttr("intercepts", 0, 0),
			intsAttr("classlabels_ints", 0, 1)),
		model("SVMRegressor", 1, out([]int{-1, 1}), floatsAttr("coefficients", 1, -1), floatsAttr("kernel_params", .5, 0, 3),
			stringAttr("kernel_type", "RBF"), intAttr("n_supports", 2), floatsAttr("rho", .1), floatsAttr("support_vectors", .1, .2, .3, .7, .8, .9)),
		model("SVMClassifier", 1, out([]int{-1}, []int{-1, 2}), floatsAttr("coefficients", 1, -1), floatsAttr("kernel_params", .5, 0, 3),
			stringAttr("kernel_type", "RBF"), floatsAttr("rho", .01), intsAttr("vectors_per_class", 1, 1), intsAttr("classlabels_ints", 0, 1),
			floatsAttr("support_vectors", .1, .2, .3, .7, .8, .9)),
		model("TreeEnsembleRegressor", 1, out([]int{-1, 1}), regressor...),
		model("TreeEnsembleClassifier", 1, out([]int{-1}, []int{-1, 3}), classifier...),
		model("ZipMap", 1, out(nil), intsAttr("classlabels_int64s", 0, 1)).refuse("sequences"),
		model("Scaler", 6, table, scale...).refuse("opset 6"),
	}
}
