package dataset

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// GroupError is a --group that cannot be meant.
type GroupError struct {
	// Spec is the text at fault; empty when the fault is in all of them.
	Spec string
	// Reason says what is wrong.
	Reason string
	// Hint is the remedy, a line of its own; it may be empty.
	Hint string
}

// Error returns one line, without the hint.
func (e *GroupError) Error() string {
	if e.Spec == "" {
		return "dataset: groups: " + e.Reason
	}
	return fmt.Sprintf("dataset: group %q: %s", e.Spec, e.Reason)
}

// groupSign stands between a modality and its group in a player's name. Nothing
// takes such a name apart: [Modality] says in Of what it is a group of.
const groupSign = "/"

// ParseGroups divides modalities into groups and returns the players: each
// modality that no spec names, and the groups of the others in its place, in the
// order of the spec.
//
// A spec is MODALITY=GROUP:item+item,GROUP:item... or a way to cut. An item is, in
// this order, the exact name of an input or column of the modality; a slice
// input[a:b] on axis 1; a place 3 or range of places 0-3, both ends included, on
// axis 1 of the input of a modality that has one; or a pattern as of path.Match
// over the names of inputs, else of columns, else of columns without their input.
// Ways to cut a modality of one input are
//
//	each      every place on axis 1 a group
//	each:4    runs of 4 places, the last perhaps shorter
//	grid:4x8  4 by 8 patches of the last two axes, named r0c0 to r3c7
//
// Every element of the modality belongs to exactly one group, and there are two
// groups or more. The axes of inputs must be those of the data; features[i] are
// the column names of input i, or nil.
func ParseGroups(specs []string, modalities []Modality, inputs []tensor.Spec, features [][]string) ([]Modality, error) {
	groups := make([][]Modality, len(modalities))
	for _, spec := range specs {
		at, text, err := groupedModality(spec, modalities)
		if err != nil {
			return nil, err
		}
		if groups[at] != nil {
			return nil, &GroupError{
				Spec: spec, Reason: fmt.Sprintf("another --group divides modality %q already", modalities[at].Name),
				Hint: "name all groups of a modality at once: " + modalities[at].Name + "=a:0-3,b:4-7",
			}
		}
		d := newDivider(spec, modalities[at], inputs, features)
		if err := d.divide(text); err != nil {
			return nil, err
		}
		groups[at] = d.groups()
	}
	var players []Modality
	for i, m := range modalities {
		if groups[i] == nil {
			groups[i] = []Modality{m}
		}
		players = append(players, groups[i]...)
	}
	return players, checkPlayers(specs, players)
}

// groupedModality finds the modality that a spec divides, and how. A name that
// holds "=" is no name of a modality, so the first one ends it.
func groupedModality(spec string, modalities []Modality) (at int, text string, err error) {
	name, text, ok := strings.Cut(spec, "=")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return 0, "", &GroupError{Spec: spec, Reason: "want MODALITY=GROUP:item+item,GROUP:item", Hint: groupExample}
	}
	var names []string
	for _, m := range modalities {
		names = append(names, m.Name)
	}
	if at = slices.Index(names, name); at < 0 {
		return 0, "", &GroupError{
			Spec: spec, Reason: fmt.Sprintf("there is no modality %q", name),
			Hint: "the modalities are " + list(names) + didYouMean(name, names),
		}
	}
	return at, text, nil
}

const groupExample = "for example vitals=heart:0-3,breath:4-7, vitals=each, or labs=liver:ast+alt,kidney:crea*"

// outside marks elements that are not of the modality.
const outside = nobody - 1

// A divider divides one modality.
type divider struct {
	spec     string
	modality Modality
	inputs   []tensor.Spec
	features [][]string
	// used are the inputs of the modality, in order.
	used  []int
	names []string
	// owners[i][e] is the group of element e of input i, nobody where none has
	// claimed it, outside where it is not the modality's; nil for other inputs.
	owners [][]int
}

func newDivider(spec string, m Modality, inputs []tensor.Spec, features [][]string) *divider {
	d := &divider{spec: spec, modality: m, inputs: inputs, features: make([][]string, len(inputs)), owners: make([][]int, len(inputs))}
	copy(d.features, features)
	for _, part := range m.Parts {
		if d.owners[part.Input] == nil {
			d.used = append(d.used, part.Input)
			d.owners[part.Input] = slices.Repeat([]int{outside}, inputs[part.Input].RowLen())
		}
		for e := part.Lo; e < part.Hi; e++ {
			d.owners[part.Input][e] = nobody
		}
	}
	return d
}

func (d *divider) fault(hint, reason string, args ...any) error {
	return &GroupError{Spec: d.spec, Reason: fmt.Sprintf(reason, args...), Hint: hint}
}

var (
	eachForm  = regexp.MustCompile(`^each(?::(\d+))?$`)
	gridForm  = regexp.MustCompile(`^grid:(\d+)x(\d+)$`)
	placeForm = regexp.MustCompile(`^(\d+)(?:-(\d+))?$`)
)

