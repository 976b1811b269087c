package plot

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

var update = flag.Bool("update", false, "rewrite the expected structures")

const structures = "testdata/structure"

// structure writes the elements of an SVG document with their classes and texts, in
// order and without places: what a figure says, not how it is laid out.
func structure(t *testing.T, document []byte) string {
	t.Helper()
	var b strings.Builder
	dec := xml.NewDecoder(bytes.NewReader(document))
	depth := 0
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			fmt.Fprintf(&b, "\n%s%s", strings.Repeat("  ", depth), token.Name.Local)
			for _, a := range token.Attr {
				switch a.Name.Local {
				case "class":
					b.WriteString(" ." + a.Value)
				case "fill", "stroke":
					if a.Value != "none" && token.Name.Local != "text" {
						b.WriteString(" " + a.Value)
					}
				case "stroke-dasharray":
					b.WriteString(" dashed")
				}
			}
			depth++
		case xml.EndElement:
			depth--
		case xml.CharData:
			if text := strings.TrimSpace(string(token)); text != "" {
				fmt.Fprintf(&b, " %q", text)
			}
		}
	}
}

// handMadeSamples are four samples whose means are those of handMade: phi of a is
// 0.02 ± 0.01, of b −0.10 ± 0.05, of the pair 0.44 in all.
func handMadeSamples() (*result.Explanation, *result.Samples) {
	ex := handMade()
	t := &ex.Targets[0]
	t.Samples = 4
	t.ByClass[0].Samples, t.ByClass[1].Samples = 3, 1
	s := &result.Samples{Path: "s.npz", Modalities: ex.Modalities, Targets: []string{""}, Predicted: []int{0, 0, 0, 1}, ByTarget: make([]result.TargetSamples, 1)}
	of := &s.ByTarget[0]
	local := 0.0
	for i, d := range []float64{1, -1, 1, -1} {
		a, b := 0.02+0.01*d, -0.10+0.05*d
		s.IDs = append(s.IDs, fmt.Sprintf("id%d", i))
		of.Base = append(of.Base, 0.5)
		of.Output = append(of.Output, 0.5+a+b+0.44)
		of.Phi = append(of.Phi, a, 0.22, 0.22, b)
		x := score.Local([]float64{a, 0.22, 0.22, b}, 2, score.Paper)
		of.InterSHAP, of.SE = append(of.InterSHAP, x), append(of.SE, score.Share{})
		local += x.Or(0) / 4
	}
	t.Local.Mean = score.Defined(local)
	return ex, s
}

// TestStructure compares what figures say with files. Their numbers follow from
// handMade: phi and 1.96 standard errors (0.0098 of a cell, 0.020 of a pair's sum),
// shares 3.6 % (not clear of 0, so "< 7.0 %"), 17.9 % and 78.6 %. The first sample has
// 0.03, −0.05 and 0.44, together 0.52: shares of 5.8, 9.6 and 84.6 %.
func TestStructure(t *testing.T) {
	ex, samples := handMadeSamples()
	var want []string
	for _, c := range []struct {
		name   string
		kind   Kind
		choice Choice
		opt    Options
	}{
		{"waterfall", Waterfall, Choice{}, Options{}},
		{"waterfall-one", Waterfall, Choice{}, Options{Interactions: One}},
		{"waterfall-sample", Waterfall, Choice{Sample: ptr("id0")}, Options{Theme: Dark}},
		{"waterfall-class", Waterfall, Choice{Class: ptr("no")}, Options{}},
		{"force", Force, Choice{}, Options{}},
		{"matrix", Matrix, Choice{}, Options{}},
		{"network", Network, Choice{}, Options{}},
		{"beeswarm", Beeswarm, Choice{}, Options{}},
		{"bars", Bars, Choice{}, Options{}},
		{"spectrum", Spectrum, Choice{}, Options{}},
	} {
		path := filepath.Join(structures, c.name+".golden")
		want = append(want, path)
		var b bytes.Buffer
		if err := draw(t, c.kind, choose(t, ex, samples, c.choice), c.opt).WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		got := strings.TrimSpace(structure(t, b.Bytes())) + "\n"
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(golden), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
	have, err := filepath.Glob(structures + "/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range have {
		if !slices.Contains(want, filepath.ToSlash(path)) {
			t.Errorf("%s belongs to no case", path)
		}
	}
}

// TestStructureTellsFiguresApart: a golden that matched anything would test nothing.
func TestStructureTellsFiguresApart(t *testing.T) {
	of := func(change func(*result.Explanation)) string {
		ex := handMade()
		change(ex)
		var b bytes.Buffer
		if err := draw(t, Waterfall, choose(t, ex, nil, Choice{}), Options{}).WriteSVG(&b); err != nil {
			t.Fatal(err)
		}
		return structure(t, b.Bytes())
	}
	same := of(func(*result.Explanation) {})
	for name, change := range map[string]func(*result.Explanation){
		"an effect": func(ex *result.Explanation) { ex.Targets[0].Global.Phi[0][0] = 0.03 },
		"a sign":    func(ex *result.Explanation) { ex.Targets[0].Global.Phi[1][1] = 0.10 },
		"an error":  func(ex *result.Explanation) { ex.Targets[0].Global.PhiSE.Samples[0][0] = 0.02 },
		"a name":    func(ex *result.Explanation) { ex.Classes[0] = "x"; ex.Targets[0].Target = "other" },
	} {
		if of(change) == same {
			t.Errorf("%s changed and the structure did not", name)
		}
	}
}
