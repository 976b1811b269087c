package cli

import (
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A picture is what a test reads of Graphviz's language: the labels of nodes, those
// that are filled as parts that mix samples and background, and edges as
// "from -> to: label".
type picture struct {
	nodes map[string][]string
	mixed []string
	edges []string
}

var (
	nodeLine = regexp.MustCompile(`^\t(\w+) \[label=("(?:[^"\\]|\\.)*"), [^"]*(?:"[^"]*"[^"]*)*\];$`)
	edgeLine = regexp.MustCompile(`^\t(\w+) -> (\w+) \[label=("(?:[^"\\]|\\.)*")\];$`)
	nameLine = regexp.MustCompile(`^\tlabel="(?:[^"\\]|\\.)*";$`)
	rankLine = regexp.MustCompile(`^\t\{ rank=same; edge \[style=invis\]; source0(?: -> source\d+)+; \}$`)
)

// readDot reads a picture, and refuses every line that writeDot does not write, so
// that no name gets out of its quotes.
func readDot(text string) (picture, error) {
	p := picture{nodes: map[string][]string{}}
	body, open := strings.CutPrefix(text, "digraph intershap {\n"+dotHead)
	body, closed := strings.CutSuffix(body, "\n}\n")
	if !open || !closed {
		return p, fmt.Errorf("no graph: %q", text)
	}
	for line := range strings.SplitSeq(body, "\n") {
		if m := nodeLine.FindStringSubmatch(line); m != nil {
			p.nodes[m[1]] = shown(m[2])
			if strings.HasSuffix(line, ", "+fusionStyle+"];") {
				p.mixed = append(p.mixed, m[1])
			}
		} else if m := edgeLine.FindStringSubmatch(line); m != nil {
			for _, end := range m[1:3] {
				if p.nodes[end] == nil {
					return p, fmt.Errorf("an edge of %q, which is no node: %q", end, line)
				}
			}
			p.edges = append(p.edges, m[1]+" -> "+m[2]+": "+strings.TrimSpace(strings.Join(shown(m[3]), "|")))
		} else if !nameLine.MatchString(line) && !rankLine.MatchString(line) {
			return p, fmt.Errorf("a line that is neither node nor edge: %q", line)
		}
	}
	return p, nil
}

// shown returns the lines that Graphviz shows of a quoted label.
func shown(label string) []string {
	lines := []string{""}
	inside := label[1 : len(label)-1]
	for i := 0; i < len(inside); i++ {
		last := &lines[len(lines)-1]
		switch {
		case inside[i] != '\\':
			*last += inside[i : i+1]
		case inside[i+1] == 'n':
			lines = append(lines, "")
			i++
		default:
			*last += inside[i+1 : i+2]
			i++
		}
	}
	for i := range lines {
		lines[i] = html.UnescapeString(lines[i])
	}
	return lines
}

func draw(t *testing.T, r *inspection) picture {
	t.Helper()
	var b strings.Builder
	if err := writeDot(&b, r); err != nil {
		t.Fatal(err)
	}
	p, err := readDot(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDot draws models that are cut in every way.
func TestDot(t *testing.T) {
	sources := map[string][]string{
		"source0": {"a", "2 elements"}, "source1": {"b", "3 elements"}, "source2": {"fixed inputs", "c: 1"},
	}
	for _, tt := range []struct {
		name, reason string
		got          picture
		nodes        map[string][]string
		mixed        []string
		edges        []string
	}{
		{
			"staged", "a part is fed by modalities, parts and fixed inputs alike", draw(t, inspectToy(t, headed(100), true)),
			map[string][]string{
				"part0":  {"a", "90 multiply-adds a row, 90.0 %", "7 rows, the plain way 40", "→ fa: 1"},
				"part1":  {"b", "0 multiply-adds a row, 0 %", "7 rows, the plain way 40", "→ fb: 1"},
				"part2":  {"fixed+a+b", "10 multiply-adds a row, 10.0 %", "40 rows", "→ y: 1"},
				"output": {"y"},
			},
			[]string{"part2"},
			[]string{"source0 -> part0: 2", "source1 -> part1: 3", "part0 -> part2: 1", "part1 -> part2: 1", "source2 -> part2: 1", "part2 -> output: 1"},
		},
		{
			"additive", "every term goes to the output, and no part has them all", draw(t, inspectToy(t, summed, true)),
			map[string][]string{
				"part0":  {"fixed", "10 multiply-adds a row, 10.0 %", "4 rows, the plain way 40", "→ tc: 1"},
				"part1":  {"a", "60 multiply-adds a row, 60.0 %", "7 rows, the plain way 40", "→ ta: 1"},
				"part2":  {"b", "30 multiply-adds a row, 30.0 %", "7 rows, the plain way 40", "→ tb: 1"},
				"output": {"y", "sum of 3 terms"},
			},
			nil,
			[]string{"source2 -> part0: 1", "source0 -> part1: 2", "source1 -> part2: 3", "part1 -> output: 1", "part2 -> output: 1", "part0 -> output: 1"},
		},
		{
			"full", "one part takes all", draw(t, inspectToy(t, dear, true)),
			map[string][]string{"part0": {"model", "100 multiply-adds a row", "40 rows", "→ y: 1"}, "output": {"y"}},
			[]string{"part0"},
			[]string{"source0 -> part0: 2", "source1 -> part0: 3", "source2 -> part0: 1", "part0 -> output: 1"},
		},
	} {
		for name, label := range sources {
			tt.nodes[name] = label
		}
		if diff := cmp.Diff(tt.nodes, tt.got.nodes); diff != "" {
			t.Errorf("%s: %s: nodes: -want +got\n%s", tt.name, tt.reason, diff)
		}
		if !slices.Equal(tt.mixed, tt.got.mixed) {
			t.Errorf("%s: want %q to mix samples and background, got %q", tt.name, tt.mixed, tt.got.mixed)
		}
		if diff := cmp.Diff(tt.edges, tt.got.edges); diff != "" {
			t.Errorf("%s: %s: edges: -want +got\n%s", tt.name, tt.reason, diff)
		}
	}
}

// TestDotNames draws names that a stranger chose. They stay within their quotes,
// and are shown as they are.
func TestDotNames(t *testing.T) {
	for _, tt := range []struct{ name, want, reason string }{
		{`say "x" \N`, `say "x" \N`, "quotes end a label, \\N is the node's own name"},
		{`ends in \`, `ends in \`, "a backslash would take the quote away"},
		{"<b>&lt;</b>", "<b>&lt;</b>", "nothing is HTML"},
		{"};\n{", `};\n{`, "a line end is shown as the table shows it"},
		{hostile, shorten(harmless, widestName), "so is what acts on a terminal"},
		{"größe 你好", "größe 你好", "letters of all languages are text"},
		{strings.Repeat("x", 100), shorten(strings.Repeat("x", 100), widestName), "long names are shortened"},
	} {
		r := &inspection{Model: modelReport{Source: tt.name}, Question: &questionReport{Output: tt.name}}
		r.graph = &partGraph{sources: []graphSource{{name: tt.name, tensors: []tensorReport{{"in", 7}, {tt.name, 1200}}}}, results: []string{"y"}}
		r.Cost = &costReport{Plan: "full", Parts: []partReport{{
			Part: tt.name, Inputs: []tensorReport{{tt.name, 1200}, {"in", 7}}, Outputs: []tensorReport{{"y", openLength}}, Rows: 1, RowsNaive: 1,
		}}}
		got := draw(t, r)
		if want := []string{tt.want + ": 1,200"}; !slices.Equal(got.nodes["source0"][2:], want) {
			t.Errorf("%s: want %q, got %q", tt.reason, want, got.nodes["source0"])
		}
		if want := foldName(tt.name); !slices.Equal(got.nodes["output"], want) {
			t.Errorf("%s: output: want %q, got %q", tt.reason, want, got.nodes["output"])
		}
		if want := []string{"source0 -> part0: 1,207", "part0 -> output: "}; !slices.Equal(got.edges, want) {
			t.Errorf("%s: want the edges %q, got %q", tt.reason, want, got.edges)
		}
	}
}

// TestFoldName checks that a node of many modalities stays narrow.
func TestFoldName(t *testing.T) {
	long := strings.Repeat("y", 60)
	for _, tt := range []struct {
		name   string
		want   []string
		reason string
	}{
		{"image+text", []string{"image+text"}, "it fits"},
		{strings.Repeat("twelve_long+", 5) + "end", []string{strings.Repeat("twelve_long+", 4), "twelve_long+end"}, "the sign stays behind its modality"},
		{"a+" + long + "+b", []string{"a+", shorten(long+"+", widestLine), "b"}, "one name alone is shortened"},
		{"", []string{""}, "nothing is one line"},
	} {
		if got := foldName(tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("%s: want %q, got %q", tt.reason, tt.want, got)
		}
	}
}

// TestMixes checks which parts run on combinations.
func TestMixes(t *testing.T) {
	for _, tt := range []struct {
		part partReport
		want bool
	}{
		{partReport{Modalities: []string{"a"}}, false},
		{partReport{Fixed: true}, false},
		{partReport{Modalities: []string{"a"}, Fixed: true}, true},
		{partReport{Modalities: []string{"a", "b"}}, true},
	} {
		if got := tt.part.mixes(); got != tt.want {
			t.Errorf("%+v: want %v, got %v", tt.part, tt.want, got)
		}
	}
}

// TestDescribeTensors checks that a node names a few tensors alone.
func TestDescribeTensors(t *testing.T) {
	many := []tensorReport{{"a", 1}, {"b", openLength}, {"c", 3000}, {"d", 4}, {"e", 5}, {"f", 6}}
	if got, want := describeTensors(many), []string{"a: 1", "b", "c: 3,000", "d: 4", "2 more"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
	if got, want := describeTensors(many[:4]), []string{"a: 1", "b", "c: 3,000", "d: 4"}; !slices.Equal(got, want) {
		t.Errorf("want %q, got %q", want, got)
	}
}

// TestReadDot checks that the reading above fails on what is wrong.
func TestReadDot(t *testing.T) {
	const head = "digraph intershap {\n" + dotHead
	const node = "\ta [label=\"x\", shape=box];"
	if _, err := readDot(head + node + "\n}\n"); err != nil {
		t.Error(err)
	}
	for name, text := range map[string]string{
		"no end":            head + node + "\n",
		"no graph":          node + "\n}\n",
		"quote in a label":  head + "\ta [label=\"x\" y\", shape=box];\n}\n",
		"open quote":        head + "\ta [label=\"x\\\", shape=box];\n}\n",
		"edge of no node":   head + node + "\n\ta -> b [label=\"1\"];\n}\n",
		"line end in label": head + "\ta [label=\"x\ny\", shape=box];\n}\n",
	} {
		if _, err := readDot(text); err == nil {
			t.Errorf("%s: want an error, got none", name)
		}
	}
}
