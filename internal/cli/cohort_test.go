package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// parseCohort reads flags of what the samples are.
func parseCohort(t *testing.T, args ...string) (*question, error) {
	t.Helper()
	q := question{model: "model.onnx"}
	cmd := &cobra.Command{Use: "explain"}
	addQuestion(cmd.Flags(), &q)
	addGroups(cmd.Flags(), &q)
	addBudget(cmd.Flags(), &q)
	addCohort(cmd.Flags(), &q)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	if err := refuseEmptyCohort(cmd); err != nil {
		return &q, err
	}
	return &q, q.check()
}

func TestCohortFlags(t *testing.T) {
	q, err := parseCohort(t, "--cluster", "patient", "--weight", "w", "--by", "sex", "--by", "sex, site", "--missing", "labs", "--missing", "ecg=has_ecg", "--pad", "ids=0", "--mask", "labs=absent")
	if err != nil {
		t.Fatal(err)
	}
	o := q.options
	if o.Cluster != "patient" || o.Weight != "w" || !slices.EqualFunc(o.By, [][]string{{"sex"}, {"sex", "site"}}, slices.Equal) ||
		!slices.Equal(o.Missing, []string{"labs", "ecg=has_ecg"}) || !slices.Equal(o.Pad, []string{"ids=0"}) {
		t.Errorf("want what was given, got %q, %q, %q, %q, %q", o.Cluster, o.Weight, o.By, o.Missing, o.Pad)
	}
	for _, tt := range []struct {
		args       string
		want, hint string
	}{
		{"--cluster=", "--cluster is empty, want a name", ""},
		{"--weight=", "--weight is empty, want a name", ""},
		{"--by=", `--by: want names of columns, got "" with an empty one`, "--by sex"},
		{"--by=sex,", `got "sex," with an empty one`, "--by sex"},
		{"--by=sex,sex", "--by sex,sex: column sex stands there twice", ""},
		{"--by=sex,site --by=sex,site", "--by sex,site was given twice", ""},
		{"--missing==labs", `--missing: want MODALITY or MODALITY=COLUMN, got "=labs"`, "--missing labs"},
		{"--missing=labs=", `got "labs="`, "--missing labs"},
		{"--pad=ids", "--pad ids: want INPUT=VALUE", "input_ids=0"},
		{"--pad=ids=0 --pad=ids=1", "--pad ids=1: the input is padded twice", "leave out one"},
		{"--missing=labs --budget=10", "--missing and --budget do not go together", "leave --budget out"},
		{"--missing=labs --group=labs=each", "--missing and --group do not go together", "leave --group out"},
		{"--missing=labs --mask=image=nearest:3", "--missing and --mask image=nearest:3 do not go together", "such as marginal"},
		{"--mask=labs=absent", "--mask labs=absent: no sample was said to lack a modality", "add --missing MODALITY"},
		{"--encode=sex=onehot", "--encode sex=onehot: categories are encoded in the model", "skl2onnx"},
		{"--encode=sex=onehot", "so that what is explained is what is used", "intershap help python"},
	} {
		_, err := parseCohort(t, strings.Fields(tt.args)...)
		wantUsage(t, tt.args, err, tt.want)
		var fault *usageError
		if errors.As(err, &fault) && !strings.Contains(fault.hint, tt.hint) {
			t.Errorf("%s: want a hint with %q, got %q", tt.args, tt.hint, fault.hint)
		}
	}
}

// A command without --missing does not send people to it.
func TestMaskAbsentElsewhere(t *testing.T) {
	q, _, err := parse(t, nil, "--mask", "labs=absent")
	if err != nil {
		t.Fatal(err)
	}
	q.model = "model.onnx"
	var fault *usageError
	if !errors.As(q.check(), &fault) || strings.Contains(fault.hint, "add --missing") {
		t.Errorf("want a usage error whose hint names no flag that is not there, got %v", fault)
	}
	if words := complete(t, "rival", "--mask", ""); slices.Contains(words, "absent") {
		t.Errorf("want no rule proposed that is refused, got %q", words)
	}
}

