package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	gocmp "github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// listed returns the ids at the top of the list.
func listed(tb *tab, count int) []string {
	tb.t.Helper()
	return eval[[]string](tb, fmt.Sprintf(`[...document.querySelectorAll(".row:not([hidden])")].slice(0, %d).map(r => r.querySelector("span").textContent)`, count))
}

func count(tb *tab) string {
	tb.t.Helper()
	return eval[string](tb, `document.getElementById("count").textContent`)
}

// scrollUp moves to the top of the list.
func scrollUp(tb *tab) {
	tb.t.Helper()
	eval[bool](tb, `new Promise(done => { document.getElementById("list").scrollTop = 0; requestAnimationFrame(() => requestAnimationFrame(() => done(true))); })`)
}

// choose sets a select as a person does.
func choose(tb *tab, id, value string) {
	tb.t.Helper()
	eval[bool](tb, fmt.Sprintf(`(() => { const s = document.getElementById(%q); s.value = %q; s.dispatchEvent(new Event("change", { bubbles: true })); return s.value === %q; })()`, id, value, value))
}

func clean(t *testing.T, tb *tab, address string) {
	t.Helper()
	if bad := tb.amiss(address); len(bad) > 0 {
		t.Errorf("want a quiet page that asks for nothing, got %v", bad)
	}
}

func TestOpenFewAndMany(t *testing.T) {
	for _, tt := range []struct {
		samples int
		count   string
	}{{10, "10 samples"}, {50000, "50,000 samples"}} {
		t.Run(fmt.Sprint(tt.samples), func(t *testing.T) {
			f := newFixture(t, tt.samples, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre"})
			tb := openTab(t)
			address := tb.open(f.page(t))
			if got := count(tb); got != tt.count {
				t.Errorf("want %q, got %q", tt.count, got)
			}
			if got := eval[int](tb, `document.querySelectorAll(".row").length`); got > 40 {
				t.Errorf("want only the rows in sight in the page, got %d", got)
			}
			// To the end of the list, as a person drags it.
			eval[bool](tb, `new Promise(done => { const l = document.getElementById("list"); l.scrollTop = l.scrollHeight; requestAnimationFrame(() => requestAnimationFrame(() => done(true))); })`)
			last := listed(tb, 40)
			if want := f.samples.IDs[tt.samples-1]; last[len(last)-1] != want {
				t.Errorf("want %s at the end, got %v", want, last)
			}
			clean(t, tb, address)
		})
	}
}

func TestSort(t *testing.T) {
	f := newFixture(t, 300, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre"})
	s := &f.samples.ByTarget[0]
	for _, k := range []int{3, 5} { // no behaviour, so no score: behind all others
		for i := range 9 {
			s.Phi[9*k+i] = 0
		}
		for i := range 8 {
			s.Values[8*k+i] = s.Base[k]
		}
		s.Output[k] = s.Base[k]
	}
	f = fixtureOf(t, f.samples, s.Values, f.ex.Classes)
	s = &f.samples.ByTarget[0]
	largest := func(k int) float64 {
		m := s.Matrix(k, 3)
		return max(math.Abs(m[1]), math.Abs(m[2]), math.Abs(m[5]))
	}
	tb := openTab(t)
	address := tb.open(f.page(t))
	for name, key := range map[string]func(int) float64{
		"file":     func(int) float64 { return 0 },
		"score":    func(k int) float64 { return s.InterSHAP[k].Or(-1) },
		"score-up": func(k int) float64 { return -s.InterSHAP[k].Or(2) },
		"pair":     largest,
		"class":    func(k int) float64 { return -float64(f.samples.Predicted[k]) },
		"output":   func(k int) float64 { return s.Output[k] },
	} {
		order := make([]int, len(f.samples.IDs))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(key(b), key(a)) })
		choose(tb, "sort", name)
		scrollUp(tb)
		for i, got := range listed(tb, 8) {
			if want := f.samples.IDs[order[i]]; got != want {
				t.Errorf("sorted by %s: want %s at %d, got %s", name, want, i, got)
			}
		}
	}
	choose(tb, "sort", "score")
	tb.do(chromedp.Focus(chromedp.CSS("#list")), chromedp.KeyEvent(kb.End))
	if got := eval[string](tb, `document.getElementById("said").textContent`); !strings.Contains(got, "the score is undefined") {
		t.Errorf("want the samples without a score at the end, got %q", got)
	}
	choose(tb, "class", "1")
	want := 0
	for _, c := range f.samples.Predicted {
		if c == 1 {
			want++
		}
	}
	if got := count(tb); got != fmt.Sprintf("%d of 300 samples", want) {
		t.Errorf("one class: want %d of 300 samples, got %q", want, got)
	}
	clean(t, tb, address)
}

