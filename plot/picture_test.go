package plot

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

// of returns the items of a class, which are of type T.
func of[T scene.Item](sc *scene.Scene, class string) []T {
	var out []T
	sc.Walk(func(it scene.Item) {
		x, ok := it.(T)
		if !ok {
			return
		}
		has := ""
		switch it := it.(type) {
		case *scene.Rect:
			has = it.Class
		case *scene.Line:
			has = it.Class
		case *scene.Circle:
			has = it.Class
		case *scene.Marks:
			has = it.Class
		case *scene.Text:
			has = it.Class
		case *scene.Group:
			has = it.Class
		}
		if has == class {
			out = append(out, x)
		}
	})
	return out
}

// reader returns what turns places into values, from the labels of the first and last
// tick: independent of the scale that drew them.
func reader(t *testing.T, sc *scene.Scene) func(x float64) float64 {
	t.Helper()
	ticks := of[*scene.Text](sc, "tick")
	if len(ticks) < 2 {
		t.Fatalf("want ticks to read values from, got %d", len(ticks))
	}
	value := func(text string) float64 {
		number, percent := strings.CutSuffix(strings.ReplaceAll(text, "−", "-"), " %")
		x, err := strconv.ParseFloat(number, 64)
		if err != nil {
			t.Fatal(err)
		}
		if percent {
			x /= 100
		}
		return x
	}
	a, b := ticks[0], ticks[len(ticks)-1]
	va, vb := value(a.Text), value(b.Text)
	return func(x float64) float64 { return va + (x-a.At.X)/(b.At.X-a.At.X)*(vb-va) }
}

func near(got, want float64) bool { return math.Abs(got-want) < 1e-9 }

func draw(t *testing.T, kind Kind, s *Subject, opt Options) *scene.Scene {
	t.Helper()
	sc, err := Draw(kind, s, opt)
	if err != nil {
		t.Fatal(err)
	}
	return sc
}

// TestWaterfallBars reads bars and whiskers back: 0.5 → 0.40 → 0.42 → 0.86.
func TestWaterfallBars(t *testing.T) {
	sc := draw(t, Waterfall, choose(t, handMade(), nil, Choice{}), Options{})
	value := reader(t, sc)
	bars := of[*scene.Rect](sc, "bar")
	ends := [][2]float64{{0.40, 0.50}, {0.40, 0.42}, {0.42, 0.86}}
	if len(bars) != len(ends) {
		t.Fatalf("want %d bars, got %d", len(ends), len(bars))
	}
	l := Options{}.look()
	for i, want := range ends {
		b := bars[i]
		if !near(value(b.Box.X), want[0]) || !near(value(b.Box.Right()), want[1]) {
			t.Errorf("bar %d: want %v, got %v to %v", i, want, value(b.Box.X), value(b.Box.Right()))
		}
		if fill := l.series[map[bool]int{true: 1, false: 0}[i == 0]]; b.Fill != fill {
			t.Errorf("bar %d: want the colour of its sign, got %v", i, b.Fill)
		}
	}
	// Three lines a whisker, of which the first is the error bar around the end.
	whiskers := of[*scene.Line](sc, "whisker")
	for i, want := range [][2]float64{{0.40, 0.005}, {0.42, 0.005}, {0.86, 0.010}} {
		w := whiskers[3*i].Points
		half := 1.959963985 * want[1]
		if !near(value(w[0].X), want[0]-half) || !near(value(w[1].X), want[0]+half) {
			t.Errorf("whisker %d: want %v ± %v, got %v to %v", i, want[0], half, value(w[0].X), value(w[1].X))
		}
	}
	stops := of[*scene.Line](sc, "stop")
	if len(stops) != 2 || !near(value(stops[0].Points[0].X), 0.5) || !near(value(stops[1].Points[0].X), 0.86) {
		t.Errorf("want base and output at 0.5 and 0.86")
	}
}

