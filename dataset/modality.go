package dataset

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

const (
	// minModalities is the least for which there is an interaction.
	minModalities = 2
	// MaxUnnamed is how many modalities are taken without anyone naming them:
	// beyond it a model has inputs rather than modalities, and 2^M coalitions
	// cost more than a user meant to pay.
	MaxUnnamed = 12
	// MaxModalities is the most that there can be: a coalition has a bit for each.
	MaxModalities = 62
)

// Modality is a player, a modality or a group inside one: a name and the elements
// that belong to it.
type Modality struct {
	// Name is any text without "=". That of a group is MODALITY/GROUP.
	Name string
	// Of is the name of the modality that this is a group of, see [ParseGroups];
	// empty for a modality that is a player whole.
	Of string
	// Parts are sorted by input, then Lo; none touches the next.
	Parts []Part
}

// Part is the elements [Lo, Hi) of one row of an input, row-major.
type Part struct {
	// Input is the position of the input in the model.
	Input int
	// Lo and Hi bound the elements.
	Lo, Hi int
}

// ModalityError is a --modality, --fixed or --missing that cannot be meant.
type ModalityError struct {
	// What is what the spec says; empty for a modality.
	What string
	// Spec is the text at fault; empty when the fault is in all of them.
	Spec string
	// Reason says what is wrong.
	Reason string
	// Hint is the remedy, a line of its own; it may be empty.
	Hint string
}

// Error returns one line, without the hint.
func (e *ModalityError) Error() string {
	what, all := e.What, e.What
	if what == "" {
		what, all = "modality", "modalities"
	}
	if e.Spec == "" {
		return "dataset: " + all + ": " + e.Reason
	}
	return fmt.Sprintf("dataset: %s %q: %s", what, e.Spec, e.Reason)
}

// ParseModalities says which elements belong to which modality.
//
// A spec is NAME=item,item,... An item is, in this order, the exact name of an
// input; a slice input[a:b] on axis 1, where a or b may be left out; or a
// pattern as of path.Match over the names of inputs, else the full names of
// columns ("x.age"), else their names without the input ("age"). Inputs that
// no spec names are a modality each, after those of the specs, and at most
// unnamed of them, such as MaxUnnamed. Inputs in fixed are no players.
//
// The axes of inputs must be those of the data, as Samples.Inputs has them;
// features[i] are the column names of input i, or nil.
func ParseModalities(specs, fixed []string, inputs []tensor.Spec, features [][]string, unnamed int) ([]Modality, error) {
	p, err := newModalityParser(inputs, features)
	if err != nil {
		return nil, err
	}
	p.maxUnnamed = unnamed
	if err := p.run(specs, fixed); err != nil {
		return nil, err
	}
	return p.modalities(), nil
}

// nobody owns an element until a modality claims it.
const nobody = -1

type modalityParser struct {
	inputs   []tensor.Spec
	features [][]string
	names    []string
	owners   [][]int // owners[i][e]: the modality of element e of input i
	isFixed  []bool
	// specs and fixed are what the user said.
	specs, fixed []string
	// maxUnnamed bounds the modalities that no spec names.
	maxUnnamed int
	// onTrial is set in a parser that tries a proposal, and makes none itself.
	onTrial bool
}

func newModalityParser(inputs []tensor.Spec, features [][]string) (*modalityParser, error) {
	p := &modalityParser{
		inputs: inputs, features: make([][]string, len(inputs)),
		owners: make([][]int, len(inputs)), isFixed: make([]bool, len(inputs)),
	}
	copy(p.features, features)
	for i, in := range inputs {
		n := in.RowLen()
		if n < 1 {
			return nil, &ModalityError{
				Reason: fmt.Sprintf("input %s has axes of unknown length", in), Hint: "give data, which has the lengths",
			}
		}
		if f := p.features[i]; f != nil && len(f) != n {
			return nil, &ModalityError{Reason: fmt.Sprintf("input %s has %d elements in a row, but %s", in, n, plural(len(f), "column"))}
		}
		p.owners[i] = slices.Repeat([]int{nobody}, n)
	}
	return p, nil
}

