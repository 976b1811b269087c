package report

import (
	"fmt"
	"html"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// newGrouped is a run with a budget: m players, groups of four modalities of which the last
// two are whole, with other choices and a threshold. Coalitions have no values.
func newGrouped(t testing.TB, m int) fixture {
	t.Helper()
	const n = 60
	classes := []string{"home", "ward", "theatre"}
	groups := []result.Grouping{{Modality: "image of the chest at admission"}, {Modality: "vitals"}, {Modality: "ecg"}, {Modality: "labs"}}
	var names []string
	for i := range m {
		at, name := 0, ""
		switch {
		case i < m-8:
			name = fmt.Sprintf("image of the chest at admission/r%dc%d", i/6, i%6)
		case i < m-2:
			at, name = 1, fmt.Sprintf("vitals/%d", i)
		default:
			at = i - m + 4
			name = groups[at].Modality
		}
		names = append(names, name)
		groups[at].Players = append(groups[at].Players, i)
	}
	r := rand.New(rand.NewPCG(seed, uint64(m)))
	s := &result.Samples{Path: "run.npz", Modalities: names, Targets: []string{""}}
	var one result.TargetSamples
	for i := range n {
		s.IDs, s.Predicted = append(s.IDs, fmt.Sprintf("patient-%05d", i)), append(s.Predicted, i%len(classes))
		phi := make([]float64, m*m)
		sum := 0.2
		for a := range m {
			for b := a; b < m; b++ {
				x := (r.NormFloat64() + 1) / float64(1+a*b)
				phi[a*m+b], phi[b*m+a] = x, x
			}
		}
		for _, x := range phi {
			sum += x
		}
		one.Base, one.Output, one.Phi = append(one.Base, 0.2), append(one.Output, sum), append(one.Phi, phi...)
		one.InterSHAP, one.SE = append(one.InterSHAP, score.Local(phi, m, score.Paper)), append(one.SE, defined(0.01))
	}
	s.ByTarget = []result.TargetSamples{one}
	f := fixture{newExplanation(s, &s.ByTarget[0], classes), s}
	f.ex.Groups = groups
	f.ex.Provenance.Sampling = &result.Sampling{Estimator: "regression", Budget: 800, Coalitions: 774, Draws: 16}
	target := &f.ex.Targets[0]
	target.Across = &result.Across{Global: across(&target.Global.Aggregate, groups, names), MeanAbsolute: across(&target.MeanAbsolute.Aggregate, groups, names)}
	answer := target.AnswerAtLeast(0.05)
	target.AtLeast = &answer
	return f.withChoices()
}

// across sums shares up by modality, with bounds a tenth to either side.
func across(a *result.Aggregate, groups []result.Grouping, names []string) result.AcrossAggregate {
	of := map[string]int{}
	for i, g := range groups {
		for _, p := range g.Players {
			of[names[p]] = i
		}
	}
	var whole, inside float64
	alone, within, between, phi := map[int]float64{}, map[int]float64{}, map[[2]int]float64{}, map[[2]int]float64{}
	for name, x := range a.Contributions {
		alone[of[name]] += x.Or(0)
	}
	for _, p := range a.Pairs {
		i, j := of[p.Pair[0]], of[p.Pair[1]]
		if i == j {
			inside += p.Share.Or(0)
			within[i] += p.Share.Or(0)
			continue
		}
		whole += p.Share.Or(0)
		between[[2]int{i, j}] += p.Share.Or(0)
		phi[[2]int{i, j}] += p.Phi
	}
	bounded := func(x float64) result.Bounded {
		return result.Bounded{Share: defined(x), Low: defined(0.9 * x), High: defined(min(1, 1.1*x))}
	}
	x := bounded(whole)
	out := result.AcrossAggregate{InterSHAP: x.Share, Low: x.Low, High: x.High, Within: bounded(inside), CrossModal: bounded(whole / (whole + inside))}
	for i, g := range groups {
		out.Modalities = append(out.Modalities, result.ModalityShare{Modality: g.Modality, Contribution: bounded(alone[i]), Within: bounded(within[i])})
		for j := i + 1; j < len(groups); j++ {
			x := bounded(between[[2]int{i, j}])
			out.Between = append(out.Between, result.Pair{Pair: [2]string{g.Modality, groups[j].Modality}, Share: x.Share, Low: x.Low, High: x.High, Phi: phi[[2]int{i, j}]})
		}
	}
	return out
}

// withChoices adds other choices: for each target a mask far from the run, a size close to
// it, and one that could not be made.
func (f fixture) withChoices() fixture {
	s := &result.Sensitivity{Verdict: "The verdict depends on the mask: made up.", Depends: true}
	for _, c := range []struct {
		choice        result.Choice
		setting, name string
		share         float64
		reason        string
	}{
		{result.MaskChoice, "zero", "zero", 0.05, ""},
		{result.SizeChoice, "300", "300 rows", -1, ""}, // that of the run
		{result.SizeChoice, "1200", "1,200 rows", 0, "the background has 600 rows"},
	} {
		for i := range f.ex.Targets {
			t := &f.ex.Targets[i]
			r := result.SensitivityRow{Choice: c.choice, Setting: c.setting, Name: c.name, Target: t.Target}
			switch {
			case c.reason != "":
				r.Reason = &c.reason
			case c.share < 0:
				r.InterSHAP, r.Low, r.High = t.HeadlineInterval()
			default:
				r.InterSHAP, r.Low, r.High = defined(c.share), defined(c.share-0.01), defined(c.share+0.01)
			}
			r.Compare(t)
			s.Rows = append(s.Rows, r)
		}
	}
	s.Conclude(f.ex.Targets)
	f.ex.Sensitivity = s
	return f
}

// part returns a section of a page.
func part(page []byte, id string) string {
	_, rest, _ := strings.Cut(string(page), `<section id="`+id+`"`)
	text, _, _ := strings.Cut(rest, "</section>")
	return text
}

// rowsOf returns the rows of the body of tables in a text.
func rowsOf(text string) []string {
	var out []string
	for _, r := range strings.Split(text, "<tr")[1:] {
		if strings.Contains(r, "rowheader") {
			r, _, _ = strings.Cut(r, "</tr>")
			out = append(out, r)
		}
	}
	return out
}

func TestAcross(t *testing.T) {
	f := newGrouped(t, 18)
	target := &f.ex.Targets[0]
	page := f.page(t)
	text := part(page, "t1-across")
	rows := rowsOf(text)
	// Across, within, cross-modal; image and vitals alone and within, ecg, labs; six pairs.
	if len(rows) != 3+6+6 {
		t.Fatalf("want 15 rows, got %d", len(rows))
	}
	a := &target.Across.Global
	for i, want := range []struct {
		name  string
		share score.Share
	}{
		{"across modalities", a.InterSHAP}, {"within modalities", a.Within.Share}, {"cross-modal", a.CrossModal.Share},
		{"(10 groups) alone", a.Modalities[0].Contribution.Share}, {"within", a.Modalities[0].Within.Share},
		{"(6 groups) alone", a.Modalities[1].Contribution.Share}, {"within", a.Modalities[1].Within.Share},
		{"<bdi>ecg</bdi>", a.Modalities[2].Contribution.Share}, {"<bdi>labs</bdi>", a.Modalities[3].Contribution.Share},
	} {
		if !strings.Contains(rows[i], want.name) || !strings.Contains(rows[i], percent(want.share.Or(-1))) {
			t.Errorf("row %d: want %s with %s, got %s", i, want.name, percent(want.share.Or(-1)), rows[i])
		}
	}
	last := math.Inf(1)
	for i, at := range wording.LargestFirst(a.Between) {
		p := a.Between[at]
		if x := p.Share.Or(-1); x > last {
			t.Errorf("want the largest pair first, got %v after %v", x, last)
		} else {
			last = x
		}
		if r := rows[9+i]; !strings.Contains(r, "<bdi>"+p.Pair[1]+"</bdi>") || !strings.Contains(html.UnescapeString(r), ">"+signed(p.Phi)+"<") {
			t.Errorf("row %d: want %q with %s, got %s", 9+i, p.Pair, signed(p.Phi), r)
		}
	}
	if !strings.Contains(text, "not the sum of its groups") {
		t.Error("want the note that a modality is not the sum of its groups")
	}
	// The headline's score stands in the verdict and in the shares, and is the one to read.
	verdict := part(page, "verdict")
	if r := rowsOf(verdict)[0]; !strings.Contains(r, `class="strong"`) || !strings.Contains(r, "across modalities") || !strings.Contains(r, percent(a.InterSHAP.Or(-1))) {
		t.Errorf("want the interaction across modalities first, got %s", r)
	}
	if n := strings.Count(verdict, `class="strong"`); n != 1 {
		t.Errorf("want one score to read, got %d", n)
	}
	for _, want := range []string{"in 10 groups", "in 6 groups", "774 of 2<sup>18</sup> coalitions", "estimator regression", `href="#t1-across"`, "that of coalitions"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("want %q on the page", want)
		}
	}
	// Where no groups are, nothing is said of them.
	plain := string(newFixture(t, 20, []string{"a", "b"}, []string{"x", "y"}).page(t))
	for _, not := range []string{"t1-across", "across modalities", "groups", `id="budget"`, "that of coalitions", `id="choices"`, `class="answer"`, "<dt>estimates"} {
		if strings.Contains(plain, not) {
			t.Errorf("want no %q", not)
		}
	}
}

