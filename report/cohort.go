package report

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

// cohortFacts says what the samples of a run are: which depend on each other, what each
// counts for, what they may lack.
func cohortFacts(ex *result.Explanation, add func(term, text string)) {
	from, t := &ex.Provenance, &ex.Targets[0]
	samples, counts := wording.Count(int64(t.Samples), "sample"), ""
	if n := independent(&t.Breakdown); n != "" {
		counts = fmt.Sprintf("; with %s they count as about %s independent ones", sources(from), n)
	}
	if from.Cluster != "" {
		text := "samples with the same " + from.Cluster + " depend on each other"
		if from.Weight == "" {
			text += strings.Replace(counts, "they count", samples+" count", 1)
		}
		add("clusters", text)
	}
	if from.Weight != "" {
		text := "samples count by " + from.Weight
		if t.Weight != nil {
			text += fmt.Sprintf(": %s, weights sum to %s", samples, wording.Digits(*t.Weight, 4))
		}
		add("weights", text+counts)
	}
	if len(from.Missing) > 0 {
		add("missing", missingText(ex))
	}
	if len(from.Pad) > 0 {
		add("padding", strings.Join(from.Pad, ", ")+" fill lists behind their end")
	}
}

// sources names what makes samples count as fewer.
func sources(from *result.Provenance) string {
	if from.Cluster != "" && from.Weight != "" {
		return "clusters and weights"
	}
	if from.Cluster != "" {
		return "clusters"
	}
	return "these weights"
}

// missingText says which modalities samples may lack, and how many have all.
func missingText(ex *result.Explanation) string {
	var specs []string
	for _, spec := range ex.Provenance.Missing {
		if name, column, found := strings.Cut(spec, "="); found {
			spec = name + " (column " + column + ")"
		}
		specs = append(specs, spec)
	}
	t := &ex.Targets[0]
	all := 0
	for i := range t.Patterns {
		if len(t.Patterns[i].Present) == len(ex.Modalities) {
			all = t.Patterns[i].Samples
		}
	}
	return fmt.Sprintf("samples may lack %s; %s of %s have all modalities", strings.Join(specs, ", "), wording.Grouped(int64(all)), wording.Count(int64(t.Samples), "sample"))
}
