package encoders

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"github.com/intershap/intershap/model/onnx"
)

// The keys of the file.
const (
	encodersKey = "encoders"
	headKey     = "head"
)

// shape is what every message about the form of the file ends with.
const shape = "want \"encoders: {NAME: FILE.onnx, ...}\" and \"head: FILE.onnx\""

// maxSize bounds the file: a name and a path for each encoder are no more.
const maxSize = 1 << 20

// A recipe is what an encoders.yaml says.
type recipe struct {
	encoders []entry // in the order of the file
	head     entry
}

// An entry names a file.
type entry struct {
	what string // for messages
	key  string // of an encoder
	path string // as written
	line int
}

// open opens the file of an entry; paths are relative to dir.
func (e entry) open(dir string, opts onnx.Options) (*onnx.Model, error) {
	path := filepath.FromSlash(e.path)
	if !filepath.IsAbs(path) {
		path = filepath.Join(dir, path)
	}
	m, err := onnx.Open(path, opts)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, at(e.line, "%s: %w; want the path of an ONNX file, relative to the folder of this file", e.what, err)
	case err != nil:
		return nil, at(e.line, "%s: %w", e.what, err)
	}
	return m, nil
}

// A lineError is a fault on a line of the file.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

func at(line int, format string, args ...any) error {
	return &lineError{line: line, err: fmt.Errorf(format, args...)}
}

// readFile reads the file at path unless it cannot be one.
func readFile(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("want a file, got a folder, pipe or device")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, bare(err)
	}
	defer f.Close() // read only: nothing to lose
	data, err := io.ReadAll(io.LimitReader(f, maxSize+1))
	if err != nil {
		return nil, bare(err)
	}
	if len(data) > maxSize {
		return nil, fmt.Errorf("want a list of a few files, got more than %d bytes", maxSize)
	}
	return data, nil
}

// bare drops the operation and path that os puts before an error, where our
// own message has them already.
func bare(err error) error {
	var fault *fs.PathError
	if errors.As(err, &fault) {
		return fault.Err
	}
	return err
}

// parse reads the file. It walks nodes instead of decoding into a struct, to
// know the line of everything and to see a key that stands there twice.
func parse(data []byte) (recipe, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		return recipe{}, fmt.Errorf("the file is empty; %s", shape)
	case err != nil:
		return recipe{}, fmt.Errorf("not YAML: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return recipe{}, fmt.Errorf("want one YAML document, got more; %s", shape)
	}
	root := document.Content[0]
	if root.Kind != yaml.MappingNode {
		return recipe{}, at(root.Line, "%s", shape)
	}
	var r recipe
	err := eachPair(root, func(key string, value *yaml.Node) (err error) {
		switch key {
		case encodersKey:
			r.encoders, err = parseEncoders(value)
		case headKey:
			r.head, err = parseEntry("head", value)
		default:
			err = at(value.Line, "unknown key %q; %s", key, shape)
		}
		return err
	})
	switch {
	case err != nil:
		return recipe{}, err
	case len(r.encoders) == 0:
		return recipe{}, fmt.Errorf("no encoders; %s", shape)
	case r.head.path == "":
		return recipe{}, fmt.Errorf("no head; %s", shape)
	}
	return r, nil
}

func parseEncoders(list *yaml.Node) ([]entry, error) {
	if list.Kind != yaml.MappingNode {
		return nil, at(list.Line, "encoders: want names and files, as in \"encoders: {image: enc_image.onnx}\"")
	}
	var entries []entry
	err := eachPair(list, func(key string, value *yaml.Node) error {
		e, err := parseEntry(fmt.Sprintf("encoder %q", key), value)
		e.key = key
		entries = append(entries, e)
		return err
	})
	return entries, err
}

func parseEntry(what string, value *yaml.Node) (entry, error) {
	if value.Kind != yaml.ScalarNode || value.Tag != "!!str" || value.Value == "" {
		return entry{}, at(value.Line, "%s: want the path of an ONNX file", what)
	}
	return entry{what: what, path: value.Value, line: value.Line}, nil
}

// eachPair calls f for the pairs of a mapping, in order, after it has seen that
// keys are names and differ.
func eachPair(mapping *yaml.Node, f func(key string, value *yaml.Node) error) error {
	lines := map[string]int{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Value == "" {
			return at(key.Line, "want a name, got something else as a key")
		}
		if before, twice := lines[key.Value]; twice {
			return at(key.Line, "%q stands on line %d already", key.Value, before)
		}
		lines[key.Value] = key.Line
		if err := f(key.Value, value); err != nil {
			return err
		}
	}
	return nil
}
