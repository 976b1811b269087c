package plot

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/intershap/intershap/plot/scene"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A subjectCase is something to draw in every kind.
type subjectCase struct {
	name, reason string
	fixture      fixture
	choice       Choice
}

func ptr[T any](x T) *T { return &x }

// subjectCases are what every kind must draw well.
func subjectCases() []subjectCase {
	var out []subjectCase
	add := func(name, reason string, f fixture, c Choice) { out = append(out, subjectCase{name, reason, f, c}) }
	for _, m := range []int{1, 2, 3, 6, 12, 20} {
		f := newFixture(m, 4, 60)
		if m == 1 {
			f.modalities = []string{"image"}
		}
		if m == 20 {
			for i := range f.modalities {
				f.modalities[i] += fmt.Sprint(i)
			}
		}
		add(fmt.Sprintf("M=%d", m), "the number of modalities", f, Choice{})
	}
	for _, m := range []int{2, 3, 12} {
		f := newFixture(m, 3, 60)
		f.modalities, f.classes = modalityNames(m, 40), classNames(3, 40)
		add(fmt.Sprintf("names-M=%d", m), "names of 40 letters", f, Choice{})
	}
	for _, m := range []int{18, 40} {
		f := newFixture(m, 4, 60)
		f.modalities, f.groups = modalityNames(m, 60), []int{m - 8, 6, 1, 1}
		add(fmt.Sprintf("groups-M=%d", m), "groups inside modalities, with long names", f, Choice{})
	}
	for i, n := range []string{"W", "i"} {
		f := newFixture(3, 1, 60)
		f.modalities = []string{strings.Repeat(n, 40), strings.Repeat(n, 39) + "a", "b" + strings.Repeat(n, 39)}
		add(fmt.Sprintf("wide-%d", i), "words without blanks, of wide and narrow letters", f, Choice{})
	}
	add("one-class", "a model that says always the same", newFixture(3, 1, 60), Choice{})
	f := newFixture(3, 30, 900)
	add("30-classes", "more classes than colours", f, Choice{})
	f.classes = classNames(30, 40)
	add("30-long-classes", "and with long names", f, Choice{})
	f = newFixture(3, 4, 60)
	f.phi = randomPhi(3, 1e-9)
	add("tiny", "effects far below the base", f, Choice{})
	f.base = 0
	add("tiny-at-zero", "tiny effects without a base", f, Choice{})
	f = newFixture(3, 4, 60)
	f.phi = randomPhi(3, 1e12)
	add("huge", "numbers with an exponent", f, Choice{})
	f = newFixture(3, 4, 60)
	f.phi = func(int, *rand.Rand) [][]float64 { return square(3) }
	add("nothing", "zero behaviour: every share is undefined", f, Choice{})
	f = newFixture(3, 4, 60)
	f.phi = func(int, *rand.Rand) [][]float64 {
		return [][]float64{{-0.02, -0.22, 0.1}, {-0.22, -0.01, -0.3}, {0.1, -0.3, -0.04}}
	}
	add("negative", "what lowers the output", f, Choice{})
	f = newFixture(3, 4, 60)
	f.noErrors = true
	add("no-errors", "one background row: no error bars", f, Choice{})
	f = newFixture(3, 4, 60)
	f.headline, f.convention = result.MeanAbsolute, score.SinglePair
	add("single-pair", "the other convention and headline", f, Choice{})
	f = newFixture(3, 0, 60)
	f.classes = nil
	add("no-classes", "a regression", f, Choice{})
	add("class", "one predicted class", newFixture(3, 4, 60), Choice{Class: ptr("class 2")})
	add("sample", "one sample", newFixture(3, 4, 60), Choice{Sample: ptr("17")})
	add("one-sample", "a data set of one", newFixture(3, 4, 1), Choice{})
	add("cohort", "groups, and samples that lack modalities", cohort(4, 4, 120), Choice{})
	add("cohort-class", "one class of them", cohort(4, 4, 120), Choice{Class: ptr("class 2")})
	add("cohort-sample", "one sample of them", cohort(4, 4, 120), Choice{Sample: ptr("15")})
	f = cohort(3, 4, 120)
	f.modalities = modalityNames(3, 40)
	f.by = func(i int) []string {
		return []string{strings.Repeat("W", 30+i%25), "\x1b[31m<b>" + fmt.Sprint(i%3)}
	}
	add("cohort-names", "many groups with long and hostile names", f, Choice{})
	f = newFixture(3, 2, 60)
	f.modalities = []string{"<script>alert(1)</script>", "a\nb\x1b[31m\u202e", "画像\u0000 & \"x\"'"}
	f.classes = []string{"]]><x>", "\xff"}
	add("hostile", "names that act where they are not escaped", f, Choice{})
	return out
}

