package lint

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
)

// MaxLines is the length past which a file is asked for its second idea.
const MaxLines = 600

// Sizes finds files above [MaxLines] lines, generated ones excepted.
func Sizes(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		if f.Lines > MaxLines && !ast.IsGenerated(f.Syntax) {
			found = append(found, Finding{
				Place:  f.Path,
				Fault:  fmt.Sprintf("%d lines, want at most %d", f.Lines, MaxLines),
				Remedy: "split the file by idea, one concept each",
			})
		}
	}
	return found
}

// emptyName matches the last element of a package or the stem of a file that
// says nothing of what is inside.
var emptyName = regexp.MustCompile(`^(utils?|helpers?|common|misc|managers?)(_.*)?$`)

// Names finds packages and files whose names explain nothing.
func Names(t *Tree) []Finding {
	var found []Finding
	blame := func(place, kind, name string) {
		if emptyName.MatchString(name) {
			found = append(found, Finding{
				Place:  place,
				Fault:  fmt.Sprintf("the %s name %q says nothing of what is inside", kind, name),
				Remedy: "name it by the one idea that it holds, or move its parts to where they are used",
			})
		}
	}
	for _, dir := range t.rooms() {
		for element := range strings.SplitSeq(dir, "/") {
			blame(dir, "folder", element)
		}
	}
	for _, f := range t.Files {
		blame(f.Path, "package", f.Syntax.Name.Name)
		blame(f.Path, "file", strings.TrimSuffix(path.Base(f.Path), ".go"))
	}
	return found
}

// PackageComments finds packages without a comment directly above the package
// line of one of their files. Packages of tests alone need none.
func PackageComments(t *Tree) []Finding {
	tested, said := map[string]bool{}, map[string]bool{}
	for _, f := range t.Files {
		if f.IsTest() {
			continue
		}
		room := f.Room()
		tested[room] = true
		if doc := f.Syntax.Doc; doc != nil {
			want := "Package " + f.Syntax.Name.Name + " "
			said[room] = said[room] || f.Syntax.Name.Name == "main" || strings.HasPrefix(doc.Text(), want)
		}
	}
	var found []Finding
	for _, dir := range t.rooms() {
		if tested[dir] && !said[dir] {
			found = append(found, Finding{
				Place:  dir,
				Fault:  "no package comment",
				Remedy: `write one directly above the package line, from "Package NAME" on: what it is, what it is not, conventions, reading order`,
			})
		}
	}
	return found
}

// unfinished matches the marks of work left for later.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b`)

// Unfinished finds comments that leave work for later.
func Unfinished(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		for _, group := range f.Syntax.Comments {
			for _, c := range group.List {
				if mark := unfinished.FindString(c.Text); mark != "" {
					found = append(found, Finding{
						Place:  t.place(c.Pos()),
						Fault:  "a comment says " + mark,
						Remedy: "do it, or open an issue and say here what does not work and why",
					})
				}
			}
		}
	}
	return found
}

// Sleeps finds tests that wait for time to pass instead of for an event.
func Sleeps(t *Tree) []Finding {
	var found []Finding
	for _, f := range t.Files {
		if !f.IsTest() {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			call, ok := n.(*ast.SelectorExpr)
			if !ok || call.Sel.Name != "Sleep" {
				return true
			}
			if pkg, ok := call.X.(*ast.Ident); ok && pkg.Name == "time" {
				found = append(found, Finding{
					Place:  t.place(call.Pos()),
					Fault:  "a test sleeps",
					Remedy: "wait on a channel, or run in a bubble of testing/synctest",
				})
			}
			return true
		})
	}
	return found
}

// Comments finds exported functions, methods, types, constants and variables
// without a comment. A comment on a group speaks for its members. What a
// comment says is left to the reader, and its form to staticcheck.
func Comments(t *Tree) []Finding {
	var found []Finding
	blame := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			found = append(found, Finding{
				Place:  t.place(name.Pos()),
				Fault:  fmt.Sprintf("%s is exported and has no comment", name.Name),
				Remedy: "say in a sentence that starts with the name what it is or does, or unexport it",
			})
		}
	}
	for _, f := range t.Files {
		if f.IsTest() || f.Syntax.Name.Name == "main" || ast.IsGenerated(f.Syntax) {
			continue
		}
		for _, decl := range f.Syntax.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil || receiver(d).IsExported() {
					blame(d.Name, d.Doc)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch s := spec.(type) {
					case *ast.TypeSpec:
						blame(s.Name, d.Doc, s.Doc)
					case *ast.ValueSpec:
						for _, name := range s.Names {
							blame(name, d.Doc, s.Doc, s.Comment)
						}
					}
				}
			}
		}
	}
	return found
}

// receiver returns the name of the type that a method belongs to.
func receiver(method *ast.FuncDecl) *ast.Ident {
	at := method.Recv.List[0].Type
	for {
		switch x := at.(type) {
		case *ast.StarExpr:
			at = x.X
		case *ast.IndexExpr:
			at = x.X
		case *ast.IndexListExpr:
			at = x.X
		case *ast.ParenExpr:
			at = x.X
		case *ast.Ident:
			return x
		default:
			return ast.NewIdent("_")
		}
	}
}
