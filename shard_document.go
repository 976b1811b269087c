package intershap

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
)

// ShardSchema names the version of a shard's document.
const ShardSchema = "intershap/shard/v1"

// shardHead is all of a shard's document but what is added up.
type shardHead struct {
	Schema     string            `json:"schema"`
	Shard      shardNumber       `json:"shard"`
	Tiles      tileRange         `json:"tiles"`
	Identity   []factDocument    `json:"identity"`
	Provenance result.Provenance `json:"provenance"`
	Facts      facts             `json:"facts"`
}

// shardDocument is a shard as it lies on the disk.
type shardDocument struct {
	shardHead
	// TaskGuessed is no part of the facts: shards with the task given and guessed may be
	// of one run.
	TaskGuessed bool           `json:"task_guessed"`
	Cost        result.Cost    `json:"cost"`
	Warnings    []diag.Warning `json:"warnings"`
	Residual    []float64      `json:"residual"`
	Magnitude   []float64      `json:"magnitude"`
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

// Write writes the shard as JSON; docs/format/shard.md describes it. It is an error where
// the shard was merged before, which uses it up, and where w refuses it.
func (x *Partial) Write(w io.Writer) error {
	if err := x.whole(); err != nil {
		return err
	}
	d := shardDocument{
		shardHead:   shardHead{Schema: ShardSchema, Shard: shardNumber{x.shard.Index + 1, x.shard.Of}, Tiles: x.tiles, Provenance: x.provenance, Facts: x.facts},
		TaskGuessed: x.guessed, Cost: x.cost, Warnings: x.warnings,
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

// ReadPartial reads a shard that [Partial.Write] wrote. Its errors name the file: one that
// cannot be read, that is no shard or one of another schema, that is damaged (a digest of
// other contents), and one that contradicts itself.
func ReadPartial(path string) (*Partial, error) { return readShard(path, parsePartial) }

// readHead reads a shard less its sums, so that it cannot tell whether all of it is sound.
func readHead(path string) (*Partial, error) { return readShard(path, parseHead) }

func readShard(path string, parse func(raw []byte) (*Partial, error)) (*Partial, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	x, err := parse(raw)
	if err != nil {
		return nil, fmt.Errorf("intershap: %s: %w", path, err)
	}
	x.path = path
	return x, nil
}

// decodeShard decodes the document of a shard, or a part of it, and refuses what is none.
func decodeShard(raw []byte, into any) error {
	fault := json.Unmarshal(raw, into)
	var head struct {
		Schema string `json:"schema"`
	}
	switch d := into.(type) {
	case *shardDocument:
		head.Schema = d.Schema
	case *sealedHead:
		head.Schema = d.Schema
	}
	if fault != nil { // there may be more to it than one field
		if err := json.Unmarshal(raw, &head); err != nil {
			return fmt.Errorf("want a shard, which is JSON: %w; explain --shard K/N -o FILE writes one", err)
		}
	}
	if head.Schema != ShardSchema {
		return fmt.Errorf("want a shard, schema %q, got %q; explain --shard K/N -o FILE writes one", ShardSchema, head.Schema)
	}
	if fault != nil {
		return damaged(fault)
	}
	return nil
}

func damaged(err error) error { return fmt.Errorf("the shard is damaged: %w; run it again", err) }

// sealedHead is the head of a document with the digest of all of it.
type sealedHead struct {
	shardHead
	SHA256 string `json:"sha256"`
}

func parseHead(raw []byte) (*Partial, error) {
	var d sealedHead
	if err := decodeShard(raw, &d); err != nil {
		return nil, err
	}
	return d.partial(d.SHA256), nil
}

// partial returns a shard without sums.
func (d *shardHead) partial(digest string) *Partial {
	x := &Partial{shard: Shard{d.Shard.Number - 1, d.Shard.Of}, tiles: d.Tiles, provenance: d.Provenance, facts: d.Facts, digest: digest}
	for _, f := range d.Identity {
		x.identity = append(x.identity, checkpoint.Fact{Name: f.Name, Value: f.Value})
	}
	return x
}

func parsePartial(raw []byte) (*Partial, error) {
	var d shardDocument
	if err := decodeShard(raw, &d); err != nil {
		return nil, err
	}
	if sum, err := d.digest(); err != nil || sum != d.SHA256 {
		return nil, damaged(errors.New("its digest is not that of its contents"))
	}
	x := d.partial(d.SHA256)
	x.guessed, x.cost, x.warnings = d.TaskGuessed, d.Cost, d.Warnings
	x.sums.residual, x.sums.magnitude = d.Residual, d.Magnitude
	if err := x.sums.tiles.UnmarshalBinary(d.Sums); err != nil {
		return nil, damaged(err)
	}
	for _, f := range d.Families {
		sums := familySums{familyName: f.familyName}
		if err := sums.tiles.UnmarshalBinary(f.Sums); err != nil {
			return nil, damaged(err)
		}
		x.sums.families = append(x.sums.families, sums)
	}
	if err := x.check(); err != nil {
		return nil, damaged(err)
	}
	return x, nil
}
