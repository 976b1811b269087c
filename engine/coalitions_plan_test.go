package engine

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/model"
)

func TestListErrors(t *testing.T) {
	n := randomNet(rand.New(rand.NewPCG(3, 3)), 3, 2, false)
	many := newNet(21, 1)
	many.add(rand.New(rand.NewPCG(1, 1)), "y", 1, true, upTo(21), names(21)...)
	most := newNet(63, 1)
	most.add(rand.New(rand.NewPCG(1, 1)), "y", 1, true, upTo(63), names(63)...)
	for _, test := range []struct {
		name   string
		net    *net
		list   []game.Coalition
		want   string
		reason string
	}{
		{"empty", n, []game.Coalition{}, "from the empty one to that of all 3 players", "no list is nil, and this is a list"},
		{"no empty coalition", n, []game.Coalition{1, 7}, "from the empty one to that of all 3 players", "every estimate needs v({})"},
		{"no grand coalition", n, []game.Coalition{0, 1}, "from the empty one to that of all 3 players", "and v(all)"},
		{"grand coalition inside", n, []game.Coalition{0, 7, 1}, "from the empty one to that of all 3 players", "it is last"},
		{"twice", n, []game.Coalition{0, 1, 2, 1, 7}, "{0} is listed twice", "it would be paid for twice"},
		{"grand twice", n, []game.Coalition{0, 7, 7}, "{0,1,2} is listed twice", "the same at the border"},
		{"other players", n, []game.Coalition{0, 8, 7}, "{3} has a player beyond the 3 there are", "there is no such modality"},
		{"no list", many, nil, "all 2^21 coalitions are too many, want at most 20 modalities; choose coalitions", "the error names the way out"},
		{"too many modalities", most, []game.Coalition{0, game.Grand(63)}, "want 1 to 62 modalities, got 63", "bits do not suffice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			opt := test.net.options(t, 3, 4)
			opt.Coalitions = test.list
			_, err := NewPlan(opt)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q (%s)", err, test.want, test.reason)
			}
			if _, err := Stage(t.Context(), opt); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("in parts: got %v, want an error with %q (%s)", err, test.want, test.reason)
			}
		})
	}
	opt := n.options(t, 3, 4)
	opt.Coalitions, opt.Memory = []game.Coalition{0, 1, 2, 4, 7}, 1<<10
	if _, err := NewPlan(opt); !errors.Is(err, ErrMemory) || !strings.Contains(err.Error(), " 5 coalitions of") {
		t.Errorf("five coalitions in 1 KiB: %v, want too little memory for 5", err)
	}
	opt = randomNet(rand.New(rand.NewPCG(3, 3)), 2, 2, false).options(t, 3, 4)
	opt.Coalitions = []game.Coalition{0, 1, 3}
	p, err := NewPlan(opt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Pairs(t.Context(), func(int, []float64) error { return nil }); err == nil || !strings.Contains(err.Error(), "a list of 3") {
		t.Errorf("pairs of a list: got %v, want an error", err)
	}
	rows := 0
	if _, err := p.Outputs(t.Context(), func(_ int, outputs []float64) error { rows += len(outputs) / 2; return nil }); err != nil || rows != 3 {
		t.Errorf("outputs of a plan with a list: %d rows, %v, want 3", rows, err)
	}
}

