package intershap

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strings"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A Shard is a part of a run: the Index-th, from 0, of so many parts of about the same
// number of tiles. The zero Shard is the whole run.
type Shard struct{ Index, Of int }

// whole reports whether it is all of the run.
func (s Shard) whole() bool { return s == Shard{} }

// String writes the shard as people count: 1/8 is the first of eight.
func (s Shard) String() string { return fmt.Sprintf("%d/%d", s.Index+1, s.Of) }

func (s Shard) valid() bool { return s.whole() || s.Index >= 0 && s.Index < s.Of }

// ShardSchema names the version of a shard's document.
const ShardSchema = "intershap/shard/v1"

// A Partial is what some consecutive tiles of a run say: sums, and what they are read
// with. Partials of one run merge to the explanation that the run would have had by
// itself, to the last bit; see [Merge].
type Partial struct {
	path       string // of the file that it was read from, "" for none
	shard      Shard
	tiles      tileRange
	identity   checkpoint.Identity
	provenance result.Provenance
	facts      facts
	cost       result.Cost
	warnings   []diag.Warning
	sums       sums
}

// A tileRange is tiles [From, To) of Of, of which all but the last have so many samples.
type tileRange struct {
	From    int `json:"from"`
	To      int `json:"to"`
	Of      int `json:"of"`
	Samples int `json:"samples"`
}

// bounds returns the samples [lo, hi) of the tiles, of n samples.
func (t tileRange) bounds(n int) (lo, hi int) {
	return min(n, t.From*t.Samples), min(n, t.To*t.Samples)
}

// bounded reports whether n samples make that many tiles.
func (t tileRange) bounded(n int) bool {
	return t.Samples > 0 && n > 0 && t.Of == (n-1)/t.Samples+1
}

// Samples returns the samples [lo, hi) of the run that the shard has.
func (x *Partial) Samples() (lo, hi int) { return x.tiles.bounds(x.provenance.Data.Samples) }

// Provenance returns what the run reads. The caller may complete it before the shard is
// written, as by the name of a model that is no file.
func (x *Partial) Provenance() *result.Provenance { return &x.provenance }

// name is what messages call the shard.
func (x *Partial) name() string {
	if x.path != "" {
		return x.path
	}
	return "shard " + x.shard.String()
}

// sums are what tiles add up to.
type sums struct {
	tiles    score.Tiles
	families []familySums
	// residual and magnitude are the largest of each target, see collector.
	residual, magnitude []float64
}

// familySums are the sums of one family of interactions.
type familySums struct {
	familyName
	tiles score.Tiles
}

// A familyTotal is the sum over all tiles.
type familyTotal struct {
	familyName
	total *score.Accumulator
}

// Partial runs the plan's shard, or all of it. Data, background and model must have
// digests, as files do: they tell whose shard it is.
func (p *Plan) Partial(ctx context.Context) (*Partial, error) {
	provenance, err := p.ready(ctx)
	if err != nil {
		return nil, err
	}
	build, err := build()
	if err != nil {
		return nil, fmt.Errorf("intershap: shard: what program this is: %w", err)
	}
	identity, err := p.identity("shard", provenance, build)
	if err != nil {
		return nil, err
	}
	found, _, err := p.run(ctx, provenance)
	if err != nil {
		return nil, err
	}
	found.identity = identity
	if found.shard = p.opt.Shard; found.shard.whole() {
		found.shard = Shard{Index: 0, Of: 1}
	}
	return found, nil
}

// explanation reads the sums of all tiles, which it uses up.
func (x *Partial) explanation() (*Explanation, error) {
	total, err := x.sums.tiles.Total()
	if err != nil {
		return nil, err
	}
	var families []familyTotal
	for i := range x.sums.families {
		f := &x.sums.families[i]
		sum, err := f.tiles.Total()
		if err != nil {
			return nil, err
		}
		families = append(families, familyTotal{f.familyName, sum})
	}
	e := &Explanation{}
	e.Schema, e.Provenance, e.Classes, e.Modalities = result.Schema, x.provenance, x.facts.Classes, x.facts.Modalities
	e.Groups, e.Cost = x.facts.Groups, x.cost
	var doubts diag.List
	f := &x.facts
	for t := range f.Targets {
		target, summary := f.summarise(total, t)
		target.Residual = x.sums.residual[t]
		target.ResidualTolerance = f.Tolerance * max(x.sums.magnitude[t], math.SmallestNonzeroFloat64)
		f.warnAboutTarget(&doubts, target, summary)
		f.interactions(&target, t, families, summary, &doubts)
		e.Targets = append(e.Targets, target)
		e.errors = append(e.errors, f.sourceErrors(summary, target.Headline))
	}
	var warnings diag.List
	warnings.Append(x.warnings...)
	warnings.Append(folded(doubts.All())...)
	e.Warnings = warnings.All()
	return e, nil
}