// On a budget the headline is corrected for what noise adds; the plain score stands in the
// shares, and in the parts that add up.
func TestCorrected(t *testing.T) {
	f := newGrouped(t, 18)
	target := &f.ex.Targets[0]
	target.Across.Global.Corrected, target.Global.Corrected = defined(0.3111), defined(0.4222)
	page := f.page(t)
	verdict := rowsOf(part(page, "verdict"))
	for at, want := range map[int]string{0: "31.1", 2: "42.2"} {
		if !strings.Contains(verdict[at], want+"\u00a0%") {
			t.Errorf("want the corrected score %s, got %s", want, verdict[at])
		}
	}
	shares := part(page, "t1-whole")
	for _, want := range []string{"31.1\u00a0%", "42.2\u00a0%", percent(target.Across.Global.InterSHAP.Or(-1)), percent(target.Global.InterSHAP.Or(-1)), "corrected"} {
		if !strings.Contains(shares, want) {
			t.Errorf("want %s among the shares", want)
		}
	}
	if rows := rowsOf(part(page, "t1-across")); !strings.Contains(rows[0], percent(target.Across.Global.InterSHAP.Or(-1))) {
		t.Errorf("want parts that add up, got %s", rows[0])
	}
}

func TestAtLeast(t *testing.T) {
	f := newFixture(t, 20, []string{"a", "b"}, nil)
	target := &f.ex.Targets[0]
	for _, threshold := range []float64{0.0001, 0.999} {
		a := target.AnswerAtLeast(threshold)
		target.AtLeast = &a
		want := "Yes: the interval begins"
		if threshold > 0.5 {
			want = "No: the interval ends"
		}
		if text := part(f.page(t), "verdict"); !strings.Contains(text, `<p class="answer">At least `) || !strings.Contains(text, want) {
			t.Errorf("%v: want %q beside the verdict, got %s", threshold, want, text)
		}
	}
}

