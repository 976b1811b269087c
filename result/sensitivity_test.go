package result

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/score"
)

func headline(share, low, high float64) [3]score.Share {
	return [3]score.Share{score.Defined(share), score.Defined(low), score.Defined(high)}
}

func TestMatters(t *testing.T) {
	none := score.Share{}
	run := headline(0.30, 0.25, 0.35)
	for _, tt := range []struct {
		run, other [3]score.Share
		want       bool
		reason     string
	}{
		{run, headline(0.50, 0.45, 0.55), true, "far, and apart"},
		{run, headline(0.10, 0.05, 0.15), true, "below as well"},
		{run, headline(0.50, 0.34, 0.66), false, "far, but they overlap"},
		{run, headline(0.40, 0.35, 0.45), false, "they touch"},
		{headline(0.30, 0.30, 0.30), headline(0.34, 0.34, 0.34), false, "apart, but near"},
		{headline(0.25, 0.25, 0.25), headline(0.3125, 0.3125, 0.3125), true, "just far enough"},
		{headline(0.30, 0.30, 0.30), headline(0.25, 0.25, 0.25), false, "no more than five points"},
		{run, [3]score.Share{score.Defined(0.9), none, none}, false, "no interval"},
		{[3]score.Share{score.Defined(0.9), none, none}, run, false, "the run has none"},
		{run, [3]score.Share{}, false, "undefined"},
		{[3]score.Share{}, run, false, "the run is undefined"},
	} {
		if got := Matters(tt.run, tt.other); got != tt.want {
			t.Errorf("%s: want %v, got %v", tt.reason, tt.want, got)
		}
		if got := Matters(tt.other, tt.run); got != tt.want {
			t.Errorf("%s, the other way round: want %v, got %v", tt.reason, tt.want, got)
		}
	}
}

// sensitive is the example with rows and an answer that fit its headline.
func sensitive() *Explanation {
	e := example()
	t := &e.Targets[0]
	a := t.AnswerAtLeast(0.05)
	t.AtLeast = &a
	reason := "the output is no probability"
	e.Sensitivity = &Sensitivity{Verdict: "The verdict depends on the mask.", Depends: true}
	share, _, _ := t.HeadlineInterval()
	far := 1.0
	if share.Or(0) > 0.5 {
		far = 0
	}
	for _, r := range []SensitivityRow{
		{Choice: MaskChoice, Setting: "zero", Name: "zero", InterSHAP: score.Defined(far), Low: score.Defined(far), High: score.Defined(far)},
		{Choice: ScaleChoice, Setting: "logit", Name: "logit", Reason: &reason},
	} {
		r.Target = t.Target
		r.Compare(t)
		e.Sensitivity.Rows = append(e.Sensitivity.Rows, r)
	}
	e.Sensitivity.Conclude(e.Targets)
	return e
}

func TestSensitivityReadsBack(t *testing.T) {
	e := sensitive()
	if !e.Sensitivity.Rows[0].Matters {
		t.Fatal("the example has no row that matters")
	}
	got, err := Read(bytes.NewReader(written(t, e)))
	if err != nil {
		t.Fatal(err)
	}
	if string(written(t, e)) != string(written(t, got)) {
		t.Error("want the same document, got another")
	}
	e.Sensitivity.Rows, e.Sensitivity.Depends, e.Sensitivity.Clear = nil, false, false
	if !strings.Contains(string(written(t, e)), `"rows": []`) {
		t.Error("want an empty list of rows, not null")
	}
}

