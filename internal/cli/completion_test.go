package cli

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// complete returns what a shell is offered for the last of args.
func complete(t *testing.T, args ...string) []string {
	t.Helper()
	s, out, _ := fakeStreams(false, 0)
	if code := run(t.Context(), append([]string{"__complete"}, args...), s); code != exitDone {
		t.Fatalf("%q: want code 0, got %d", args, code)
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	return lines[:len(lines)-1] // the last is the directive
}

func TestCompletions(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", "--convention", ""}, "paper single-pair"},
		{[]string{"explain", "--task", "b"}, "binary"},
		{[]string{"explain", "--transform", "log"}, "log logit"},
		{[]string{"explain", "--plan", ""}, "auto staged full"},
		{[]string{"explain", "--mask", ""}, "marginal mean zero absent value: nearest:"},
		{[]string{"explain", "--device", ""}, "cpu cuda"},
		{[]string{"inspect", "--color", "a"}, "auto always"},
		{[]string{"explain", "--progress", ""}, "auto plain json none"},
		{[]string{"explain", "--target", ""}, "predicted label all class: horizon:"},
		{[]string{"explain", "--background", ""}, "npz parquet csv"},
		{[]string{"explain", "none.onnx", "--output", ""}, ""},
		{[]string{"explain", "--output", ""}, ""},
	} {
		if got := strings.Join(complete(t, tt.args...), " "); got != tt.want {
			t.Errorf("%q: want %q, got %q", tt.args, tt.want, got)
		}
	}
}

// TestCompletedWordsAreTaken holds every word that is proposed against the flag
// that it is proposed for, and every proposal against the flags there are.
func TestCompletedWordsAreTaken(t *testing.T) {
	var flags []string
	for _, name := range []string{"convention", "task", "transform", "plan", "mask", "device", "target"} {
		flags = append(flags, name)
		for _, word := range complete(t, "explain", "--"+name, "") {
			if strings.HasSuffix(word, ":") {
				word += "1"
			}
			q, _, err := parse(t, nil, "--"+name, word)
			q.model = "model.onnx"
			if word == absentRule {
				q.options.Missing = []string{"labs"}
			}
			if err == nil {
				err = q.check()
			}
			if err != nil {
				t.Errorf("--%s %s is proposed and refused: %v", name, word, err)
			}
		}
	}
	for name := range completions {
		cmd, _, err := NewCommand().Find([]string{"explain"})
		if err != nil || cmd.Flags().Lookup(name) == nil {
			t.Errorf("no flag --%s to complete (%v)", name, err)
		}
		if known := append(flags, "background", "by", "cluster", "color", "missing", "output", "pad", "progress", "weight"); !slices.Contains(known, name) {
			t.Errorf("--%s: its words are not tested", name)
		}
	}
}

// TestCompleteColumns proposes the columns of the data that were typed already, and
// never files.
func TestCompleteColumns(t *testing.T) {
	dir := t.TempDir()
	csv, npz, huge := filepath.Join(dir, "data.csv"), triage+"/test.npz", filepath.Join(dir, "huge.csv")
	const head = "id,sex,site,a b,$(x),h=1,\"u,v\",gap,labs_available,x.0\n"
	if err := errors.Join(
		os.WriteFile(csv, []byte(head+"1,f,A,1,1,1,1,,0,0\n2,m,B,1,1,1,1,2,1,0\n"), 0o600),
		os.WriteFile(huge, []byte(head+strings.Repeat("1,f,A,1,1,1,1,1,0,0\n", maxCompletedCSV/20+1)), 0o600),
	); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		reason, want string
		args         []string
	}{
		{"a shell reads some names in part, and a gap is refused", "id sex site u,v labs_available x.0", []string{csv, "--cluster", ""}},
		{"what begins so", "sex site", []string{csv, "--weight", "s"}},
		{"a comma crosses", "id sex site labs_available x.0", []string{csv, "--by", ""}},
		{"not the same twice", "sex,id sex,site sex,labs_available sex,x.0", []string{csv, "--by", "sex,"}},
		{"what may lack has a name or a column", "rna labs", []string{csv, "--modality", "rna=x", "--missing", ""}},
		{"columns of a modality", "labs=sex labs=site", []string{csv, "--missing", "labs=s"}},
		{"lists alone", "image= ecg= labs=", []string{npz, "--pad", ""}},
		{"one value each", "label id", []string{npz, "--cluster", ""}},
		{"a value is anyone's", "", []string{npz, "--pad", "image=0"}},
		{"no time to read it", "", []string{huge, "--cluster", ""}},
		{"no such file", "", []string{filepath.Join(dir, "none.csv"), "--cluster", ""}},
		{"no data yet", "", []string{"--by", ""}},
	} {
		for _, command := range []string{"explain", "inspect"} {
			s, out, _ := fakeStreams(false, 0)
			if code := run(t.Context(), slices.Concat([]string{"__complete", command, "m.onnx"}, tt.args), s); code != exitDone {
				t.Fatalf("%q: want code 0, got %d", tt.args, code)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			words, directive := lines[:len(lines)-1], lines[len(lines)-1]
			if got := strings.Join(words, " "); got != tt.want {
				t.Errorf("%s %q: %s: want %q, got %q", command, tt.args, tt.reason, tt.want, got)
			}
			// Bit 2 keeps the shell from proposing files.
			if number, err := strconv.Atoi(strings.TrimPrefix(directive, ":")); err != nil || number&4 == 0 {
				t.Errorf("%s %q: want no files proposed, got the directive %q", command, tt.args, directive)
			}
		}
	}
}