// Merge returns the explanation of a run from all of its shards, in any order. It is
// the one that the run has by itself, but for the command and the seconds, which add up.
// It uses the shards up.
func Merge(shards ...*Partial) (*Explanation, error) {
	if len(shards) == 0 {
		return nil, errors.New("intershap: merge: want the shards of a run, got none")
	}
	shards = slices.SortedFunc(slices.Values(shards), func(a, b *Partial) int { return cmp.Compare(a.tiles.From, b.tiles.From) })
	first := shards[0]
	for _, s := range shards[1:] {
		if err := first.sameRun(s); err != nil {
			return nil, err
		}
	}
	if err := complete(shards); err != nil {
		return nil, err
	}
	var warnings diag.List
	warnings.Append(first.warnings...)
	for _, s := range shards[1:] {
		warnings.Append(first.renamed(s)...)
		first.tiles.To = s.tiles.To
		first.cost.Seconds += s.cost.Seconds
		if err := first.sums.merge(&s.sums); err != nil {
			return nil, err
		}
	}
	first.warnings = warnings.All()
	return first.explanation()
}

// renamed returns the warnings of another shard of the run, about the files as this one
// names them: on another machine they may lie elsewhere.
func (x *Partial) renamed(y *Partial) []diag.Warning {
	mine, others := x.sources(), y.sources()
	out := slices.Clone(y.warnings)
	for i := range out {
		if at := slices.Index(others, out[i].Subject); at >= 0 && out[i].Subject != "" {
			out[i].Subject = mine[at]
		}
	}
	return out
}

// sources are the names of what the run reads.
func (x *Partial) sources() []string {
	p := x.provenance
	return []string{p.Data.Source.Source, p.Background.Source.Source, p.Model.Source}
}

// complete says which tiles of a run are in two of its shards, which are in order, and
// which in none.
func complete(shards []*Partial) error {
	var gaps []tileRange
	at := shards[0].tiles
	at.To = 0
	for _, s := range shards {
		if s.tiles.From < at.To {
			other := shards[slices.Index(shards, s)-1]
			return fmt.Errorf("intershap: merge: %s (shard %s) and %s (shard %s) have samples in common: give each shard once", other.name(), other.shard, s.name(), s.shard)
		}
		if s.tiles.From > at.To {
			gaps = append(gaps, tileRange{at.To, s.tiles.From, at.Of, at.Samples})
		}
		at.To = s.tiles.To
	}
	if at.To < at.Of {
		gaps = append(gaps, tileRange{at.To, at.Of, at.Of, at.Samples})
	}
	if gaps == nil {
		return nil
	}
	var texts []string
	for _, g := range gaps {
		lo, hi := g.bounds(shards[0].provenance.Data.Samples)
		texts = append(texts, fmt.Sprintf("%d to %d", lo, hi-1))
	}
	return fmt.Errorf("intershap: merge: samples %s are in no shard: give all shards of the run, %s", strings.Join(texts, ", "), missing(shards))
}

// missing names the shards that are not there, where all are of one number.
func missing(shards []*Partial) string {
	of := shards[0].shard.Of
	there := map[int]bool{}
	for _, s := range shards {
		if s.shard.Of != of {
			return "best of one number"
		}
		there[s.shard.Index] = true
	}
	const most = 5
	var out []string
	for i := range of {
		if !there[i] && len(out) <= most {
			out = append(out, Shard{i, of}.String())
		}
	}
	if len(out) > most {
		return fmt.Sprintf("%s and more are missing", strings.Join(out[:most], ", "))
	}
	if len(out) == 1 {
		return out[0] + " is missing"
	}
	return strings.Join(out, ", ") + " are missing"
}

func (a *sums) merge(b *sums) error {
	if err := a.tiles.Merge(&b.tiles); err != nil {
		return err
	}
	for i := range a.families {
		if err := a.families[i].tiles.Merge(&b.families[i].tiles); err != nil {
			return err
		}
	}
	for t := range a.residual {
		a.residual[t] = max(a.residual[t], b.residual[t])
		a.magnitude[t] = max(a.magnitude[t], b.magnitude[t])
	}
	return nil
}

