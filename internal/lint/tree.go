package lint

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// A Finding is one breach of a house rule.
type Finding struct {
	// Place is a file, with its line where there is one, or a folder.
	Place string
	// Fault says what is wrong, with what was found and what is wanted.
	Fault string
	// Remedy says what to do about it.
	Remedy string
}

// String formats f as one line.
func (f Finding) String() string { return fmt.Sprintf("%s: %s; %s", f.Place, f.Fault, f.Remedy) }

// A File is one parsed Go file.
type File struct {
	// Path is slash-separated and relative to the root of the module.
	Path string
	// Lines is the number of lines.
	Lines int
	// Syntax is the whole file, comments included.
	Syntax *ast.File
}

// IsTest reports whether f is compiled by go test alone.
func (f *File) IsTest() bool { return strings.HasSuffix(f.Path, "_test.go") }

// Room returns the folder of f, "." for the root of the module.
func (f *File) Room() string { return path.Dir(f.Path) }

// A Tree is the Go source of a module. All files count, whatever their build
// constraints: a rule that one platform breaks is broken.
type Tree struct {
	// Module is the path that go.mod declares.
	Module string
	// Files are sorted by path.
	Files []*File
	fset  *token.FileSet
}

// Load parses the module whose go.mod lies at the top of fsys. Folders that
// the go command ignores (testdata, names with a leading dot or underscore)
// are left out.
func Load(fsys fs.FS) (*Tree, error) {
	t := &Tree{fset: token.NewFileSet()}
	mod, err := fs.ReadFile(fsys, "go.mod")
	if err != nil {
		return nil, fmt.Errorf("lint: no module here: %w", err)
	}
	for line := range strings.Lines(string(mod)) {
		if name, ok := strings.CutPrefix(line, "module "); ok {
			t.Module = strings.TrimSpace(name)
			break
		}
	}
	if t.Module == "" {
		return nil, fmt.Errorf("lint: go.mod: want a module line, got none")
	}
	err = fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && ignored(name):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".go":
			return nil
		}
		return t.add(fsys, name)
	})
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	return t, nil
}

func ignored(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (base == "testdata" || base[0] == '.' || base[0] == '_')
}

func (t *Tree) add(fsys fs.FS, name string) error {
	source, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	syntax, err := parser.ParseFile(t.fset, name, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	t.Files = append(t.Files, &File{Path: name, Lines: bytes.Count(source, []byte("\n")), Syntax: syntax})
	return nil
}

// rooms returns the folders that hold Go files, sorted.
func (t *Tree) rooms() []string {
	var dirs []string
	for _, f := range t.Files {
		dirs = append(dirs, f.Room())
	}
	slices.Sort(dirs)
	return slices.Compact(dirs)
}

// place formats the position of a node as "file:line".
func (t *Tree) place(at token.Pos) string {
	p := t.fset.Position(at)
	return fmt.Sprintf("%s:%d", p.Filename, p.Line)
}
