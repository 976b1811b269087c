package intershap_test

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// A groupGame is a model of one row of numbers for each of two inputs, "series" of
// places and "labs" of places, seen from one sample of ones with zeros for what is
// absent: so v(S) is f of the indicator of the present places.
type groupGame struct {
	series, labs int
	f            func(series, labs []float64) float64
}

// explain runs the game with groups.
func (g groupGame) explain(t testing.TB, groups ...string) *intershap.Explanation {
	t.Helper()
	ex, err := g.run(t, intershap.Options{Groups: groups})
	if err != nil {
		t.Fatal(err)
	}
	return ex
}

func (g groupGame) run(t testing.TB, opt intershap.Options) (*intershap.Explanation, error) {
	t.Helper()
	m := model.Func(func(_ context.Context, batch model.Batch) (model.Batch, error) {
		series, _ := batch.Lookup("series")
		labs, _ := batch.Lookup("labs")
		x, z := tensor.Values[float64](series), tensor.Values[float64](labs)
		out := make([]float64, series.Rows())
		for r := range out {
			out[r] = g.f(x[r*g.series:(r+1)*g.series], z[r*g.labs:(r+1)*g.labs])
		}
		return model.Batch{{Name: "y", Tensor: tensor.Of(out, len(out), 1)}}, nil
	})
	ones := func(rows int) dataset.File {
		f, err := dataset.FromArrays(
			dataset.Array{Name: "series", Tensor: tensor.Of(slices.Repeat([]float64{1}, rows*g.series), rows, g.series)},
			dataset.Array{Name: "labs", Tensor: tensor.Of(slices.Repeat([]float64{1}, rows*g.labs), rows, g.labs)},
		)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	opt.Task, opt.Mask, opt.Workers = intershap.Regression, append([]string{"zero"}, opt.Mask...), 1
	return intershap.Explain(t.Context(), m, ones(2), ones(2), opt)
}

// groupShares returns the global aggregation: across, within, cross-modal.
func groupShares(t testing.TB, ex *intershap.Explanation) [3]float64 {
	t.Helper()
	a := ex.Targets[0].Across
	if a == nil {
		t.Fatal("no shares by modality")
	}
	const undefined = -1
	if diff := cmp.Diff(a.Global.InterSHAP.Or(undefined), a.MeanAbsolute.InterSHAP.Or(undefined), tight); diff != "" {
		t.Errorf("with equal samples both aggregations are one: %s", diff)
	}
	return [3]float64{a.Global.InterSHAP.Or(undefined), a.Global.Within.Share.Or(undefined), a.Global.CrossModal.Share.Or(undefined)}
}

var tight = cmpopts.EquateApprox(0, 1e-12)

// tightShares compares shares as tight compares numbers; undefined ones are equal.
var tightShares = cmp.Comparer(func(a, b score.Share) bool {
	x, ok1 := a.Value()
	y, ok2 := b.Value()
	return ok1 == ok2 && math.Abs(x-y) <= 1e-12
})

// Closed forms, by hand from Möbius coefficients: the product of players T has m(T) =
// 1, each pair inside T an SII of 1/(|T|−1), of which half is in either cell, and each
// player 1/|T| less its row's cells.
func TestGroupsClosedForms(t *testing.T) {
	and := func(x ...float64) float64 {
		p := 1.0
		for _, v := range x {
			p *= v
		}
		return p
	}
	for _, tt := range []struct {
		name, why string
		game      groupGame
		groups    []string
		want      [3]float64
	}{
		{"a sum", "nothing interacts, so what interaction is made of is undefined",
			groupGame{2, 1, func(x, z []float64) float64 { return x[0] + x[1] + z[0] }}, []string{"series=each"}, [3]float64{0, 0, -1}},
		{"interaction within alone", "b·c + d: SII(bc) = 1, b and c alone 1/2 − 1/2 = 0, d alone 1: 1 of 2",
			groupGame{2, 1, func(x, z []float64) float64 { return and(x...) + z[0] }}, []string{"series=each"}, [3]float64{0, 1. / 2, 0}},
		{"interaction across alone", "b·d + c: SII(bd) = 1, c alone 1: 1 of 2",
			groupGame{2, 1, func(x, z []float64) float64 { return x[0]*z[0] + x[1] }}, []string{"series=each"}, [3]float64{1. / 2, 0, 1}},
		{"both", "b·c·d: three pairs of 1/2, three players of 1/3 − 1/2 = −1/6: 2 of 3 pairs are across; 3/2 of 2 is interaction",
			groupGame{2, 1, func(x, z []float64) float64 { return x[0] * x[1] * z[0] }}, []string{"series=each"}, [3]float64{1. / 2, 1. / 4, 2. / 3}},
		{"as one player", "bc·d with bc as one: SII = 1, players 1/2 − 1/2 = 0; see docs/groups.md",
			groupGame{2, 1, func(x, z []float64) float64 { return x[0] * x[1] * z[0] }}, nil, [3]float64{1, 0, 1}},
		{"both modalities divided", "(b·c) + (d·e) + b·d: three pairs of SII 1, players 1 − 1, 1/2 − 1/2, ...: 0; 1 of 3 is across",
			groupGame{2, 2, func(x, z []float64) float64 { return x[0]*x[1] + z[0]*z[1] + x[0]*z[0] }}, []string{"series=each", "labs=each"}, [3]float64{1. / 3, 2. / 3, 1. / 3}},
		{"a group of several places is one player", "the product of four places in two groups is that of two players",
			groupGame{4, 1, func(x, z []float64) float64 { return and(x...) + z[0] }}, []string{"series=each:2"}, [3]float64{0, 1. / 2, 0}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ex := tt.game.explain(t, tt.groups...)
			got := [3]float64{}
			if tt.groups == nil {
				if ex.Groups != nil || ex.Targets[0].Across != nil {
					t.Error("groups in a run without")
				}
				got = [3]float64{ex.Global().InterSHAP.Or(-1), 0, 1}
			} else {
				got = groupShares(t, ex)
			}
			if diff := cmp.Diff(tt.want, got, tight); diff != "" {
				t.Errorf("%s: across, within, cross-modal: %s", tt.why, diff)
			}
		})
	}
}

