package wording

import (
	"strings"
	"testing"

	"github.com/intershap/intershap/result"
)

func TestMacroCountsBy(t *testing.T) {
	weight := 12.5
	for _, tt := range []struct {
		weight *float64
		want   string
	}{{nil, "counts a class by its samples"}, {&weight, "counts a class by the weight of its samples"}} {
		target := &result.Target{}
		target.Weight = tt.weight
		if got := Macro(target); !strings.HasSuffix(got, tt.want) {
			t.Errorf("want %q, got %q", tt.want, got)
		}
	}
}

func TestUnweighted(t *testing.T) {
	ex := &result.Explanation{}
	if got := Unweighted(ex); got != "" {
		t.Errorf("without weights: want nothing, got %q", got)
	}
	ex.Provenance.Weight = "w\x1b"
	if got := Unweighted(ex); got != `Samples count once each here, not by w\x1b.` {
		t.Errorf("got %q", got)
	}
}

// Groups of samples have names that are safe to print, in all three ways to tell samples
// apart.
func TestSampleGroups(t *testing.T) {
	target := &result.Target{
		ByClass:  []result.Class{{Class: "cat\n"}},
		By:       []result.Partition{{Columns: []string{"sex", "site\t"}, Groups: []result.Group{{Values: []string{"f", ""}}}}},
		Patterns: []result.Pattern{{Present: []string{"image", "labs"}}, {}},
	}
	var got []string
	for _, groups := range [][]SampleGroup{Classes(target), Groups(&target.By[0]), Patterns(target)} {
		for _, g := range groups {
			got = append(got, g.Name)
		}
	}
	if want := `cat\n|f, ""|image+labs|none`; strings.Join(got, "|") != want {
		t.Errorf("want %s, got %q", want, got)
	}
	if got := PartitionName(&target.By[0]); got != `sex, site\t` {
		t.Errorf("got %s", got)
	}
	if Groups(&target.By[0])[0].Breakdown != &target.By[0].Groups[0].Breakdown {
		t.Error("want the breakdown of the target itself")
	}
}
