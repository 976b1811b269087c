package graph

import "fmt"

// classical are the operations of ONNX's domain for classical machine learning.
var classical = map[string]operation{
	onnxML + "Binarizer":      unary("threshold"),
	onnxML + "CategoryMapper": unary("cats_int64s cats_strings default_int64 default_string"),
	onnxML + "LabelEncoder": unary("classes_strings default_float default_int64 default_string default_tensor keys_floats " +
		"keys_int64s keys_strings keys_tensor values_floats values_int64s values_strings values_tensor"),
	onnxML + "OneHotEncoder": unary("cats_int64s cats_strings zeros"),

	onnxML + "Scaler":     table("offset scale"),
	onnxML + "Normalizer": table("norm"),
	onnxML + "Imputer":    table("imputed_value_floats imputed_value_int64s replaced_value_float replaced_value_int64"),
	onnxML + "LinearClassifier": table("classlabels_ints classlabels_strings coefficients intercepts multi_class " +
		"post_transform"),
	onnxML + "LinearRegressor": table("coefficients intercepts post_transform targets"),
	onnxML + "SVMClassifier": table("classlabels_ints classlabels_strings coefficients kernel_params kernel_type " +
		"post_transform prob_a prob_b rho support_vectors vectors_per_class"),
	onnxML + "SVMRegressor": table("coefficients kernel_params kernel_type n_supports one_class post_transform rho " +
		"support_vectors"),
	onnxML + "TreeEnsembleClassifier": table(treeNodes + " class_ids class_nodeids class_treeids class_weights " +
		"class_weights_as_tensor classlabels_int64s classlabels_strings"),
	onnxML + "TreeEnsembleRegressor": table(treeNodes + " aggregate_function n_targets target_ids target_nodeids target_treeids " +
		"target_weights target_weights_as_tensor"),
	onnxML + "TreeEnsemble": table("aggregate_function leaf_targetids leaf_weights membership_values n_targets nodes_falseleafs " +
		"nodes_falsenodeids nodes_featureids nodes_hitrates nodes_missing_value_tracks_true nodes_modes nodes_splits " +
		"nodes_trueleafs nodes_truenodeids post_transform tree_roots"),

	onnxML + "FeatureVectorizer": {place: layFeatures, rows: everyInput, attributes: "inputdimensions"},
}

// treeNodes are the attributes that tree ensembles have in common.
const treeNodes = "base_values base_values_as_tensor nodes_falsenodeids nodes_featureids nodes_hitrates " +
	"nodes_hitrates_as_tensor nodes_missing_value_tracks_true nodes_modes nodes_nodeids nodes_treeids " +
	"nodes_truenodeids nodes_values nodes_values_as_tensor post_transform"

func table(attributes string) operation {
	return operation{place: layTable, rows: at(0), attributes: attributes}
}

// layTable is the rule of models of a table, [rows, features]. A tensor of one
// axis would be taken for a single row.
func layTable(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	if x.rank() != 2 || x.Layout.Axis != 0 {
		return Layout{}, fmt.Errorf("takes the shape %v with rows along axis %d, want a table of rows", x.Dims[0], x.Layout.Axis)
	}
	return x.Layout, nil
}

// layFeatures puts tables side by side.
func layFeatures(n *Node, out int) (Layout, error) {
	for i, v := range n.In {
		if !v.isRows() || v.rank() != 2 || v.Layout.Axis != 0 || v.Layout.Group != n.In[0].Layout.Group {
			return Layout{}, fmt.Errorf("takes input %d that is not a table of the same rows as the first", i)
		}
	}
	return layTable(n, out)
}
