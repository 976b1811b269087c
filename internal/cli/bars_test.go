package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Bars have a folder of their own: the tables in goldens are those of terminals that
// cannot show them, and nothing else in them changes.
const barGoldens = "testdata/bars"

func TestBars(t *testing.T) {
	var used []string
	for _, tt := range []struct {
		name, reason string
		target       result.Target
		width        int
		color        string
		env          string
	}{
		{"global", "a bar for each share of the column to read, under its name, none for what is not clear", barsTarget(result.Global), 80, colorNever, "LANG=C.UTF-8"},
		{"absolute", "of the other column, where that is to read", barsTarget(result.MeanAbsolute), 80, colorNever, "LC_ALL=en_GB.utf8"},
		{"narrow", "bars shrink before anything else", barsTarget(result.Global), 74, colorNever, "LANG=C.UTF-8"},
		{"wide", "and do not grow without end", barsTarget(result.Global), 120, colorNever, "LANG=C.UTF-8"},
		{"color", "colour tells alone from together, as the names do", barsTarget(result.Global), 80, colorAlways, "LANG=C.UTF-8"},
	} {
		used = append(used, tt.name+".golden")
		t.Run(tt.name, func(t *testing.T) {
			s, out, _ := fakeStreams(true, 0, tt.env)
			s.width = tt.width
			p := newPage(s, tt.color)
			writeShares(p, &tt.target, []string{"image", "text", "notes"})
			writeClasses(p, &tt.target)
			if err := p.flush(); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(barGoldens, tt.name+".golden")
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if diff := compareGolden(path, out.Bytes()); diff != "" {
				t.Errorf("%s: -want +got\n%s", tt.reason, diff)
			}
			for line := range strings.Lines(out.String()) {
				if n := visible(strings.TrimSuffix(line, "\n")); n > tt.width {
					t.Errorf("a line of %d columns, want at most %d: %s", n, tt.width, line)
				}
			}
		})
	}
	unused, err := unusedGoldens(barGoldens, used)
	if err != nil || len(unused) > 0 {
		t.Errorf("no test uses the golden files %v (%v)", unused, err)
	}
}

// barsTarget has shares of every kind.
func barsTarget(h result.Headline) result.Target {
	names := []string{"image", "text", "notes"}
	t := result.Target{Target: "predicted", Headline: h}
	t.Samples, t.Base, t.Output = 100, 0.25, 0.75
	t.Global.Aggregate = aggregate(0.4, 0.35, 0.45, names, 0.5, 0.0001, 0)
	t.MeanAbsolute.Aggregate = aggregate(0.55, 0.5, 0.6, names, 0.2, 0.25, 0)
	t.Global.Pairs = []result.Pair{pair("image", "text", 0.4, 0.35, 0.45), pair("image", "notes", 0.01, 0, 0.05), pair("text", "notes", 0.3, 0, 1)}
	t.MeanAbsolute.Pairs = []result.Pair{pair("image", "text", 0.55, 0.5, 0.6), pair("image", "notes", 0, 0, 0), {Pair: [2]string{"text", "notes"}}}
	t.Local = result.LocalAggregate{Mean: score.Defined(0.44), SD: score.Defined(0.3), Corrected: score.Defined(0.43)}
	for i, name := range []string{"cat", "dog", "a class with a long name"} {
		c := result.Class{Class: name, Breakdown: t.Breakdown}
		c.Global.Aggregate = aggregate([]float64{1, 0.02, 0}[i], []float64{0.9, 0.01, 0}[i], []float64{1, 0.03, 0}[i], names, 0, 0.98, 0)
		c.MeanAbsolute.Aggregate = c.Global.Aggregate
		t.ByClass = append(t.ByClass, c)
	}
	return t
}

