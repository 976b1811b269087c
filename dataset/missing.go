package dataset

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// Availability says how to tell whether a sample has a modality.
type Availability struct {
	// Modality is the position of the modality. Of a modality in groups each
	// group is a player; they are there or missing together, and each has an
	// entry.
	Modality int
	// Column holds 1 where a sample has the modality and 0 where it lacks it, as
	// a number or as "true" and "false". Without a name a sample lacks the
	// modality where all values of it are missing: NaN, empty text, null.
	Column string
	// Sought is the column that says so in the data and that this file, their
	// background, lacks; empty if there is none. Faults name it.
	Sought string
}

// availabilitySuffix makes the name of the column that says which samples have a
// modality, where nobody names another.
const availabilitySuffix = "_available"

// missingSpec is what a spec of ParseMissing is called.
const missingSpec = "missing"

const availabilityHint = "write 1 where the sample has the modality, 0 where it lacks it"

// cutMissing splits "rna=COLUMN"; without a column it proposes one.
func cutMissing(spec string) (modality, column string, named bool) {
	modality, column, named = strings.Cut(spec, "=")
	modality, column = strings.TrimSpace(modality), strings.TrimSpace(column)
	if !named {
		column = modality + availabilitySuffix
	}
	return modality, column, named
}

// MissingColumns returns the columns that Bind must be given as attributes for
// the specs of ParseMissing, which come before anyone knows the modalities. With
// one of them Bind takes columns in which values are missing; MayLack then says
// where that is allowed.
func MissingColumns(specs []string) []Attribute {
	var out []Attribute
	for _, spec := range specs {
		_, column, _ := cutMissing(spec)
		out = append(out, Attribute{Name: column, Optional: true, availability: true})
	}
	return out
}

// ParseMissing says which modalities samples may lack, and how to tell.
//
// A spec is MODALITY=COLUMN, or MODALITY: the column MODALITY_available if the
// file has it, else the values tell. A modality that is in groups is named whole.
func ParseMissing(specs []string, modalities []Modality, columns []Column) ([]Availability, error) {
	return parseMissing(specs, modalities, columns, false)
}

// ParseBackgroundMissing is ParseMissing for the background of data that have the
// columns that are named. Where it lacks one, its values tell.
func ParseBackgroundMissing(specs []string, modalities []Modality, columns []Column) ([]Availability, error) {
	return parseMissing(specs, modalities, columns, true)
}

func parseMissing(specs []string, modalities []Modality, columns []Column, background bool) ([]Availability, error) {
	var (
		out  []Availability
		seen = map[string]bool{}
		all  = columnNames(columns)
	)
	for _, spec := range specs {
		name, column, named := cutMissing(spec)
		if name == "" || column == "" {
			return nil, &ModalityError{
				What: missingSpec, Spec: spec, Reason: "want MODALITY or MODALITY=COLUMN, for what samples may lack",
				Hint: "for example --missing rna=has_rna, with a column of 0 and 1",
			}
		}
		if seen[name] {
			return nil, &ModalityError{What: missingSpec, Spec: spec, Reason: "samples may lack the modality, as was said before", Hint: "name each modality once"}
		}
		seen[name] = true
		sought := ""
		if !slices.Contains(all, column) {
			switch {
			case named && background:
				sought = column
			case named:
				return nil, &ModalityError{
					What: missingSpec, Spec: spec, Reason: fmt.Sprintf("the data have no column %q that says who lacks it", column),
					Hint: "the file has " + list(offered(columns)) + didYouMean(column, all),
				}
			}
			column = ""
		}
		players := playersOf(name, modalities)
		if players == nil {
			return nil, unknownModality(spec, name, modalities)
		}
		for _, i := range players {
			out = append(out, Availability{Modality: i, Column: column, Sought: sought})
		}
	}
	return out, nil
}

// whole returns the name of the modality that a player is or is a group of.
func (m Modality) whole() string {
	if m.Of != "" {
		return m.Of
	}
	return m.Name
}

// playersOf returns the positions of a modality, or of its groups.
func playersOf(name string, modalities []Modality) []int {
	var out []int
	for i, m := range modalities {
		if m.whole() == name {
			out = append(out, i)
		}
	}
	return out
}

