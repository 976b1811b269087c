package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/intershap/intershap/game"
)

// Schema names the version of the folder's files.
const Schema = "intershap/checkpoint/v1"

// A Fact is one thing that the numbers of a run depend on.
type Fact struct {
	Name string
	// Value is a string, a whole number or a list of strings.
	Value any
}

// An Identity tells one run from another: with equal facts every tile has the
// same bits. What changes no tile, such as the number of workers, is no fact.
type Identity []Fact

// coalitionsFact names the fact that tells one list of coalitions from another.
const coalitionsFact = "coalitions"

// spell tells one list of coalitions from another: how many there are, and the
// SHA-256 of their bits, 8 bytes each, little end first.
func spell(coalitions []game.Coalition) string {
	var raw []byte
	for _, s := range coalitions {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(s))
	}
	return fmt.Sprintf("%d, %x", len(coalitions), sha256.Sum256(raw))
}

// document returns the contents of run.json: the facts in their order, one a
// line.
func (id Identity) document() ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "{\n  \"schema\": %q,\n  \"run\": {", Schema)
	for i, f := range id {
		value, err := f.text()
		if err != nil {
			return nil, err
		}
		name, err := plainJSON(f.Name)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n    %s: %s", name, value)
	}
	b.WriteString("\n  }\n}\n")
	return b.Bytes(), nil
}

// text is the fact's value as JSON on one line.
func (f Fact) text() (string, error) {
	text, err := plainJSON(f.Value)
	if err != nil {
		return "", fmt.Errorf("checkpoint: fact %s: %w", f.Name, err)
	}
	return text, nil
}

// plainJSON encodes x without escaping what only HTML minds.
func plainJSON(x any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(x); err != nil {
		return "", err
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

// digest ties tiles to the run.
func (id Identity) digest() ([sha256.Size]byte, error) {
	document, err := id.document()
	return sha256.Sum256(document), err
}

// compare says how the run that a folder belongs to differs from this one: by
// the first fact, in the order of id, and then by facts of its own.
func (id Identity) compare(there map[string]json.RawMessage) error {
	rest := maps.Clone(there)
	for _, f := range id {
		here, err := f.text()
		if err != nil {
			return err
		}
		raw, ok := rest[f.Name]
		if !ok {
			return fmt.Errorf("holds another run: %s is not said there, %s here", f.Name, excerpt(here, 0))
		}
		delete(rest, f.Name)
		if was := compact(raw); was != here {
			at := firstDifference(was, here)
			return fmt.Errorf("holds another run: %s was %s there, is %s here", f.Name, excerpt(was, at), excerpt(here, at))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(rest)) {
		return fmt.Errorf("holds another run: %s was %s there, is not said here", name, excerpt(compact(rest[name]), 0))
	}
	return nil
}

// compact removes the space between the tokens of valid JSON.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return string(raw)
	}
	return b.String()
}

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

// An excerpt of a long value has some bytes before the place that matters and
// more after it; a SHA-256 in quotes is not long.
const (
	excerptBefore = 20
	excerptLength = 70
)

// excerpt cuts a long text down to what is around the byte at.
func excerpt(text string, at int) string {
	if len(text) <= excerptLength {
		return text
	}
	lo := max(0, min(at-excerptBefore, len(text)-excerptLength))
	out := text[lo : lo+excerptLength]
	if lo > 0 {
		out = "..." + out
	}
	if lo+excerptLength < len(text) {
		out += "..."
	}
	return out
}

// readIdentity compares the folder's run with id. found is false when the folder
// has no run yet.
func readIdentity(dir string, id Identity) (found bool, err error) {
	path := filepath.Join(dir, runName)
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, &Error{Path: path, Err: withoutPath(err), Hint: hintRead}
	}
	var run struct {
		Schema string                     `json:"schema"`
		Run    map[string]json.RawMessage `json:"run"`
	}
	if err := json.Unmarshal(raw, &run); err != nil {
		return true, &Error{Path: path, Err: fmt.Errorf("does not say what run this is: %w", err), Hint: hintOtherRun}
	}
	if run.Schema != Schema {
		return true, &Error{Path: path, Err: fmt.Errorf("has the schema %q, want %q", run.Schema, Schema), Hint: hintOtherRun}
	}
	if err := id.compare(run.Run); err != nil {
		return true, &Error{Path: dir, Err: err, Hint: hintOtherRun}
	}
	return true, nil
}