// What a plan counts and measures for a list holds for one of many modalities.
func TestListedCosts(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	n := randomNet(rng, 13, 2, false)
	opt := n.options(t, 100, 40)
	opt.Memory = 64 << 20
	opt.Coalitions = []game.Coalition{0}
	for len(opt.Coalitions) < 50 {
		s := game.Coalition(1 + rng.IntN(1<<13-2))
		if !slices.Contains(opt.Coalitions, s) {
			opt.Coalitions = append(opt.Coalitions, s)
		}
	}
	opt.Coalitions = append(opt.Coalitions, game.Grand(13))
	staged := inParts(t, opt)
	p, err := NewPlan(staged)
	if err != nil {
		t.Fatal(err)
	}
	all := staged
	all.Coalitions, all.Memory = nil, DefaultMemory
	whole, err := NewPlan(all)
	if err != nil {
		t.Fatal(err)
	}
	if p.MemoryBytes()*20 > whole.MemoryBytes() {
		t.Errorf("51 coalitions take %d bytes, 8192 take %d", p.MemoryBytes(), whole.MemoryBytes())
	}
	parts, err := p.MeasureParts(t.Context(), time.Microsecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range parts {
		if !(part.Seconds > 0) {
			t.Errorf("part %s takes %v seconds", part.Name, part.Seconds)
		}
	}
	large := newNet(2, 1)
	large.add(rng, "h0", 50, false, []int{0}, "m0")
	large.add(rng, "y", 1, true, []int{0, 1}, "h0", "m1")
	opt = large.options(t, 20, 30)
	opt.Coalitions = []game.Coalition{0, 3}
	if p, _ := solve(t, inParts(t, opt)); p.Saves() {
		t.Error("parts are said to save work where nothing is mixed")
	}
	opt.Coalitions = []game.Coalition{0, 1, 3}
	if p, _ := solve(t, inParts(t, opt)); !p.Saves() {
		t.Error("a large encoder saves nothing for one mixed coalition of 600 pairs")
	}
}

// Of a list its own coalitions are looked at, and those that are always.
func TestVerifiedOfList(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	for _, test := range []struct {
		m, listed int // inner coalitions
		want, own int // coalitions looked at, and at least so many of the list
	}{
		{2, 0, 4, 2}, {3, 2, 8, 4}, {8, 3, 3 + 2 + 16 + 8, 5}, {24, 100, verifiedCoalitions, verifiedCoalitions / 2}, {62, 40, verifiedCoalitions, verifiedCoalitions / 2},
	} {
		list := []game.Coalition{0}
		for len(list) < 1+test.listed {
			if s := game.Coalition(rng.Uint64()) & game.Grand(test.m); s != game.Grand(test.m) && !slices.Contains(list, s) {
				list = append(list, s)
			}
		}
		list = append(list, game.Grand(test.m))
		got := (&Plan{m: test.m, coalitions: list}).verified()
		own := 0
		for i, s := range got {
			if slices.Contains(got[:i], s) || s > game.Grand(test.m) {
				t.Errorf("%d modalities: coalition %s twice or too large", test.m, s)
			}
			if slices.Contains(list, s) {
				own++
			}
		}
		if len(got) != test.want || own < test.own || got[0] != 0 || !slices.Contains(got, game.Grand(test.m)) {
			t.Errorf("%d of %d modalities: %d coalitions, %d of the list; want %d and at least %d, with nothing and all", test.listed, test.m, len(got), own, test.want, test.own)
		}
	}
	// Wrong parts are found for a list of the borders alone.
	n := pairNet()
	n.wrong = func(s *model.Stages) { s.Parts[2].Grid = changed{s.Parts[2].Grid, nil, plus(1e-3)} }
	opt := n.options(t, 20, 30)
	opt.Coalitions = []game.Coalition{0, 3}
	var uncut *model.Uncut
	if _, err := Stage(t.Context(), opt); !errors.As(err, &uncut) {
		t.Errorf("a wrong part: got %v, want a model that is not cut", err)
	}
}

// Patterns are what the coalitions leave of a part's own modalities.
func TestPatterns(t *testing.T) {
	type list = []game.Coalition
	some := list{0, 0b010, 0b110, 0b101, 0b111}
	for _, test := range []struct {
		name  string
		own   ownership
		list  list
		still game.Coalition
		want  list
	}{
		{"one", ownership{players: 0b1}, nil, 0, nil},
		{"two", ownership{players: 0b101}, nil, 0, list{0b1, 0b100}},
		{"two and fixed", ownership{players: 0b101, fixed: true}, nil, 0, list{0, 0b1, 0b100}},
		{"one and fixed", ownership{players: 0b1, fixed: true}, nil, 0, list{0}},
		{"fixed", ownership{fixed: true}, nil, 0, nil},
		{"still", ownership{players: 0b101}, nil, 0b100, list{0b1}},
		{"other still", ownership{players: 0b101}, nil, 0b10, list{0b1, 0b100}},
		{"all still", ownership{players: 0b101, fixed: true}, nil, 0b101, list{0}},
		{"listed, one", ownership{players: 0b10}, some, 0, nil},
		{"listed, two", ownership{players: 0b101}, some, 0, list{0b100}},
		{"listed, other two", ownership{players: 0b11}, some, 0, list{0b1, 0b10}},
		{"listed, fixed", ownership{players: 0b101, fixed: true}, some, 0, list{0, 0b100}},
		{"listed, still", ownership{players: 0b101}, some, 0b1, list{0b100}},
		{"listed, other still", ownership{players: 0b101}, some, 0b100, list{0b1}},
		{"borders", ownership{players: 0b11}, list{0, 0b111}, 0, nil},
		{"borders, fixed", ownership{players: 0b11, fixed: true}, list{0, 0b111}, 0, list{0}},
	} {
		// With terms no part is the last.
		p := &Plan{m: 3, stage: &staging{parts: []stagedPart{{ownership: test.own}}, last: 1}}
		if got := p.patternsOf(test.list, test.still); !slices.Equal(got[0], test.want) {
			t.Errorf("%s: patterns %v, want %v", test.name, got[0], test.want)
		}
	}
}
