package lint

import (
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

// rules are all rules that need nothing but the tree.
var rules = map[string]func(*Tree) []Finding{
	"imports":          func(t *Tree) []Finding { return Imports(t, Rooms) },
	"sizes":            Sizes,
	"names":            Names,
	"package-comments": PackageComments,
	"comments":         Comments,
	"unfinished":       Unfinished,
	"sleeps":           Sleeps,
}

func TestThisModuleKeepsTheRules(t *testing.T) {
	tree, err := Load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if want := "github.com/intershap/intershap"; tree.Module != want {
		t.Fatalf("want module %s, got %s: the rules ran on the wrong tree", want, tree.Module)
	}
	for name, rule := range rules {
		t.Run(name, func(t *testing.T) {
			for _, f := range rule(tree) {
				t.Error(f)
			}
		})
	}
}

func TestTheMapHoldsTogether(t *testing.T) {
	for _, f := range Map(Rooms) {
		t.Error(f)
	}
}

func TestMapFindsFaults(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		rooms        map[string]Room
		want         string
	}{
		{
			"circle", "two rooms that import each other do not compile",
			map[string]Room{"diag": {Core: true}, "tensor": {}, "a": {Above: []string{"b"}}, "b": {Above: []string{"a"}}},
			"a stands on itself",
		},
		{
			"unknown room", "a misspelt name would silently forbid",
			map[string]Room{"diag": {Core: true}, "tensor": {}, "a": {Above: []string{"gmae"}}},
			"a stands on gmae, which is no room",
		},
		{
			"core on others", "a core room inherits what its floor imports",
			map[string]Room{"diag": {Core: true}, "tensor": {}, "a": {Core: true, Above: []string{"b"}}, "b": {}},
			"a is core and stands on b",
		},
		{
			"core with modules", "core means the standard library alone",
			map[string]Room{"diag": {Core: true}, "tensor": {}, "a": {Core: true, Modules: []string{"example.org/x"}}},
			"a is core and may import example.org/x",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := join(Map(c.rooms)); !strings.Contains(got, c.want) {
				t.Errorf("%s: want a finding that says %q, got %q", c.reason, c.want, got)
			}
		})
	}
}

