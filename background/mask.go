package background

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// A Kind is the way in which a rule replaces what is absent.
type Kind uint8

const (
	// Marginal takes the values of a background row.
	Marginal Kind = iota + 1
	// Mean takes the mean over the background rows, element by element.
	Mean
	// Zero takes zeros.
	Zero
	// Value takes one given value for every element.
	Value
	// Nearest takes the values of the background rows nearest to the sample.
	Nearest
	// Absent takes what the data have where a sample lacks the modality: NaN, the
	// value of a flag, whatever the model was trained to see there.
	Absent
)

// A Rule replaces an absent part of a sample.
type Rule struct {
	Kind Kind
	// Text is the value of a Value rule, as it was given.
	Text string
	// K is the number of rows of a Nearest rule.
	K int
}

// ParseRule reads "marginal", "mean", "zero", "value:V", "nearest:K" or "absent".
func ParseRule(text string) (Rule, error) {
	name, argument, hasArgument := strings.Cut(text, ":")
	switch {
	case name == "value" && hasArgument:
		return Rule{Kind: Value, Text: argument}, nil
	case name == "nearest" && hasArgument:
		k, err := strconv.Atoi(argument)
		if err != nil || k < 1 {
			return Rule{}, fmt.Errorf("background: mask %q: want a number of rows, such as nearest:50", text)
		}
		return Rule{Kind: Nearest, K: k}, nil
	case text == "marginal":
		return Rule{Kind: Marginal}, nil
	case text == "mean":
		return Rule{Kind: Mean}, nil
	case text == "zero":
		return Rule{Kind: Zero}, nil
	case text == "absent":
		return Rule{Kind: Absent}, nil
	}
	return Rule{}, fmt.Errorf("background: unknown mask %q (want marginal, mean, zero, value:V, nearest:K or absent)", text)
}

// String returns the text that ParseRule reads.
func (r Rule) String() string {
	switch r.Kind {
	case Marginal:
		return "marginal"
	case Mean:
		return "mean"
	case Zero:
		return "zero"
	case Value:
		return "value:" + r.Text
	case Nearest:
		return fmt.Sprintf("nearest:%d", r.K)
	case Absent:
		return "absent"
	}
	return fmt.Sprintf("Kind(%d)", uint8(r.Kind))
}

// A Mask holds the rule of every part of every modality.
type Mask struct {
	// rules[i][p] belongs to part p of modality i.
	rules [][]Rule
	text  string
}

// String returns the mask as it was given, "marginal" by default.
func (m Mask) String() string { return m.text }

// ParseMask reads masks of the forms RULE, for all, MODALITY=RULE and
// MODALITY.INPUT=RULE; the narrower form wins over the wider. A rule of a modality
// is one of its groups, over which that of a group wins.
func ParseMask(specs []string, modalities []dataset.Modality, inputs []tensor.Spec) (Mask, error) {
	m := Mask{text: "marginal"}
	if len(specs) > 0 {
		m.text = strings.Join(specs, " ")
	}
	width := make([][]int, len(modalities)) // how narrow the rule at hand is
	for i, modality := range modalities {
		m.rules = append(m.rules, make([]Rule, len(modality.Parts)))
		width[i] = make([]int, len(modality.Parts))
		for p := range modality.Parts {
			m.rules[i][p] = Rule{Kind: Marginal}
		}
	}
	for _, spec := range specs {
		place, text := splitSpec(spec, modalities)
		rule, err := ParseRule(text)
		if err != nil {
			return Mask{}, err
		}
		found := false
		for i, modality := range modalities {
			for p, part := range modality.Parts {
				narrow, ok := matches(place, modality, inputs[part.Input].Name)
				if !ok {
					continue
				}
				found = true
				if narrow >= width[i][p] {
					m.rules[i][p], width[i][p] = rule, narrow
				}
			}
		}
		if !found {
			return Mask{}, fmt.Errorf("background: mask %q: no modality %q (have %s)", spec, place, names(modalities))
		}
	}
	return m, m.validate(modalities, inputs)
}

// splitSpec separates the place from the rule. A value may hold "=", so that
// only text before the first "=" can be a place, and a spec that starts with a
// rule has none.
func splitSpec(spec string, modalities []dataset.Modality) (place, rule string) {
	if _, err := ParseRule(spec); err == nil {
		named := false
		for _, m := range modalities {
			named = named || strings.HasPrefix(spec, m.Name+"=") || m.Of != "" && strings.HasPrefix(spec, m.Of+"=")
		}
		if !named {
			return "", spec
		}
	}
	place, rule, found := strings.Cut(spec, "=")
	if !found {
		return "", spec
	}
	return place, rule
}

