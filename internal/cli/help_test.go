package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

// widest returns the lines of text that are wider than a terminal.
func widest(text string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if visible(line) > defaultWidth {
			out = append(out, line)
		}
	}
	return out
}

// TestHelpFits checks every page of help: it is there, and fits a terminal.
func TestHelpFits(t *testing.T) {
	root := NewCommand()
	for _, name := range helpNames(root) {
		s, out, errs := fakeStreams(false, 0)
		if code := run(t.Context(), []string{"help", name}, s); code != exitDone || errs.Len() > 0 || out.Len() == 0 {
			t.Errorf("help %s: want text and code 0, got code %d, %q", name, code, errs)
		}
		for _, line := range widest(out.String()) {
			t.Errorf("help %s: a line of %d columns: %s", name, visible(line), line)
		}
	}
	if len(widest(strings.Repeat("x", defaultWidth+1))) != 1 {
		t.Error("the check does not see a wide line")
	}
}

// TestTopicFiles checks that the topics that are listed are those that exist.
func TestTopicFiles(t *testing.T) {
	files, err := fs.ReadDir(topicFiles, "topics")
	if err != nil {
		t.Fatal(err)
	}
	var have, listed []string
	for _, f := range files {
		have = append(have, strings.TrimSuffix(f.Name(), ".txt"))
	}
	for _, topic := range topics {
		if topic.page == "" {
			listed = append(listed, topic.name)
		}
	}
	if !slices.Equal(have, listed) {
		t.Errorf("want the topics %q in this order, got %q", have, listed)
	}
}

// warningIDs finds the warnings of the module: the first argument of Add, where
// it is one word in kebab-case beside a subject, the ID of a Warning, and what compare
// refuses without --force or holds results against each other by.
func warningIDs(t *testing.T, root string) map[string]string {
	t.Helper()
	found := map[string]string{}
	keep := func(e ast.Expr, place string) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if id, err := strconv.Unquote(lit.Value); err == nil && !strings.ContainsAny(id, " %.") {
				found[id] = place
			}
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				// diag.List.Add takes an id, a subject and a format.
				const fewest = 3
				if sel, ok := n.Fun.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Add" || sel.Sel.Name == "refuse") && len(n.Args) >= fewest {
					keep(n.Args[0], path)
				}
			case *ast.CompositeLit:
				if list, ok := n.Type.(*ast.ArrayType); ok {
					if of, ok := list.Elt.(*ast.Ident); ok && of.Name == "fact" {
						for _, e := range n.Elts {
							if lit, ok := e.(*ast.CompositeLit); ok {
								keep(lit.Elts[0], path)
							}
						}
					}
				}
				if sel, ok := n.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Warning" {
					for _, e := range n.Elts {
						if kv, ok := e.(*ast.KeyValueExpr); ok {
							if key, ok := kv.Key.(*ast.Ident); ok && key.Name == "ID" {
								keep(kv.Value, path)
							}
						}
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestWarningsTopic checks that the topic tells every warning of the module.
func TestWarningsTopic(t *testing.T) {
	text, err := topic{name: "warnings"}.text()
	if err != nil {
		t.Fatal(err)
	}
	found := warningIDs(t, "../..")
	for _, known := range []string{"background-too-small", "ignored-column", "no-modalities", "weight-differs", "classes-differ"} {
		if found[known] == "" {
			t.Errorf("the search misses the warning %s", known)
		}
	}
	told := strings.Fields(text)
	for id, place := range found {
		if !slices.Contains(told, id) {
			t.Errorf("%s: the warning %s is missing in topics/warnings.txt", place, id)
		}
	}
	for line := range strings.SplitSeq(text, "\n") {
		id, _, _ := strings.Cut(strings.TrimPrefix(line, "  "), " ")
		if strings.HasPrefix(line, "  ") && !strings.HasPrefix(line, "   ") && found[id] == "" {
			t.Errorf("topics/warnings.txt tells %s, which no code gives", id)
		}
	}
}

// TestFormatsTopic holds the topic against the specification of samples, and against
// the flags that say what data may look like.
func TestFormatsTopic(t *testing.T) {
	text, err := topic{name: "formats"}.text()
	if err != nil {
		t.Fatal(err)
	}
	spec, err := os.ReadFile("../../docs/format/samples.md")
	if err != nil {
		t.Fatal(err)
	}
	_, fields, _ := strings.Cut(string(spec), "\n## Fields\n")
	fields, _, _ = strings.Cut(fields, "\n## ")
	var want []string
	for line := range strings.SplitSeq(fields, "\n") {
		if name, row := strings.CutPrefix(line, "| `"); row {
			name, _, _ = strings.Cut(name, "`")
			want = append(want, name)
		}
	}
	if !slices.Contains(want, "intershap_corrected") || !slices.Contains(want, "phi") {
		t.Fatalf("docs/format/samples.md: want a table of fields, got %q", want)
	}
	_, samples, _ := strings.Cut(text, "\nSamples. ")
	samples, _, _ = strings.Cut(samples, "\n\n")
	told := strings.FieldsFunc(samples, func(r rune) bool { return !unicode.IsLetter(r) && r != '_' })
	for _, name := range want {
		if !slices.Contains(told, name) {
			t.Errorf("topics/formats.txt does not tell of the field %s of samples", name)
		}
	}
	for _, flag := range append([]string{"target"}, cohortFlags...) {
		if !strings.Contains(text, "--"+flag) {
			t.Errorf("topics/formats.txt does not tell of --%s, which says what data may look like", flag)
		}
	}
}