// TestForceBand: what raises ends at the output, what lowers begins there; leaders do
// not cross and end at the middle of their part.
func TestForceBand(t *testing.T) {
	sc := draw(t, Force, choose(t, handMade(), nil, Choice{}), Options{})
	value := reader(t, sc)
	bars := of[*scene.Rect](sc, "bar")
	for i, want := range [][2]float64{{0.42, 0.86}, {0.40, 0.42}, {0.86, 0.96}} {
		if b := bars[i].Box; !near(value(b.X), want[0]) || !near(value(b.Right()), want[1]) {
			t.Errorf("part %d: want %v, got %v to %v", i, want, value(b.X), value(b.Right()))
		}
	}
	for _, m := range []int{3, 6, 12} {
		ex, _ := newFixture(m, 2, 30).build()
		sc := draw(t, Force, choose(t, ex, nil, Choice{}), Options{})
		leaders := of[*scene.Line](sc, "leader")
		for i, a := range leaders {
			for _, b := range leaders[i+1:] {
				if crosses(a, b) {
					t.Errorf("M %d: leaders cross: %v and %v", m, a.Points, b.Points)
				}
			}
		}
	}
	across := &scene.Line{Points: []scene.Point{{X: 0, Y: 5}, {X: 10, Y: 5}}}
	down := &scene.Line{Points: []scene.Point{{X: 5, Y: 0}, {X: 5, Y: 10}}}
	if !crosses(across, down) {
		t.Error("the check for crossings does not see one")
	}
}

// crosses reports whether an upright part of one line crosses a level part of the
// other.
func crosses(a, b *scene.Line) bool {
	for i := 1; i < len(a.Points); i++ {
		for j := 1; j < len(b.Points); j++ {
			p, q, r, s := a.Points[i-1], a.Points[i], b.Points[j-1], b.Points[j]
			if p.Y != q.Y {
				p, q, r, s = r, s, p, q
			}
			if p.Y != q.Y || r.X != s.X {
				continue
			}
			const inside = 1e-6
			if min(p.X, q.X)+inside < r.X && r.X < max(p.X, q.X)-inside && min(r.Y, s.Y)+inside < p.Y && p.Y < max(r.Y, s.Y)-inside {
				return true
			}
		}
	}
	return false
}

// TestNetworkSizes: areas are as effects, 0.02 to 0.10, widths as pairs; what lowers is
// dashed.
func TestNetworkSizes(t *testing.T) {
	sc := draw(t, Network, choose(t, handMade(), nil, Choice{}), Options{})
	nodes := of[*scene.Circle](sc, "node")
	if ratio := math.Pow(nodes[0].Radius/nodes[1].Radius, 2); !near(ratio, 0.2) {
		t.Errorf("want areas of 1 to 5, got %v", ratio)
	}
	f := newFixture(3, 2, 20)
	f.phi = func(int, *rand.Rand) [][]float64 {
		return [][]float64{{0.1, 0.04, -0.01}, {0.04, 0.1, 0}, {-0.01, 0, 0.1}}
	}
	ex, _ := f.build()
	sc = draw(t, Network, choose(t, ex, nil, Choice{}), Options{})
	edges := of[*scene.Line](sc, "edge")
	if len(edges) != 2 {
		t.Fatalf("want two edges, none for the pair that does nothing, got %d", len(edges))
	}
	// The largest is drawn last.
	if small, large := edges[0], edges[1]; !near(small.Width/large.Width, 0.25) || !small.Dashed || large.Dashed {
		t.Errorf("want widths of 1 to 4, the negative dashed, got %v and %v", *small, *large)
	}
}