// run gives every element that is not fixed to a modality.
func (p *modalityParser) run(specs, fixed []string) error {
	p.specs, p.fixed = specs, fixed
	for _, spec := range specs {
		if err := p.add(spec); err != nil {
			return err
		}
	}
	if err := p.fix(fixed); err != nil {
		return err
	}
	named := len(p.names)
	for i, in := range p.inputs {
		if p.isFixed[i] || p.taken(i) > 0 {
			continue
		}
		if slices.Contains(p.names, in.Name) {
			return &ModalityError{
				Spec: in.Name, Reason: "is the name of a modality without this input, and of the input, which stays a modality of its own",
				Hint: "choose another name, or add the input to the modality",
			}
		}
		if err := p.claim(p.open(in.Name), in.Name, i, 0, len(p.owners[i])); err != nil {
			return err
		}
	}
	if err := p.checkCovered(); err != nil {
		return err
	}
	return p.checkNumber(named)
}

// open starts a modality and returns its number.
func (p *modalityParser) open(name string) int {
	p.names = append(p.names, name)
	return len(p.names) - 1
}

// taken counts the elements of an input that have an owner.
func (p *modalityParser) taken(input int) int {
	n := 0
	for _, owner := range p.owners[input] {
		if owner != nobody {
			n++
		}
	}
	return n
}

// claim gives elements to a modality.
func (p *modalityParser) claim(modality int, spec string, input, lo, hi int) error {
	for e := lo; e < hi; e++ {
		if owner := p.owners[input][e]; owner != nobody && owner != modality {
			return &ModalityError{
				Spec: spec, Reason: fmt.Sprintf("%s is in modality %q too", p.element(input, e), p.names[owner]),
				Hint: "an element belongs to one modality: take it out of one of the two",
			}
		}
		p.owners[input][e] = modality
	}
	return nil
}

// element names one element for a message.
func (p *modalityParser) element(input, e int) string {
	switch {
	case p.features[input] != nil:
		return "column " + quote(p.features[input][e])
	case len(p.owners[input]) == 1:
		return "input " + quote(p.inputs[input].Name)
	default:
		return fmt.Sprintf("element %d of input %q", e, p.inputs[input].Name)
	}
}

// add reads one --modality.
func (p *modalityParser) add(spec string) error {
	name, items, ok := strings.Cut(spec, "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return &ModalityError{Spec: spec, Reason: "want NAME=item,item,...", Hint: "for example text=input_ids,attention_mask"}
	}
	if slices.Contains(p.names, name) {
		return &ModalityError{Spec: spec, Reason: "another modality has this name", Hint: "name all items of a modality at once: " + name + "=item,item"}
	}
	modality := p.open(name)
	for item := range strings.SplitSeq(items, ",") {
		if err := p.addItem(modality, spec, strings.TrimSpace(item)); err != nil {
			return err
		}
	}
	return nil
}

func (p *modalityParser) addItem(modality int, spec, item string) error {
	if item == "" {
		return &ModalityError{Spec: spec, Reason: "an item is empty", Hint: "want NAME=item,item,... with an input, a slice or a pattern for each item"}
	}
	for i, in := range p.inputs {
		if in.Name == item {
			return p.claim(modality, spec, i, 0, len(p.owners[i]))
		}
	}
	if name, bounds, ok := cutSlice(item); ok {
		for i, in := range p.inputs {
			if in.Name == name {
				return p.addSlice(modality, spec, item, i, bounds)
			}
		}
	}
	if _, err := path.Match(item, ""); err != nil {
		return &ModalityError{Spec: spec, Reason: fmt.Sprintf("%q is no pattern", item), Hint: "patterns have *, ? and [a-z]; a slice is input[a:b]"}
	}
	found := false
	match := func(name string) bool {
		ok, err := path.Match(item, name)
		return name == item || (ok && err == nil)
	}
	for i, in := range p.inputs {
		if match(in.Name) {
			found = true
			if err := p.claim(modality, spec, i, 0, len(p.owners[i])); err != nil {
				return err
			}
		}
	}
	for _, bare := range []bool{false, true} {
		if found {
			return nil
		}
		for i := range p.inputs {
			for e, name := range p.features[i] {
				if bare {
					_, name, _ = strings.Cut(name, ".")
				}
				if !match(name) {
					continue
				}
				found = true
				if err := p.claim(modality, spec, i, e, e+1); err != nil {
					return err
				}
			}
		}
	}
	if !found {
		return p.noMatch(spec, item)
	}
	return nil
}