func TestSensitivityRefused(t *testing.T) {
	other := 0.125
	for _, tt := range []struct {
		name   string
		change func(s *Sensitivity, t *Target)
		want   string
	}{
		{"no sentence", func(s *Sensitivity, _ *Target) { s.Verdict = "" }, "sensitivity.verdict: want a sentence"},
		{"choice", func(s *Sensitivity, _ *Target) { s.Rows[0].Choice = "weather" }, `sensitivity.rows[0].choice: want one of`},
		{"setting", func(s *Sensitivity, _ *Target) { s.Rows[0].Setting = "" }, `sensitivity.rows[0]: want a setting`},
		{"target", func(s *Sensitivity, _ *Target) { s.Rows[0].Target = "other" }, `sensitivity.rows[0].target: want one of the targets, got "other"`},
		{"share", func(s *Sensitivity, _ *Target) { s.Rows[0].InterSHAP = score.Defined(7) }, "sensitivity.rows[0].intershap: want 0 to 1, got 7"},
		{"bounds", func(s *Sensitivity, _ *Target) { s.Rows[0].Low, s.Rows[0].High = score.Defined(1), score.Defined(0) }, "want low at most high"},
		{"number and reason", func(s *Sensitivity, _ *Target) { s.Rows[0].Reason = s.Rows[1].Reason }, "want either a number or the reason"},
		{"neither", func(s *Sensitivity, _ *Target) { s.Rows[1].Reason = nil }, "sensitivity.rows[1]: want either"},
		{"difference", func(s *Sensitivity, _ *Target) { s.Rows[0].Difference = &other }, "sensitivity.rows[0].difference: want "},
		{"difference of nothing", func(s *Sensitivity, _ *Target) { s.Rows[1].Difference = &other }, "sensitivity.rows[1].difference: want null"},
		{"matters", func(s *Sensitivity, _ *Target) { s.Rows[0].Matters = false }, "sensitivity.rows[0].matters: want true"},
		{"clear", func(s *Sensitivity, _ *Target) { s.Clear = false }, "sensitivity.clear: want true by the rows and headlines"},
		{"depends", func(s *Sensitivity, _ *Target) { s.Depends = false }, "sensitivity.depends: want true by the rows"},
		{"threshold", func(_ *Sensitivity, t *Target) { t.AtLeast.Threshold = 0 }, "targets[0].at_least.threshold: want a fraction above 0"},
		{"answer", func(_ *Sensitivity, t *Target) { t.AtLeast.Answer = (t.AtLeast.Answer + 1) % 3 }, "targets[0].at_least.answer: want "},
	} {
		e := sensitive()
		tt.change(e.Sensitivity, &e.Targets[0])
		_, err := Read(bytes.NewReader(written(t, e)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error that says %q, got %v", tt.name, tt.want, err)
		}
	}
}

// That nothing depends is clear where the run's interval is narrow enough for it, and
// something was held against it.
func TestConclude(t *testing.T) {
	d := score.Defined
	reason := "the output is no probability"
	for _, tt := range []struct {
		name             string
		share, low, high score.Share // of the run
		other            *float64    // the headline of the choice, which is exact
		depends, clear   bool
	}{
		{"narrow", d(0.2), d(0.18), d(0.22), new(0.21), false, true},
		{"narrow, and moved", d(0.2), d(0.18), d(0.22), new(0.3), true, true},
		{"exactly zero", d(0), d(0), d(0), new(0.01), false, true},
		{"nearly zero", d(0.01), d(0), d(0.05), new(0.01), false, true},
		{"zero or not", d(0.02), d(0), d(0.051), new(0.01), false, false},
		{"zero or not, and moved", d(0.02), d(0), d(0.051), new(0.3), true, true},
		{"as wide as may be", d(0.25), d(0.125), d(0.525), new(0.5), false, true},
		{"wider", d(0.25), d(0.124), d(0.525), new(0.5), false, false},
		{"unclear", d(0.5), d(0), d(1), new(0.9), false, false},
		{"no interval", d(0.2), score.Share{}, score.Share{}, new(0.9), false, false},
		{"undefined", score.Share{}, score.Share{}, score.Share{}, new(0.9), false, false},
		{"nothing held against it", d(0.2), d(0.18), d(0.22), nil, false, false},
	} {
		target := Target{Target: "predicted", Headline: Global}
		target.Global.InterSHAP, target.Global.Low, target.Global.High = tt.share, tt.low, tt.high
		r := SensitivityRow{Target: "predicted", Choice: MaskChoice, Setting: "zero", Name: "zero", Reason: &reason}
		if tt.other != nil {
			x := d(*tt.other)
			r.InterSHAP, r.Low, r.High, r.Reason = x, x, x, nil
		}
		r.Compare(&target)
		s := Sensitivity{Rows: []SensitivityRow{r}}
		if s.Conclude([]Target{target}); s.Depends != tt.depends || s.Clear != tt.clear {
			t.Errorf("%s: want depends %v and clear %v, got %v and %v", tt.name, tt.depends, tt.clear, s.Depends, s.Clear)
		}
		wide := target
		wide.Target, wide.Global.Low, wide.Global.High = "other", d(0), d(1)
		if s.Conclude([]Target{target, wide}); s.Clear != tt.depends {
			t.Errorf("%s, beside another target that tells nothing: want clear %v, got %v", tt.name, tt.depends, s.Clear)
		}
		nothing := Target{Target: "other", Headline: Global}
		if s.Conclude([]Target{target, nothing}); s.Clear != tt.clear {
			t.Errorf("%s, beside another target without a headline: want clear %v, got %v", tt.name, tt.clear, s.Clear)
		}
	}
}

func TestAnswerAtLeast(t *testing.T) {
	for _, tt := range []struct {
		low, high score.Share
		want      score.Answer
		reason    string
	}{
		{score.Defined(0.06), score.Defined(0.2), score.Yes, "all of it above"},
		{score.Defined(0.05), score.Defined(0.2), score.Yes, "at least is enough"},
		{score.Defined(0.01), score.Defined(0.04), score.No, "all of it below"},
		{score.Defined(0.01), score.Defined(0.05), score.Unclear, "its end is enough"},
		{score.Defined(0), score.Defined(1), score.Unclear, "anything"},
		{score.Share{}, score.Share{}, score.Unclear, "no interval"},
	} {
		target := Target{Headline: MeanAbsolute}
		target.MeanAbsolute.InterSHAP, target.MeanAbsolute.Low, target.MeanAbsolute.High = score.Defined(0.05), tt.low, tt.high
		target.Global.Low, target.Global.High = score.Defined(0.05), score.Defined(0.05) // not the headline
		if got := target.AnswerAtLeast(0.05); got != (AtLeast{0.05, tt.want}) {
			t.Errorf("%s: want %s, got %+v", tt.reason, tt.want, got)
		}
	}
}

// Files of a version without the corrected score still read, and say nothing of it.
func TestSamplesWithoutCorrected(t *testing.T) {
	for name, text := range map[string]string{
		"s.csv": "id,predicted,base,output,intershap,intershap_se,phi.a\n1,0,0.5,1.5,0.0,,1.0\n",
		"s.jsonl": `{"id":1,"predicted":0,"base":0.5,"output":1.5,"intershap":0.0,"intershap_se":null,"phi.a":1.0,"values":[0.5,1.5],"phi":[[1.0]]}` +
			"\n",
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := ReadSamples(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if s.Len() != 1 || s.ByTarget[0].Corrected != nil {
			t.Errorf("%s: want one sample without a corrected score, got %+v", name, s.ByTarget[0])
		}
	}
	whole := writeSamples(t, ".npz", two, makeGames(two, numbered))
	older := withoutMember(t, whole, columnCorrected)
	a, err := ReadSamples(whole)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ReadSamples(older)
	if err != nil {
		t.Fatal(err)
	}
	for k := range b.ByTarget {
		if a.ByTarget[k].Corrected == nil || b.ByTarget[k].Corrected != nil {
			t.Errorf("target %d: want the score in the first file alone", k)
		}
		a.ByTarget[k].Corrected = nil
	}
	if d := sameSamples(a, b); d != "" {
		t.Errorf("all else is the same (-want +got):\n%s", d)
	}
	path := filepath.Join(t.TempDir(), "s.csv")
	text := "id,predicted,base,output,intershap,intershap_se,phi.a,intershap_corrected\n1,0,0.5,1.5,0.0,,1.0,1.5\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadSamples(path); err == nil || !strings.Contains(err.Error(), "intershap_corrected: want a fraction within [0, 1], got 1.5") {
		t.Errorf("want the column named, got %v", err)
	}
}

// withoutMember copies an archive but for one array.
func withoutMember(t *testing.T, path, name string) string {
	t.Helper()
	in, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, member := range in.File {
		if member.Name == name+".npy" {
			continue
		}
		if err := w.Copy(member); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), filepath.Base(path))
	if err := errors.Join(w.SetComment(in.Comment), w.Close(), os.WriteFile(copied, out.Bytes(), 0o600)); err != nil {
		t.Fatal(err)
	}
	return copied
}