// matches reports whether a place covers an input of a modality, and how
// narrowly. A group has the places of its modality too, and narrower ones.
func matches(place string, modality dataset.Modality, input string) (narrow int, ok bool) {
	switch place {
	case "":
		return 0, true
	case modality.Name + "." + input:
		return 4, true
	case modality.Name:
		return 3, true
	}
	if of := modality.Of; of != "" {
		switch place {
		case of + "." + input:
			return 2, true
		case of:
			return 1, true
		}
	}
	return 0, false
}

func names(modalities []dataset.Modality) string {
	var all []string
	for _, m := range modalities {
		all = append(all, m.Name)
	}
	return strings.Join(all, ", ")
}

// validate refuses rules that an input's type or another rule rules out.
func (m Mask) validate(modalities []dataset.Modality, inputs []tensor.Spec) error {
	k := 0
	marginal := false
	for i, modality := range modalities {
		for p, part := range modality.Parts {
			rule, in := m.rules[i][p], inputs[part.Input]
			switch {
			case rule.Kind == Mean && !in.DType.IsFloat():
				return fmt.Errorf("background: mask mean for input %q of modality %q: a mean of %s is not %s; use marginal, nearest:K or value:V",
					in.Name, modality.Name, in.DType, in.DType)
			case rule.Kind == Zero && in.DType == tensor.String:
				return fmt.Errorf("background: mask zero for input %q of modality %q: text has no zero; use value:TEXT", in.Name, modality.Name)
			case rule.Kind == Value:
				if _, err := constant(rule.Text, in.DType); err != nil {
					return fmt.Errorf("background: mask %s for input %q of modality %q: %w", rule, in.Name, modality.Name, err)
				}
			case rule.Kind == Marginal:
				marginal = true
			case rule.Kind == Nearest:
				if k != 0 && k != rule.K {
					return fmt.Errorf("background: masks nearest:%d and nearest:%d in one run: every modality must take the same rows", k, rule.K)
				}
				k = rule.K
			}
		}
	}
	if k != 0 && marginal {
		return fmt.Errorf("background: masks marginal and nearest:%d in one run: a background row is either drawn or near; give every modality one of them, or a fixed value", k)
	}
	return nil
}

// constant returns text as a tensor of one element of the given type.
func constant(text string, d tensor.DType) (tensor.Tensor, error) {
	if d == tensor.String {
		return tensor.Of([]string{text}), nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return tensor.Cast(tensor.Of([]int64{n}), d)
	}
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || x-x != 0 {
		return tensor.Tensor{}, fmt.Errorf("want a finite number, got %q", text)
	}
	return tensor.Cast(tensor.Of([]float64{x}), d)
}

// Means reports whether any rule is a mean over the background rows.
func (m Mask) Means() bool { return m.use().mean }

// Drawn returns the modalities of which some part is filled from rows, by a rule
// marginal, mean or nearest: bit i is modality i. Only rows that have them can serve
// as background; see [Options].Candidates.
func (m Mask) Drawn() uint64 {
	return m.modalities(func(k Kind) bool { return k == Marginal || k == Mean || k == Nearest })
}

// Absent returns the modalities of which some part has the rule absent: bit i is
// modality i. [Options].Absent must say how they look.
func (m Mask) Absent() uint64 {
	return m.modalities(func(k Kind) bool { return k == Absent })
}

// modalities returns those that have a rule of some kind.
func (m Mask) modalities(some func(Kind) bool) uint64 {
	var out uint64
	for i, rules := range m.rules {
		for _, r := range rules {
			if some(r.Kind) {
				out |= 1 << i
			}
		}
	}
	return out
}

// use says which kinds of rules a mask has.
type use struct {
	marginal, mean bool
	nearest        int // the number of rows asked for, 0 for none
}

func (m Mask) use() use {
	var u use
	for _, rules := range m.rules {
		for _, r := range rules {
			switch r.Kind {
			case Marginal:
				u.marginal = true
			case Mean:
				u.mean = true
			case Nearest:
				u.nearest = r.K
			}
		}
	}
	return u
}