// What is in each place of the result, on the game of docs/groups.md: b·c·d.
func TestGroupsBreakdown(t *testing.T) {
	game := groupGame{2, 1, func(x, z []float64) float64 { return x[0] * x[1] * z[0] }}
	ex := game.explain(t, "series=first:0,second:1")
	if diff := cmp.Diff([]result.Grouping{{Modality: "series", Players: []int{0, 1}}, {Modality: "labs", Players: []int{2}}}, ex.Groups); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"series/first", "series/second", "labs"}, ex.Modalities); diff != "" {
		t.Error(diff)
	}
	a := ex.Targets[0].Across.Global
	type row struct {
		Name          string
		Alone, Within float64
	}
	var rows []row
	for _, m := range a.Modalities {
		rows = append(rows, row{m.Modality, m.Contribution.Share.Or(-1), m.Within.Share.Or(-1)})
	}
	// Of a behaviour of 2: each player 1/6, the pair within 1/2.
	if diff := cmp.Diff([]row{{"series", 1. / 6, 1. / 4}, {"labs", 1. / 12, 0}}, rows, tight); diff != "" {
		t.Error(diff)
	}
	if len(a.Between) != 1 || a.Between[0].Pair != [2]string{"series", "labs"} {
		t.Fatalf("pairs %v, want series and labs", a.Between)
	}
	// Both pairs across have an SII of 1/2, and 1/2 each of a behaviour of 2.
	if diff := cmp.Diff([]float64{1. / 2, 1}, []float64{a.Between[0].Share.Or(-1), a.Between[0].Phi}, tight); diff != "" {
		t.Error(diff)
	}
	if !slices.ContainsFunc(ex.Warnings, func(w diag.Warning) bool { return w.ID == "groups-not-one-player" }) {
		t.Errorf("warnings %v, want groups-not-one-player", ex.Warnings)
	}
	if share, _, _ := ex.Targets[0].HeadlineInterval(); math.Abs(share.Or(-1)-0.5) > 1e-12 {
		t.Errorf("headline %v, want the interaction across modalities, 1/2", share)
	}
	if got := ex.Global().InterSHAP.Or(-1); math.Abs(got-0.75) > 1e-12 {
		t.Errorf("InterSHAP of the players %v, want 3/4 as without groups inside modalities", got)
	}
}

