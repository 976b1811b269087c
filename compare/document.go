package compare

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Schema names the version of the JSON document.
const Schema = "intershap/comparison/v1"

// A Document is what a comparison of several sides found; docs/format/comparison.md
// specifies it.
type Document struct {
	// Schema is the constant [Schema].
	Schema  string `json:"schema"`
	Version string `json:"version"`
	Command string `json:"command"`
	// Level is the confidence level of all intervals.
	Level float64   `json:"level"`
	Seed  uint64    `json:"seed"`
	Sides []Sources `json:"sides"`
	// Comparisons hold every other side against the first.
	Comparisons []*Comparison `json:"comparisons"`
}

// Sources are what a side was made from.
type Sources struct {
	Label string `json:"label"`
	Files []File `json:"files"`
}

// A File is one result, and what it says of its own origin.
type File struct {
	Path string `json:"path"`
	// SamplesFile is the file of samples that was read; nil for none.
	SamplesFile *string `json:"samples_file"`
	Model       string  `json:"model"`
	ModelSHA256 string  `json:"model_sha256"`
	Data        string  `json:"data"`
	DataSHA256  string  `json:"data_sha256"`
	Background  string  `json:"background"`
	Rows        int     `json:"background_rows"`
	Seed        uint64  `json:"seed"`
}

// SourcesOf names what a side was made from.
func SourcesOf(s *Side) Sources {
	out := Sources{Label: s.Label, Files: []File{}}
	for _, r := range s.Runs {
		from := r.Result.Provenance
		f := File{
			Path: r.Path, Model: from.Model.Source, ModelSHA256: from.Model.SHA256, Data: from.Data.Source.Source, DataSHA256: from.Data.SHA256,
			Background: from.Background.Source.Source, Rows: from.Background.Rows, Seed: from.Seed,
		}
		if r.Samples != nil {
			f.SamplesFile = &r.Samples.Path
		}
		out.Files = append(out.Files, f)
	}
	return out
}

// Write writes d as one JSON document, indented; a number that is not finite is an
// error, and nothing is written then.
func (d *Document) Write(w io.Writer) error {
	var document bytes.Buffer
	enc := json.NewEncoder(&document)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d); err != nil {
		return fmt.Errorf("compare: document: %w", err)
	}
	_, err := w.Write(document.Bytes())
	return err
}
