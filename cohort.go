package intershap

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// A cohort is what a run knows of its samples beside what the model sees: which are
// drawn together, what each counts for, into which groups they fall, and what they lack.
type cohort struct {
	// names are the columns that are read, in the order of Rows.Attributes.
	names []dataset.Attribute
	// cluster and weight are positions in names, -1 for none.
	cluster, weight int
	by              []breakdown
	// patterns are the sets of modalities that samples have, those of most samples
	// first; nil where no modality may be missing. counts has the samples of each.
	patterns []game.Coalition
	counts   []int
	// candidates are the rows that a background may be drawn from, nil for all.
	candidates []int
	absent     [][]tensor.Tensor // what each modality looks like where it is missing
}

// A breakdown is one partition of the samples by the values of columns.
type breakdown struct {
	columns []string
	at      []int // positions of the columns
	// values of each group, sorted, and the group of each key.
	values [][]string
	group  map[string]int
}

// newCohort says which columns the options need.
func newCohort(opt Options) *cohort {
	c := &cohort{cluster: -1, weight: -1}
	if opt.Cluster != "" {
		c.cluster = c.column(dataset.Attribute{Name: opt.Cluster})
	}
	if opt.Weight != "" {
		c.weight = c.column(dataset.Attribute{Name: opt.Weight})
	}
	for _, columns := range opt.By {
		b := breakdown{columns: columns}
		hint := ""
		if len(columns) > 1 {
			hint = fmt.Sprintf("--by %s crosses columns: a column whose name has a comma must be renamed", strings.Join(columns, ","))
		}
		for _, name := range columns {
			b.at = append(b.at, c.column(dataset.Attribute{Name: name, Hint: hint}))
		}
		c.by = append(c.by, b)
	}
	for _, a := range dataset.MissingColumns(opt.Missing) {
		c.column(a)
	}
	return c
}

// column returns the position of a column, which it adds where it is new.
func (c *cohort) column(a dataset.Attribute) int {
	if at := slices.IndexFunc(c.names, func(b dataset.Attribute) bool { return b.Name == a.Name }); at >= 0 {
		a.Optional = a.Optional && c.names[at].Optional
		a.Hint = cmp.Or(a.Hint, c.names[at].Hint)
		// The last stands: columns of --missing come last, and such an attribute tells
		// Bind that inputs may miss values, and what a flag that is missing wants.
		c.names[at] = a
		return at
	}
	c.names = append(c.names, a)
	return len(c.names) - 1
}

// columns are the names of the columns that are read beside the inputs.
func (c *cohort) columns() []string {
	var out []string
	for _, a := range c.names {
		out = append(out, a.Name)
	}
	return out
}

// absentNaN is the remedy where the model may have been asked about a NaN that stands for
// a missing modality, "" where it was not.
func (p *Plan) absentNaN() string {
	for i, inputs := range p.cohort.absent {
		name := p.modalities[i].Name
		for _, part := range p.modalities[i].Parts {
			if inputs == nil {
				continue
			}
			if _, _, found := inputs[part.Input].NonFinite(); found {
				return fmt.Sprintf("; the mask %s=absent shows the model the NaN of samples that lack %s, which it may not take: write into the file what it was trained to see there, or use --mask %s=value:0", name, name, name)
			}
		}
	}
	return ""
}

// reads reports whether a column is read beside the inputs.
func (c *cohort) reads(name string) bool {
	return slices.ContainsFunc(c.names, func(a dataset.Attribute) bool { return a.Name == name })
}

// maxGroups is how many groups of samples a table can be read with.
const maxGroups = 200

// scan reads the columns once, before the model is asked: it lists the groups and
// refuses what cannot be a weight.
func (c *cohort) scan(ctx context.Context, s *dataset.Samples) error {
	if c.weight < 0 && len(c.by) == 0 {
		return nil
	}
	const chunk = 4096
	total := 0.0
	found := make([]map[string][]string, len(c.by))
	for i := range found {
		found[i] = map[string][]string{}
	}
	numeric := map[int]bool{}
	for lo := 0; lo < s.Len(); lo += chunk {
		columns, err := s.ReadAttributes(ctx, lo, min(lo+chunk, s.Len()))
		if err != nil {
			return err
		}
		if c.weight >= 0 {
			sum, err := c.weighed(s, columns[c.weight], lo)
			if err != nil {
				return err
			}
			total += sum
		}
		for i, b := range c.by {
			for _, at := range b.at {
				numeric[at] = columns[at].DType() != tensor.String
			}
			for r := range columns[b.at[0]].Rows() {
				values := b.valuesOf(columns, r)
				found[i][key(values)] = values
				if len(found[i]) > maxGroups {
					return fmt.Errorf("intershap: %s: %s has more than %d values: want groups that a table can be read with, such as ten years of age",
						s.File().Path(), crossedNames(b.columns), maxGroups)
				}
			}
		}
	}
	if c.weight >= 0 && total == 0 {
		return s.Fault(dataset.NoRow, c.names[c.weight].Name, "a weight above 0", "0 in all rows", "rows of weight 0 count for nothing: give some a weight, or leave --weight out")
	}
	for i := range c.by {
		c.by[i].take(found[i], numeric)
	}
	return nil
}