// sameRun says how another shard is of another run.
func (x *Partial) sameRun(y *Partial) error {
	mine, err := x.traits()
	if err != nil {
		return err
	}
	others, err := y.traits()
	if err != nil {
		return err
	}
	for _, t := range slices.Concat(mine, others) {
		if a, b := valueOf(mine, t.name), valueOf(others, t.name); a != b {
			return fmt.Errorf("intershap: merge: %s and %s are of two runs: %s is %s in the first and %s in the second; give the shards of one run",
				x.name(), y.name(), t.name, brief(a), brief(b))
		}
	}
	return nil
}

// A trait is a fact of the run as JSON.
type trait struct{ name, value string }

// absentTrait is what messages call the value of a fact that a run does not have.
const absentTrait = "not there"

// valueOf returns the value of a trait.
func valueOf(traits []trait, name string) string {
	if at := slices.IndexFunc(traits, func(t trait) bool { return t.name == name }); at >= 0 {
		return traits[at].value
	}
	return absentTrait
}

// brief cuts a long value for a message.
func brief(text string) string {
	const most = 80
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "..."
	}
	return text
}

// traits are all that shards of one run have in common.
func (x *Partial) traits() ([]trait, error) {
	var out []trait
	add := func(name string, value any) error {
		text, err := json.Marshal(value)
		out = append(out, trait{name, string(text)})
		return err
	}
	for _, fact := range x.identity {
		if err := add(fact.Name, fact.Value); err != nil {
			return nil, err
		}
	}
	provenance := x.provenance
	provenance.Command = ""
	// The digests count: another machine may have the files in another folder.
	provenance.Model.Source, provenance.Data.Source.Source, provenance.Background.Source.Source = "", "", ""
	for _, of := range []any{provenance, x.facts} {
		raw, err := json.Marshal(of)
		if err != nil {
			return nil, err
		}
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if slices.ContainsFunc(out, func(t trait) bool { return t.name == name }) {
				continue // by both, and the same
			}
			if err := add(name, fields[name]); err != nil {
				return nil, err
			}
		}
	}
	return out, add("tiles", x.tiles.Of)
}

// shardDocument is a shard as it lies on the disk.
type shardDocument struct {
	Schema     string            `json:"schema"`
	Shard      shardNumber       `json:"shard"`
	Tiles      tileRange         `json:"tiles"`
	Identity   []factDocument    `json:"identity"`
	Provenance result.Provenance `json:"provenance"`
	Facts      facts             `json:"facts"`
	Cost       result.Cost       `json:"cost"`
	Warnings   []diag.Warning    `json:"warnings"`
	Residual   []float64         `json:"residual"`
	Magnitude  []float64         `json:"magnitude"`
	// Sums are those of the paper's matrices, as score.Tiles writes them.
	Sums     []byte           `json:"sums"`
	Families []familyDocument `json:"families"`
	// SHA256 is that of the document without it, see digest.
	SHA256 string `json:"sha256"`
}

// digest returns the SHA-256, in hexadecimal, of the document as JSON without blanks, in
// which the field of the digest is an empty text. It does not change where a file is
// indented anew.
func (d *shardDocument) digest() (string, error) {
	blank := *d
	blank.SHA256 = ""
	text, err := json.Marshal(&blank)
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), err
}

// A shardNumber is a Shard as people count.
type shardNumber struct {
	Number int `json:"number"`
	Of     int `json:"of"`
}

type factDocument struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

type familyDocument struct {
	familyName
	Sums []byte `json:"sums"`
}