// TestBarsParts: the parts of a bar fill it, each as wide as its share.
func TestBarsParts(t *testing.T) {
	ex := handMade()
	sc := draw(t, Bars, choose(t, ex, nil, Choice{}), Options{})
	value := reader(t, sc)
	bars := of[*scene.Rect](sc, "bar")
	// The first part, of which only the upper bound is known, is pale.
	pale := of[*scene.Rect](sc, "bar pale")
	want := []float64{0, 0.02 / 0.56, 0.12 / 0.56, 1}
	if len(bars) != 2*2 || len(pale) != 2 {
		t.Fatalf("want three parts for all samples and for one class, none for the class without behaviour, got %d and %d", len(bars), len(pale))
	}
	for i, b := range []*scene.Rect{pale[0], bars[0], bars[1], pale[1], bars[2], bars[3]} {
		if !near(value(b.Box.X), want[i%3]) || !near(value(b.Box.Right()), want[i%3+1]) {
			t.Errorf("part %d: want %v to %v, got %v to %v", i, want[i%3], want[i%3+1], value(b.Box.X), value(b.Box.Right()))
		}
	}
	if texts := of[*scene.Text](sc, "undefined"); len(texts) != 1 {
		t.Errorf("want the class without behaviour to say so")
	}
	// Of twelve modalities, five have a colour and seven are one part.
	many, _ := newFixture(12, 2, 30).build()
	sc = draw(t, Bars, choose(t, many, nil, Choice{}), Options{})
	value = reader(t, sc)
	bars = of[*scene.Rect](sc, "bar")
	bars = append(bars, of[*scene.Rect](sc, "bar pale")...)
	if got := len(bars); got != 3*7 {
		t.Fatalf("want seven parts in three bars, got %d", got)
	}
	end := 0.0
	for _, b := range bars {
		end = max(end, value(b.Box.Right()))
	}
	if !near(end, 1) {
		t.Errorf("want parts that fill the bar, got %v", end)
	}
}

func TestSpectrumReference(t *testing.T) {
	f := newFixture(3, 2, 20)
	f.phi = func(int, *rand.Rand) [][]float64 {
		return [][]float64{{0.1, 0.05, 0}, {0.05, 0.1, 0}, {0, 0, 0.1}}
	}
	ex, _ := f.build()
	sc := draw(t, Spectrum, choose(t, ex, nil, Choice{}), Options{})
	value := reader(t, sc)
	if x := of[*scene.Line](sc, "parity")[0].Points[0].X; !near(value(x), 0.75) {
		t.Errorf("want pure parity of three at 3/4, got %v", value(x))
	}
	bars := of[*scene.Rect](sc, "bar")
	if !near(value(bars[0].Box.Right()), 0.75) || !near(value(bars[1].Box.Right()), 0.25) {
		t.Errorf("want 3/4 and 1/4, got %v and %v", value(bars[0].Box.Right()), value(bars[1].Box.Right()))
	}
}

// marksIn counts the marks of a scene's groups of a class.
func marksIn(sc *scene.Scene) (all int, rows []int) {
	for _, g := range of[*scene.Group](sc, "swarm") {
		n := 0
		for _, it := range g.Items {
			n += len(it.(*scene.Marks).At)
		}
		rows = append(rows, n)
		all += n
	}
	return all, rows
}

// TestBeeswarmFew: where there is room, every sample has its mark, about at its value.
func TestBeeswarmFew(t *testing.T) {
	f := newFixture(2, 3, 30)
	ex, samples := f.build()
	s := choose(t, ex, samples, Choice{})
	sc := draw(t, Beeswarm, s, Options{})
	_, rows := marksIn(sc)
	for i, n := range rows {
		if n != 30 {
			t.Errorf("row %d: want a mark for each of 30 samples, got %d", i, n)
		}
	}
	// The second table has the ticks of phi; its first row is the largest effect.
	ticks := of[*scene.Text](sc, "tick")
	half := len(of[*scene.Group](sc, "axis")[0].Items) / 2
	phi := &scene.Scene{}
	for _, k := range ticks[half:] {
		phi.Items = append(phi.Items, k)
	}
	value := reader(t, phi)
	want, got := 0.0, 0.0
	for _, p := range s.swarms(Pairs)[0].points {
		want += p.value / 30
	}
	for _, it := range of[*scene.Group](sc, "swarm")[1].Items {
		for _, p := range it.(*scene.Marks).At {
			got += value(p.X) / 30
		}
	}
	// Marks stand in the middle of their stack, a few pixels wide.
	if wide := math.Abs(value(7) - value(0)); math.Abs(got-want) > wide/2 {
		t.Errorf("want marks around %v, got %v", want, got)
	}
	// A class alone.
	one := draw(t, Beeswarm, choose(t, ex, samples, Choice{Class: ptr("class 1")}), Options{})
	if _, rows := marksIn(one); rows[0] != ex.Targets[0].ByClass[1].Samples {
		t.Errorf("want the %d samples of the class, got %v", ex.Targets[0].ByClass[1].Samples, rows)
	}
}

