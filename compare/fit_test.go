package compare

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Each difference of two results must be refused or told, and forced ones be told.
func TestFit(t *testing.T) {
	for _, tt := range []struct {
		name    string
		change  func(r *Run)
		id      string
		refused bool
		text    string
	}{
		{"nothing", func(*Run) {}, "", false, ""},
		{"convention", func(r *Run) { r.Result.Provenance.Convention = "single-pair"; rescore(r, score.SinglePair) }, "convention-differs", true, "the conventions differ: paper (a), single-pair (b)"},
		{"transform", func(r *Run) { r.Result.Provenance.Transform = "logit" }, "transform-differs", true, "identity (a), logit (b)"},
		{"index", func(r *Run) { r.Result.Provenance.Index = "STII" }, "index-differs", true, "SII of order 2 (a), STII of order 2 (b)"},
		{"order", func(r *Run) { r.Result.Provenance.Order = 3 }, "index-differs", true, "SII of order 3 (b)"},
		{"target", func(r *Run) { r.Result.Targets[0].Target = "predicted" }, "targets-differ", true, "label (a), predicted (b)"},
		{"modalities", func(r *Run) {
			rename(&r.Result.Targets[0], "m1", "text")
			r.Result.Modalities, r.Samples.Modalities = []string{"m0", "text"}, []string{"m0", "text"}
		}, "modalities-differ", true, "m0, m1 (a), m0, text (b)"},
		{"number of classes", func(r *Run) { r.Result.Classes = append(slices.Clone(r.Result.Classes), "owl") }, "classes-differ", true, "3 (a), 4 (b)"},
		{"names of classes", func(r *Run) {
			r.Result.Classes = []string{"0", "1", "2"}
			for i := range r.Result.Targets[0].ByClass {
				r.Result.Targets[0].ByClass[i].Class = r.Result.Classes[i]
			}
		}, "classes-differ", false, "cat, dog, fox, 0, 1, 2"},
		{"output", func(r *Run) { r.Result.Provenance.Output = "logits" }, "output-differs", false, "probabilities (a), logits (b)"},
		{"task", func(r *Run) { r.Result.Provenance.Task = "binary" }, "task-differs", false, "classes (a), binary (b)"},
		{"mask", func(r *Run) { r.Result.Provenance.Background.Mask = "zero" }, "mask-differs", false, "marginal (a), zero (b)"},
		{"background rows", func(r *Run) { r.Result.Provenance.Background.Rows = 50 }, "background-differs", false, "train.npz b0, 100 rows (a), train.npz b0, 50 rows (b)"},
		{"background file", func(r *Run) { r.Result.Provenance.Background.SHA256 = "0123456789ab" }, "background-differs", false, "train.npz 01234567, 100 rows (b)"},
		{"seed", func(r *Run) { r.Result.Provenance.Seed = 2 }, "background-differs", false, "seed 1 (a), seed 2 (b)"},
		{"background in memory", func(r *Run) { r.Result.Provenance.Background.Source = result.Source{} }, "background-differs", false, "a part of the difference may be theirs"},
		{"warnings", func(r *Run) { r.Result.Warnings = []diag.Warning{{ID: "few-samples"}, {ID: "residual"}} }, "result-has-warnings", false, "few-samples, residual"},
		{"data with ids that are positions", func(r *Run) { r.Result.Provenance.Data.SHA256 = "d1" }, "data-differ", true, "test.npz d0 (a), test.npz d1 (b), and ids that are positions name no sample"},
		{"data not known", func(r *Run) { r.Result.Provenance.Data.SHA256 = "" }, "data-unknown", false, "samples are not paired"},
		{"data with ids", func(r *Run) { r.Result.Provenance.Data.SHA256 = "d1"; r.Samples.IDs = named(r.Samples.IDs) }, "data-differ", true, "ids that are positions"},
		{"other ids of the same data", func(r *Run) { r.Samples.IDs = named(r.Samples.IDs) }, "samples-not-shared", false, "they share 0 of 60 samples by id: samples are not paired"},
		{"some ids", func(r *Run) { r.Samples.IDs[0] = "x"; r.Samples.IDs[7] = "y" }, "samples-not-shared", false, "only the 58 samples that both have"},
		{"data and no samples", func(r *Run) { r.Result.Provenance.Data.SHA256 = "d1"; r.Samples = nil }, "data-differ", true, "without files of samples"},
		{"data not known and no samples", func(r *Run) { r.Result.Provenance.Data.SHA256 = ""; r.Samples = nil }, "data-unknown", false, "does not say which data"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			run := func(force bool) (*Comparison, error) {
				r := twoRuns(1, 60)
				tt.change(&r[1])
				return Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Force: force, Draws: 400})
			}
			if p := fitProblem(run, tt.id, tt.text, tt.refused); p != "" {
				t.Error(p)
			}
		})
	}
}

// rescore gives samples the local scores of another convention, and the result their mean.
func rescore(r *Run, c score.Convention) {
	t, m, total := &r.Samples.ByTarget[0], len(r.Result.Modalities), 0.0
	for i := range t.InterSHAP {
		t.InterSHAP[i] = score.Local(t.Matrix(i, m), m, c)
		total += t.InterSHAP[i].Or(0)
	}
	r.Result.Targets[0].Local.Mean = score.Defined(total / float64(len(t.InterSHAP)))
}