func unknownModality(spec, name string, modalities []Modality) error {
	var names []string
	for _, m := range modalities {
		if m.Of != "" && m.Name == name {
			return &ModalityError{
				What: missingSpec, Spec: spec, Reason: "names a group; samples have or lack a modality whole",
				Hint: "name the modality: --missing " + strings.Replace(spec, name, m.Of, 1),
			}
		}
		if !slices.Contains(names, m.whole()) {
			names = append(names, m.whole())
		}
	}
	return &ModalityError{
		What: missingSpec, Spec: spec, Reason: "there is no such modality",
		Hint: "the modalities are " + list(names) + didYouMean(name, names),
	}
}

// lack is a modality that samples may lack.
type lack struct {
	name    string
	players uint64 // the modality, or all its groups
	at      int    // the position of its column in Samples.reads; -1: the values tell
	sought  string // see Availability
	parts   []Part
	own     []Part // parts without what padding adds, which is never missing
}

// MayLack says which modalities samples may lack, as ParseMissing has it. It is
// called at most once, before rows are read.
//
// From then on Rows.Present says who has what, and a sample that lacks a modality
// has zeros and empty text there, whatever the file has. A modality that a sample
// has must be complete and finite, as ever. Columns that say who has what were
// given to Bind (MissingColumns).
func (s *Samples) MayLack(modalities []Modality, missing []Availability) error {
	if s.modalities != nil {
		return errors.New("dataset: MayLack was called before")
	}
	if len(modalities) > MaxModalities {
		return &ModalityError{Reason: fmt.Sprintf("%d modalities, want at most %d", len(modalities), MaxModalities)}
	}
	var lacks []lack
	for _, a := range missing {
		if a.Modality < 0 || a.Modality >= len(modalities) {
			return fmt.Errorf("dataset: MayLack: there is no modality %d", a.Modality)
		}
		m := modalities[a.Modality]
		at, err := s.availabilityAt(m.whole(), a.Column)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(lacks, func(l lack) bool { return l.name == m.whole() })
		if i < 0 {
			i = len(lacks)
			lacks = append(lacks, lack{name: m.whole(), at: at, sought: a.Sought})
		}
		if lacks[i].at != at {
			return &ModalityError{What: missingSpec, Spec: m.whole(), Reason: "two columns say who lacks it", Hint: "name one"}
		}
		lacks[i].players |= 1 << a.Modality
		lacks[i].parts = append(lacks[i].parts, m.Parts...)
	}
	for i := range lacks {
		lacks[i].own = s.withoutPadding(lacks[i].parts)
	}
	s.modalities, s.lacks = modalities, lacks
	return nil
}

// withoutPadding returns what the file itself has of parts, all of them if it has
// nothing.
func (s *Samples) withoutPadding(parts []Part) []Part {
	filled, ok := s.view.(*filledFile)
	if !ok {
		return parts
	}
	var out []Part
	for _, p := range parts {
		src := s.sources[p.Input]
		below, places := filled.own(s.columnsAt(src.at))
		n := len(places)
		if src.features == nil {
			n = filled.File.Columns()[below[0]].RowLen()
		}
		if p.Hi = min(p.Hi, n); p.Lo < p.Hi {
			out = append(out, p)
		}
	}
	if out == nil {
		return parts
	}
	return out
}

// columnsAt returns the columns of the view at positions of reads.
func (s *Samples) columnsAt(at []int) []int {
	out := make([]int, len(at))
	for i, position := range at {
		out[i] = s.reads[position]
	}
	return out
}

// availabilityAt returns the position of the column that says who has a
// modality, -1 where the values tell.
func (s *Samples) availabilityAt(modality, column string) (int, error) {
	if column == "" {
		return -1, nil
	}
	for _, a := range s.attributes {
		if a.name == column && a.at >= 0 {
			return a.at, nil
		}
	}
	return 0, &Error{
		File: s.file.Path(), Row: NoRow, Column: column, Found: "none",
		Expected: "a column that says which samples have modality " + quote(modality),
		Hint:     "Bind was not given the column as an attribute: see MissingColumns",
	}
}

// at returns the positions in Samples.reads of the columns that hold parts.
func (s *Samples) at(parts []Part) []int {
	var out []int
	for _, p := range parts {
		src := s.sources[p.Input]
		if src.features == nil {
			out = append(out, src.at[0])
			continue
		}
		out = append(out, src.at[p.Lo:p.Hi]...)
	}
	return out
}

