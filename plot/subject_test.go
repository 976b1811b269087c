package plot

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// handMade is a result of two modalities with numbers that are easily added up: the
// base value 0.5, a alone +0.02, b alone −0.10, and 0.22 in both cells of the pair, so
// that the output is 0.5 + 0.02 − 0.10 + 0.44 = 0.86. Behaviour is
// 0.02 + 0.10 + 0.44 = 0.56, and shares are 3.6, 17.9 and 78.6 %. Standard errors are
// 0.003 and 0.004 of every cell, together 0.005.
func handMade() *result.Explanation {
	d := score.Defined
	se := func(x float64) [][]float64 { return [][]float64{{x, x}, {x, x}} }
	b := result.Breakdown{Samples: 40, Base: 0.5, Output: 0.86}
	b.Global.Phi = [][]float64{{0.02, 0.22}, {0.22, -0.10}}
	b.Global.PhiSE = result.PhiSE{Background: se(0.003), Samples: se(0.004)}
	b.Global.Aggregate = result.Aggregate{
		InterSHAP: d(0.44 / 0.56), Low: d(0.75), High: d(0.82), Behaviour: 0.56, Interactions: 0.44,
		Contributions:         map[string]score.Share{"a": d(0.02 / 0.56), "b": d(0.10 / 0.56)},
		ContributionIntervals: map[string][2]score.Share{"a": {d(0), d(0.07)}, "b": {d(0.15), d(0.21)}},
		Pairs:                 []result.Pair{{Pair: [2]string{"a", "b"}, Share: d(0.44 / 0.56), Low: d(0.75), High: d(0.82), Phi: 0.44}},
	}
	b.MeanAbsolute.Aggregate = b.Global.Aggregate
	yes, no := b, b
	yes.Samples, no.Samples = 30, 10
	// In the second class nothing moves the output.
	no.Base, no.Output = 0.5, 0.5
	no.Global = result.GlobalAggregate{Phi: square(2), Aggregate: result.Aggregate{
		Contributions: map[string]score.Share{"a": {}, "b": {}}, ContributionIntervals: map[string][2]score.Share{},
		Pairs: []result.Pair{{Pair: [2]string{"a", "b"}}},
	}}
	return &result.Explanation{
		Schema: result.Schema, Modalities: []string{"a", "b"}, Classes: []string{"yes", "no"},
		Provenance: result.Provenance{
			Model: result.Source{Source: "m.onnx"}, Data: result.DataSource{Source: result.Source{Source: "d.npz"}},
			Background: result.BackgroundSource{Rows: 7, Mask: "zero"}, Output: "p", Transform: "softmax", Convention: "paper", Level: 0.95,
		},
		Targets: []result.Target{{
			Target: "predicted", Headline: result.Global, Breakdown: b,
			ByClass: []result.Class{{Class: "yes", Breakdown: yes}, {Class: "no", Breakdown: no}},
		}},
	}
}

