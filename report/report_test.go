package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// between returns what stands between the first of two marks and the second.
func between(t *testing.T, page, first, second string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, first)
	text, _, ended := strings.Cut(rest, second)
	if !found || !ended {
		t.Fatalf("want %q and %q in the page", first, second)
	}
	return text
}

// text returns what a page says, without marks and what is not shown.
func text(page []byte) string {
	shown := regexp.MustCompile(`(?s)<(style|script).*?</(style|script)>|<[^>]*>`).ReplaceAllString(string(page), "")
	return strings.Join(strings.Fields(html.UnescapeString(shown)), " ")
}

// The page tells what a person wants to know, in this order.
func TestStory(t *testing.T) {
	f := newFixture(t, 40, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	f.ex.Warnings = []diag.Warning{
		{ID: "few-samples", Text: "need at least 30 samples, have 12"},
		{ID: "unheard-of", Subject: "predicted", Text: "something"},
	}
	got := text(f.page(t))
	at := 0
	for _, want := range []string{
		"Interaction between modalities in model.onnx", "test.npz, 40 samples. Modalities: image, ecg, labs.",
		"Verdict", "of what the modalities do to this output is interaction between them (95 % interval", "[2]",
		"How to read it", "train.npz, 600 rows, mask marginal", "The data set", "base value", "image alone", "output",
		"By predicted class", "home", "ward", "Pairs", "image × ecg", "Over samples", "The local score of 40 samples",
		"Every sample adds up to f(x) \u2212 v({}), its output less its base value: largest residual 0, tolerance 1.0×10⁻¹².", "Samples", "Warnings", "few-samples", "What to do. Explain more samples",
		"unheard-of (predicted). Something.", "Provenance", "folder/model.onnx", "sha256 00ff",
		"intershap explain model.onnx test.npz --background train.npz -o run.json",
	} {
		i := strings.Index(got[at:], want)
		if i < 0 {
			t.Fatalf("want %q after %q", want, got[max(0, at-60):at])
		}
		at += i + len(want)
	}
	if again := f.page(t); text(again) != got || !bytes.Equal(again, f.page(t)) {
		t.Error("want the same bytes for the same input")
	}
}

func TestWithoutSamples(t *testing.T) {
	file := "out/<run>.npz"
	for _, tt := range []struct {
		name string
		file *string
		line string
		want string
	}{
		{"a file that the run wrote", &file, "intershap explain m d", "intershap report run.json --samples out/<run>.npz -o report.html"},
		{"none", nil, "intershap explain m d", `intershap explain m d \ --samples run.npz --force`},
		{"a library's run", nil, "", "give intershap explain a file for them with --samples run.npz"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, 40, []string{"image", "ecg"}, nil)
			f.samples, f.ex.SamplesFile, f.ex.Provenance.Command = nil, tt.file, tt.line
			page := f.page(t)
			if got := text(page); !strings.Contains(got, tt.want) {
				t.Errorf("want %q in %q", tt.want, got)
			}
			for _, absent := range []string{`id="explorer"`, "Over samples", "By predicted class"} {
				if bytes.Contains(page, []byte(absent)) {
					t.Errorf("want no %q in a page without samples and classes", absent)
				}
			}
		})
	}
}

// The policy admits the style and the program that are there, and nothing else: the
// digests are computed again from the bytes of the page.
func TestPolicy(t *testing.T) {
	page := string(newFixture(t, 3, []string{"a", "b"}, nil).page(t))
	policy := html.UnescapeString(between(t, page, `http-equiv="Content-Security-Policy" content="`, `"`))
	for kind, marks := range map[string][2]string{"style": {"<style>", "</style>"}, "script": {"<script>", "</script>"}} {
		sum := sha256.Sum256([]byte(between(t, page, marks[0], marks[1])))
		want := fmt.Sprintf("%s-src 'sha256-%s';", kind, base64.StdEncoding.EncodeToString(sum[:]))
		if !strings.Contains(policy, want) {
			t.Errorf("want %s in the policy, got %s", want, policy)
		}
	}
	if !strings.HasPrefix(policy, "default-src 'none';") || strings.Contains(policy, "unsafe") {
		t.Errorf("want nothing allowed but by digest, got %s", policy)
	}
	for _, attribute := range []string{" style=", " onclick=", " onload=", "http://", "https://"} {
		outside := strings.ReplaceAll(page, program, "")
		if strings.Contains(outside, attribute) {
			t.Errorf("want no %q in the page", attribute)
		}
	}
}

