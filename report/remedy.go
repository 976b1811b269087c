package report

// remedies say what to do about a warning, by its ID. A test of the command line
// holds the list against `intershap help warnings`.
var remedies = map[string]string{
	"absent-differs":             "Write into the data the same values for every sample that lacks the modality.",
	"background-error-unknown":   "Read the intervals as those of the samples alone; another --seed, or --mask marginal, shows what the background adds.",
	"background-from-data":       "Give rows that look like the data, such as the training data, with --background.",
	"background-too-small":       "Run again with a larger --background-size.",
	"budget-too-small":           "Run again with a larger --budget, or read the lower bound of the score.",
	"by-class-omitted":           "Ask for one --target to have its classes broken down.",
	"denominator-near-zero":      "Run again with more samples or a larger --background-size, or read the mean absolute score.",
	"few-in-group":               "Take larger groups, or read their intervals as a hint.",
	"few-samples":                "Explain more samples; labels are not needed.",
	"flag-is-a-player":           "Put the flag and its modality together: --modality NAME=INPUTS,FLAG.",
	"groups-not-one-player":      "Nothing, if groups are what is asked about; without --group each modality is one player.",
	"higher-order":               "Run again with --order 3, or higher, to see which modalities it is.",
	"ignored-column":             "Name the columns as the model's inputs are named, or leave them out.",
	"ignored-label":              "Give classes in the column label, or leave it out: only --target label needs it.",
	"lengths-differ":             "Look at the row that is named; nothing, if the lists do not lie side by side.",
	"mean-degenerate":            "Read the mean absolute score; to follow the sample use --target predicted or label.",
	"mean-hides-interaction":     "Read the mean absolute score beside the global one, and look at single samples.",
	"never-present":              "Give samples that have the modality, or leave it out.",
	"not-staged":                 "Nothing is wrong with the numbers. Where time matters, change the node that is named, or export the encoders apart.",
	"nothing-missing":            "Nothing, or leave --missing out.",
	"nothing-padded":             "Nothing, or leave --pad out.",
	"outputs-not-probabilities":  "Choose another --output, or --transform softmax or sigmoid.",
	"repeated-ids":               "Nothing, if rows of one id belong together, as visits of a patient do; otherwise give each row an id of its own.",
	"residual":                   "Look for a part of the model whose answer to a row depends on other rows or on chance, and export the model for inference.",
	"rows-not-independent":       "Export the model for inference: dropout and batch statistics off.",
	"spectrum-omitted":           "Ask for one --target, or raise --memory.",
	"transform-of-probabilities": "Use --transform identity or logit: the output holds probabilities already.",
	"until-not-reached":          "Allow more with --background-size or --budget, or explain more samples, as the warning says.",
	"undefined-samples":          "Nothing, if the model answers these samples with a constant; otherwise look at them one by one.",
}

// Remedy returns what to do about warnings with an ID, empty for an ID that is not
// known.
func Remedy(id string) string { return remedies[id] }

// RemedyIDs returns the IDs that [Remedy] knows, in no order.
func RemedyIDs() []string {
	var out []string
	for id := range remedies {
		out = append(out, id)
	}
	return out
}