// fitProblem says what is wrong with how a difference is met, "" for nothing.
func fitProblem(run func(force bool) (*Comparison, error), id, text string, refused bool) string {
	none := id == ""
	c, err := run(false)
	var refusal *RefusedError
	if refused {
		switch {
		case !errors.As(err, &refusal):
			return "want a refusal"
		case len(refusal.Reasons) != 1 || refusal.Reasons[0].ID != id || !strings.Contains(err.Error(), text):
			return "want the refusal " + id + ": " + text + ", got " + err.Error()
		}
		if c, err = run(true); err != nil {
			return "forced: " + err.Error()
		}
	}
	if err != nil {
		return err.Error()
	}
	if len(c.Targets) != 1 || c.Targets[0].HeadlineRow() == nil {
		return "want a comparison of one target"
	}
	var all []string
	for _, w := range c.Warnings {
		all = append(all, w.String())
		if w.ID == id && strings.Contains(w.Text, text) {
			id = ""
		}
	}
	if id != "" {
		return "want the warning " + id + ": " + text + ", got " + strings.Join(all, "; ")
	}
	if none && len(all) > 0 {
		return "want no warning, got " + strings.Join(all, "; ")
	}
	return ""
}

func TestFitProblemSeesWrongAnswers(t *testing.T) {
	r := twoRuns(1, 60)
	fine := func(bool) (*Comparison, error) {
		return Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Draws: 400})
	}
	other := twoRuns(1, 60)
	other[1].Result.Provenance.Output = "logits"
	warned := func(bool) (*Comparison, error) {
		return Compare(t.Context(), Side{"a", other[:1]}, Side{"b", other[1:]}, Options{Draws: 400})
	}
	for name, problem := range map[string]string{
		"no refusal": fitProblem(fine, "x", "x", true), "no warning": fitProblem(fine, "x", "x", false),
		"another text": fitProblem(warned, "output-differs", "x", false), "a warning too many": fitProblem(warned, "", "", false),
		"an error": fitProblem(func(bool) (*Comparison, error) { return nil, errors.New("x") }, "", "", false),
	} {
		if problem == "" {
			t.Errorf("%s is not seen", name)
		}
	}
}

// named makes ids of numbers.
func named(ids []string) []string {
	var out []string
	for _, id := range ids {
		out = append(out, "patient "+id)
	}
	return out
}

// rename gives a modality of a result another name.
func rename(t *result.Target, from, to string) {
	all := []*result.Breakdown{&t.Breakdown}
	for i := range t.ByClass {
		all = append(all, &t.ByClass[i].Breakdown)
	}
	for _, b := range all {
		for _, a := range []*result.Aggregate{&b.Global.Aggregate, &b.MeanAbsolute.Aggregate} {
			a.Contributions[to] = a.Contributions[from]
			delete(a.Contributions, from)
			for i := range a.Pairs {
				a.Pairs[i].Pair[1] = to
			}
		}
	}
}

// Data of the same samples under other digests are paired by their ids, with a warning.
func TestPairedAcrossFiles(t *testing.T) {
	r := twoRuns(1, 60)
	for k := range r {
		r[k].Samples.IDs = named(r[k].Samples.IDs)
	}
	r[1].Result.Provenance.Data.SHA256 = "d1"
	c, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Draws: 400})
	if err != nil || c.Method != PairedBootstrap || !hasWarning(c, "data-differ") {
		t.Errorf("got %+v, %v", c, err)
	}
	// Most ids differ: the samples are others, and so are the data.
	for i := range 40 {
		r[1].Samples.IDs[i] = "other " + r[1].Samples.IDs[i]
	}
	var refusal *RefusedError
	if _, err := Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{}); !errors.As(err, &refusal) || !strings.Contains(err.Error(), "they share 20 of 60 samples by id") {
		t.Errorf("other samples: got %v", err)
	}
	c, err = Compare(t.Context(), Side{"a", r[:1]}, Side{"b", r[1:]}, Options{Draws: 400, Force: true})
	if err != nil || c.Method != UnpairedBootstrap || !hasWarning(c, "data-differ") {
		t.Errorf("other samples, forced: got %+v, %v", c, err)
	}
}

// A result counts once in a group, and its data are those of the other group.
func TestFitReplicates(t *testing.T) {
	runs := func(seed uint64) []Run {
		r := twoRuns(seed, 30)
		r[0].Path, r[1].Path = numbered(9)[seed]+"a.json", numbered(9)[seed]+"b.json"
		return r[:]
	}
	a, b := Side{"a", runs(1)}, Side{"b", runs(2)}
	check := func(name, id string, refused bool) {
		t.Helper()
		run := func(force bool) (*Comparison, error) { return Compare(t.Context(), a, b, Options{Force: force}) }
		if p := fitProblem(run, id, "", refused); p != "" {
			t.Errorf("%s: %s", name, p)
		}
	}
	check("two and two", "", false)
	b.Runs[1].Result.Provenance.Data.SHA256 = "d1"
	check("data on one side", "data-differ", true)
	a.Runs[1].Result.Provenance.Data.SHA256 = "d1"
	check("the same data on both", "data-vary", false)
	a.Runs[1].Result.Provenance.Data.SHA256 = ""
	check("data not known", "data-unknown", false)
	a, b = Side{"a", runs(1)}, Side{"b", runs(2)}
	twin := b.Runs[0]
	twin.Path = "twin.json"
	b.Runs = append(b.Runs, twin)
	check("a result twice in a group", "same-result", true)
	b.Runs = append(b.Runs[:2], a.Runs[0])
	check("a result on both sides", "same-result", false)
}