func TestChoices(t *testing.T) {
	f := newFixture(t, 20, []string{"a", "b", "c"}, nil).withChoices()
	page := f.page(t)
	text := part(page, "choices")
	rows := rowsOf(text)
	if len(rows) != 3 {
		t.Fatalf("want the run and two choices, got %d", len(rows))
	}
	share, low, high := f.ex.Targets[0].HeadlineInterval()
	x, width := percentAxis.span(low.Or(-1), high.Or(-1))
	for i, want := range [][]string{
		{"the run", percent(share.Or(-1))},
		{"mask", "<bdi>zero</bdi>", "5.0\u00a0%", "[4.0,\u00a06.0]", ">\u2212", "<b>yes</b>"},
		{"background size", "<bdi>300 rows</bdi>", percent(share.Or(-1)), `difference">0<`},
	} {
		// Each is held against the interval and the score of the run.
		want = append(want, `class="band" x="`+x+`" width="`+width+`"`, `class="reference" x1="`+percentAxis.place(share.Or(-1))+`"`)
		for _, w := range want {
			if !strings.Contains(rows[i], w) {
				t.Errorf("row %d: want %q, got %s", i, w, rows[i])
			}
		}
	}
	if strings.Contains(rows[2], "<b>yes</b>") {
		t.Error("want no yes where a choice does not matter")
	}
	if want := "No number for background size <bdi>1,200 rows</bdi>. The background has 600 rows."; !strings.Contains(text, want) {
		t.Errorf("want %q, got %s", want, text)
	}
	if !strings.Contains(text, "The verdict depends on the mask: made up.") || !strings.Contains(text, "more than 5 points") {
		t.Error("want the sentence, and the difference from which a choice matters")
	}
	if !strings.Contains(part(page, "verdict"), "depends on choices") || !strings.Contains(string(page), `<li><a href="#choices">`) {
		t.Error("want the verdict and the contents to lead there")
	}
}