// anyValue reports whether any element of parts has a value in row r of all.
func (s *Samples) anyValue(parts []Part, all []cells, r int) bool {
	for _, p := range parts {
		src := s.sources[p.Input]
		if src.features == nil {
			c := all[src.at[0]]
			width := c.RowLen()
			if c.anyValue(r*width+p.Lo, r*width+p.Hi) {
				return true
			}
			continue
		}
		for _, at := range src.at[p.Lo:p.Hi] {
			if all[at].anyValue(r, r+1) {
				return true
			}
		}
	}
	return false
}

// blanked returns a column without what samples lack: c is the column at place j
// of an input's source, present who has what.
func (s *Samples) blanked(input, j int, c cells, present []uint64) cells {
	own := false // c is a copy
	s.eachAbsent(input, j, c, present, func(lo, hi int) {
		if !own {
			c, own = c.clone(), true
		}
		c.clear(lo, hi)
	})
	return c
}

// eachAbsent calls visit with the elements of a column that samples lack.
func (s *Samples) eachAbsent(input, j int, c cells, present []uint64, visit func(lo, hi int)) {
	first, width := 0, c.RowLen() // of the input's elements, those in the column
	if s.sources[input].features != nil {
		first = j
	}
	for _, l := range s.lacks {
		for _, p := range l.parts {
			lo, hi := max(p.Lo, first)-first, min(p.Hi, first+width)-first
			if p.Input != input || lo >= hi {
				continue
			}
			for r, has := range present {
				if has&l.players == 0 {
					visit(r*width+lo, r*width+hi)
				}
			}
		}
	}
}

// advise gives the fault of a missing value its remedy: that of the attribute, or
// beside the usual one what may be meant: that the sample lacks a modality (an input,
// where modalities are not known). It looks at the row again; errors are rare.
func (s *Samples) advise(ctx context.Context, err error) error {
	var fault *Error
	if !errors.As(err, &fault) || fault.Hint != missingHint {
		return err
	}
	// The file may tell the same fault again: it stays as it was.
	advised := *fault
	if remedy := s.lackingAt(ctx, fault); remedy != "" {
		advised.Hint += "; " + remedy
		return &advised
	}
	for _, a := range s.attributes {
		if a.name == fault.Column && !slices.ContainsFunc(s.sources, func(src source) bool { return slices.Contains(src.at, a.at) }) {
			advised.Hint = a.hint
			return &advised
		}
	}
	return err
}

// lackingAt says what to do if the sample lacks the modality of the value at fault,
// "" where its other values do not look like that.
func (s *Samples) lackingAt(ctx context.Context, fault *Error) (remedy string) {
	row, ok := s.rowOf(fault)
	if !ok {
		return ""
	}
	look := &Samples{file: s.file, view: s.view, reads: s.reads, sources: s.sources}
	if f, ok := s.view.(gapped); ok {
		look.view = f.withGaps(s.reads)
	}
	players := s.players()
	for input, src := range s.sources {
		j := slices.IndexFunc(src.at, func(at int) bool { return s.view.Columns()[s.reads[at]].Name == fault.Column })
		if j < 0 {
			continue
		}
		all, err := look.readParts(ctx, row, row+1, src.at[j:j+1])
		if err != nil {
			return ""
		}
		c := all[src.at[j]]
		for e := range c.RowLen() {
			if c.anyValue(e, e+1) {
				continue
			}
			i := slices.IndexFunc(players, func(m Modality) bool {
				return slices.ContainsFunc(m.Parts, func(p Part) bool { return p.Input == input && p.Lo <= j+e && j+e < p.Hi })
			})
			if i < 0 {
				return "" // a fixed input
			}
			m := players[i]
			rest, err := look.readParts(ctx, row, row+1, s.at(m.Parts))
			if err != nil {
				return ""
			}
			some := look.anyValue(m.Parts, rest, 0)
			l := slices.IndexFunc(s.lacks, func(l lack) bool { return l.name == m.Name })
			switch {
			case !some && l < 0:
				return "if samples may lack a modality as a whole, name it: --missing " + shellWord(m.Name)
			case !some:
				continue // the sample lacks it, as was said: the fault is another element
			case l >= 0 && s.lacks[l].sought != "":
				return fmt.Sprintf("%s has no column %q, so that the values tell who lacks %s: add the column, or leave rows out that are not complete", s.file.Path(), s.lacks[l].sought, m.Name)
			case l < 0 || s.lacks[l].at < 0:
				if flag := look.flagOf(m.Parts, rest, 0); flag != "" {
					return fmt.Sprintf("if %q says who lacks %s: --missing %s", flag, m.Name, shellWord(m.Name+"="+flag))
				}
			}
			return ""
		}
	}
	return ""
}