func TestDrawBar(t *testing.T) {
	p := &page{}
	check := func(share float64, room int, want, reason string) {
		t.Helper()
		if got := p.drawBar(cell{bar: share}, room); got != want {
			t.Errorf("%s: want %q, got %q", reason, want, got)
		}
	}
	check(0.5, 10, "█████░░░░░", "half of the room")
	check(0.55, 10, "█████▌░░░░", "eighths of a character")
	check(1, 6, "██████", "all")
	check(1.0000001, 6, "██████", "never more than all")
	check(1e-9, 6, "▏░░░░░", "what is there is seen")
	check(0.5, 200, "██████████░░░░░░░░░░", "no longer than is read at a glance")
	check(0.5, 5, "", "no room")
	check(0.5, -9, "", "less than none")
}

// The bar of a share is as long as the share, to an eighth of a character.
func TestBarIsTrue(t *testing.T) {
	for i := 1; i <= 1000; i++ {
		share := float64(i) / 1000
		bar := (&page{}).drawBar(cell{bar: share}, 20)
		n := 0
		for _, r := range bar {
			switch {
			case r == '█':
				n += eighths
			case r >= '▉' && r <= '▏':
				n += int('▏'-r) + 1
			}
		}
		if got := float64(n) / (longestBar * eighths); got-share > 1./longestBar/eighths || share-got > 1./longestBar/eighths {
			t.Fatalf("want a bar of %v, got %v", share, got)
		}
	}
}

func TestWithBar(t *testing.T) {
	share := func(x, low, high float64) wording.Interval {
		return wording.Interval{Share: score.Defined(x), Low: score.Defined(low), High: score.Defined(high)}
	}
	for _, tt := range []struct {
		name string
		bars bool
		of   wording.Interval
		want bool
	}{
		{"clear", true, share(0.5, 0.4, 0.6), true},
		{"no terminal", false, share(0.5, 0.4, 0.6), false},
		{"zero", true, share(0, 0, 0), false},
		{"one-sided", true, share(0.1, 0, 0.3), false},
		{"unclear", true, share(0.5, 0, 1), false},
		{"undefined", true, wording.Interval{}, false},
		{"no error known", true, wording.Interval{Share: score.Defined(0.5)}, true},
	} {
		if got := len(withBar(&page{bars: tt.bars}, nil, tt.of, false)) == 1; got != tt.want {
			t.Errorf("%s: want a bar: %v, got %v", tt.name, tt.want, got)
		}
	}
}

func TestUTF8(t *testing.T) {
	for _, tt := range []struct {
		env  []string
		want bool
	}{
		{nil, false},
		{[]string{"LANG=C"}, false},
		{[]string{"LANG=en_GB.UTF-8"}, true},
		{[]string{"LANG=en_GB.utf8"}, true},
		{[]string{"LC_ALL=C", "LANG=C.UTF-8"}, false},
		{[]string{"LC_ALL=", "LC_CTYPE=C.UTF-8", "LANG=C"}, true},
		{[]string{"WT_SESSION=1"}, true},
		{[]string{"WT_SESSION=1", "LANG=C"}, false},
	} {
		if got := (&streams{env: tt.env}).utf8(); got != tt.want {
			t.Errorf("%q: want %v, got %v", tt.env, tt.want, got)
		}
	}
}

// Where bars have no room their heading goes too, and a row that has nothing else.
func TestBarsWithoutRoom(t *testing.T) {
	rows := [][]cell{
		{{head: "name"}, {head: "share"}},
		{{}, {}, {head: "mean absolute", overBars: true}},
		{{head: "a"}, {head: "50 %"}, {bar: 0.5}},
	}
	for width, want := range map[int]string{
		26: "name  share\n             mean absolute\na     50 %   ██████▌░░░░░░\n",
		25: "name  share\na     50 %\n",
	} {
		s, out, _ := fakeStreams(true, 0)
		p := newPage(s, colorNever)
		p.width = width
		p.grid(rows)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != want {
			t.Errorf("%d columns: want %q, got %q", width, want, out)
		}
	}
}