// TestFiguresHaveNoFaults draws every kind for every subject, in both themes and
// several sizes, and looks for texts that overlap or leave the picture.
func TestFiguresHaveNoFaults(t *testing.T) {
	look := os.Getenv("PLOT_LOOK") // a folder for pictures to look at
	for _, c := range subjectCases() {
		t.Run(c.name, func(t *testing.T) {
			ex, samples := c.fixture.build()
			s, err := Choose(ex, samples, c.choice)
			if err != nil {
				t.Fatalf("%s: %v", c.reason, err)
			}
			drawn := 0
			for _, kind := range Kinds() {
				for _, opt := range []Options{{}, {Interactions: One, Theme: Dark}, {Width: 500}, {Width: 1200, Height: 700}, {Width: 420, Height: 380}} {
					sc, err := Draw(kind, s, opt)
					if errors.Is(err, ErrUnfit) || errors.Is(err, ErrSize) && opt.Width > 0 {
						continue
					}
					if err != nil {
						t.Fatalf("%s %+v: %s: %v", kind, opt, c.reason, err)
					}
					drawn++
					for _, f := range sc.Faults() {
						t.Errorf("%s %+v: %s: %s", kind, opt, c.reason, f)
					}
					if opt.Width > 0 && sc.Width != opt.Width || opt.Height > 0 && sc.Height != opt.Height {
						t.Errorf("%s: want %v by %v, got %v by %v", kind, opt.Width, opt.Height, sc.Width, sc.Height)
					}
					if look != "" {
						keepPicture(t, look, fmt.Sprintf("%s_%s_%v_%v", c.name, kind, opt.Width, opt.Interactions), sc)
					}
				}
			}
			if drawn < 10 {
				t.Errorf("want most kinds in most sizes, got %d figures", drawn)
			}
		})
	}
}

func keepPicture(t *testing.T, folder, name string, sc *scene.Scene) {
	t.Helper()
	f, err := os.Create(filepath.Join(folder, strings.ReplaceAll(name, "=", "")+".png"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := sc.WritePNG(f, 96); err != nil {
		t.Fatal(err)
	}
}

// TestRandomFigures draws subjects of any shape in any size.
func TestRandomFigures(t *testing.T) {
	const seed = 20
	r := rand.New(rand.NewPCG(seed, 1))
	letters := []rune("abcdefghiWMl  __--..,;:&<>\"'éß№Ω画")
	word := func() string {
		var b strings.Builder
		for range 1 + r.IntN(50) {
			b.WriteRune(letters[r.IntN(len(letters))])
		}
		return b.String()
	}
	drawn := 0
	for i := range 150 {
		m := 1 + r.IntN(9)
		f := newFixture(m, r.IntN(12), 1+r.IntN(40))
		if len(f.classes) == 0 {
			f.classes = nil
		}
		for j := range f.modalities {
			f.modalities[j] = fmt.Sprint(word(), j)
		}
		for j := range f.classes {
			f.classes[j] = fmt.Sprint(word(), j)
		}
		size := []float64{0, 1e-12, 1e-3, 1, 1e5, 1e13}[r.IntN(6)]
		f.phi, f.base = randomPhi(m, size), r.NormFloat64()*[]float64{0, 1, 1e6}[r.IntN(3)]
		f.noErrors = r.IntN(2) == 0
		ex, samples := f.build()
		var c Choice
		if r.IntN(3) == 0 {
			c.Sample = ptr("0")
		}
		s, err := Choose(ex, samples, c)
		if err != nil {
			t.Fatalf("seed %d, subject %d: %v", seed, i, err)
		}
		opt := Options{Theme: Theme(r.IntN(2)), Palette: palettes[r.IntN(len(palettes))].colours()}
		if r.IntN(2) == 0 {
			opt.Width = float64(MinSide + r.IntN(1200))
		}
		if r.IntN(2) == 0 {
			opt.Height = float64(MinSide + r.IntN(1200))
		}
		if r.IntN(2) == 0 {
			opt.Interactions = One
		}
		for _, kind := range Kinds() {
			sc, err := Draw(kind, s, opt)
			if errors.Is(err, ErrUnfit) || errors.Is(err, ErrSize) {
				continue
			}
			if err != nil {
				t.Fatalf("seed %d, subject %d, %s: %v", seed, i, kind, err)
			}
			drawn++
			for _, fault := range sc.Faults() {
				t.Errorf("seed %d, subject %d, %s, %+v: %s", seed, i, kind, opt, fault)
			}
			if opt.Width > 0 && sc.Width != opt.Width || opt.Height > 0 && sc.Height != opt.Height {
				t.Errorf("seed %d, subject %d, %s: want %v by %v, got %v by %v", seed, i, kind, opt.Width, opt.Height, sc.Width, sc.Height)
			}
		}
	}
	if drawn < 400 {
		t.Errorf("want hundreds of figures, got %d", drawn)
	}
}