// divide gives every element of the modality to a group.
func (d *divider) divide(text string) error {
	text = strings.TrimSpace(text)
	var err error
	if way := eachForm.FindStringSubmatch(text); way != nil {
		err = d.each(way[1])
	} else if way := gridForm.FindStringSubmatch(text); way != nil {
		err = d.grid(way[1], way[2])
	} else if strings.HasPrefix(text+":", "each:") && !strings.Contains(text, ",") {
		// As a group it would be the only one.
		err = d.fault("each is every place, each:4 runs of 4 places", "want each, or each:N with N places a run, got %q", text)
	} else if strings.HasPrefix(text+":", "grid:") && !strings.Contains(text, ",") {
		err = d.fault("grid:4x8 makes 4 rows of 8 patches", "want grid:RxC with R rows of C patches, got %q", text)
	} else {
		for group := range strings.SplitSeq(text, ",") {
			if err = d.add(strings.TrimSpace(group)); err != nil {
				break
			}
		}
	}
	if err != nil {
		return err
	}
	if err := d.checkCovered(); err != nil {
		return err
	}
	if len(d.names) < 2 {
		return d.fault("name two groups or more, or leave the flag out", "one group of modality %q divides nothing", d.modality.Name)
	}
	return nil
}

// open starts a group.
func (d *divider) open(name string) int {
	d.names = append(d.names, name)
	return len(d.names) - 1
}

// add reads GROUP:item+item.
func (d *divider) add(text string) error {
	name, items, ok := strings.Cut(text, ":")
	if name = strings.TrimSpace(name); !ok || name == "" {
		return d.fault(groupExample, "want GROUP:item+item, got %q", text)
	}
	if slices.Contains(d.names, name) {
		return d.fault("name all items of a group at once: "+name+":0-3+8", "two groups are called %q", name)
	}
	group := d.open(name)
	for item := range strings.SplitSeq(items, "+") {
		item = strings.TrimSpace(item)
		if item == "" {
			return d.fault(groupExample, "group %q has an empty item", name)
		}
		if err := d.addItem(group, item); err != nil {
			return err
		}
	}
	return nil
}

// addItem gives what an item names to a group.
func (d *divider) addItem(group int, item string) error {
	if found, err := d.addNamed(group, item, full, func(name string) bool { return name == item }); found || err != nil {
		return err
	}
	if name, bounds, ok := cutSlice(item); ok {
		for _, i := range d.used {
			if d.inputs[i].Name == name {
				return d.addSlice(group, item, i, bounds)
			}
		}
	}
	if ends := placeForm.FindStringSubmatch(item); ends != nil {
		return d.addPlaces(group, item, ends[1], ends[2])
	}
	if _, err := path.Match(item, ""); err != nil {
		return d.fault("patterns have *, ? and [a-z]", "%q is no pattern", item)
	}
	match := func(name string) bool {
		ok, err := path.Match(item, name)
		return name == item || ok && err == nil
	}
	for _, names := range []naming{full, bare} {
		if found, err := d.addNamed(group, item, names, match); found || err != nil {
			return err
		}
	}
	have := d.itemNames()
	return d.fault("it has "+list(have)+didYouMean(item, have), "%q is no input, column or place of modality %q", item, d.modality.Name)
}

// itemNames lists what items can name.
func (d *divider) itemNames() []string {
	var inputs, columns []string
	for _, i := range d.used {
		inputs = append(inputs, "input "+d.inputs[i].Name)
		for e, name := range d.features[i] {
			if d.owners[i][e] != outside {
				columns = append(columns, name)
			}
		}
	}
	if columns != nil {
		return columns
	}
	return inputs
}

// A naming says by which name columns are called.
type naming uint8

const (
	full naming = iota // input.feature, and inputs by their names
	bare               // feature
)

// addNamed claims all inputs, else all columns, that match by name.
func (d *divider) addNamed(group int, item string, by naming, match func(string) bool) (found bool, err error) {
	if by == full {
		for _, i := range d.used {
			if match(d.inputs[i].Name) {
				found = true
				if err := d.claim(group, i, 0, len(d.owners[i])); err != nil {
					return true, err
				}
			}
		}
		if found {
			return true, nil
		}
	}
	for _, at := range d.columns(by, match) {
		if err := d.claim(group, at.Input, at.Lo, at.Hi); err != nil {
			return true, err
		}
		found = true
	}
	return found, nil
}

// columns lists the modality's columns whose names match.
func (d *divider) columns(by naming, match func(string) bool) []Part {
	var out []Part
	for _, i := range d.used {
		for e, name := range d.features[i] {
			if by == bare {
				_, name, _ = strings.Cut(name, ".")
			}
			if d.owners[i][e] != outside && match(name) {
				out = append(out, Part{Input: i, Lo: e, Hi: e + 1})
			}
		}
	}
	return out
}

