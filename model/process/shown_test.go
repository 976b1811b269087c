package process

import (
	"slices"
	"strings"
	"testing"
)

// TestShown masks values of variables and leaves all else as it was typed.
func TestShown(t *testing.T) {
	for _, c := range []struct{ command, want string }{
		{" python3 m.py --key=a  'b c' ", "python3 m.py --key=a  'b c'"},
		{"env KEY=HUSH python3 m.py --lr=1", "env KEY=*** python3 m.py --lr=1"},
		{"/usr/bin/env -i -u OTHER KEY='HUSH HUSH' A=HUSH python3 'm y.py' X=1", "/usr/bin/env -i -u OTHER KEY=*** A=*** python3 'm y.py' X=1"},
		{"KEY=HUSH python3 m.py", "KEY=*** python3 m.py"},
		{"ssh host env KEY=HUSH python3 'it'\\''s'", `ssh host env KEY=*** python3 'it'\''s'`},
		{"docker run -i -e KEY=HUSH --env TOKEN=HUSH --env=MORE=HUSH image", "docker run -i -e KEY=*** --env TOKEN=*** --env=MORE=*** image"},
		{"python3 m.py -e lr=1", "python3 m.py -e lr=1"},
		{"./a=b/model x=1", "./a=b/model x=1"},
		{"env KEY='HUSH HUSH python3 m.py", "env KEY=*** ..."},
		{"python3 m.py | tee log", "python3 m.py | tee log"},
		{"", ""},
	} {
		if got := Shown(c.command); got != c.want {
			t.Errorf("%q: want %q, got %q", c.command, c.want, got)
		}
	}
}

// TestErrorsKeepSecrets holds that no error of a command shows what is masked.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, command := range []string{"env KEY=HUSH", "KEY=HUSH python3 m.py", "env KEY=HUSH python3 m.py > log", "env KEY='HUSH"} {
		_, err := Open(t.Context(), command, Options{})
		if err == nil || !strings.Contains(err.Error(), "KEY=***") {
			t.Errorf("%s: got %v", command, err)
		}
		if err != nil && strings.Contains(err.Error()+hintIn(err), "HUSH") {
			t.Errorf("%s: the value is in %v, %s", command, err, hintIn(err))
		}
	}
}

// FuzzShown holds that what is shown can be split, into as many words, where the
// command can.
func FuzzShown(f *testing.F) {
	for _, c := range splits {
		f.Add("env KEY=HUSH " + c.command)
	}
	f.Fuzz(func(t *testing.T, command string) {
		command = strings.TrimSpace(command) // as Open does
		words, err := Split(command)
		if err != nil {
			return
		}
		shown, err := Split(Shown(command))
		if err != nil || len(shown) != len(words) || !strings.Contains(strings.Join(shown, " "), masked) && !slices.Equal(words, shown) {
			t.Errorf("%q: shown as %q, %v", words, shown, err)
		}
	})
}