// The numbers of docs/groups.md: a modality as one player is not the sum of its
// groups. Of c·[b and c and d] with c = 6 every player has a Shapley value of 2, b and c
// together 4; as one player they have 3 (shap issue 651).
func TestGroupsAreNoSum(t *testing.T) {
	game := groupGame{2, 1, func(x, z []float64) float64 { return 6 * x[0] * x[1] * z[0] }}
	shapley := func(phi [][]float64, players ...int) float64 {
		sum := 0.0
		for _, i := range players {
			for _, x := range phi[i] {
				sum += x
			}
		}
		return sum
	}
	apart, whole := game.explain(t, "series=each").Global(), game.explain(t).Global()
	got := []float64{
		shapley(apart.Phi, 0), shapley(apart.Phi, 0, 1), shapley(whole.Phi, 0),
		apart.Pairs[1].Phi + apart.Pairs[2].Phi, whole.Pairs[0].Phi,
	}
	if diff := cmp.Diff([]float64{2, 4, 3, 6, 6}, got, tight); diff != "" {
		t.Errorf("Shapley of a group, of both, of the modality; SII across, of the modality: %s", diff)
	}
	// What is within a modality is not seen from outside.
	within := groupGame{2, 1, func(x, z []float64) float64 { return x[0]*x[1] + z[0] }}
	if got := within.explain(t).Global().InterSHAP.Or(-1); got != 0 {
		t.Errorf("InterSHAP of b·c + d with {b,c} as one player %v, want 0", got)
	}
	// A pair of groups takes 1/|T|, of the pair of modalities 1/|T'|: with a second
	// place in labs the sums over pairs differ too. 6·b·c·d·e: four pairs across of an
	// SII of 6/3 are 8; as two players they have 6.
	more := groupGame{2, 2, func(x, z []float64) float64 { return 6 * x[0] * x[1] * z[0] * z[1] }}
	four := more.explain(t, "series=each", "labs=each").Targets[0].Across.Global.Between[0].Phi
	two := more.explain(t).Global().Pairs[0].Phi
	if diff := cmp.Diff([]float64{8, 6}, []float64{four, two}, tight); diff != "" {
		t.Error(diff)
	}
}

// Where no interaction holds two groups of one modality, a modality's values are the
// sums of its groups': a Möbius coefficient of T is shared by |T| players either way.
// Shares agree too where signs do.
func TestGroupsThatDoNotInteractAreSums(t *testing.T) {
	game := groupGame{3, 2, func(x, z []float64) float64 {
		return 1*x[0] + 2*x[1] + 0.5*x[2] + 3*z[0] + 4*z[1] + x[0]*z[0] + 2*x[1]*z[1] + 0.25*x[2]*z[0]
	}}
	apart, whole := game.explain(t, "series=each", "labs=each"), game.explain(t)
	across, one := apart.Targets[0].Across.Global, whole.Global()
	got := []float64{
		across.InterSHAP.Or(-1), across.Within.Share.Or(-1), across.Between[0].Share.Or(-1), across.Between[0].Phi,
		across.Modalities[0].Contribution.Share.Or(-1), across.Modalities[1].Contribution.Share.Or(-1),
	}
	want := []float64{
		one.InterSHAP.Or(-1), 0, one.Pairs[0].Share.Or(-1), one.Pairs[0].Phi,
		one.Contributions["series"].Or(-1), one.Contributions["labs"].Or(-1),
	}
	if diff := cmp.Diff(want, got, tight); diff != "" {
		t.Errorf("groups against whole modalities: %s", diff)
	}
	// Opposite signs: +1 and −1 of the pairs cancel in one player, and not in groups.
	signs := groupGame{2, 1, func(x, z []float64) float64 { return x[0]*z[0] - x[1]*z[0] + z[0] }}
	if got := signs.explain(t, "series=each").Targets[0].Across.Global.InterSHAP.Or(-1); math.Abs(got-2./3) > 1e-12 {
		t.Errorf("across %v, want 2/3: two pairs of size 1, singles 0, 0 and 1", got)
	}
	if got := signs.explain(t).Global().InterSHAP.Or(-1); math.Abs(got) > 1e-12 {
		t.Errorf("InterSHAP of whole modalities %v, want 0", got)
	}
}

