package cli

import (
	"errors"
	"strings"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// groupedExplanation has a modality of two groups and two that are players whole.
func groupedExplanation() *result.Explanation {
	players := []string{"vitals/heart", "vitals/breath", "text", "labs"}
	t := classesTarget()
	t.Global.Aggregate = aggregate(0.443, 0.395, 0.494, players, 0.2, 0.1, 0.2, 0.057)
	t.MeanAbsolute.Aggregate = aggregate(0.5, 0.4, 0.6, players, 0.2, 0.1, 0.15, 0.05)
	t.Global.Pairs = []result.Pair{pair("vitals/heart", "vitals/breath", 0.143, 0.1, 0.2), pair("vitals/heart", "text", 0.3, 0.25, 0.35)}
	t.MeanAbsolute.Pairs = t.Global.Pairs
	part := func(share, low, high float64) result.Bounded {
		return result.Bounded{Share: score.Defined(share), Low: score.Defined(low), High: score.Defined(high)}
	}
	side := func(across, within float64) result.AcrossAggregate {
		x := part(across, 0.9*across, 1.1*across)
		return result.AcrossAggregate{
			InterSHAP: x.Share, Low: x.Low, High: x.High,
			Within: part(within, 0.9*within, 1.1*within), CrossModal: part(across/(across+within), 0, 0.9),
			Modalities: []result.ModalityShare{
				{Modality: "vitals", Contribution: part(0.3, 0.2, 0.4), Within: part(within, 0.9*within, 1.1*within)},
				{Modality: "text", Contribution: part(0.2, 0.1, 0.3), Within: part(0, 0, 0)},
				{Modality: "labs", Contribution: part(0.057, 0.05, 0.06), Within: part(0, 0, 0)},
			},
			Between: []result.Pair{pair("vitals", "text", 0.1, 0, 0.2), pair("vitals", "labs", 0.2, 0.15, 0.25), pair("text", "labs", 0, 0, 0)},
		}
	}
	t.Across = &result.Across{Global: side(0.3, 0.143), MeanAbsolute: side(0.35, 0.15)}
	ex := explanation(players, t)
	ex.Groups = []result.Grouping{{Modality: "vitals", Players: []int{0, 1}}, {Modality: "text", Players: []int{2}}, {Modality: "labs", Players: []int{3}}}
	return ex
}

// Text of groups comes from a stranger's file as any other does.
func TestWriteAcrossEscapes(t *testing.T) {
	const hostile = "a\x1b[2Jb\nc\u202e"
	ex := groupedExplanation()
	ex.Groups[0].Modality = hostile
	for _, a := range []*result.AcrossAggregate{&ex.Targets[0].Across.Global, &ex.Targets[0].Across.MeanAbsolute} {
		a.Between[0].Pair[0] = hostile
	}
	for _, terminal := range []bool{true, false} {
		s, out, _ := fakeStreams(terminal, 0)
		p := newPage(s, colorNever)
		writeAcross(p, &ex.Targets[0], ex.Groups)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(out.String(), "\x1b\u202e") || !strings.Contains(out.String(), `\x1b`) {
			t.Errorf("a name acts: %q", out)
		}
	}
}

// Shares that are undefined are a word, and bounds that nobody knows are left out.
func TestWriteAcrossUndefined(t *testing.T) {
	ex := groupedExplanation()
	a := &ex.Targets[0].Across.Global
	a.CrossModal, a.Within.Low, a.Within.High = result.Bounded{}, score.Share{}, score.Share{}
	s, out, _ := fakeStreams(false, 0)
	p := newPage(s, colorNever)
	writeAcross(p, &ex.Targets[0], ex.Groups)
	if err := p.flush(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"cross-modal, of interaction\tundefined\t", "within modalities\t14.3 %\t"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if strings.Contains(out.String(), "NaN") {
		t.Errorf("NaN in\n%s", out)
	}
}

func TestCheckGroups(t *testing.T) {
	for _, good := range []string{"a=each", " a = x:0 , y:1", "a=b=c:1,d:2"} {
		if err := checkGroups([]string{good}); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "a", "=", "a=", " =b:1", "a= "} {
		err := checkGroups([]string{"a=each", bad})
		var usage *usageError
		if !errors.As(err, &usage) || usage.hint == "" {
			t.Errorf("%q: error %v, want wrong usage with a hint", bad, err)
		}
	}
}

// The remedy of a fault in groups stands in a line of its own.
func TestGroupHint(t *testing.T) {
	err := errors.Join(&dataset.GroupError{Spec: "a=b", Reason: "is wrong", Hint: "do it right"})
	if got := hintOf(err); got != "do it right" {
		t.Errorf("hint %q", got)
	}
}

// A gate is on the interaction across modalities.
func TestGateOfGroups(t *testing.T) {
	ex := groupedExplanation()
	gate := func(x float64) bound { return bound{at: x, set: true} }
	if err := checkGates(ex.Targets, gate(0.4), bound{}); err != nil {
		t.Errorf("30 %% across and 44 %% of all groups are above 0.4: %v", err)
	}
	err := checkGates(ex.Targets, gate(0.2), bound{})
	if err == nil || err.Error() != "target predicted: global InterSHAP across modalities is 0.3, above 0.2" {
		t.Errorf("error %v", err)
	}
}
