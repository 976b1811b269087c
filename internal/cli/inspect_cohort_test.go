package cli

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestInspectCohort lays out what the samples are: all of it, and no more than there is.
func TestInspectCohort(t *testing.T) {
	units := func(samples int, weight, clusters float64) unitsReport { return unitsReport{samples, weight, clusters} }
	many := byReport{Columns: []string{"site", "scanner"}}
	for i := range mostGroups + 1 {
		many.Groups = append(many.Groups, groupReport{[]string{"A", fmt.Sprint(i)}, units(2, 4, 2)})
	}
	r := &cohortReport{
		Cluster: "patient", Weight: "w", Missing: []string{"labs"}, Pad: []string{"ids=0"}, All: units(1200, 2400.25, 401.4),
		By:       []byReport{{[]string{"sex"}, []groupReport{{[]string{"f"}, units(800, 2000.25, 300)}, {[]string{""}, units(400, 400, 0)}}}, many},
		Patterns: []patternReport{{[]string{"image", "labs"}, units(1100, 2200, 1100)}, {[]string{}, units(100, 200.25, 100)}},
		Present:  map[string]int{"image": 1100, "labs": 1100},
		Lists:    []listReport{{"ids", "0", 12, 9, 12}},
	}
	s, out, _ := fakeStreams(false, 0)
	p := newPage(s, colorNever)
	p.pairs(r.heads(1250))
	r.writeUnits(p)
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"cohort\tclusters by patient; weights w; may lack labs; padded ids=0",
		"counted\t1,200 samples of a weight above 0",
		"independent\tas many as 401 samples",
		"lists\tids filled up to 12, the longest 9 in the data, 12 in the background",
		"",
		"sex\tsamples\tindependent\tweight",
		"f\t800\t300\t2,000",
		"\"\"\t400\t0\t400",
		"",
		// None of these is fewer than it is.
		"site, scanner\tsamples\tweight",
	}
	for i := range mostGroups {
		want = append(want, fmt.Sprintf("A, %d\t2\t4", i))
	}
	want = append(want, "1 more row in --json", "", "present\tsamples\tweight", "image+labs\t1,100\t2,200", "none\t100\t200.2")
	if diff := cmp.Diff(want, strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	whole := &cohortReport{Cluster: "patient", All: units(5, 5, 5*(1-1e-15))}
	if got := whole.heads(5); len(got) != 1 || got[0][0] != "cohort" {
		t.Errorf("want the line cohort alone where all samples are independent, got %q", got)
	}
}
