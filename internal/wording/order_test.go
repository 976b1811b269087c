package wording

import (
	"fmt"
	"slices"
	"testing"

	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

func bounded(x, low, high float64) Interval {
	return Interval{Share: score.Defined(x), Low: score.Defined(low), High: score.Defined(high)}
}

func TestNothing(t *testing.T) {
	for _, c := range []struct {
		v    Interval
		want bool
	}{
		{bounded(0, 0, 0), true},
		{bounded(0.00001, 0, 0.00004), true},
		{bounded(0.00001, 0, 0.0001), false}, // may be 0.01 %
		{bounded(0.00006, 0.00005, 0.00007), false},
		{Interval{Share: score.Defined(0.00001)}, true},
		{Interval{}, false}, // undefined
	} {
		if got := c.v.Nothing(); got != c.want {
			t.Errorf("%v: want %v, got %v", c.v, c.want, got)
		}
	}
}

// A list that is cut leaves out what has nothing to tell; a short one has all.
func TestLargest(t *testing.T) {
	nothing, unclear, some := bounded(0, 0, 0), bounded(0.5, 0, 1), bounded(0.1, 0.05, 0.15)
	rows := [][2]Interval{{some, some}, {some, nothing}, {nothing, unclear}, {nothing, some}, {nothing, Interval{}}, {some, unclear}}
	all := []int{0, 1, 2, 3, 4, 5}
	for _, c := range []struct {
		n           int
		shown, rest []int
	}{
		{6, all, nil},
		{5, []int{0, 1, 3, 5}, []int{2, 4}}, // means that cancel stay
		{2, []int{0, 1}, []int{2, 3, 4, 5}},
	} {
		shown, rest := Largest(all, c.n, func(at int) (headline, other Interval) { return rows[at][0], rows[at][1] })
		if !slices.Equal(shown, c.shown) || !slices.Equal(rest, c.rest) {
			t.Errorf("of %d: want %v and %v, got %v and %v", c.n, c.shown, c.rest, shown, rest)
		}
	}
}

// A planted triple is seen among 24 players whose single values are all larger, by the
// aggregation to read, wherever the other one places it; triples of noise are not.
func TestLargestValues(t *testing.T) {
	x := &result.Interactions{Order: 3}
	planted := 0
	for i := range 24 {
		x.Values = append(x.Values, result.CoalitionValue{
			Players: []string{fmt.Sprint(i)}, Phi: 1, Share: score.Defined(0.03), ShareLow: score.Defined(0), ShareHigh: score.Defined(1),
			MeanAbsolute: result.Bounded{Share: score.Defined(0.03 + float64(i)/1000), Low: score.Defined(0.02), High: score.Defined(0.06)},
		})
	}
	for i := range 2024 {
		v := result.CoalitionValue{
			Players: []string{"a", "b", fmt.Sprint(i)}, Phi: 1e-9, Share: score.Defined(1e-9), ShareLow: score.Defined(0), ShareHigh: score.Defined(1),
			MeanAbsolute: result.Bounded{Share: score.Defined(1e-9), Low: score.Defined(0), High: score.Defined(2e-9)},
		}
		if i == 675 {
			planted = len(x.Values)
			v.MeanAbsolute = result.Bounded{Share: score.Defined(0.018), Low: score.Defined(0.015), High: score.Defined(0.02)}
		}
		x.Values = append(x.Values, v)
	}
	shown, rest := LargestValues(x, result.MeanAbsolute)
	if want := []int{23, 22, 21, 20, 19, 18, 17, 16}; !slices.Equal(shown[0], want) {
		t.Errorf("singles: want %v, got %v", want, shown[0])
	}
	if len(shown[1]) != 0 || len(rest[1]) != 0 {
		t.Errorf("want no pairs, got %v and %v", shown[1], rest[1])
	}
	if !slices.Equal(shown[2], []int{planted}) || len(rest[2]) != 2023 {
		t.Errorf("triples: want %d alone and 2,023 more, got %v and %d", planted, shown[2], len(rest[2]))
	}
}

func TestOther(t *testing.T) {
	if Other(result.Global) != result.MeanAbsolute || Other(result.MeanAbsolute) != result.Global {
		t.Error("want the aggregation that is not the headline")
	}
}