const weightHint = "a weight is how much a row counts beside others, such as one over the chance of being sampled; only proportions matter, and 0 leaves a row out of all means"

// weighed returns the sum of some rows' weights.
func (c *cohort) weighed(s *dataset.Samples, column tensor.Tensor, lo int) (sum float64, err error) {
	name := c.names[c.weight].Name
	if column.DType() == tensor.String {
		return 0, s.Fault(dataset.NoRow, name, "weights, which are numbers of at least 0", "text", weightHint)
	}
	weights := make([]float64, column.Rows())
	column.Float64s(weights)
	for i, w := range weights {
		if !score.ValidWeight(w) {
			return 0, s.Fault(lo+i, name, fmt.Sprintf("a weight, 0 or a number of %g to %g", score.MinWeight, score.MaxWeight), column.Format(i), weightHint)
		}
		sum += w
	}
	return sum, nil
}

// take sorts the groups by their values: numbers as numbers, text by its letters.
func (b *breakdown) take(found map[string][]string, numeric map[int]bool) {
	for _, values := range found {
		b.values = append(b.values, values)
	}
	slices.SortFunc(b.values, func(x, y []string) int {
		for i := range x {
			order := cmp.Compare(x[i], y[i])
			if numeric[b.at[i]] {
				p, _ := strconv.ParseFloat(x[i], 64)
				q, _ := strconv.ParseFloat(y[i], 64)
				order = cmp.Compare(p, q)
			}
			if order != 0 {
				return order
			}
		}
		return 0
	})
	b.group = map[string]int{}
	for g, values := range b.values {
		b.group[key(values)] = g
	}
}

// valuesOf returns the values of row r.
func (b *breakdown) valuesOf(columns []tensor.Tensor, r int) []string {
	var out []string
	for _, at := range b.at {
		out = append(out, idText(columns[at], r))
	}
	return out
}

// key makes one text of several; no column holds the character NUL.
func key(values []string) string { return strings.Join(values, "\x00") }

// lacking finds out which modalities samples lack, and which rows can stand for them.
func (p *Plan) lacking(ctx context.Context) error {
	if len(p.opt.Missing) == 0 {
		return nil
	}
	mayLack := map[int]bool{}
	for _, s := range []*dataset.Samples{p.samples, p.rows} {
		parse := dataset.ParseMissing
		if s != p.samples {
			parse = dataset.ParseBackgroundMissing
		}
		missing, err := parse(p.opt.Missing, p.modalities, s.File().Columns())
		if err != nil {
			return err
		}
		if err := s.MayLack(p.modalities, missing); err != nil {
			return err
		}
		p.warnAboutFlags(missing)
		for _, a := range missing {
			mayLack[a.Modality] = true
		}
		if p.rows == p.samples {
			break
		}
	}
	data, err := p.samples.Presence(ctx)
	if err != nil {
		return err
	}
	counts := map[game.Coalition]int{}
	for _, bits := range data.Rows {
		counts[game.Coalition(bits)]++
	}
	c := p.cohort
	for s := range counts {
		c.patterns = append(c.patterns, s)
	}
	slices.SortFunc(c.patterns, func(x, y game.Coalition) int {
		return cmp.Or(cmp.Compare(counts[y], counts[x]), cmp.Compare(x, y))
	})
	for _, s := range c.patterns {
		c.counts = append(c.counts, counts[s])
	}
	for i, m := range p.modalities {
		if data.First[i] < 0 && mayLack[i] {
			p.warnings.Add("nothing-missing", m.Name, "no sample lacks %s: the result is that of a run without --missing %s", m.Name, m.Name)
		}
	}
	return p.standIns(ctx, data)
}

// warnAboutFlags says where the model sees a flag of absence as a modality of its own:
// then it says that a modality is there which is not shown.
func (p *Plan) warnAboutFlags(missing []dataset.Availability) {
	for _, a := range missing {
		name := p.modalities[a.Modality].Name
		for i, m := range p.modalities {
			for _, part := range m.Parts {
				if input := p.samples.Inputs()[part.Input].Name; input == a.Column && i != a.Modality {
					p.warnings.Add("flag-is-a-player", name, "the model's input %s tells whether a sample has %s and is a modality of its own, so that it may say yes where %s is not shown; put them together: --modality %s=...,%s", input, name, name, name, input)
				}
			}
		}
	}
}

// mostLooked is how many samples that lack a modality are held against each other.
const mostLooked = 32

