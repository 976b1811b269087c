package graph

// refuseSequences finds operations on sequences and maps, which a look does not
// get past: they have no shape.
func (g *Graph) refuseSequences() error {
	for _, n := range g.nodes {
		if refused[n.Op] == becauseSequence {
			return uncutAt(n, "%s", becauseSequence)
		}
	}
	return nil
}

// refused are operations of which it is known why they don't keep rows apart.
var refused = map[string]string{
	"If":   becauseFlow,
	"Loop": becauseFlow,
	"Scan": becauseFlow,

	"RandomNormal":      becauseRandom,
	"RandomNormalLike":  becauseRandom,
	"RandomUniform":     becauseRandom,
	"RandomUniformLike": becauseRandom,
	"Bernoulli":         becauseRandom,
	"Multinomial":       becauseRandom,

	"SequenceAt":              becauseSequence,
	"SequenceConstruct":       becauseSequence,
	"SequenceEmpty":           becauseSequence,
	"SequenceErase":           becauseSequence,
	"SequenceInsert":          becauseSequence,
	"SequenceLength":          becauseSequence,
	"SequenceMap":             becauseSequence,
	"SplitToSequence":         becauseSequence,
	"ConcatFromSequence":      becauseSequence,
	"Optional":                becauseSequence,
	"OptionalGetElement":      becauseSequence,
	"OptionalHasElement":      becauseSequence,
	onnxML + "ZipMap":         becauseSequence,
	onnxML + "CastMap":        becauseSequence,
	onnxML + "DictVectorizer": becauseSequence,

	"NonZero":  "has as many results as the data say, so that rows move",
	"Compress": "has as many results as the data say, so that rows move",
	"Unique":   "mixes rows: it compares them with one another",

	"DynamicQuantizeLinear":     "mixes rows: its scale is that of the whole batch",
	"NonMaxSuppression":         "has as many results as the data say, so that rows move",
	"RoiAlign":                  "mixes rows: its regions name the rows that they are cut from",
	"MaxRoiPool":                "mixes rows: its regions name the rows that they are cut from",
	"MaxUnpool":                 "mixes rows: its indices count through the whole batch",
	"EyeLike":                   "depends on the place of a row in the batch",
	"Range":                     "uses rows as a number",
	"ScatterND":                 "mixes rows: its indices name the rows that they change",
	"Scatter":                   "is deprecated, and not known to keep rows apart",
	"NegativeLogLikelihoodLoss": becauseLoss,
	"SoftmaxCrossEntropyLoss":   becauseLoss,
}

const (
	becauseFlow     = "is control flow, which is not looked into"
	becauseRandom   = "draws random numbers"
	becauseSequence = "makes or takes sequences, which are not looked into"
	becauseLoss     = "mixes rows: it is a loss of the whole batch"
)