func TestSearch(t *testing.T) {
	f := newFixture(t, 300, []string{"image", "ecg"}, nil)
	f.samples.IDs[7], f.samples.IDs[8] = "Ward-A", "ward-b"
	tb := openTab(t)
	address := tb.open(f.page(t))
	check := func(typed, count_ string, ids ...string) {
		t.Helper()
		eval[bool](tb, `(() => { document.getElementById("search").value = ""; return true; })()`)
		tb.do(chromedp.SendKeys(chromedp.CSS("#search"), typed))
		if got := count(tb); got != count_ {
			t.Errorf("search %q: want %q, got %q", typed, count_, got)
		}
		if got := listed(tb, max(1, len(ids))); !slices.Equal(got, ids) {
			t.Errorf("search %q: want %v, got %v", typed, ids, got)
		}
	}
	check("-0029", "10 of 300 samples", "patient-00290", "patient-00291", "patient-00292", "patient-00293")
	check("WARD", "2 of 300 samples", "Ward-A", "ward-b")
	const detail = `["detail-h", "said", "detail-body"].map(id => document.getElementById(id).textContent).join("|")`
	before := eval[string](tb, detail)
	check("nobody", "No sample fits")
	if got := eval[string](tb, detail); got != "No sample chosen||" {
		t.Errorf("no sample fits: want none told of, got %q", got)
	}
	tb.do(chromedp.SendKeys(chromedp.CSS("#search"), kb.Escape))
	if got := count(tb); got != "300 samples" {
		t.Errorf("Escape: want all samples again, got %q", got)
	}
	if got := eval[string](tb, detail); got != before || !strings.Contains(got, "patient-00000") {
		t.Errorf("Escape: want the chosen sample again, got %q", got)
	}
	tb.do(chromedp.SendKeys(chromedp.CSS("#search"), "ward-b"+kb.Enter))
	if got := eval[string](tb, `document.getElementById("detail-h").textContent + "|" + document.activeElement.id`); got != "Sample ward-b|list" {
		t.Errorf("Enter: want the first that fits, in the list, got %q", got)
	}
	clean(t, tb, address)
}

// drawing is a waterfall as a browser has it: of every row the texts, and of every
// shape in its picture what is drawn where.
const drawing = `(selector => [...document.querySelectorAll(selector + " tbody tr")].map(r => [
  r.className,
  [...r.querySelectorAll("th, td:not(.plot)")].map(c => c.textContent.trim()).join(" | "),
  ...[...r.querySelectorAll("svg > *")].map(s => [s.nodeName, s.getAttribute("class") ?? "", ...["x", "width", "x1", "x2", "y1", "y2"].map(a => s.getAttribute(a) ?? ""), s.nodeName === "title" ? s.textContent : ""].join(" ")),
].join("\n")))`