// lookOfAbsence returns the first row that lacks a modality as the file has it, and warns
// where others look different there.
func (p *Plan) lookOfAbsence(ctx context.Context, s *dataset.Samples, who *dataset.Presence, modality int) ([]tensor.Tensor, error) {
	first, err := s.ReadRaw(ctx, who.First[modality])
	if err != nil {
		return nil, err
	}
	var lacking []int
	for r, bits := range who.Rows {
		if !game.Coalition(bits).Has(modality) {
			lacking = append(lacking, r)
		}
	}
	m := p.modalities[modality]
	for k := range min(mostLooked, len(lacking)) {
		row := lacking[(k+1)*len(lacking)/min(mostLooked, len(lacking))-1] // spread, the last one too
		other, err := s.ReadRaw(ctx, row)
		if err != nil {
			return nil, err
		}
		for _, part := range m.Parts {
			for e := part.Lo; e < part.Hi; e++ {
				if a, b := first[part.Input].Format(e), other[part.Input].Format(e); a != b {
					p.warnings.Add("absent-differs", m.Name, "samples that lack %s differ in what the file has there, input %s is %s in row %d and %s in row %d: the mask absent shows the model what row %d has; write the same into all of them",
						m.Name, p.samples.Inputs()[part.Input].Name, a, who.First[modality], b, row, who.First[modality])
					return first, nil
				}
			}
		}
	}
	return first, nil
}

// warnAboutPadding says where --pad does nothing, and where lists that lie side by side
// do not have the same length before it.
func (p *Plan) warnAboutPadding(ctx context.Context) error {
	pads, err := dataset.ParsePad(p.opt.Pad)
	if err != nil || len(pads) == 0 {
		return err
	}
	files := []*dataset.Samples{p.samples, p.rows}
	if p.rows == p.samples {
		files = files[:1]
	}
	for _, pad := range pads {
		fills := false
		for _, s := range files {
			if fills {
				break
			}
			if fills, err = s.Fills(ctx, pad.Input); err != nil {
				return err
			}
		}
		if !fills {
			p.warnings.Add("nothing-padded", pad.Input, "--pad fills nothing of input %s: no row is shorter than the model gets it", pad.Input)
		}
	}
	for _, m := range p.modalities {
		for _, s := range files {
			u, err := s.UnequalLists(ctx, m)
			if err != nil {
				return err
			}
			if u != nil {
				p.warnings.Add("lengths-differ", m.Name, "%s: %d in %s and %d in %s (rows like that: %d): if they belong to each other element by element, one of them is wrong",
					s.Place(u.Row), u.Lengths[0], u.Inputs[0], u.Lengths[1], u.Inputs[1], u.Rows)
				break
			}
		}
	}
	return nil
}

// standIns finds the rows that a background may be drawn from, and what modalities look
// like to a model that is told of their absence.
func (p *Plan) standIns(ctx context.Context, data *dataset.Presence) (err error) {
	rows := data
	if p.rows != p.samples {
		if rows, err = p.rows.Presence(ctx); err != nil {
			return err
		}
	}
	need, told := game.Coalition(p.mask.Drawn()), game.Coalition(p.mask.Absent())
	p.cohort.absent = make([][]tensor.Tensor, len(p.modalities))
	for i, m := range p.modalities {
		switch {
		case !told.Has(i):
		case data.First[i] >= 0:
			p.cohort.absent[i], err = p.lookOfAbsence(ctx, p.samples, data, i)
		case rows.First[i] >= 0:
			p.cohort.absent[i], err = p.lookOfAbsence(ctx, p.rows, rows, i)
		default:
			err = fmt.Errorf("intershap: mask %s=absent: no sample lacks %s, so the data do not show how the model is told; give its values, as in --mask %s=value:0", m.Name, m.Name, m.Name)
		}
		if err != nil {
			return err
		}
	}
	p.cohort.candidates = []int{}
	for r, bits := range rows.Rows {
		if need&^game.Coalition(bits) == 0 {
			p.cohort.candidates = append(p.cohort.candidates, r)
		}
	}
	if len(p.cohort.candidates) == 0 {
		var names []string
		for i, m := range p.modalities {
			if need.Has(i) {
				names = append(names, m.Name)
			}
		}
		return fmt.Errorf("intershap: %s: no row has all of %s, so none can stand for what is not shown; give complete rows as --background, or another rule for what is often missing, such as --mask %s=absent or %s=value:0",
			p.rows.File().Path(), strings.Join(names, ", "), names[0], names[0])
	}
	return nil
}

// fillAbsent gives the first samples something to look at where they lack a modality:
// a background row's values. No number of the run comes from them.
func (p *Plan) fillAbsent(rows *dataset.Rows) {
	if rows.Present == nil {
		return
	}
	for i := range rows.Inputs {
		rows.Inputs[i] = tensor.Concat(rows.Inputs[i]) // it may be the file's own memory
	}
	for r, bits := range rows.Present {
		for i, m := range p.modalities {
			if game.Coalition(bits).Has(i) {
				continue
			}
			for _, part := range m.Parts {
				in := rows.Inputs[part.Input]
				in.CopyElements(r*in.RowLen()+part.Lo, p.background.Inputs()[part.Input], part.Lo, part.Hi-part.Lo)
			}
		}
	}
}

// crossedNames names columns of which groups are the combinations: "sex" by "site".
func crossedNames(names []string) string {
	var out []string
	for _, n := range names {
		out = append(out, strconv.Quote(n))
	}
	return strings.Join(out, " by ")
}

// present returns what sample i has; every modality where none may be missing.
func present(rows dataset.Rows, i, modalities int) game.Coalition {
	if rows.Present == nil {
		return game.Grand(modalities)
	}
	return game.Coalition(rows.Present[i])
}
