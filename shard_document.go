package intershap

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// ShardSchema names the version of a shard's document.
const ShardSchema = "intershap/shard/v1"

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