// Other names and another order of groups are the same numbers.
func TestGroupsRelabelled(t *testing.T) {
	game := groupGame{4, 2, func(x, z []float64) float64 {
		return x[0]*x[1]*z[0] - 2*x[2]*z[1] + x[3]*x[0] + z[0]*z[1]*x[2] + math.Sin(x[0]+x[1]+x[2]+3*x[3]+z[0])
	}}
	one := game.explain(t, "series=a:0-1,b:2,c:3", "labs=x:0,y:1").Targets[0].Across
	other := game.explain(t, "labs=second:1,first:0", "series=z:3,k:2,m:1+0").Targets[0].Across
	if diff := cmp.Diff(one, other, tight, tightShares); diff != "" {
		t.Error(diff)
	}
	// A comparison that sees nothing proves nothing.
	third := game.explain(t, "series=a:0,b:1-2,c:3", "labs=x:0,y:1").Targets[0].Across
	if cmp.Diff(one, third, tight, tightShares) == "" {
		t.Error("other groups gave the same numbers")
	}
}

// By every sum that must hold: parts of behaviour add up.
func TestGroupsAddUp(t *testing.T) {
	game := groupGame{4, 2, func(x, z []float64) float64 {
		return x[0]*x[1]*z[0] - 2*x[2]*z[1] + x[3]*x[0] + z[0]*z[1]*x[2] + math.Cos(x[0]+x[1]+x[2]+3*x[3]+z[0])
	}}
	ex := game.explain(t, "series=each")
	a, g := ex.Targets[0].Across.Global, ex.Global()
	sum, within := 0.0, 0.0
	for _, m := range a.Modalities {
		sum += m.Contribution.Share.Or(-1) + m.Within.Share.Or(-1)
		within += m.Within.Share.Or(-1)
	}
	between := 0.0
	for _, p := range a.Between {
		between += p.Share.Or(-1)
	}
	all := g.InterSHAP.Or(-1)
	got := []float64{sum + between, within, between, a.InterSHAP.Or(-1) + a.Within.Share.Or(-1), a.CrossModal.Share.Or(-1)}
	want := []float64{1, a.Within.Share.Or(-1), a.InterSHAP.Or(-1), all, a.InterSHAP.Or(-1) / all}
	if diff := cmp.Diff(want, got, tight); diff != "" {
		t.Error(diff)
	}
}

// A mask may be that of a modality or of one of its groups.
func TestGroupsMask(t *testing.T) {
	game := groupGame{2, 1, func(x, z []float64) float64 { return x[0] + 10*x[1] + 100*z[0] }}
	for _, tt := range []struct {
		masks []string
		base  float64
	}{
		{nil, 0},
		{[]string{"series=value:3"}, 33},
		{[]string{"series.series=value:3"}, 33},
		{[]string{"series/1=value:2", "series=value:3"}, 23},
		{[]string{"series/0=value:2"}, 2},
	} {
		ex, err := game.run(t, intershap.Options{Groups: []string{"series=each"}, Mask: tt.masks})
		if err != nil {
			t.Fatal(err)
		}
		if got := ex.Targets[0].Base; got != tt.base {
			t.Errorf("masks %v: v({}) = %v, want %v", tt.masks, got, tt.base)
		}
	}
}

func TestGroupsRefused(t *testing.T) {
	game := groupGame{2, 1, func(x, z []float64) float64 { return x[0] }}
	_, err := game.run(t, intershap.Options{Groups: []string{"series=a:0,b:0-1"}})
	var fault *dataset.GroupError
	if !errors.As(err, &fault) {
		t.Fatalf("error %v, want a *dataset.GroupError", err)
	}
	want := `dataset: group "series=a:0,b:0-1": place 0 of input "series" is in group "a" and in group "b"`
	if fault.Error() != want {
		t.Errorf("error %q, want %q", fault, want)
	}
}
