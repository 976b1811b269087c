package rival

import "testing"

// A part is above shuffled targets when it is more than their mean and two standard
// deviations, by more than the duality gap. All numbers but the gap are sums of powers
// of two, so that what is equal is equal.
func TestAboveShuffled(t *testing.T) {
	e := PIDEstimate{
		// 1/8 + 2·1/16 = 1/4: equal; more; less; and a chance of exactly zero.
		Mean:       Information{Redundancy: 0.25, Unique1: 0.5, Unique2: 0.125, Synergy: 1e-8},
		Permuted:   Information{Redundancy: 0.125, Unique1: 0.125, Unique2: 0.125},
		PermutedSD: Information{Redundancy: 0.0625, Unique1: 0.0625, Unique2: 0.0625},
	}
	for _, tt := range []struct {
		gap    float64
		want   Above
		reason string
	}{
		{0, Above{Unique1: true, Synergy: true}, "what is equal is not above"},
		{2e-8, Above{Unique1: true}, "less than the gap is not known"},
		{0.25, Above{}, "0.5 is 0.25 above 0.25, and the gap is as large"},
	} {
		e.Gap = tt.gap
		if got := e.AboveShuffled(); got != tt.want {
			t.Errorf("%s: want %+v, got %+v", tt.reason, tt.want, got)
		}
	}
}

// What is missing is the score, or a part of it.
func TestUnfitWhat(t *testing.T) {
	for _, tt := range []struct {
		u           Unfit
		what, error string
	}{
		{Unfit{Score: "pid", Reason: "there is none"}, "pid", "rival: pid: there is none"},
		{Unfit{Score: "pid", Part: "of the data", Reason: "there is none"}, "pid (of the data)", "rival: pid (of the data): there is none"},
	} {
		if got := tt.u.What(); got != tt.what {
			t.Errorf("want %q, got %q", tt.what, got)
		}
		if got := tt.u.Error(); got != tt.error {
			t.Errorf("want %q, got %q", tt.error, got)
		}
	}
}