// data reads what the explorer is given.
func data(t *testing.T, page []byte) (document string, d explorerData) {
	t.Helper()
	document = between(t, string(page), `id="samples-data">`, "</script>")
	if err := json.Unmarshal([]byte(document), &d); err != nil {
		t.Fatal(err)
	}
	return document, d
}

func decode(t *testing.T, text string) []float32 {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(raw)%4 != 0 {
		t.Fatalf("want numbers of four bytes, got %d bytes, %v", len(raw), err)
	}
	out := make([]float32, len(raw)/4)
	for i := range out {
		out[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
	}
	return out
}

func TestExplorerData(t *testing.T) {
	f := newFixture(t, 25, []string{"a", "b", "c"}, []string{"x", "y"})
	// Sample 3 has no behaviour, and so no score.
	tables := f.samples.ByTarget[0].Values
	for i := range 8 {
		tables[3*8+i] = 0.5
	}
	f = fixtureOf(t, f.samples, tables, f.ex.Classes)
	part := &f.samples.ByTarget[0]
	part.SE[3] = score.Share{}
	_, d := data(t, f.page(t))
	if !slices.Equal(d.IDs, f.samples.IDs) || !slices.Equal(d.Predicted, f.samples.Predicted) {
		t.Error("want ids and predictions as they are")
	}
	got := d.ByTarget[0]
	phi, values, shares := decode(t, got.Phi), decode(t, got.Values), decode(t, got.Score)
	if len(phi) != 25*6 || len(values) != 25*8 || len(shares) != 25 {
		t.Fatalf("want 6 cells, 8 values and a score each, got %d, %d, %d", len(phi), len(values), len(shares))
	}
	for k := range 25 {
		m := part.Matrix(k, 3)
		want := []float64{m[0], m[1] + m[3], m[2] + m[6], m[4], m[5] + m[7], m[8]}
		for c, x := range want {
			if math.Abs(float64(phi[6*k+c])-x) > 1e-6*math.Abs(x) {
				t.Fatalf("sample %d, cell %d: want %v, got %v", k, c, x, phi[6*k+c])
			}
		}
		for s := range 8 {
			if x := part.Values[8*k+s]; math.Abs(float64(values[8*k+s])-x) > 1e-6 {
				t.Fatalf("sample %d, coalition %d: want %v, got %v", k, s, x, values[8*k+s])
			}
		}
	}
	if !math.IsNaN(float64(shares[3])) {
		t.Errorf("an undefined score: want NaN, got %v", shares[3])
	}
	if got := decode(t, floats([]float64{1e300, -1e300, math.NaN()})); got[0] != math.MaxFloat32 || got[1] != -math.MaxFloat32 || got[2] == got[2] {
		t.Errorf("want numbers out of range at its ends and NaN kept, got %v", got)
	}
	part.Values = nil
	if _, d := data(t, f.page(t)); d.ByTarget[0].Values != "" {
		t.Error("samples without values: want none")
	}
}

// A page of very many samples has some of them, evenly, and says so.
func TestStride(t *testing.T) {
	for _, tt := range []struct {
		n            int
		bytes, limit int64
		want         int
	}{{100, 84, 10000, 1}, {101, 84, 10000, 2}, {1000, 84, 10000, 10}, {5, 84, 1, 5}, {0, 84, 1, 1}, {0, 84, 1000, 1}} {
		if got := stride(tt.n, tt.bytes, tt.limit); got != tt.want {
			t.Errorf("%+v: got %d", tt, got)
		}
	}
	f := newFixture(t, 10, []string{"a", "b"}, nil)
	const each = 4*(4+3+4) + 16
	e, err := newExplorer(f.ex, f.samples, 4*each)
	if err != nil {
		t.Fatal(err)
	}
	var d explorerData
	if err := json.Unmarshal([]byte(e.Data), &d); err != nil {
		t.Fatal(err)
	}
	want := []string{f.samples.IDs[0], f.samples.IDs[3], f.samples.IDs[6], f.samples.IDs[9]}
	if e.Every != 3 || e.Count != "4" || e.Of != "10" || !slices.Equal(d.IDs, want) {
		t.Errorf("want every third of ten, got every %d: %v", e.Every, d.IDs)
	}
	base := decode(t, d.ByTarget[0].Base)
	if len(base) != 4 || base[1] != float32(f.samples.ByTarget[0].Base[3]) {
		t.Errorf("want the numbers of the same samples, got %v", base)
	}
}

func TestRefuses(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*fixture)
		want   string
	}{
		{"no target", func(f *fixture) { f.ex.Targets = nil }, "no targets or no modalities"},
		{"other modalities", func(f *fixture) { f.samples = newFixture(t, 5, []string{"a", "b", "c"}, nil).samples }, "run.npz: not the samples of this result: want modalities [\"a\" \"b\"], got [\"a\" \"b\" \"c\"]"},
		{"other names", func(f *fixture) { f.samples.Modalities = []string{"a", "c"} }, "not the samples of this result"},
		{"short column", func(f *fixture) { f.samples.ByTarget[0].SE = nil }, "target 0: want 5 numbers in every column"},
		{"short values", func(f *fixture) { f.samples.ByTarget[0].Values = []float64{1} }, "target 0: want 5 numbers"},
		{"no predictions", func(f *fixture) { f.samples.Predicted = nil }, "want a prediction for each id"},
		{"no targets", func(f *fixture) { f.samples.ByTarget = nil }, "want 1 targets, as many as have a name, got 0"},
		{"other means", func(f *fixture) { f.samples.ByTarget[0].Base[2]++ }, "not the samples of this result"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := newFixture(t, 5, []string{"a", "b"}, nil)
			tt.change(&f)
			var out bytes.Buffer
			err := Write(&out, f.ex, f.samples)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want an error that says %q, got %v", tt.want, err)
			}
			if out.Len() > 0 {
				t.Errorf("want nothing written, got %d bytes", out.Len())
			}
		})
	}
	f := newFixture(t, 5, []string{"a", "b"}, nil)
	if err := Write(brokenWriter{}, f.ex, f.samples); err == nil {
		t.Error("want the writer's error")
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// wellFormed reports what a page must not show, whatever it was made from.
func wellFormed(page []byte) string {
	shown := strings.ReplaceAll(string(page), program, "") // which asks for NaN
	for _, bad := range []string{"NaN", "Inf%", "+Inf", "-Inf", "<nil>", "%!", "ZgotmplZ"} {
		if strings.Contains(shown, bad) {
			return bad
		}
	}
	return ""
}

// Odd runs make a page all the same.
func TestOddRuns(t *testing.T) {
	one := func(values []float64, m int, classes []string) fixture {
		s := &result.Samples{Modalities: strings.Split("abcdefghijkl"[:m], ""), Targets: []string{""}}
		for i := range len(values) >> m {
			s.IDs, s.Predicted = append(s.IDs, fmt.Sprint(i)), append(s.Predicted, 0)
		}
		return fixtureOf(t, s, values, classes)
	}
	bare := one([]float64{0, 1, 1, 0}, 2, nil)
	bare.ex.Targets[0].Global.PhiSE = result.PhiSE{}
	bare.ex.Targets[0].Global.Low, bare.ex.Targets[0].Global.High = score.Share{}, score.Share{}
	short := one([]float64{0, 1, 1, 0}, 2, nil)
	short.ex.Targets[0].MeanAbsolute.Pairs = nil // by hand: a result of ours has them
	for name, f := range map[string]fixture{
		"one sample":       one([]float64{0, 1, 1, 0}, 2, nil),
		"one modality":     one([]float64{0, 1, 1, 0}, 1, nil),
		"one class":        one([]float64{0, 1, 1, 0}, 2, []string{"all"}),
		"no behaviour":     one([]float64{2, 2, 2, 2, 2, 2, 2, 2}, 2, []string{"x"}),
		"some without any": one([]float64{2, 2, 2, 2, 0, 1, 1, 0}, 2, []string{"x"}),
		"zero":             one([]float64{0, 0, 0, 0}, 2, nil),
		"tiny":             one([]float64{0, 1e-300, 3e-300, -1e-300}, 2, nil),
		"subnormal":        one([]float64{0, 5e-324, 0, 0}, 2, nil),
		"huge":             one([]float64{-4e307, 4e307, 4e307, -4e307}, 2, nil),
		"no errors":        bare,
		"no pairs":         short,
		"twelve":           newFixture(t, 30, strings.Split("abcdefghijkl", ""), nil),
	} {
		t.Run(name, func(t *testing.T) {
			f.ex.Provenance.Memory = 1 << 30
			if bad := wellFormed(f.page(t)); bad != "" {
				t.Errorf("want no %q in the page", bad)
			}
			f.samples = nil
			if bad := wellFormed(f.page(t)); bad != "" {
				t.Errorf("without samples: want no %q in the page", bad)
			}
		})
	}
	if wellFormed([]byte(`<rect x="NaN%">`)) == "" {
		t.Error("a place that is no number: want it found")
	}
}

// Parts that are not clear of their error are pale in a stack, and have no number.
func TestStack(t *testing.T) {
	d := score.Defined
	a := &result.Aggregate{
		InterSHAP: d(0.5), Low: d(0.4), High: d(0.6),
		Contributions:         map[string]score.Share{"image": d(0.25), "text": d(0.25), "notes": d(0)},
		ContributionIntervals: map[string][2]score.Share{"image": {d(0.2), d(0.3)}, "text": {d(0), d(0.5)}},
	}
	want := []segment{
		{X: "0.00%", Width: "25.00%", Class: "shade0", Title: "image alone 25.0\u00a0%"},
		{X: "25.00%", Width: "25.00%", Class: "shade1", Title: "text alone, not clear of its error", Pale: true},
		{X: "50.00%", Width: "50.00%", Class: "pair", Title: "interactions 50.0\u00a0%"},
	}
	if diff := cmp.Diff(want, newStack(a, stackParts(&result.Explanation{Modalities: []string{"image", "text", "notes"}}))); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	for _, pale := range []bool{false, true} {
		f := newFixture(t, 20, []string{"a", "b"}, []string{"x", "y"})
		if pale {
			f.ex.Targets[0].ByClass[0].Global.Low = d(0)
		}
		if got := bytes.Contains(f.page(t), []byte("pale: not clear of its error")); got != pale {
			t.Errorf("want the legend to tell of pale parts: %v, got %v", pale, got)
		}
	}
}

func TestRemedies(t *testing.T) {
	for _, id := range RemedyIDs() {
		if r := Remedy(id); len(r) < 10 || !strings.HasSuffix(r, ".") {
			t.Errorf("%s: want a sentence, got %q", id, r)
		}
	}
	if got := Remedy("unheard-of"); got != "" {
		t.Errorf("an unknown warning: want no remedy, got %q", got)
	}
}
