package result

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/intershap/intershap/diag"
)

// Write writes e as one JSON document, indented. Numbers are the shortest that
// read back the same; a number that is not finite is an error, and nothing is
// written then.
func (e *Explanation) Write(w io.Writer) error {
	var document bytes.Buffer
	enc := json.NewEncoder(&document)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(e.withLists()); err != nil {
		return fmt.Errorf("result: explanation: %w", err)
	}
	_, err := w.Write(document.Bytes())
	return err
}

// withLists returns a copy of e with empty lists where readers expect a list, not null.
func (e *Explanation) withLists() *Explanation {
	full := *e
	if full.Modalities == nil {
		full.Modalities = []string{}
	}
	if full.Targets == nil {
		full.Targets = []Target{}
	}
	if full.Warnings == nil {
		full.Warnings = []diag.Warning{}
	}
	if s := full.Sensitivity; s != nil && s.Rows == nil {
		full.Sensitivity = &Sensitivity{s.Verdict, s.Depends, s.Clear, []SensitivityRow{}}
	}
	return &full
}

// ReadFile reads the document in a file, see [Read].
func ReadFile(path string) (*Explanation, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	defer f.Close()
	e, err := read(f)
	if err != nil {
		return nil, fmt.Errorf("result: %s: %w", path, err)
	}
	return e, nil
}

// Read reads the document that Write wrote, and no other: another schema, a
// truncated file, trailing bytes or numbers that do not fit the modalities are
// errors. Fields that it does not know are passed over: later versions of the
// same schema only add some.
func Read(r io.Reader) (*Explanation, error) {
	e, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("result: %w", err)
	}
	return e, nil
}

// shardSchema is what the schemas of shards begin with: see docs/format/shard.md.
const shardSchema = "intershap/shard/"

func read(r io.Reader) (*Explanation, error) {
	dec := json.NewDecoder(r)
	var document json.RawMessage
	if err := dec.Decode(&document); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
			return nil, errors.New("the document ends too early: is the file complete?")
		}
		return nil, fmt.Errorf("no explanation, which is JSON: %w", err)
	}
	switch _, err := dec.Token(); {
	case err == nil:
		return nil, errors.New("the document is followed by something else: want one document a file")
	case errors.Is(err, io.EOF):
	default:
		return nil, fmt.Errorf("want the end of the file after the document: %w", err)
	}
	// The schema comes first: what else is wrong follows from it.
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(document, &head); err != nil {
		return nil, fmt.Errorf("no explanation: %w", err)
	}
	if strings.HasPrefix(head.Schema, shardSchema) {
		return nil, errors.New("this is a shard, a part of a run: intershap merge makes the result of all shards")
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("want schema %q, got %q: was it written by explain --json, and by a version like this one?", Schema, head.Schema)
	}
	var e Explanation
	if err := json.Unmarshal(document, &e); err != nil {
		return nil, fmt.Errorf("no explanation: %w", err)
	}
	if err := e.check(); err != nil {
		return nil, err
	}
	return e.withLists(), nil
}
