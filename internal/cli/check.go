package cli

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/background"
)

// What is wrong with the command line alone is refused here, before any file is
// opened; what depends on the model and the data is left to the plan.

// The targets that are words, and how those that name a class begin.
const (
	targetPredicted = "predicted"
	targetLabel     = "label"
	targetAll       = "all"
	targetOutput    = "output" // of a model with one column
	targetClass     = "class:"
	targetHorizon   = "horizon:"
)

// readTarget reads a target; whether there is such a class is left to the plan.
func readTarget(text string) (string, error) {
	words := []string{targetPredicted, targetLabel, targetAll, targetOutput}
	if text == "" || slices.Contains(words, text) {
		return text, nil
	}
	for _, named := range []string{targetClass, targetHorizon} {
		if name, found := strings.CutPrefix(text, named); found && name != "" {
			return text, nil
		}
	}
	return "", &wordError{got: text, valid: append(words, targetClass+"NAME", targetHorizon+"K")}
}

// readClasses reads the names of classes. "" is none.
func readClasses(text string) ([]string, error) {
	if text == "" {
		return nil, nil
	}
	var names []string
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		switch {
		case name == "":
			return nil, errors.New("want a name for every class, got " + strconv.Quote(text))
		case slices.Contains(names, name):
			return nil, errors.New("want every name once, got " + strconv.Quote(name) + " twice")
		}
		names = append(names, name)
	}
	return names, nil
}

// checkModalities refuses what names no modality, and slices without numbers.
// Whether there are such inputs depends on the model.
func checkModalities(specs []string) error {
	for _, spec := range specs {
		name, items, found := strings.Cut(spec, "=")
		if !found || strings.TrimSpace(name) == "" {
			fault := usagef("--modality: want NAME=SPEC, got %q", spec)
			fault.hint = "for example --modality text=input_ids,attention_mask"
			return fault
		}
		for item := range strings.SplitSeq(items, ",") {
			if item = strings.TrimSpace(item); !isSlice(item) {
				fault := usagef("--modality %s: want whole numbers in the slice %s", spec, item)
				fault.hint = "a slice is input[a:b], such as rna=x[0:200]; a or b may be left out"
				return fault
			}
		}
	}
	return nil
}

// isSlice reports whether an item that ends like a slice, in [a:b], has numbers
// for a and b, where they are given; other items pass.
func isSlice(item string) bool {
	inside, closed := strings.CutSuffix(item, "]")
	open := strings.LastIndexByte(inside, '[')
	if !closed || open < 0 {
		return true
	}
	from, to, found := strings.Cut(inside[open+1:], ":")
	if !found { // a pattern
		return true
	}
	for _, bound := range []string{from, to} {
		if bound = strings.TrimSpace(bound); bound == "" {
			continue
		}
		if _, err := strconv.Atoi(bound); err != nil {
			return false
		}
	}
	return true
}

// checkMasks refuses rules that are none, and two rules for one place. Whether
// there is such a place depends on the model.
func checkMasks(specs []string) error {
	said := map[string]string{} // the spec of each place, "" for all
	for _, spec := range specs {
		place, rule := splitMask(spec)
		if _, err := background.ParseRule(rule); err != nil {
			fault := usagef("--mask: %w", err)
			fault.hint = didYouMean(nearest(rule, plainRules))
			return fault
		}
		if other, again := said[place]; again {
			what := "everything"
			if place != "" {
				what = place
			}
			fault := usagef("--mask %s and --mask %s are both for %s", other, spec, what)
			fault.hint = "leave one of the two out; one for a part is MODALITY=RULE or MODALITY.INPUT=RULE"
			return fault
		}
		said[place] = spec
	}
	return nil
}

// splitMask separates a place from its rule. A value may hold "=", so that a
// whole that is a rule has no place.
func splitMask(spec string) (place, rule string) {
	if _, err := background.ParseRule(spec); err == nil {
		return "", spec
	}
	if place, rule, found := strings.Cut(spec, "="); found {
		return place, rule
	}
	return "", spec
}

var (
	// plainRules are the rules that are one word.
	plainRules = names(background.Rule{Kind: background.Marginal}, background.Rule{Kind: background.Mean}, background.Rule{Kind: background.Zero}, background.Rule{Kind: background.Absent})
	// absentRule is that for samples that lack modalities.
	absentRule = (background.Rule{Kind: background.Absent}).String()
	// maskRules are all rules, up to where a value or a number is typed.
	maskRules = append(slices.Clone(plainRules), "value:", "nearest:")
)
