package wording

import "strings"

// PatternName names the modalities that samples have: "image+labs", and "none" for none.
func PatternName(present []string) string {
	if len(present) == 0 {
		return "none"
	}
	return strings.Join(present, "+")
}

// Macro says what the macro average is, beside the pooled score of a target.
const Macro = "macro average: the mean over classes, in which each counts once; the pooled score above counts a class by its samples"
