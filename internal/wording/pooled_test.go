package wording

import (
	"testing"

	"github.com/intershap/intershap/result"
)

func TestPooled(t *testing.T) {
	ex := &result.Explanation{Modalities: []string{"image", "labs"}}
	of := func(samples, image, labs int) *result.Breakdown {
		return &result.Breakdown{Samples: samples, Present: map[string]int{"image": image, "labs": labs}}
	}
	whole := &result.Target{Breakdown: *of(10, 10, 7)}
	full := &result.Target{Breakdown: *of(10, 10, 10)}
	for _, tt := range []struct {
		name    string
		missing []string
		target  *result.Target
		b       *result.Breakdown
		want    bool
	}{
		{"no modality may be missing", nil, whole, &whole.Breakdown, false},
		{"three lack labs", []string{"labs"}, whole, &whole.Breakdown, true},
		{"nobody lacks them", []string{"labs"}, full, &full.Breakdown, false},
		{"a class whose samples have all", []string{"labs"}, whole, of(4, 4, 4), false},
		{"a class in which one lacks them", []string{"labs"}, whole, of(4, 4, 3), true},
		{"a class of which nothing is known", []string{"labs"}, whole, &result.Breakdown{Samples: 4}, true},
		{"the same where nobody lacks anything", []string{"labs"}, full, &result.Breakdown{Samples: 4}, false},
	} {
		ex.Provenance.Missing = tt.missing
		if got := Pooled(ex, tt.target, tt.b); got != tt.want {
			t.Errorf("%s: want %v, got %v", tt.name, tt.want, got)
		}
	}
	if Lack(of(3, 3, 3)) || Lack(&result.Breakdown{Samples: 3}) || !Lack(of(3, 3, 2)) {
		t.Error("want samples that lack one told from those that have all, and from those of which nothing is known")
	}
}

func TestGroupNames(t *testing.T) {
	for want, values := range map[string][]string{
		"female": {"female"}, "female, A": {"female", "A"}, `"", A`: {"", "A"}, `"  "`: {"  "}, `a\x1b[1m, b\n`: {"a\x1b[1m", "b\n"},
	} {
		if got := GroupName(values); got != want {
			t.Errorf("%q: want %s, got %s", values, want, got)
		}
	}
	names := []string{"image", "ecg", "labs"}
	if got := Lacking(names, result.PresentNames(names, 0b001)); got != "ecg, labs" {
		t.Errorf("want ecg and labs, got %q", got)
	}
	if got := Lacking(names, result.PresentNames(names, 0b111)); got != "" {
		t.Errorf("want nothing, got %q", got)
	}
}
