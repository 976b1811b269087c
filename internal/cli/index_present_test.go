package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

// writeLacking writes samples of a game of three players: what sample i has says present[i],
// and its values are those of value for the players that it has.
func writeLacking(t *testing.T, path string, present []game.Coalition, value func(i int, s game.Coalition) float64) {
	t.Helper()
	w, err := result.CreateSamples(path, result.SamplesHeader{
		Modalities: []string{"a", "b", "c"}, Targets: []string{"output"}, Samples: len(present), IDs: tensor.String, HasPresent: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	pairs, err := index.New(index.KSII, 2, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i, has := range present {
		values := make([]float64, 8)
		for s := range values {
			values[s] = value(i, game.Coalition(s)&has)
		}
		table, err := game.NewTables(3, slices.Clone(values))
		if err != nil {
			t.Fatal(err)
		}
		index.TransformTo(table.Values(), table)
		all := make([]float64, pairs.Len())
		pairs.AllTo(all, table.Values(), pairs.Scratch())
		phi := make([]float64, 9)
		for at, s := range pairs.Coalitions() {
			for k := range 9 {
				if s.Size() > 0 && s == game.Coalition(0).With(k/3).With(k%3) {
					phi[k] = all[at] / float64(s.Size())
				}
			}
		}
		share := score.Share{}
		cells, both := 0.0, 0.0
		for k, x := range phi {
			cells += math.Abs(x)
			if k/3 != k%3 {
				both += math.Abs(x)
			}
		}
		if cells > 0 {
			share = score.Defined(both / cells)
		}
		err = w.Write(result.SampleRow{Sample: i, ID: fmt.Sprint(i), Present: has, Base: values[0], Output: values[7], InterSHAP: share, Values: values, Phi: phi})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// A mean over samples that lack players is over those that have all of a coalition. By
// hand, for v(S) = 2·[a in S] + [b in S] and 4 more where both are there, of four samples
// with ab, ab, a and b, none of which has c: the Möbius value of ab is 4 for two samples,
// of a it is 2 for three, of b 1 for three.
func TestIndexOfSamplesThatLack(t *testing.T) {
	t.Chdir(t.TempDir())
	present := []game.Coalition{0b011, 0b011, 0b001, 0b010}
	value := func(_ int, s game.Coalition) float64 {
		v := 0.0
		if s.Has(0) {
			v += 2
		}
		if s.Has(1) {
			v++
		}
		if s.Has(0) && s.Has(1) {
			v += 4
		}
		return v
	}
	for _, path := range []string{"lack.jsonl", "lack.npz"} {
		writeLacking(t, path, present, value)
		code, out, errs := runIndexIn(t, path, nil, "--index", "Moebius", "--order", "2", "--mean", "--json")
		if code != exitDone {
			t.Fatalf("%s: code %d: %s", path, code, errs)
		}
		var doc struct {
			Values   map[string]*float64
			Having   map[string]int
			Spectrum map[string]struct{ Global, Local []float64 }
		}
		if err := json.Unmarshal([]byte(out), &doc); err != nil {
			t.Fatal(err)
		}
		for key, want := range map[string]float64{"": 0, "0": 2, "1": 1, "0,1": 4} {
			if got := doc.Values[key]; got == nil || *got != want {
				t.Errorf("%s: values[%q]: want %v, got %v", path, key, want, got)
			}
		}
		for _, key := range []string{"2", "0,2", "1,2"} {
			if got, has := doc.Values[key]; !has || got != nil {
				t.Errorf("%s: values[%q]: want null, which nobody has, got %v", path, key, got)
			}
		}
		for key, want := range map[string]int{"": 4, "0": 3, "1": 3, "2": 0, "0,1": 2, "1,2": 0} {
			if got := doc.Having[key]; got != want {
				t.Errorf("%s: having[%q]: want %d, got %d", path, key, want, got)
			}
		}
		sp := doc.Spectrum["Moebius"] // 2 and 1 alone, 4 together
		if got := sp.Global; len(got) != 3 || math.Abs(got[0]-3./7) > 1e-15 || math.Abs(got[1]-4./7) > 1e-15 || got[2] != 0 || !slices.Equal(got, sp.Local) {
			t.Errorf("%s: want 3/7, 4/7 and 0 of behaviour by order, got %v", path, sp)
		}
		code, table, errs := runIndexIn(t, path, nil, "--index", "Moebius", "--order", "2")
		if code != exitDone {
			t.Fatalf("%s: code %d: %s", path, code, errs)
		}
		for _, want := range []string{
			"samples\t4, in means each counts once\n", "\na × b\t4.000\t4.000\t0.000\t2\n", "\nb\t1.000\t1.000\t0.000\t3\n", "\nc\tundefined\tundefined\tundefined\t0\n",
			"Each row is over the samples that have all of its players.\n", "\none player\t42.9 %\t71.4 %", // local: 3/7 for two samples, 1 for the others
		} {
			if !strings.Contains("\n"+table, want) {
				t.Errorf("%s: %q is missing:\n%s", path, want, table)
			}
		}
		code, table, _ = runIndexIn(t, path, nil, "--index", "k-SII", "--mean")
		if code != exitDone || !strings.Contains(table, "samples\tmean over 4, each counts once\n") || !strings.Contains(table, "adds up\tno: values are means over different samples\n") {
			t.Errorf("%s: code %d:\n%s", path, code, table)
		}
	}
	// Where all have all there is nothing to say.
	writeLacking(t, "all.jsonl", []game.Coalition{0b111, 0b111}, value)
	for _, args := range [][]string{nil, {"--mean"}, {"--json"}} {
		if _, out, errs := runIndexIn(t, "all.jsonl", nil, args...); errs != "" || strings.Contains(out, "having") || strings.Contains(out, "Each row") || strings.Contains(out, "null,\n  \"spectrum") {
			t.Errorf("%q: %s\n%s", args, errs, out)
		}
	}
}

// For every index, the mean of the file is the mean of the samples' own values: two ways,
// one by the mean game and one by the arrays.
func TestIndexMeanOfSamplesThatLack(t *testing.T) {
	t.Chdir(t.TempDir())
	present := []game.Coalition{0b111, 0b011, 0b101, 0b110, 0b001, 0b111}
	writeLacking(t, "lack.npz", present, func(i int, s game.Coalition) float64 {
		return float64((int(s)*int(s)*7+i*i*int(s)*3)%23) / 4
	})
	for _, name := range index.Names() {
		var one struct{ Values map[string]*float64 }
		var each struct{ Values map[string][]*float64 }
		for flag, to := range map[string]any{"--mean": &one, "--force": &each} {
			code, out, errs := runIndexIn(t, "lack.npz", nil, "--index", name, "--json", flag)
			if code != exitDone {
				t.Fatalf("%s: code %d: %s", name, code, errs)
			}
			if err := json.Unmarshal([]byte(out), to); err != nil {
				t.Fatal(err)
			}
		}
		for key, all := range each.Values {
			sum, n := 0.0, 0
			for _, x := range all {
				if x != nil {
					sum += *x
					n++
				}
			}
			if got := one.Values[key]; n == 0 || got == nil || math.Abs(*got-sum/float64(n)) > 1e-13 {
				t.Errorf("%s of %q: want %v, a mean over %d, got %v", name, key, sum/float64(n), n, got)
			}
		}
		if n := len(slices.DeleteFunc(slices.Clone(each.Values["0,1"]), func(x *float64) bool { return x == nil })); each.Values["0,1"] != nil && n != 3 {
			t.Errorf("%s: want 0,1 of the three samples that have both, got %d", name, n)
		}
	}
}