// noMatch says what an item could have meant.
func (p *modalityParser) noMatch(spec, item string) error {
	var inputs, columns []string
	for i, in := range p.inputs {
		inputs = append(inputs, in.Name)
		for _, name := range p.features[i] {
			_, bare, _ := strings.Cut(name, ".")
			columns = append(columns, name, bare)
		}
	}
	hint := "the model has the inputs " + list(inputs)
	if columns != nil {
		full := slices.Concat(p.features...)
		hint += "; the file has the columns " + list(full)
	}
	name := item
	if input, _, ok := cutSlice(item); ok {
		name = input
	}
	return &ModalityError{
		Spec: spec, Reason: fmt.Sprintf("%q is no input, column or pattern of them", item),
		Hint: hint + didYouMean(name, append(inputs, columns...)),
	}
}

// cutSlice splits "x[a:b]" into "x" and "a:b".
func cutSlice(item string) (name, bounds string, ok bool) {
	rest, ok := strings.CutSuffix(item, "]")
	if !ok {
		return "", "", false
	}
	at := strings.LastIndexByte(rest, '[')
	if at < 0 || !strings.Contains(rest[at:], ":") {
		return "", "", false
	}
	return rest[:at], rest[at+1:], true
}

func (p *modalityParser) addSlice(modality int, spec, item string, input int, bounds string) error {
	in := p.inputs[input]
	if len(in.Shape) < 2 {
		return &ModalityError{Spec: spec, Reason: fmt.Sprintf("%s: input %s has no axis 1 to slice", item, in)}
	}
	axis := in.Shape[1]
	from, to, _ := strings.Cut(bounds, ":")
	lo, errLo := bound(from, 0)
	hi, errHi := bound(to, axis)
	if errLo != nil || errHi != nil || lo < 0 || lo >= hi || hi > axis {
		return &ModalityError{
			Spec: spec, Reason: fmt.Sprintf("%s: want 0 <= a < b <= %d, the length of axis 1 of %s", item, axis, in),
			Hint: "a slice input[a:b] starts at a and ends before b; either may be left out",
		}
	}
	each := len(p.owners[input]) / axis
	return p.claim(modality, spec, input, lo*each, hi*each)
}

func bound(text string, otherwise int) (int, error) {
	if text = strings.TrimSpace(text); text == "" {
		return otherwise, nil
	}
	return strconv.Atoi(text)
}

// fix takes the inputs that are no players out of the game.
func (p *modalityParser) fix(fixed []string) error {
	var names []string
	for _, in := range p.inputs {
		names = append(names, in.Name)
	}
	for _, name := range fixed {
		i := slices.Index(names, name)
		if i < 0 {
			return &ModalityError{
				Spec: name, Reason: "is no input that could be fixed",
				Hint: "the model has the inputs " + list(names) + didYouMean(name, names),
			}
		}
		for _, owner := range p.owners[i] {
			if owner != nobody {
				return &ModalityError{
					Spec: name, Reason: fmt.Sprintf("the input is fixed and in modality %q", p.names[owner]),
					Hint: "a fixed input is no player: take it out of one of the two",
				}
			}
		}
		p.isFixed[i] = true
	}
	return nil
}

// modalities collects the claimed elements as ranges.
func (p *modalityParser) modalities() []Modality {
	out := make([]Modality, len(p.names))
	for m, name := range p.names {
		out[m].Name = name
	}
	for i, owners := range p.owners {
		for lo := 0; lo < len(owners); {
			hi := lo + 1
			for hi < len(owners) && owners[hi] == owners[lo] {
				hi++
			}
			if m := owners[lo]; m != nobody {
				out[m].Parts = append(out[m].Parts, Part{Input: i, Lo: lo, Hi: hi})
			}
			lo = hi
		}
	}
	return out
}
