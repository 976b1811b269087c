package wording

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/result"
)

// A SampleGroup is a group of samples by its name, which is safe to print: those with one
// predicted class, with the same values in some columns, or with the same modalities.
type SampleGroup struct {
	Name string
	*result.Breakdown
}

// Classes are the groups of a target by predicted class.
func Classes(t *result.Target) []SampleGroup {
	var out []SampleGroup
	for i := range t.ByClass {
		out = append(out, SampleGroup{Escape(t.ByClass[i].Class), &t.ByClass[i].Breakdown})
	}
	return out
}

// Groups are those of a partition, and PartitionName is what it is by: "sex, site".
func Groups(p *result.Partition) []SampleGroup {
	var out []SampleGroup
	for i := range p.Groups {
		out = append(out, SampleGroup{GroupName(p.Groups[i].Values), &p.Groups[i].Breakdown})
	}
	return out
}

// PartitionName joins the columns of a partition, escaped.
func PartitionName(p *result.Partition) string {
	var columns []string
	for _, c := range p.Columns {
		columns = append(columns, Escape(c))
	}
	return strings.Join(columns, ", ")
}

// Patterns are the groups of a target by the modalities that samples have.
func Patterns(t *result.Target) []SampleGroup {
	var out []SampleGroup
	for i := range t.Patterns {
		out = append(out, SampleGroup{Escape(PatternName(t.Patterns[i].Present)), &t.Patterns[i].Breakdown})
	}
	return out
}

// PatternsBy is by what patterns tell samples apart.
const PatternsBy = "modalities present"

// PatternName names the modalities that samples have: "image+labs", and "none" for none.
func PatternName(present []string) string {
	if len(present) == 0 {
		return "none"
	}
	return result.PatternText(present)
}

// Macro says what the macro average is, beside the pooled score of a target.
func Macro(t *result.Target) string {
	return "macro average: the mean over classes, in which each counts once; the pooled score above counts a class by " + countsBy(t)
}

// countsBy says by what a class counts in the score of all samples.
func countsBy(t *result.Target) string {
	if t.Weight != nil {
		return "the weight of its samples"
	}
	return "its samples"
}

// MacroOnPage is Macro where there is room for more.
func MacroOnPage(t *result.Target) string {
	return "The macro average is the mean of the classes\u2019 scores, in which each class counts once, however many samples it has; classes without behaviour are left out. In the score of all samples a class counts by " + countsBy(t) + ", and effects of opposite sign in different classes can cancel."
}

// Unweighted says of numbers over a samples file, which has no weights, that they are not
// those of a run with weights; "" where there are none.
func Unweighted(ex *result.Explanation) string {
	if ex.Provenance.Weight == "" {
		return ""
	}
	return fmt.Sprintf("Samples count once each here, not by %s.", Escape(ex.Provenance.Weight))
}