// Write writes the shard as JSON; docs/format/shard.md describes it.
func (x *Partial) Write(w io.Writer) error {
	d := shardDocument{
		Schema: ShardSchema, Shard: shardNumber{x.shard.Index + 1, x.shard.Of}, Tiles: x.tiles, Provenance: x.provenance, Facts: x.facts, Cost: x.cost, Warnings: x.warnings,
		Residual: x.sums.residual, Magnitude: x.sums.magnitude,
	}
	for _, f := range x.identity {
		value, err := json.Marshal(f.Value)
		if err != nil {
			return err
		}
		d.Identity = append(d.Identity, factDocument{f.Name, value})
	}
	var err error
	if d.Sums, err = x.sums.tiles.MarshalBinary(); err != nil {
		return err
	}
	for i := range x.sums.families {
		f := &x.sums.families[i]
		raw, err := f.tiles.MarshalBinary()
		if err != nil {
			return err
		}
		d.Families = append(d.Families, familyDocument{f.familyName, raw})
	}
	if d.SHA256, err = d.digest(); err != nil {
		return err
	}
	text, err := json.MarshalIndent(d, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// ReadPartial reads a shard that [Partial.Write] wrote. What is damaged is refused.
func ReadPartial(path string) (*Partial, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	x, err := parsePartial(raw)
	if err != nil {
		return nil, fmt.Errorf("intershap: %s: %w", path, err)
	}
	x.path = path
	return x, nil
}

func parsePartial(raw []byte) (*Partial, error) {
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(raw, &head); err != nil {
		return nil, fmt.Errorf("want a shard, which is JSON: %w; explain --shard K/N -o FILE writes one", err)
	}
	if head.Schema != ShardSchema {
		return nil, fmt.Errorf("want a shard, schema %q, got %q; explain --shard K/N -o FILE writes one", ShardSchema, head.Schema)
	}
	var d shardDocument
	read := json.NewDecoder(bytes.NewReader(raw))
	if err := read.Decode(&d); err != nil {
		return nil, fmt.Errorf("the shard is damaged: %w; run it again", err)
	}
	if sum, err := d.digest(); err != nil || sum != d.SHA256 {
		return nil, errors.New("the shard is damaged: its digest is not that of its contents; run it again")
	}
	x := &Partial{
		shard: Shard{d.Shard.Number - 1, d.Shard.Of}, tiles: d.Tiles, provenance: d.Provenance, facts: d.Facts, cost: d.Cost, warnings: d.Warnings,
		sums: sums{residual: d.Residual, magnitude: d.Magnitude},
	}
	for _, f := range d.Identity {
		x.identity = append(x.identity, checkpoint.Fact{Name: f.Name, Value: f.Value})
	}
	err := x.sums.tiles.UnmarshalBinary(d.Sums)
	for _, f := range d.Families {
		read := familySums{familyName: f.familyName}
		err = errors.Join(err, read.tiles.UnmarshalBinary(f.Sums))
		x.sums.families = append(x.sums.families, read)
	}
	if err == nil {
		err = x.check()
	}
	if err != nil {
		return nil, fmt.Errorf("the shard is damaged: %w; run it again", err)
	}
	return x, nil
}

// check holds the parts of a document against each other: what reads them takes them
// to fit.
func (x *Partial) check() error {
	f, t := &x.facts, x.tiles
	want := func(ok bool, what string) error {
		if ok {
			return nil
		}
		return errors.New(what)
	}
	sizes, has := f.partitions()
	m, targets := len(f.Modalities), len(f.Targets)
	faults := []error{
		want(0 <= t.From && t.From < t.To && t.To <= t.Of && t.Samples > 0, "its range of tiles is none"),
		want(x.shard.valid() && !x.shard.whole() && t.From == x.shard.Index*t.Of/x.shard.Of && t.To == (x.shard.Index+1)*t.Of/x.shard.Of, "its tiles are not those of its number"),
		want(t.bounded(x.provenance.Data.Samples), "its tiles are not those of its samples"),
		want(m > 0 && targets > 0, "it has no modality or no target"),
		want(f.Level > 0 && f.Level < 1, "its level lies not between 0 and 1"),
		want(len(x.sums.residual) == targets && len(x.sums.magnitude) == targets, "its residuals are not those of its targets"),
		want(!f.ByClass || len(f.Classes) > 0, "it is by class and has no classes"),
	}
	layout := func(name string, tiles *score.Tiles, fits func(score.Layout) bool) {
		from, to, ok := tiles.Range()
		l := tiles.Layout()
		faults = append(faults, want(ok && from == t.From && to == t.To, "the sums of "+name+" are of other tiles"),
			want(l.Modalities == m && l.Targets == targets && l.Weighted == f.Weighted && l.Clustered == f.Clustered && fits(l), "the sums of "+name+" are of another shape"))
	}
	layout("the matrices", &x.sums.tiles, func(l score.Layout) bool {
		return l.Cells == nil && slices.Equal(l.Partitions, sizes) && slices.EqualFunc(l.Present, has, slices.Equal)
	})
	for i := range x.sums.families {
		s := &x.sums.families[i]
		layout(fmt.Sprintf("%s to order %d", s.Index, s.Order), &s.tiles, func(l score.Layout) bool {
			return l.Cells != nil && len(l.Partitions) == 1 && l.Partitions[0] == max(1, len(f.Patterns))
		})
	}
	faults = append(faults,
		want(slices.EqualFunc(f.Families, x.sums.families, func(n familyName, s familySums) bool { return n == s.familyName }), "it has not the interactions that it names"),
		want(f.Index == 0 || slices.Contains(f.Families, familyName{f.Index, f.Order}), "it lacks the interactions that were asked for"),
		want(len(x.identity) > 0, "it does not say of which run it is"),
		want(x.provenance.Convention == f.Convention.String(), "its provenance is not that of its sums"))
	return errors.Join(faults...)
}
