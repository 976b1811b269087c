package plot

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// Figures that walk from base to output are of samples that all have the same: pooled
// effects do not lead there.
func TestPooledEffectsDoNotWalk(t *testing.T) {
	choose := func(f fixture, c Choice) *Subject {
		ex, samples := f.build()
		s, err := Choose(ex, samples, c)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	walks := func(s *Subject) bool {
		sum := s.base
		for _, e := range s.effects(Pairs) {
			sum += e.phi
		}
		return math.Abs(sum-s.output) < 1e-9
	}
	f := cohort(3, 4, 120)
	f.class = func(i int) int { return min(3, i%15) } // class 1 is of samples that have all
	for _, tt := range []struct {
		name    string
		fixture fixture
		choice  Choice
		want    bool
	}{
		{"the data set", f, Choice{}, false},
		{"a class whose samples have different modalities", f, Choice{Class: ptr("class 3")}, false},
		{"a class whose samples have all", f, Choice{Class: ptr("class 1")}, true},
		{"a sample that lacks two", f, Choice{Sample: ptr("15")}, true},
		{"a data set without missing modalities", newFixture(3, 4, 120), Choice{}, true},
	} {
		s := choose(tt.fixture, tt.choice)
		if got := walks(s); got != tt.want {
			t.Errorf("%s: effects lead to the output: want %v, got %v", tt.name, tt.want, got)
		}
		for _, kind := range []Kind{Waterfall, Force} {
			_, err := Draw(kind, s, Options{})
			if tt.want && err != nil || !tt.want && !(errors.Is(err, ErrUnfit) && strings.Contains(err.Error(), "do not add up from base to output")) {
				t.Errorf("%s, %s: want a figure: %v, got %v", tt.name, kind, tt.want, err)
			}
		}
		for _, kind := range []Kind{Matrix, Network, Spectrum} {
			sc, err := Draw(kind, s, Options{})
			if err != nil {
				t.Fatalf("%s, %s: %v", tt.name, kind, err)
			}
			if said := strings.Contains(allTexts(sc), "a mean over the samples that have it"); said == tt.want {
				t.Errorf("%s, %s: want it said that cells are pooled: %v, got %v", tt.name, kind, !tt.want, said)
			}
		}
	}
	if about := choose(f, Choice{Sample: ptr("15")}).about; !strings.Contains(about, "which lacks ecg, labs") {
		t.Errorf("want it said what the sample lacks, got %q", about)
	}
	if about := choose(f, Choice{Sample: ptr("1")}).about; strings.Contains(about, "lacks") {
		t.Errorf("want nothing said of a sample that has all, got %q", about)
	}
	// What a sample lacks is no effect, and no row; a sample may lack everything.
	s := choose(f, Choice{Sample: ptr("5")})
	if got := len(s.effects(Pairs)); got != 3 {
		t.Errorf("sample without labs: want the effects of image, ecg and both, got %d", got)
	}
	f.present = func(i int) game.Coalition { return game.Coalition(i % 2 * 7) }
	for _, kind := range Kinds() {
		if _, err := Draw(kind, choose(f, Choice{Sample: ptr("4")}), Options{}); err != nil && !errors.Is(err, ErrUnfit) {
			t.Errorf("%s of a sample that lacks everything: %v", kind, err)
		}
	}
	// Older results do not say what the samples of a class have.
	ex, samples := f.build()
	for i := range ex.Targets[0].ByClass {
		ex.Targets[0].ByClass[i].Present = nil
	}
	if s, err := Choose(ex, samples, Choice{Class: ptr("class 1")}); err != nil || !s.pooled {
		t.Errorf("nothing known of the class: want it taken as pooled, got %v", err)
	}
}

// Points of a beeswarm are samples that have the modalities of the row: of 120, every
// third lacks the ecg, every fifth labs, every fifteenth both.
func TestBeeswarmLeavesOutWhatIsMissing(t *testing.T) {
	ex, samples := cohort(3, 4, 120).build()
	s, err := Choose(ex, samples, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]int{
		"image": 120, "ecg": 80, "labs": 96, "image × ecg": 80, "image × labs": 96, "ecg × labs": 120 - 40 - 24 + 8,
	}
	for _, w := range s.swarms(Pairs) {
		if got := len(w.points); got != want[w.name.String()] {
			t.Errorf("%s: want %d points, got %d", w.name, want[w.name.String()], got)
		}
		// The mean of the points is the pooled one of the result.
		sum := 0.0
		for _, p := range w.points {
			sum += p.value / float64(len(w.points))
		}
		at := func(name string) int { return slices.Index(s.names, name) }
		phi := ex.Targets[0].Global.Phi
		mean := phi[at(w.name[0])][at(w.name[0])]
		if len(w.name) == 2 {
			mean = 2 * phi[at(w.name[0])][at(w.name[1])]
		}
		if !(math.Abs(sum-mean) < 1e-12) {
			t.Errorf("%s: want a mean of %v, got %v", w.name, mean, sum)
		}
	}
	// The samples file has no weights: the means of its marks are not those of the run.
	const said = "Samples count once each here, not by w."
	for _, weight := range []string{"", "w"} {
		ex.Provenance.Weight = weight
		sc, err := Draw(Beeswarm, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(allTexts(sc), said); got != (weight != "") {
			t.Errorf("weight %q: want it said that samples count once: %v, got %v", weight, weight != "", got)
		}
	}
	f := cohort(3, 4, 10)
	f.present = func(int) game.Coalition { return 0 }
	ex, samples = f.build()
	if s, err = Choose(ex, samples, Choice{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Draw(Beeswarm, s, Options{}); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "no sample has any of the modalities") {
		t.Errorf("samples without anything: want it said, got %v", err)
	}
}

func TestGroupsFigure(t *testing.T) {
	ex, samples := cohort(3, 4, 120).build()
	// A share that is known: of males, 40 % are interaction.
	male := &ex.Targets[0].By[0].Groups[1]
	male.Global.InterSHAP, male.Global.Low, male.Global.High = score.Defined(.4), score.Defined(.35), score.Defined(.45)
	s, err := Choose(ex, samples, Choice{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(s.Kinds(), Groups) {
		t.Error("want groups among the kinds of the subject")
	}
	sc, err := Draw(Groups, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	said := sc.Description
	for _, want := range []string{
		"by sex.", "by sex, site.", "by modalities present.",
		"male, " + count(male.Samples, "sample") + ": InterSHAP 40.0 % [35.0, 45.0]",
		"image+ecg+labs, 64 samples", "image+ecg, 16 samples", "image+labs, 32 samples", "image, 8 samples",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("want %q in %s", want, said)
		}
	}
	if !strings.Contains(said, `"", `) {
		t.Errorf("want a group without a name in quotes: %s", said)
	}
	// What a pattern lacks has no share.
	for _, line := range strings.Split(said, ". ") {
		if strings.HasPrefix(line, "image, 8 samples") && (strings.Contains(line, "ecg alone") || strings.Contains(line, "labs alone") || !strings.Contains(line, "image alone 100.0")) {
			t.Errorf("want the image alone, got %q", line)
		}
	}
	// In little room each section keeps rows, and what is left out is counted.
	small, err := Draw(Groups, s, Options{Width: 600, Height: 420})
	if err != nil {
		t.Fatal(err)
	}
	if all := allTexts(small); !strings.Contains(all, "groups") || !strings.Contains(all, "with fewer samples left out") {
		t.Errorf("want it said what was left out: %s", all)
	}
	ex, samples = newFixture(3, 4, 60).build()
	if s, err = Choose(ex, samples, Choice{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Draw(Groups, s, Options{}); !errors.Is(err, ErrUnfit) || !strings.Contains(err.Error(), "--by COLUMN") || slices.Contains(s.Kinds(), Groups) {
		t.Errorf("no groups: want it said, got %v", err)
	}
}

func TestPairAt(t *testing.T) {
	at := 0
	for i := range 5 {
		for j := i + 1; j < 5; j++ {
			if a, b := pairAt(at, 5); a != i || b != j {
				t.Errorf("pair %d: want %d, %d, got %d, %d", at, i, j, a, b)
			}
			at++
		}
	}
}

func TestAllot(t *testing.T) {
	sections := func(sizes ...int) []stackSection {
		var out []stackSection
		for _, n := range sizes {
			out = append(out, stackSection{stacks: make([]wording.SampleGroup, n)})
		}
		return out
	}
	for _, tt := range []struct {
		sizes  []int
		rows   int
		want   []int
		reason string
	}{
		{[]int{5}, 3, []int{3}, "one section"},
		{[]int{2, 10, 3}, 9, []int{2, 4, 3}, "small ones are whole before large ones"},
		{[]int{2, 10, 3}, 40, []int{2, 10, 3}, "room for all"},
		{[]int{4, 4}, 1, []int{1, 0}, "too little room"},
		{nil, 4, []int{}, "nothing"},
	} {
		if got := allot(sections(tt.sizes...), tt.rows); !slices.Equal(got, tt.want) {
			t.Errorf("%s: want %v, got %v", tt.reason, tt.want, got)
		}
	}
}

// Targets of horizons have names with a colon and a number, as those of classes.
func TestHorizonTargets(t *testing.T) {
	f := newFixture(3, 0, 60)
	f.classes, f.headline = nil, result.MeanAbsolute
	ex, _ := f.build()
	ex.Provenance.Task, ex.Provenance.Output = "risk", "survival"
	second := ex.Targets[0]
	ex.Targets[0].Target, second.Target = "horizon:0", "horizon:3"
	ex.Targets = append(ex.Targets, second)
	var choice *ChoiceError
	if _, err := Choose(ex, nil, Choice{}); !errors.As(err, &choice) || !slices.Equal(choice.Have, []string{"horizon:0", "horizon:3"}) {
		t.Errorf("want the names of both, got %v", err)
	}
	s, err := Choose(ex, nil, Choice{Target: "horizon:3"})
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{Waterfall, Bars} {
		sc, err := Draw(kind, s, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if all := allTexts(sc); !strings.Contains(all, "target horizon:3, all 60 samples") {
			t.Errorf("%s: want the target's name, got %s", kind, all)
		}
	}
}
