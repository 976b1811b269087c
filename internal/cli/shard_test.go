package cli

import (
	"strings"
	"testing"

	"github.com/intershap/intershap"
)

func TestReadShard(t *testing.T) {
	for text, want := range map[string]intershap.Shard{
		"1/1": {Index: 0, Of: 1}, "1/8": {Index: 0, Of: 8}, "8/8": {Index: 7, Of: 8},
	} {
		if got, err := readShard(text); err != nil || got != want {
			t.Errorf("%s: want %+v, got %+v, %v", text, want, got, err)
		} else if got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	for _, text := range []string{"", "/", "1", "1/", "/1", "0/1", "2/1", "-1/2", "1/2/3", "1.5/2", "1 / 2", "0x1/2"} {
		if got, err := readShard(text); err == nil {
			t.Errorf("%q is taken for %+v", text, got)
		}
	}
}

// A shard is for intershap merge: nobody wants it on a terminal.
func TestShardGoesToAFile(t *testing.T) {
	for _, test := range []struct {
		name, out      string
		json, terminal bool
		refused        bool
	}{
		{"nowhere", "", false, false, true},
		{"a file", "s.json", false, true, false},
		{"a pipe by --json", "", true, false, false},
		{"a pipe by -o -", standardOutput, false, false, false},
		{"a terminal by --json", "", true, true, true},
		{"a terminal by -o -", standardOutput, false, true, true},
		{"a file and a terminal", "s.json", true, true, true},
	} {
		var opt explainOptions
		opt.options.Shard = intershap.Shard{Index: 1, Of: 3}
		opt.out, opt.json = test.out, test.json
		err := opt.checkShard(test.terminal)
		if (err != nil) != test.refused {
			t.Errorf("%s: %v", test.name, err)
		}
		if err != nil && !strings.Contains(err.Error(), "intershap merge") {
			t.Errorf("%s: want what it is for, got %v", test.name, err)
		}
		opt.options.Shard = intershap.Shard{}
		if err := opt.checkShard(test.terminal); err != nil {
			t.Errorf("%s: a whole run is refused: %v", test.name, err)
		}
	}
}