func choose(t *testing.T, ex *result.Explanation, samples *result.Samples, c Choice) *Subject {
	t.Helper()
	s, err := Choose(ex, samples, c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEffects(t *testing.T) {
	s := choose(t, handMade(), nil, Choice{})
	got := s.effects(Pairs)
	want := []struct {
		name string
		phi  float64
		se   float64
	}{{"b", -0.10, 0.005}, {"a", 0.02, 0.005}, {"a × b", 0.44, 0.010}}
	if len(got) != len(want) {
		t.Fatalf("want %d effects, got %v", len(want), got)
	}
	sum := s.base
	for i, w := range want {
		e := got[i]
		se, ok := e.se.Value()
		if e.name.String() != w.name || e.phi != w.phi || !ok || math.Abs(se-w.se) > 1e-15 {
			t.Errorf("effect %d: want %v, got %s %v se %v", i, w, e.name, e.phi, se)
		}
		sum += e.phi
	}
	if math.Abs(sum-s.output) > 1e-15 {
		t.Errorf("want effects that lead to the output %v, got %v", s.output, sum)
	}
	if half, ok := s.half(got[2]); !ok || math.Abs(half-0.0195996) > 1e-7 {
		t.Errorf("half of the error bar of a sum of two cells: want 1.959964·2·0.005, got %v", half)
	}
}

// TestErrorSources: either source may be unknown, and the figure says which it has.
func TestErrorSources(t *testing.T) {
	for _, c := range []struct {
		change func(*result.PhiSE)
		want   float64
		note   string
	}{
		{func(*result.PhiSE) {}, 0.005, "from background rows and samples"},
		{func(se *result.PhiSE) { se.Background = nil }, 0.004, "from samples alone"},
		{func(se *result.PhiSE) { se.Samples = nil }, 0.003, "from background rows alone"},
		{func(se *result.PhiSE) { *se = result.PhiSE{} }, 0, ""},
	} {
		ex := handMade()
		c.change(&ex.Targets[0].Global.PhiSE)
		s := choose(t, ex, nil, Choice{})
		se, ok := s.effects(Pairs)[0].se.Value()
		if ok != (c.want > 0) || math.Abs(se-c.want) > 1e-15 {
			t.Errorf("%s: want %v, got %v", c.note, c.want, se)
		}
		if note := s.errorNote(&table{}, "whiskers"); !strings.Contains(note, c.note) || c.note == "" && note != "" {
			t.Errorf("want a note that says %q, got %q", c.note, note)
		}
	}
}

// TestOneBar: all pairs as one effect are their sum, and its error is known for a
// single pair alone.
func TestOneBar(t *testing.T) {
	for m, known := range map[int]bool{2: true, 3: false, 6: false} {
		ex, _ := newFixture(m, 2, 30).build()
		s := choose(t, ex, nil, Choice{})
		all, one := s.effects(Pairs), s.effects(One)
		if len(one) != m+1 {
			t.Fatalf("M %d: want %d effects, got %d", m, m+1, len(one))
		}
		want := 0.0
		for _, e := range all[m:] {
			want += e.phi
		}
		last := one[m]
		if math.Abs(last.phi-want) > 1e-15 || last.name.String() != "interactions" {
			t.Errorf("M %d: want interactions of %v, got %s %v", m, want, last.name, last.phi)
		}
		if _, ok := last.se.Value(); ok != known {
			t.Errorf("M %d: want an error that is known: %v, got %v", m, known, ok)
		}
		if note := s.sumNote(one); (note == "") != known {
			t.Errorf("M %d: note %q", m, note)
		}
	}
}

func TestFold(t *testing.T) {
	d := score.Defined
	var effects []effect
	for i, phi := range []float64{0.5, -0.1, 0.1, 0.3, -0.1, 0.02} {
		e := effect{class: "pair", name: name{string(rune('a' + i))}, phi: phi}
		e.share.Share = d(math.Abs(phi) / 1.12)
		effects = append(effects, e)
	}
	for n, want := range map[int]string{
		6: "a b c d e f", 7: "a b c d e f", 5: "a b c d 2 more", 4: "a b d 3 more", 3: "a d 4 more", 2: "a 5 more",
	} {
		got := fold(effects, n)
		var names []string
		sum, shares := 0.0, 0.0
		for _, e := range got {
			names = append(names, e.name.String())
			sum += e.phi
			shares += e.share.Share.Or(math.NaN())
		}
		if strings.Join(names, " ") != want {
			t.Errorf("%d rows: want %s, got %s", n, want, strings.Join(names, " "))
		}
		if math.Abs(sum-0.72) > 1e-12 || math.Abs(shares-1) > 1e-12 {
			t.Errorf("%d rows: want the same sums, 0.72 and 1, got %v and %v", n, sum, shares)
		}
	}
}

// TestSampleShares holds the shares of a sample against package score, which scores
// samples in a run.
func TestSampleShares(t *testing.T) {
	for _, convention := range []score.Convention{score.Paper, score.SinglePair} {
		f := newFixture(4, 3, 25)
		f.convention = convention
		ex, samples := f.build()
		for _, id := range []string{"0", "7", "24"} {
			s := choose(t, ex, samples, Choice{Sample: ptr(id)})
			var flat []float64
			sum := s.base
			for _, row := range s.phi {
				flat = append(flat, row...)
				for _, x := range row {
					sum += x
				}
			}
			if math.Abs(sum-s.output) > 1e-12 {
				t.Errorf("sample %s: cells lead to %v, want %v", id, sum, s.output)
			}
			want, _ := score.Local(flat, 4, convention).Value()
			pairs, all := 0.0, 0.0
			for _, v := range s.pairs {
				pairs += v.Share.Or(0)
			}
			for _, v := range s.alone {
				all += v.Share.Or(0)
			}
			if math.Abs(pairs-want) > 1e-12 || math.Abs(all+pairs-1) > 1e-12 {
				t.Errorf("%v, sample %s: want pairs %v of 1, got %v of %v", convention, id, want, pairs, all+pairs)
			}
			if got := s.intershap.Share.Or(-1); math.Abs(got-want) > 1e-12 {
				t.Errorf("%v, sample %s: want InterSHAP %v, got %v", convention, id, want, got)
			}
		}
	}
}

// TestMatrixShares: the shares in the cells add up to 1 in either convention.
func TestMatrixShares(t *testing.T) {
	for _, convention := range []score.Convention{score.Paper, score.SinglePair} {
		f := newFixture(5, 2, 25)
		f.convention = convention
		f.noErrors = true // shares that are not clear of their error are no numbers
		ex, _ := f.build()
		s := choose(t, ex, nil, Choice{})
		sum := 0.0
		for i := range 5 {
			sum += s.alone[i].Share.Or(0)
			for j := range 5 {
				if i == j || convention == score.SinglePair && i > j {
					if text := s.cellTexts(i, j)[1]; i != j && text != "" {
						t.Errorf("%v: cell %d,%d does not count, got the share %s", convention, i, j, text)
					}
					continue
				}
				a, b := min(i, j), max(i, j)
				for _, p := range ex.Targets[0].Global.Pairs {
					if p.Pair == [2]string{f.modalities[a], f.modalities[b]} {
						x := p.Share.Or(0) / s.pairCells()
						sum += x
						if got := s.cellTexts(i, j)[1]; got != percent(x) {
							t.Errorf("%v: cell %d,%d: want %s, got %s", convention, i, j, percent(x), got)
						}
					}
				}
			}
		}
		if math.Abs(sum-1) > 1e-12 {
			t.Errorf("%v: want shares that add up to 1, got %v", convention, sum)
		}
	}
}

func TestChooseRefuses(t *testing.T) {
	two := func() *result.Explanation {
		ex := handMade()
		ex.Targets = append(ex.Targets, ex.Targets[0])
		ex.Targets[0].Target, ex.Targets[1].Target = "class:yes", "class:no"
		return ex
	}
	with := func(change func(*result.Explanation)) *result.Explanation {
		ex := handMade()
		change(ex)
		return ex
	}
	_, samples := newFixture(2, 2, 40).build()
	for _, c := range []struct {
		name    string
		ex      *result.Explanation
		samples *result.Samples
		choice  Choice
		want    string
	}{
		{"several targets", two(), nil, Choice{}, `several of what a target is, want one of "class:yes", "class:no"`},
		{"no such target", two(), nil, Choice{Target: "label"}, `no target "label", want one of "class:yes", "class:no"`},
		{"no such class", handMade(), nil, Choice{Class: ptr("maybe")}, `no class "maybe", want one of "yes", "no"`},
		{"no classes", with(func(ex *result.Explanation) { ex.Targets[0].ByClass = nil }), nil, Choice{Class: ptr("yes")}, `no class "yes": the result has none`},
		{"both", handMade(), nil, Choice{Class: ptr("yes"), Sample: ptr("1")}, "got both"},
		{"sample without a file", handMade(), nil, Choice{Sample: ptr("1")}, "drawn from a samples file"},
		{"samples of another run", handMade(), samples, Choice{}, "run.npz: not the samples of this result"},
		{"convention", with(func(ex *result.Explanation) { ex.Provenance.Convention = "x" }), nil, Choice{}, `unknown convention "x"`},
		{"huge", with(func(ex *result.Explanation) { ex.Targets[0].Output = 1e305 }), nil, Choice{}, "the number 1e+305"},
		{"negative error", with(func(ex *result.Explanation) {
			ex.Targets[0].Global.PhiSE.Samples = [][]float64{{-1, 0}, {0, 0}}
			ex.Targets[0].Global.PhiSE.Background = nil
		}), nil, Choice{}, "standard error of -1"},
		{"missing pair", with(func(ex *result.Explanation) { ex.Targets[0].Global.Pairs = nil }), nil, Choice{}, `no pair of "a" and "b"`},
		{"no modalities", with(func(ex *result.Explanation) { ex.Modalities = nil }), nil, Choice{}, "no modalities"},
	} {
		if _, err := Choose(c.ex, c.samples, c.choice); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an error that says %q, got %v", c.name, c.want, err)
		}
	}
	ex, own := newFixture(2, 2, 40).build()
	if _, err := Choose(ex, own, Choice{Sample: ptr("99")}); err == nil || !strings.Contains(err.Error(), `no sample with the id "99" among 40 samples`) {
		t.Errorf("unknown sample: got %v", err)
	}
}

func TestDrawRefuses(t *testing.T) {
	ex, samples := newFixture(3, 2, 40).build()
	all := choose(t, ex, samples, Choice{})
	one := choose(t, ex, samples, Choice{Sample: ptr("3")})
	class := choose(t, ex, samples, Choice{Class: ptr("class 1")})
	bare := choose(t, ex, nil, Choice{})
	for _, c := range []struct {
		name string
		kind Kind
		s    *Subject
		opt  Options
		is   error
		want string
	}{
		{"beeswarm without samples", Beeswarm, bare, Options{}, ErrUnfit, "drawn from a samples file"},
		{"beeswarm of a sample", Beeswarm, one, Options{}, ErrUnfit, "one was chosen"},
		{"bars of a sample", Bars, one, Options{}, ErrUnfit, "bars compare"},
		{"bars of a class", Bars, class, Options{}, ErrUnfit, "bars compare"},
		{"too narrow", Waterfall, all, Options{Width: 200}, ErrSize, "want a width of"},
		{"too low", Force, all, Options{Height: 120}, ErrSize, "want a height of"},
		{"matrix too low", Matrix, all, Options{Height: 120}, ErrSize, "want a height of"},
		{"matrix too narrow", Matrix, all, Options{Width: 200}, ErrSize, "want a width of"},
		{"network too narrow", Network, all, Options{Width: 250}, ErrSize, "want a width of"},
		{"options", Bars, all, Options{Width: 5, Theme: 9, Palette: Palette{rgb(0)}, Interactions: "x"}, nil, "Width (5)"},
		{"kind", "pie", all, Options{}, nil, `unknown kind "pie"`},
	} {
		_, err := Draw(c.kind, c.s, c.opt)
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) {
			t.Errorf("%s: want an error that says %q, got %v", c.name, c.want, err)
		}
	}
	// What the error asks for is enough.
	for _, kind := range []Kind{Waterfall, Force, Spectrum, Bars, Matrix, Network} {
		_, err := Draw(kind, all, Options{Width: 200})
		var need float64
		if _, text, found := strings.Cut(strings.ReplaceAll(errText(err), "width of ", "\x00"), "\x00"); found {
			need = leading(text)
		}
		if _, err := Draw(kind, all, Options{Width: need}); err != nil {
			t.Errorf("%s: want %v pixels to be enough, got %v", kind, need, err)
		}
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func leading(text string) float64 {
	n := 0.0
	for _, r := range text {
		if r < '0' || r > '9' {
			break
		}
		n = 10*n + float64(r-'0')
	}
	return n
}