// TestBeeswarmMany: 50,000 samples are a small file, drawn at once, with stacks as high
// as they are full and classes in their proportion.
func TestBeeswarmMany(t *testing.T) {
	f := newFixture(6, 3, 50000)
	// Two classes of equal numbers, and a rare one.
	f.class = func(i int) int {
		if i%1000 == 999 {
			return 2
		}
		return i % 2
	}
	ex, samples := f.build()
	s := choose(t, ex, samples, Choice{})
	begun := time.Now()
	sc := draw(t, Beeswarm, s, Options{})
	var b bytes.Buffer
	if err := sc.WriteSVG(&b); err != nil {
		t.Fatal(err)
	}
	all, rows := marksIn(sc)
	t.Logf("%d of %d marks, %d bytes, %v", all, 50000*len(rows), b.Len(), time.Since(begun))
	if b.Len() > 250_000 {
		t.Errorf("want a small file, got %d bytes", b.Len())
	}
	if faults := sc.Faults(); len(faults) > 0 {
		t.Error(faults)
	}
	samplesOf := map[int]int{}
	for _, it := range of[*scene.Group](sc, "swarm")[0].Items {
		m := it.(*scene.Marks)
		samplesOf[int(m.Shape)] = len(m.At)
	}
	if a, b := float64(samplesOf[0]), float64(samplesOf[1]); math.Abs(a-b) > 0.15*(a+b) {
		t.Errorf("want as many marks of either class, got %v and %v", a, b)
	}
	// 21 effects of which 12 have a row, and the scores: 13 rows of 50,000.
	var said string
	for _, n := range of[*scene.Text](sc, "note") {
		said += n.Text + " "
	}
	want := wording.Count(int64(all), "mark") + " of 650,000 drawn: a mark stands for up to "
	_, rest, found := strings.Cut(said, want)
	most, err := strconv.Atoi(strings.ReplaceAll(strings.SplitN(rest, " ", 2)[0], ",", ""))
	if !found || err != nil {
		t.Fatalf("want a note that says %q, got %q", want, said)
	}
	// In the row with the fewest marks one stands for at least the mean, and in a
	// stack for no more than all its samples.
	if least := 50000 / slices.Min(rows); most < least || most > 50000 {
		t.Errorf("want a mark that stands for %d samples or more, got %d", least, most)
	}
	// The class with 50 samples of 50,000 is seen in every row.
	for i, g := range of[*scene.Group](sc, "swarm") {
		shapes := map[scene.Shape]bool{}
		for _, it := range g.Items {
			shapes[it.(*scene.Marks).Shape] = true
		}
		if len(shapes) != 3 {
			t.Errorf("row %d: want marks of three classes, got %d", i, len(shapes))
		}
	}
}

// TestApportion: classes in proportion, and each of them where there is room.
func TestApportion(t *testing.T) {
	for _, c := range []struct {
		samples []int
		n       int
		want    []int
		reason  string
	}{
		{[]int{600, 300}, 18, []int{12, 6}, "proportion"},
		{[]int{899, 1}, 10, []int{9, 1}, "a rare class is seen"},
		{[]int{1, 0, 899}, 2, []int{1, 0, 1}, "as many marks as classes"},
		{[]int{1, 899, 2}, 1, []int{0, 1, 0}, "one mark is the largest class's"},
		{[]int{3, 0, 5, 1}, 9, []int{3, 0, 5, 1}, "a mark for each"},
	} {
		if got := apportion(c.samples, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v on %d marks: want %v, got %v", c.reason, c.samples, c.n, c.want, got)
		}
	}
}

