package dataset

import (
	"fmt"
	"slices"
	"strings"
)

// noProposal says in general what proposals say in particular.
const noProposal = "put inputs together with --modality NAME=item,item, or leave some out of the game with --fixed"

// maxNames is how many names without a common beginning a proposal spells out
// when patterns could stand for them; of names with one it is maxListed.
const maxNames = 2 * maxListed

// accepts reports whether specs make modalities of the inputs, beside what is
// fixed already. Nothing is proposed that would be refused in its turn.
func (p *modalityParser) accepts(specs []string) bool {
	trial, err := newModalityParser(p.inputs, p.features)
	if err != nil {
		return false
	}
	trial.onTrial, trial.maxUnnamed = true, p.maxUnnamed
	return trial.run(specs, p.fixed) == nil
}

// proposeGroups shows how inputs that no spec names become few modalities.
func (p *modalityParser) proposeGroups(names []string) string {
	for _, specs := range groupings(names) {
		if p.accepts(slices.Concat(p.specs, specs)) {
			return "put inputs together, for example " + asFlags(specs)
		}
	}
	return noProposal
}

// proposeTwo shows how the one modality that there is becomes two: of inputs,
// else of the columns or the axis 1 of the one input.
func (p *modalityParser) proposeTwo() string {
	var players []int
	var names []string
	for i, in := range p.inputs {
		if !p.isFixed[i] {
			players = append(players, i)
			names = append(names, in.Name)
		}
	}
	if len(players) > 1 {
		for _, specs := range groupings(names) {
			if p.accepts(specs) {
				return "split it, for example " + asFlags(specs)
			}
		}
		return "name the inputs of two modalities: --modality NAME=item,item"
	}
	only := players[0]
	in := p.inputs[only]
	switch {
	case len(p.owners[only]) < minModalities:
	case p.features[only] != nil:
		for _, specs := range groupings(p.features[only]) {
			if p.accepts(specs) {
				return "split an input by its columns, for example " + asFlags(specs)
			}
		}
		return fmt.Sprintf("split an input by its columns: --modality NAME=%s,... for each of two modalities", p.features[only][0])
	case in.Shape[1] >= minModalities:
		half := in.Shape[1] / 2
		return "split an input on its axis 1: " + asFlags([]string{
			fmt.Sprintf("a=%s[:%d]", in.Name, half), fmt.Sprintf("b=%s[%d:]", in.Name, half),
		})
	}
	if slices.Contains(p.isFixed, true) {
		return "unfix an input, or choose a model with more of them"
	}
	return "choose a model with more inputs"
}

// groupings returns ways to put names into few groups, the most telling first.
// Patterns may take more than they should: the caller tries them.
func groupings(names []string) [][]string {
	ways := [][]string{groupWords(names), groupLetters(names), groupHalves(names)}
	if len(names) <= maxListed || commonPrefix(names) == "" && len(names) <= maxNames {
		ways[1], ways[2] = ways[2], ways[1]
	}
	return slices.DeleteFunc(ways, func(specs []string) bool { return len(specs) == 0 })
}

// groupWords puts names with the same first word together: "lab_1" and "lab_2",
// but not "lab_1" alone.
func groupWords(names []string) []string {
	var words []string
	size := map[string]int{}
	for _, name := range names {
		at := strings.IndexAny(name, "_.-/:0123456789")
		if at <= 0 {
			continue
		}
		if size[name[:at]] == 0 {
			words = append(words, name[:at])
		}
		size[name[:at]]++
	}
	var specs []string
	for _, word := range words {
		if size[word] > 1 {
			specs = append(specs, word+"="+beginning(word))
		}
	}
	return specs
}

// groupLetters splits names by the first letter in which they differ, the
// letters in order of appearance.
func groupLetters(names []string) []string {
	prefix := commonPrefix(names)
	var items []string
	for _, name := range names {
		item := literal(name)
		if rest := []rune(name[len(prefix):]); len(rest) > 0 {
			item = beginning(prefix + string(rest[0]))
		}
		if !slices.Contains(items, item) {
			items = append(items, item)
		}
	}
	return twoOf(items)
}

// groupHalves names every item of two halves.
func groupHalves(names []string) []string {
	var items []string
	for _, name := range names {
		items = append(items, literal(name))
	}
	return twoOf(items)
}

// twoOf makes two modalities of items; nil of fewer than two.
func twoOf(items []string) []string {
	half := (len(items) + 1) / 2
	if half == len(items) {
		return nil
	}
	return []string{"first=" + strings.Join(items[:half], ","), "rest=" + strings.Join(items[half:], ",")}
}

// escape writes a name inside a pattern. A comma would end the item.
var escape = strings.NewReplacer(",", "?", "*", `\*`, "?", `\?`, "[", `\[`, `\`, `\\`)

// literal writes a name as an item.
func literal(name string) string {
	if strings.Contains(name, ",") {
		return escape.Replace(name)
	}
	return name
}

// beginning writes a pattern of the names that begin with prefix.
func beginning(prefix string) string { return escape.Replace(prefix) + "*" }

// commonPrefix returns what all names begin with, in whole letters.
func commonPrefix(names []string) string {
	prefix := []rune(names[0])
	for _, name := range names[1:] {
		n := 0
		for _, r := range name {
			if n == len(prefix) || prefix[n] != r {
				break
			}
			n++
		}
		prefix = prefix[:n]
	}
	return string(prefix)
}

// asFlags writes specs for a shell, quoted where it would read more than text.
func asFlags(specs []string) string {
	var flags []string
	for _, spec := range specs {
		flags = append(flags, "--modality "+shellWord(spec))
	}
	return strings.Join(flags, " ")
}