// The explorer draws a sample by the rules of waterfall.go: where the run has one
// sample, its picture and that of the data set are the same.
func TestSamplePicture(t *testing.T) {
	twelve := make([]float64, 1<<12)
	for s := range twelve {
		twelve[s] = math.Sin(float64(s) * float64(s))
	}
	eighteen := make([]float64, 1<<18)
	for s := range eighteen {
		eighteen[s] = math.Sin(float64(s) * float64(s))
	}
	// No ties: where the digit after the last is a five and nothing behind it, Go rounds to
	// even and JavaScript up.
	three := []float64{0.21, 0.53, -1.57, 3.1, 0.123, 2.27, -7.19, 8.3}
	small := slices.Clone(three)
	for i := range small {
		small[i] = math.Ldexp(small[i], -30)
	}
	for name, tt := range map[string]struct {
		values     []float64
		modalities int
		convention string
	}{
		"two":         {[]float64{0, 0.5, 0.25, 1}, 2, "paper"},
		"three":       {three, 3, "paper"},
		"single-pair": {three, 3, "single-pair"},
		"tiny":        {small, 3, "paper"},
		"large":       {[]float64{0, 40960, -81920, 1024}, 2, "paper"},
		"nothing":     {[]float64{2, 2, 2, 2}, 2, "paper"},
		"folded":      {twelve, 12, "paper"},
		"many":        {eighteen, 18, "paper"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &result.Samples{IDs: []string{"only"}, Predicted: []int{0}, Targets: []string{""}}
			for i := range tt.modalities {
				s.Modalities = append(s.Modalities, fmt.Sprintf("m%d", i+1))
			}
			f := fixtureOf(t, s, tt.values, nil)
			f.ex.Provenance.Convention = tt.convention
			convention, err := score.ParseConvention(tt.convention)
			if err != nil {
				t.Fatal(err)
			}
			target, part := &f.ex.Targets[0], &f.samples.ByTarget[0]
			part.InterSHAP[0] = score.Local(part.Phi, tt.modalities, convention)
			target.Local.Mean = part.InterSHAP[0]
			target.Global.PhiSE = result.PhiSE{}
			withoutBounds(&target.Global.Aggregate, s.Modalities, target.Global.Phi, tt.convention)
			tb := openTab(t)
			tb.open(f.page(t))
			want := eval[[]string](tb, drawing+`("#t1-whole .fall")`)
			got := eval[[]string](tb, drawing+`("#detail .fall")`)
			if d := gocmp.Diff(want, got); d != "" {
				t.Errorf("-the data set's +the sample's\n%s", d)
			}
			if rows := min(tt.modalities*(tt.modalities+1)/2, min(tt.modalities, mostAlone+1)+mostSteps+1) + 2; len(got) != rows {
				t.Errorf("want %d rows, got %d", rows, len(got))
			}
			axis := `(s => [...document.querySelectorAll(s + " .axis text")].map(x => x.getAttribute("x") + x.textContent).join())`
			if want, got := eval[string](tb, axis+`("#t1-whole .fall")`), eval[string](tb, axis+`("#detail .fall")`); want != got {
				t.Errorf("want the same axis %s, got %s", want, got)
			}
		})
	}
}

// withoutBounds takes shares anew by a convention, with no bounds.
func withoutBounds(a *result.Aggregate, modalities []string, phi [][]float64, convention string) {
	weight := 2.0
	if convention == "single-pair" {
		weight = 1
	}
	var all float64
	size := func(i, j int) float64 {
		if i == j {
			return math.Abs(phi[i][i])
		}
		return weight * math.Abs(phi[i][j])
	}
	for i := range modalities {
		for j := i; j < len(modalities); j++ {
			all += size(i, j)
		}
	}
	*a = result.Aggregate{Contributions: a.Contributions, Pairs: a.Pairs, InterSHAP: a.InterSHAP}
	if all == 0 {
		return
	}
	at := 0
	for i, name := range modalities {
		a.Contributions[name] = defined(size(i, i) / all)
		for j := i + 1; j < len(modalities); j++ {
			a.Pairs[at] = result.Pair{Pair: a.Pairs[at].Pair, Phi: a.Pairs[at].Phi, Share: defined(size(i, j) / all)}
			at++
		}
	}
}