// The verdict says whether it depends, does not, or that this cannot be told.
func TestChoicesAreClear(t *testing.T) {
	for _, tt := range []struct {
		depends, clear bool
		want           string
	}{
		{true, true, "The verdict depends on choices"},
		{false, true, "The verdict was held against other choices"},
		{false, false, "does not tell whether the verdict depends"},
	} {
		f := newFixture(t, 20, []string{"a", "b", "c"}, nil).withChoices()
		f.ex.Sensitivity.Depends, f.ex.Sensitivity.Clear = tt.depends, tt.clear
		if text := part(f.page(t), "verdict"); !strings.Contains(text, tt.want) {
			t.Errorf("want %q, got %s", tt.want, text)
		}
	}
}

// Of several targets each choice has the row that it moves most; all of them unfold.
func TestChoicesOfTargets(t *testing.T) {
	f := severalTargets(t).withChoices()
	// A reason of one target alone names it.
	reason := `no <script>alert(1)</script>`
	for i := range f.ex.Sensitivity.Rows {
		r := &f.ex.Sensitivity.Rows[i]
		if r.Setting == "300" && r.Target == "class:dog" {
			*r = result.SensitivityRow{Choice: r.Choice, Setting: r.Setting, Name: r.Name, Target: r.Target, Reason: &reason}
		}
	}
	text := part(f.page(t), "choices")
	open, all, _ := strings.Cut(text, "<details")
	if got := len(rowsOf(open)); got != 2 {
		t.Errorf("want a row for each choice, 2, got %d", got)
	}
	if got := len(rowsOf(all)); got != 5 || !strings.Contains(all, "All 5 scores") {
		t.Errorf("want five rows of three targets, got %d", got)
	}
	for _, want := range []string{
		"No number for background size <bdi>300 rows</bdi>, target <bdi>class:dog</bdi>. No &lt;script&gt;",
		"No number for background size <bdi>1,200 rows</bdi>. The",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q, got %s", want, text)
		}
	}
	// What is undefined has no picture and no number.
	f.ex.Sensitivity.Rows[0] = result.SensitivityRow{Choice: result.MaskChoice, Setting: "zero", Name: "zero", Target: "class:cat"}
	if text := part(f.page(t), "choices"); strings.Contains(text, "NaN") || !strings.Contains(text, "undefined") {
		t.Errorf("want an undefined score, got %s", text)
	}
}