// cohortTarget has a row of everything that breaks samples down.
func cohortTarget() result.Target {
	t := classesTarget()
	d := score.Defined
	t.Macro = &result.Macro{Classes: 2, Global: result.MacroShare{InterSHAP: d(.41), Low: d(.37), High: d(.46)}}
	group := func(samples int, clusters float64, values ...string) result.Group {
		g := result.Group{Values: values, Breakdown: t.Breakdown}
		g.Samples = samples
		if clusters > 0 {
			g.Clusters = &clusters
		}
		return g
	}
	unclear := group(12, 0, "other")
	unclear.Global.Aggregate = aggregate(0.3, 0, 1, []string{"image", "text"}, 0.4, 0.3)
	unclear.Global.ContributionIntervals["text"] = [2]score.Share{d(0), d(0.31)}
	nobody := group(5, 0, "unknown") // who has no text
	nobody.Present = map[string]int{"image": 5, "text": 0}
	nobody.Global.Aggregate = aggregate(0, 0, 0, []string{"image", "text"}, 1, 0)
	nobody.Global.Contributions["text"], nobody.Global.ContributionIntervals["text"] = score.Share{}, [2]score.Share{}
	independent := 740.2
	t.ByClass[1].Clusters = &independent
	t.By = []result.Partition{
		{Columns: []string{"sex"}, Groups: []result.Group{group(1200, 0, "female"), group(788, 0, "male"), unclear, nobody}},
		{Columns: []string{"sex", "site"}, Groups: []result.Group{group(2000, 412.6, "female", "A"), group(3, 0, "male", "")}},
	}
	for i := range 20 {
		t.By[1].Groups = append(t.By[1].Groups, group(i+1, 0, "male", strings.Repeat("x", i+1)))
	}
	whole := result.Pattern{Present: []string{"image", "text"}, Breakdown: t.Breakdown}
	lacks := result.Pattern{Present: []string{"image"}, Breakdown: t.Breakdown}
	lacks.Samples = 31
	lacks.Global.Aggregate = aggregate(0, 0, 0, []string{"image"}, 1)
	nothing := result.Pattern{Breakdown: result.Breakdown{Samples: 2, Base: 0.25, Output: 0.25}}
	t.Patterns = []result.Pattern{whole, lacks, nothing}
	return t
}

func cohortExplanation() *result.Explanation {
	ex := explanation([]string{"image", "text"}, cohortTarget())
	ex.Provenance.Cluster, ex.Provenance.Weight = "patient", "w"
	weight := 5012.5
	ex.Targets[0].Weight = &weight
	ex.Provenance.Missing, ex.Provenance.Pad = []string{"text=has_text"}, []string{"ids=0"}
	return ex
}

// wideCohort has more modalities than a row has room for, and two targets never break
// down in the table.
func wideCohort() *result.Explanation {
	t, modalities := wideTarget()
	t.Samples = 100
	t.By = []result.Partition{{Columns: []string{"site"}, Groups: []result.Group{{Values: []string{"A"}, Breakdown: t.Breakdown}}}}
	return explanation(modalities, t)
}

// Contributions take columns where all have room, of long names base and output do.
func TestContributionsFit(t *testing.T) {
	for _, tt := range []struct {
		names []string
		want  bool
	}{
		{[]string{"image", "text"}, true},
		{[]string{"a", "b", "c", "d"}, true},
		{[]string{"a", "b", "c", "d", "e"}, false},
		{[]string{"clinical_history", "laboratory_values"}, false},
		{[]string{"clinical_history", "laboratory_"}, true},
	} {
		if got := contributionsFit(tt.names); got != tt.want {
			t.Errorf("%q: want %v, got %v", tt.names, tt.want, got)
		}
	}
}