// Another order keeps the chosen sample in sight.
func TestSortKeepsSight(t *testing.T) {
	f := newFixture(t, 300, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	tb := openTab(t)
	address := tb.open(f.page(t))
	const sight = `(() => { const r = document.querySelector('.row[aria-selected="true"]'), l = document.getElementById("list").getBoundingClientRect(); if (!r) return "none"; const b = r.getBoundingClientRect(); return r.querySelector("span").textContent + (b.top >= l.top - 1 && b.bottom <= l.bottom + 1); })()`
	tb.do(chromedp.Click(chromedp.CSS("#sample-3")))
	moved := false
	for _, by := range []string{"score", "output", "pair", "score-up", "file"} {
		choose(tb, "sort", by)
		eval[bool](tb, `new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`)
		if got := eval[string](tb, sight); got != f.samples.IDs[3]+"true" {
			t.Errorf("sorted by %s: want %s in sight, got %s", by, f.samples.IDs[3], got)
		}
		moved = moved || eval[bool](tb, `document.getElementById("list").scrollTop > 0`)
	}
	if !moved {
		t.Error("want an order with the sample further down than the list shows")
	}
	clean(t, tb, address)
}

// A sample without interactions has none that is the largest.
func TestNoInteraction(t *testing.T) {
	s := &result.Samples{IDs: []string{"sum", "product"}, Predicted: []int{0, 0}, Modalities: []string{"a", "b", "c"}, Targets: []string{""}}
	f := fixtureOf(t, s, []float64{0, 1, 2, 3, 4, 5, 6, 7, 0, 0, 0, 2, 0, 0, 0, 2}, nil)
	tb := openTab(t)
	address := tb.open(f.page(t))
	got := eval[[]string](tb, `[...document.querySelectorAll(".row:not([hidden])")].map(r => r.querySelector(".second").textContent + "|" + r.getAttribute("aria-label"))`)
	want := []string{"|sample sum, local score 0\u00a0%", "a × b+2.00|sample product, local score 100.0\u00a0%, largest interaction a × b +2.00"}
	if d := gocmp.Diff(want, got); d != "" {
		t.Errorf("-want +got\n%s", d)
	}
	clean(t, tb, address)
}

// A click shows the sample's own numbers.
func TestSelect(t *testing.T) {
	f := newFixture(t, 50, []string{"image", "ecg", "labs"}, []string{"home", "ward"})
	tb := openTab(t)
	address := tb.open(f.page(t))
	const k = 3
	tb.do(chromedp.Click(chromedp.CSS("#sample-3")))
	s := &f.samples.ByTarget[0]
	share, _ := s.InterSHAP[k].Value()
	if got := eval[string](tb, `document.getElementById("detail-h").textContent`); got != "Sample "+f.samples.IDs[k] {
		t.Errorf("want sample %s, got %q", f.samples.IDs[k], got)
	}
	want := fmt.Sprintf("Predicted %s, output %#.4g. %.1f\u00a0%% of what the modalities do to it is interaction between them (standard error from the background 1.0).",
		f.ex.Classes[f.samples.Predicted[k]], s.Output[k], 100*share)
	if got := eval[string](tb, `document.getElementById("said").textContent`); got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	if got := eval[string](tb, `document.querySelector('.row[aria-selected="true"] span').textContent`); got != f.samples.IDs[k] {
		t.Errorf("want its row selected, got %q", got)
	}
	// v(S) of the coalitions: none, image, ecg, image and ecg, ...
	got := eval[[]string](tb, `[...document.querySelectorAll(".coalitions tbody tr")].map(r => r.textContent)`)
	var values []string
	for i, who := range []string{"none", "image", "ecg", "image, ecg", "labs", "image, labs", "ecg, labs", "image, ecg, labs"} {
		values = append(values, who+number(s.Values[8*k+i]))
	}
	if d := gocmp.Diff(values, got); d != "" {
		t.Errorf("values (-want +got):\n%s", d)
	}
	clean(t, tb, address)
}

// One page may explain several numbers.
func TestSeveralTargets(t *testing.T) {
	f := severalTargets(t)
	// The last target has tables of its own.
	values := slices.Clone(f.samples.ByTarget[2].Values)
	slices.Reverse(values)
	of := *f.samples
	other := fixtureOf(t, &of, values, f.ex.Classes)
	name := f.ex.Targets[2].Target
	f.ex.Targets[2], f.samples.ByTarget[2] = other.ex.Targets[0], other.samples.ByTarget[0]
	f.ex.Targets[2].Target, f.ex.Targets[2].ByClass = name, nil
	first := func(target int) string {
		share, _ := f.samples.ByTarget[target].InterSHAP[0].Value()
		return fmt.Sprintf("%.1f\u00a0%%", 100*share)
	}
	if first(2) == first(0) {
		t.Fatalf("both targets have %s: the test sees nothing", first(0))
	}
	tb := openTab(t)
	address := tb.open(f.page(t))
	choose(tb, "target", "2")
	if got := eval[string](tb, `document.querySelector(".row span:last-child").textContent`); got != first(2) {
		t.Errorf("want the score of the target that was chosen, got %q", got)
	}
	if got := eval[string](tb, `document.getElementById("said").textContent`); !strings.Contains(got, first(2)) {
		t.Errorf("want the sample that is shown to follow, got %q", got)
	}
	clean(t, tb, address)
}