// With forty players the page stays short: what is beyond a screenful folds, and says
// how much there is.
func TestFortyPlayers(t *testing.T) {
	f := newGrouped(t, 40)
	page := f.page(t)
	text := string(page)
	for _, want := range []string{"25 more</bdi> <span class=\"note-word\">alone", "25 more, with smaller shares", "765 more pairs", "The matrix φ, 40 × 40", "25 more alone and 765 more pairs, whose means are smaller, are not shown"} {
		if !strings.Contains(text, want) {
			t.Errorf("want %q", want)
		}
	}
	if got := len(rowsOf(part(page, "t1-whole"))); got != 2+mostAlone+1+mostSteps+1 {
		t.Errorf("want %d steps, got %d", 2+mostAlone+1+mostSteps+1, got)
	}
	if n := strings.Count(text, `<tr class="starts">`); n != 3 {
		t.Errorf("want three modalities that begin inside the matrix, got %d", n)
	}
	// What no paper has room for is not printed, and said.
	if n, m := strings.Count(text, `class="large"`), strings.Count(text, "on-paper\""); n != 2 || m != 2 {
		t.Errorf("want two parts that are not printed, and two notes, got %d and %d", n, m)
	}
	for _, width := range []int64{360, 768, 1440} {
		tb := openTab(t)
		tb.size(width, 900, "light")
		tb.open(page)
		eval[any](tb, `document.querySelectorAll("details").forEach(d => d.open = true)`)
		if over := eval[[]string](tb, `[...document.querySelectorAll("body *")].filter(e => !e.closest(".scroll, .unseen, .defs, .skip, svg") && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 40)).slice(0, 5)`); len(over) > 0 {
			t.Errorf("%d pixels: want nothing that reaches beyond the page, got %q", width, over)
		}
		if wide := eval[int](tb, `document.documentElement.scrollWidth`); wide > int(width) {
			t.Errorf("%d pixels: want no scrolling to the side, got a page of %d", width, wide)
		}
	}
}

// Of many modalities alone the smallest are one step, the others keep their order.
func TestFoldAlone(t *testing.T) {
	var alone []step
	for i := range 20 {
		s := step{kind: kindAlone, value: float64(i%10 + 1), se: 1, label: label{First: fmt.Sprint(i)}}
		s.share.Share, s.share.Low = defined(0.01), defined(0.005)
		s.share.High = defined(0.02)
		alone = append(alone, s)
	}
	// Values 1 to 10 twice. Left are both 1 and 2 and, of the two 3, the second, 12.
	got := foldedAlone(alone)
	if len(got) != mostAlone+1 {
		t.Fatalf("want %d steps, got %d", mostAlone+1, len(got))
	}
	var names []string
	for _, s := range got {
		names = append(names, s.label.First)
	}
	if want := "2 3 4 5 6 7 8 9 13 14 15 16 17 18 19 5 more"; strings.Join(names, " ") != want {
		t.Errorf("want %s, got %s", want, names)
	}
	rest := got[mostAlone]
	if x := rest.share.Share.Or(-1); rest.value != 1+2+1+2+3 || rest.se >= 0 || math.Abs(x-0.05) > 1e-12 || rest.unsaid {
		t.Errorf("want 9 of 5 %% without an error, got %+v", rest)
	}
	alone[0].share.Low = defined(0)
	w := layWaterfall(0, 1, foldedAlone(alone), 1)
	if b := w.Bars[mostAlone+1]; b.Share != "" || b.Bounds != "" {
		t.Errorf("a part that is not clear of its error: want no share of the sum, got %q", b.Share)
	}
	if n := len(foldedAlone(alone[:mostAlone+1])); n != mostAlone+1 {
		t.Errorf("a fold of one saves nothing: want %d steps, got %d", mostAlone+1, n)
	}
}