// flagOf returns the column among parts that may say of row r that the modality is
// missing: the only one with a value, which is 0. It is "" if there is none.
func (s *Samples) flagOf(parts []Part, all []cells, r int) string {
	flag := ""
	for _, at := range s.at(parts) {
		c := all[at]
		width := c.RowLen()
		if !c.anyValue(r*width, (r+1)*width) {
			continue
		}
		if flag != "" || width != 1 || !slices.Contains([]string{"0", "false"}, strings.ToLower(strings.Trim(c.Format(r), `"`))) {
			return ""
		}
		flag = s.view.Columns()[s.reads[at]].Name
	}
	return flag
}

// rowOf returns the row of a fault. A file of a folder counts its own.
func (s *Samples) rowOf(fault *Error) (row int, ok bool) {
	folder, isFolder := s.file.(*parquetFolder)
	if !isFolder || fault.File == folder.path {
		return fault.Row, fault.Row >= 0
	}
	part := slices.Index(folder.parts, fault.File)
	if part < 0 || fault.Row < 0 {
		return 0, false
	}
	return folder.starts[part] + fault.Row, true
}

// players returns the modalities, each whole; while nobody has said what they
// are, every input for one.
func (s *Samples) players() []Modality {
	var out []Modality
	for _, m := range s.modalities {
		i := slices.IndexFunc(out, func(o Modality) bool { return o.Name == m.whole() })
		if i < 0 {
			i = len(out)
			out = append(out, Modality{Name: m.whole()})
		}
		out[i].Parts = append(out[i].Parts, m.Parts...)
	}
	if s.modalities != nil {
		return out
	}
	for i, src := range s.sources {
		c := s.view.Columns()[s.reads[src.at[0]]]
		p := Part{Input: i, Hi: c.RowLen()}
		if src.features != nil {
			p.Hi = len(src.at)
		}
		out = append(out, Modality{Name: "MODALITY", Parts: []Part{p}})
	}
	return out
}

// ReadRaw returns one row as the file has it, in the types and shapes of the
// model, [1, ...] each: in the modalities that the sample lacks too, NaN and
// infinities kept. A value that the type cannot hold, such as a NaN among
// integers, is 0 there; all else is read as by Read.
func (s *Samples) ReadRaw(ctx context.Context, row int) ([]tensor.Tensor, error) {
	out, err := s.readRaw(ctx, row)
	return out, s.advise(ctx, s.locate(err))
}

func (s *Samples) readRaw(ctx context.Context, row int) ([]tensor.Tensor, error) {
	all, err := s.readParts(ctx, row, row+1, nil)
	if err != nil {
		return nil, err
	}
	present, err := s.presentOf(all, row, 1)
	if err != nil {
		return nil, err
	}
	out := make([]tensor.Tensor, len(s.inputs))
	for i := range s.inputs {
		if out[i], err = s.assemble(i, all, row, present); err != nil {
			return nil, err
		}
		if err := s.restore(i, out[i], all, row, present); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// restore writes into one row of an input what the file has in the modalities
// that the sample lacks.
func (s *Samples) restore(input int, out tensor.Tensor, all []cells, row int, present []uint64) error {
	for j, at := range s.sources[input].at {
		raw := all[at]
		var elements []int
		s.eachAbsent(input, j, raw, present, func(lo, hi int) {
			for e := lo; e < hi; e++ {
				elements = append(elements, e)
			}
		})
		if elements == nil {
			continue
		}
		// What no cast takes stands aside.
		finite := raw.clone()
		specials := map[int]tensor.Tensor{}
		for _, e := range elements {
			if v, special := raw.special(e); special {
				finite.clear(e, e+1)
				specials[e] = v
			}
		}
		values, err := s.cast(finite, at, row, out.DType())
		if err != nil {
			return err
		}
		for _, e := range elements {
			v, special := specials[e]
			switch {
			case !special:
				out.CopyElements(j+e, values, e, 1)
			case out.DType().IsFloat():
				if v, err = tensor.Cast(v, out.DType()); err != nil {
					return misfit(s.file.Path(), row, s.columns[at], err)
				}
				out.CopyElements(j+e, v, 0, 1)
			}
		}
	}
	return nil
}