// source is a small module; each test case lays faults on top of it.
func source(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{"go.mod": {Data: []byte("module example.org/m\n\ngo 1.26\n")}}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

func TestRulesFindFaults(t *testing.T) {
	const doc = "// Package x is a test.\n"
	for _, c := range []struct {
		name, reason, rule string
		files              map[string]string
		want               []string // what the findings say, in order; none: no finding
	}{
		{
			"downward import", "score stands on index, which stands on game", "imports",
			map[string]string{"score/a.go": "package score\nimport _ \"example.org/m/game\"\nimport _ \"math\"\n"},
			nil,
		},
		{
			"upward import", "the mathematics knows no models", "imports",
			map[string]string{"game/a.go": "package game\n\nimport _ \"example.org/m/engine\"\n"},
			[]string{"game/a.go:3: game imports engine, want one of: diag;"},
		},
		{
			"sideways import", "dataset and model do not know each other", "imports",
			map[string]string{"dataset/a.go": "package dataset\nimport _ \"example.org/m/model\"\n"},
			[]string{"dataset/a.go:2: dataset imports model, want one of: diag, tensor;"},
		},
		{
			"the foundation imports a room", "what all may import imports no room", "imports",
			map[string]string{"tensor/a.go": "package tensor\nimport _ \"example.org/m/diag\"\n"},
			[]string{"tensor/a.go:2: tensor imports diag, want one of: nothing;"},
		},
		{
			"core imports tensor", "tensor carries a dependency into the core", "imports",
			map[string]string{"score/a.go": "package score\nimport _ \"example.org/m/tensor\"\nimport _ \"example.org/m/diag\"\n"},
			[]string{"score/a.go:2: score imports tensor"},
		},
		{
			"core imports a module", "the core is the standard library alone", "imports",
			map[string]string{"index/a.go": "package index\nimport _ \"gonum.org/v1/gonum/mat\"\n"},
			[]string{"index/a.go:2: index imports gonum.org/v1/gonum/mat, want the standard library or: nothing;"},
		},
		{
			"module in its room", "dataset reads Parquet through arrow-go", "imports",
			map[string]string{"dataset/a.go": "package dataset\nimport _ \"github.com/apache/arrow-go/v18/parquet/file\"\n"},
			nil,
		},
		{
			"starts a program", "what is started must end with us", "imports",
			map[string]string{"engine/a.go": "package engine\nimport _ \"os/exec\"\n", "engine/a_test.go": "package engine\nimport _ \"os/exec\"\n", "model/process/a.go": "package process\nimport _ \"os/exec\"\n"},
			[]string{"engine/a.go:2: engine imports os/exec, and may start no program"},
		},
		{
			"another platform", "build constraints hide nothing", "imports",
			map[string]string{"game/a_windows.go": "//go:build windows\n\npackage game\nimport _ \"example.org/m/score\"\n"},
			[]string{"game/a_windows.go:4: game imports score"},
		},
		{
			"nothing imports the command line", "not even a test", "imports",
			map[string]string{"result/a_test.go": "package result\nimport _ \"example.org/m/internal/cli\"\n"},
			[]string{"result/a_test.go:2: result imports internal/cli"},
		},
		{
			"main imports the command line", "that is what it is for", "imports",
			map[string]string{"cmd/intershap/main.go": "package main\nimport _ \"example.org/m/internal/cli\"\n"},
			nil,
		},
		{
			"a test's oracle", "tests may look anywhere below the command line", "imports",
			map[string]string{"game/a_test.go": "package game\nimport _ \"example.org/m/synth\"\nimport _ \"gonum.org/v1/gonum/mat\"\n"},
			nil,
		},
		{
			"package without a room", "a new package is put on the map first", "imports",
			map[string]string{"cellar/a.go": "package cellar\nimport _ \"example.org/m/engine\"\n"},
			[]string{"cellar: this package is missing from the map"},
		},
		{
			"ignored folders", "the go command does not build them either", "imports",
			map[string]string{"testdata/a/a.go": "package a\n", ".x/a.go": "package a\n", "_x/a.go": "package a\n"},
			nil,
		},
		{"600 lines", "the limit itself is allowed", "sizes", map[string]string{"game/a.go": "package game\n" + strings.Repeat("\n", 599)}, nil},
		{
			"601 lines", "one more is not, in tests neither", "sizes",
			map[string]string{"game/a_test.go": "package game\n" + strings.Repeat("\n", 600)},
			[]string{"game/a_test.go: 601 lines, want at most 600;"},
		},
		{
			"generated", "nobody reads a generated file", "sizes",
			map[string]string{"game/a.go": "// Code generated by protoc. DO NOT EDIT.\n\npackage game\n" + strings.Repeat("\n", 700)},
			nil,
		},
		{"good name", "commonality is a noun with a meaning", "names", map[string]string{"game/commonality.go": "package game\n"}, nil},
		{
			"empty names", "folder, package and file each", "names",
			map[string]string{"internal/util/helpers.go": "package util\n", "game/misc_test.go": "package game\n"},
			[]string{`internal/util: the folder name "util"`, `game/misc_test.go: the file name "misc_test"`, `the package name "util"`, `the file name "helpers"`},
		},
		{"package comment", "one file speaks for all", "package-comments", map[string]string{"x/a.go": doc + "package x\n", "x/b.go": "package x\n"}, nil},
		{
			"detached package comment", "a blank line detaches a comment", "package-comments",
			map[string]string{"x/a.go": doc + "\npackage x\n"}, []string{"x: no package comment;"},
		},
		{
			"comment of something else", "a licence is no package comment", "package-comments",
			map[string]string{"x/a.go": "// Copyright.\npackage x\n"}, []string{"x: no package comment;"},
		},
		{"tests alone", "nothing is imported from there", "package-comments", map[string]string{"x/a_test.go": "package x\n"}, nil},
		{
			"comments present", "a group's comment speaks for its members", "comments",
			map[string]string{"x/a.go": "package x\n\n// Ways.\nconst (\n\tA = 1\n\tB = 2 // B.\n)\n\n// T is.\ntype T struct{}\n\n// M does.\nfunc (*T) M() {}\n\ntype u struct{}\n\nfunc (u) M() {}\n"},
			nil,
		},
		{
			"comments absent", "each kind of name", "comments",
			map[string]string{"x/a.go": "package x\n\nconst A = 1\nvar B = 2\ntype T[K any] struct{}\nfunc (*T[K]) M() {}\nfunc F() {}\n"},
			[]string{"x/a.go:3: A is exported", "x/a.go:4: B is", "x/a.go:5: T is", "x/a.go:6: M is", "x/a.go:7: F is"},
		},
		{
			"work left for later", "in any comment, not in strings", "unfinished",
			map[string]string{"x/a.go": "package x\n\nvar s = \"TODO\" // FIX" + "ME: later\n"}, []string{"x/a.go:3: a comment says FIX" + "ME;"},
		},
		{
			"sleeping test", "time is no event", "sleeps",
			map[string]string{"x/a_test.go": "package x\n\nimport \"time\"\n\nfunc f() { time.Sleep(1) }\n", "x/a.go": "package x\n\nimport \"time\"\n\nfunc g() { time.Sleep(1) }\n"},
			[]string{"x/a_test.go:5: a test sleeps;"},
		},
	} {
		t.Run(c.rule+"/"+c.name, func(t *testing.T) {
			tree, err := Load(source(c.files))
			if err != nil {
				t.Fatal(err)
			}
			got := rules[c.rule](tree)
			if len(got) != len(c.want) {
				t.Fatalf("%s: want %d findings, got %d:\n%s", c.reason, len(c.want), len(got), join(got))
			}
			for i, want := range c.want {
				if !strings.Contains(got[i].String(), want) {
					t.Errorf("%s: want a finding that says %q, got %q", c.reason, want, got[i])
				}
				if got[i].Remedy == "" {
					t.Errorf("want a remedy, got none: %s", got[i])
				}
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		tree fstest.MapFS
		want string
	}{
		{"no module", fstest.MapFS{}, "lint: no module here"},
		{"no module line", fstest.MapFS{"go.mod": {Data: []byte("go 1.26\n")}}, "lint: go.mod: want a module line"},
		{"bad syntax", source(map[string]string{"a.go": "package\n"}), "lint: a.go:1:9"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := Load(c.tree); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q, got %v", c.want, err)
			}
		})
	}
}

func join(found []Finding) string {
	lines := make([]string, len(found))
	for i, f := range found {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