// claim gives elements to a group, passing over those of other modalities.
func (d *divider) claim(group, input, lo, hi int) error {
	for e := lo; e < hi; e++ {
		owner := &d.owners[input][e]
		if *owner == outside {
			continue
		}
		if *owner != nobody && *owner != group {
			return d.fault("an element belongs to one group: take it out of one of the two",
				"%s is in group %q and in group %q", d.element(input, e), d.names[*owner], d.names[group])
		}
		*owner = group
	}
	return nil
}

// element names one element for a message.
func (d *divider) element(input, e int) string {
	in := d.inputs[input]
	switch {
	case d.features[input] != nil:
		return "column " + quote(d.features[input][e])
	case len(in.Shape) < 2:
		return "input " + quote(in.Name)
	default:
		return fmt.Sprintf("place %d of input %q", e/d.step(input), in.Name)
	}
}

// step is the number of elements of a place on axis 1.
func (d *divider) step(input int) int { return len(d.owners[input]) / d.inputs[input].Shape[1] }

// onlyInput returns the input whose places can be counted.
func (d *divider) onlyInput(what string) (int, error) {
	if len(d.used) != 1 {
		var names []string
		for _, i := range d.used {
			names = append(names, d.inputs[i].Name)
		}
		return 0, d.fault("name inputs or columns, or write INPUT[a:b] for the places a to b-1 of one input",
			"%s counts places of one input, and modality %q has %d: %s", what, d.modality.Name, len(names), list(names))
	}
	in := d.inputs[d.used[0]]
	if len(in.Shape) < 2 {
		return 0, d.fault("leave the modality whole", "%s counts places on axis 1, which input %s does not have", what, in)
	}
	return d.used[0], nil
}

// addPlaces claims the places first to last of the only input.
func (d *divider) addPlaces(group int, item, first, last string) error {
	input, err := d.onlyInput(quote(item))
	if err != nil {
		return err
	}
	if last == "" {
		last = first
	}
	axis := d.inputs[input].Shape[1]
	lo, errLo := strconv.Atoi(first)
	hi, errHi := strconv.Atoi(last)
	if errLo != nil || errHi != nil || lo > hi || hi >= axis {
		return d.fault("a range a-b has both its ends; places count from 0", "%s: want places a-b with a <= b <= %d, the last place on axis 1 of %s", item, axis-1, d.inputs[input])
	}
	step := d.step(input)
	for _, c := range d.columns(bare, func(name string) bool { return name == item }) {
		if c.Lo/step != lo || step > 1 || lo != hi {
			name := d.features[input][c.Lo]
			return d.fault("write the column as "+name, "%s is a place, and the name of column %q, which is place %d", item, name, c.Lo/step)
		}
	}
	return d.claimPlaces(group, input, lo, hi+1)
}

// addSlice claims input[a:b].
func (d *divider) addSlice(group int, item string, input int, bounds string) error {
	in := d.inputs[input]
	if len(in.Shape) < 2 {
		return d.fault("name the input", "%s: input %s has no axis 1 to slice", item, in)
	}
	axis := in.Shape[1]
	from, to, _ := strings.Cut(bounds, ":")
	lo, errLo := bound(from, 0)
	hi, errHi := bound(to, axis)
	if errLo != nil || errHi != nil || lo < 0 || lo >= hi || hi > axis {
		return d.fault("a slice input[a:b] starts at a and ends before b; either may be left out",
			"%s: want 0 <= a < b <= %d, the length of axis 1 of %s", item, axis, in)
	}
	return d.claimPlaces(group, input, lo, hi)
}

// claimPlaces claims the places [lo, hi), which must be the modality's.
func (d *divider) claimPlaces(group, input, lo, hi int) error {
	step := d.step(input)
	for e := lo * step; e < hi*step; e++ {
		if d.owners[input][e] == outside {
			return d.fault("places are those of the input: modality "+quote(d.modality.Name)+" has "+list(d.items(input, func(owner int) bool { return owner != outside })),
				"%s is not of modality %q", d.element(input, e), d.modality.Name)
		}
	}
	return d.claim(group, input, lo*step, hi*step)
}

// groups collects the claimed elements as ranges.
func (d *divider) groups() []Modality {
	out := make([]Modality, len(d.names))
	for g, name := range d.names {
		out[g] = Modality{Name: d.modality.Name + groupSign + name, Of: d.modality.Name}
	}
	for _, i := range d.used {
		owners := d.owners[i]
		for lo := 0; lo < len(owners); {
			hi := lo + 1
			for hi < len(owners) && owners[hi] == owners[lo] {
				hi++
			}
			if g := owners[lo]; g >= 0 {
				out[g].Parts = append(out[g].Parts, Part{Input: i, Lo: lo, Hi: hi})
			}
			lo = hi
		}
	}
	return out
}