// TestStacksAreProportional draws 900 samples at one value and 300 at another.
func TestStacksAreProportional(t *testing.T) {
	var points []point
	for i := range 1200 {
		v := 0.25
		if i%4 == 0 {
			v = 0.75
		}
		points = append(points, point{v, i % 3 % 2})
	}
	points = append(points, point{0.5, 0})
	a := area{Box: scene.Box{W: 300, H: 60}, at: func(v float64) float64 { return 300 * v }}
	groups := []classGroup{{classes: []int{0}}, {classes: []int{1}}}
	at, most := place(points, a, 3, groups)
	// The higher stack: 600 samples of a class on 12 marks, 300 on 6.
	if most != 50 {
		t.Errorf("want marks for up to 50 samples, got %d", most)
	}
	height := map[float64]int{}
	byGroup := map[float64][2]int{}
	for g, of := range at {
		for _, p := range of {
			height[p.X]++
			n := byGroup[p.X]
			n[g]++
			byGroup[p.X] = n
			if p.Y < 0 || p.Y > 60 {
				t.Errorf("mark outside its area at %v", p)
			}
		}
	}
	if height[76.5] != 18 || height[226.5] != 6 || height[151.5] != 1 {
		t.Errorf("want stacks of 18 (all that there is room for), a third of it, and at least one, got %v", height)
	}
	if n := byGroup[76.5]; n != [2]int{12, 6} {
		t.Errorf("want two thirds and one of the classes, got %v", n)
	}
}

// TestUndefinedScores: samples without behaviour have no local score, and are counted.
func TestUndefinedScores(t *testing.T) {
	f := newFixture(2, 2, 20)
	inner := f.phi
	f.phi = func(i int, r *rand.Rand) [][]float64 {
		if i < 5 {
			return square(2)
		}
		return inner(i, r)
	}
	ex, samples := f.build()
	sc := draw(t, Beeswarm, choose(t, ex, samples, Choice{}), Options{})
	if _, rows := marksIn(sc); rows[0] != 15 || rows[1] != 20 {
		t.Errorf("want 15 scores and 20 effects, got %v", rows)
	}
	if !strings.Contains(sc.Description, "5 samples without behaviour") {
		t.Errorf("want the description to say so, got %q", sc.Description)
	}
}

// TestNothingIsNaN: no figure of no subject shows what is no number.
func TestNothingIsNaN(t *testing.T) {
	drawn, want := 0, 0
	for _, c := range subjectCases() {
		ex, samples := c.fixture.build()
		s := choose(t, ex, samples, c.choice)
		for _, kind := range Kinds() {
			sc, err := Draw(kind, s, Options{})
			if !errors.Is(err, ErrUnfit) {
				want++
			}
			if err != nil {
				continue
			}
			var b bytes.Buffer
			if err := sc.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			drawn++
			for _, bad := range []string{"NaN", "Inf", "+Inf", "%!"} {
				if strings.Contains(b.String(), bad) {
					t.Errorf("%s, %s: the figure says %s", c.name, kind, bad)
				}
			}
		}
	}
	if least := 6 * len(subjectCases()); drawn != want || drawn < least {
		t.Errorf("want every figure that fits, %d, and %d or more, got %d", want, least, drawn)
	}
}

// TestSignsAreWritten: with one colour for both signs, every effect still says which
// way it goes.
func TestSignsAreWritten(t *testing.T) {
	s := choose(t, handMade(), nil, Choice{})
	for _, kind := range []Kind{Waterfall, Force, Matrix, Network} {
		text := ""
		for _, x := range draw(t, kind, s, Options{}).Texts() {
			text += x.Text + "\n"
		}
		for _, want := range []string{"+0.02", "−0.10"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: want %s among its texts, got\n%s", kind, want, text)
			}
		}
	}
}

// TestClassesLookDifferent: no two classes of a beeswarm have the same colour and shape,
// and all others are one.
func TestClassesLookDifferent(t *testing.T) {
	for classes, groups := range map[int]int{1: 1, 2: 2, 7: 7, 12: 12, 13: 12, 30: 12} {
		ex, samples := newFixture(2, classes, 600).build()
		s := choose(t, ex, samples, Choice{})
		for _, p := range palettes {
			got := s.classGroups(Options{Palette: p.colours()}.look())
			if len(got) != groups {
				t.Errorf("%d classes: want %d groups, got %d", classes, groups, len(got))
			}
			seen := map[markStyle]bool{}
			for _, g := range got {
				if seen[g.style] {
					t.Errorf("%d classes, %s: two look the same", classes, p.name)
				}
				seen[g.style] = true
			}
		}
	}
}
