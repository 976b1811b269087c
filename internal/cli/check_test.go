package cli

import (
	"slices"
	"strings"
	"testing"
)

// wantUsage checks the message and the exit code of a fault of the command
// line; no want means no fault.
func wantUsage(t *testing.T, name string, err error, want string) {
	t.Helper()
	if problem := usageProblem(err, want); problem != "" {
		t.Errorf("%s: %s", name, problem)
	}
}

func usageProblem(err error, want string) string {
	switch {
	case err == nil && want == "":
		return ""
	case err == nil:
		return "want an error with " + want + ", got none"
	case want == "" || !strings.Contains(err.Error(), want):
		return "want " + want + ", got " + err.Error()
	case exitCode(err) != exitUsage:
		return "want a usage error, got " + err.Error()
	}
	return ""
}

func TestUsageProblemSeesWrongErrors(t *testing.T) {
	if usageProblem(usagef("--x: bad"), "bad") != "" || usageProblem(nil, "") != "" {
		t.Error("want what is right accepted")
	}
	for _, problem := range []string{
		usageProblem(nil, "bad"), usageProblem(usagef("bad"), ""), usageProblem(usagef("good"), "bad"), usageProblem(&gateError{"bad"}, "bad"),
	} {
		if problem == "" {
			t.Error("want what is wrong seen")
		}
	}
}

func TestTargetsAndClasses(t *testing.T) {
	for _, tt := range []struct{ name, flag, value, want string }{
		{"predicted", "target", "predicted", ""},
		{"label", "target", "label", ""},
		{"all", "target", "all", ""},
		{"the one column", "target", "output", ""},
		{"a class", "target", "class:a b", ""},
		{"nothing said", "target", "", ""},
		{"a slip", "target", "predictd", `--target: want predicted, label, all, output, class:NAME, horizon:K, got "predictd"`},
		{"horizons", "target", "horizon:3,19", ""},
		{"a horizon without a number", "target", "horizon:", "want predicted"},
		{"a class without a name", "target", "class:", "want predicted"},
		{"two names", "classes", "a, b", ""},
		{"no names", "classes", "", ""},
		{"a name twice", "classes", "a,b, a", `--classes: want every name once, got "a" twice`},
		{"an empty name", "classes", "a,,b", `--classes: want a name for every class, got "a,,b"`},
	} {
		_, _, err := parse(t, nil, "--"+tt.flag+"="+tt.value)
		wantUsage(t, tt.name, err, tt.want)
	}
	q, _, err := parse(t, nil, "--classes", "a, b")
	if err != nil || !slices.Equal(q.options.Classes, []string{"a", "b"}) {
		t.Errorf("want the classes a and b without blanks, got %q, %v", q.options.Classes, err)
	}
}

func TestCheckModalities(t *testing.T) {
	for _, tt := range []struct{ name, spec, want string }{
		{"inputs", "text=ids,mask", ""},
		{"slices", "a=x[0:200],x[ 300 : ],y[:]", ""},
		{"a class of a pattern", "a=x[ab]", ""},
		{"a named class", "a=x[:alpha:]", "want whole numbers"},
		{"a pattern behind a bracket", "a=x[a:b]*", ""},
		{"no name", "=x", "want NAME=SPEC"},
		{"letters", "foo=x[a:b]", "--modality foo=x[a:b]: want whole numbers in the slice x[a:b]"},
		{"a fraction, in the second item", "foo=y,x[0:1.5]", "the slice x[0:1.5]"},
	} {
		wantUsage(t, tt.name, checkModalities([]string{"b=y", tt.spec}), tt.want)
	}
}

func TestCheckMasks(t *testing.T) {
	for _, tt := range []struct {
		name  string
		specs []string
		want  string
	}{
		{"one of each", []string{"mean", "image=zero", "image.x=nearest:3", "text=value:"}, ""},
		{"a value with an equals sign", []string{"value:a=b"}, ""},
		{"a place and a value with an equals sign", []string{"text=value:a=b"}, ""},
		{"no rule", []string{"meen"}, `unknown mask "meen"`},
		{"a place and no rule", []string{"image=bogus"}, `unknown mask "bogus"`},
		{"a place and no rows", []string{"image=nearest:0"}, "want a number of rows"},
		{"two for all", []string{"zero", "image=mean", "mean"}, "--mask zero and --mask mean are both for everything"},
		{"two for a place", []string{"a=zero", "a=mean"}, "--mask a=zero and --mask a=mean are both for a"},
		{"the same twice", []string{"a.x=zero", "a.x=zero"}, "are both for a.x"},
	} {
		wantUsage(t, tt.name, checkMasks(tt.specs), tt.want)
	}
}
