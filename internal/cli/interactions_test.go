package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// orderShares has the given shares, with bounds a tenth to either side.
func orderShares(shares ...float64) []result.OrderShare {
	var out []result.OrderShare
	for i, x := range shares {
		out = append(out, result.OrderShare{Order: i + 1, Share: score.Defined(x), Low: score.Defined(0.9 * x), High: score.Defined(min(1, 1.1*x))})
	}
	return out
}

func TestSpectrumLine(t *testing.T) {
	full := &result.Spectra{
		Moebius: &result.Spectrum{Order: 4, Global: orderShares(.621, .3, .079, 0), MeanAbsolute: orderShares(.5, .25, .15, .1)},
		KSII:    &result.Spectrum{Order: 2, Global: orderShares(.7, .3), MeanAbsolute: orderShares(.6, .4)}, Parity: score.Defined(2. / 3),
	}
	unclear := *full
	unclear.Moebius = &result.Spectrum{Order: 4, Global: orderShares(.621, .3, .079, 0)}
	unclear.Moebius.Global[2].Low = score.Defined(0)
	unclear.Moebius.Global[3] = result.OrderShare{Order: 4}
	nothing := *full
	nothing.Moebius = &result.Spectrum{Order: 4, Global: make([]result.OrderShare, 4)}
	sampled := *full
	sampled.Moebius = nil
	for name, c := range map[string]struct {
		sp       *result.Spectra
		headline result.Headline
		want     string
	}{
		"all orders":        {full, result.Global, "\nby order\tsingles 62.1 %, pairs 30.0 %, triples 7.9 %, 4 together 0 % (Möbius transform, global; pure parity of 4 has an InterSHAP of 66.7 %)\n"},
		"another headline":  {full, result.MeanAbsolute, "\nby order\tsingles 50.0 %, pairs 25.0 %, triples 15.0 %, 4 together 10.0 % (Möbius transform, mean absolute; pure parity of 4 has an InterSHAP of 66.7 %)\n"},
		"not clear":         {&unclear, result.Global, "\nby order\tsingles 62.1 %, pairs 30.0 %, triples < 8.7 %, 4 together undefined (Möbius transform, global; pure parity of 4 has an InterSHAP of 66.7 %)\n"},
		"nothing at all":    {&nothing, result.Global, "\nby order\tundefined (Möbius transform, global; pure parity of 4 has an InterSHAP of 66.7 %)\n"},
		"drawn coalitions":  {&sampled, result.Global, "\nby order\tsingles 70.0 %, pairs 30.0 % (k-SII of order 2, global; pure parity of 4 has an InterSHAP of 66.7 %)\n"},
		"neither of both":   {&result.Spectra{}, result.Global, ""},
		"fewer than three":  {nil, result.Global, ""},
		"no parity is told": {&result.Spectra{KSII: full.KSII}, result.Global, "\nby order\tsingles 70.0 %, pairs 30.0 % (k-SII of order 2, global)\n"},
	} {
		s, out, _ := fakeStreams(false, 0)
		p := newPage(s, colorNever)
		writeSpectrum(p, &result.Target{Headline: c.headline, Spectrum: c.sp}, 4)
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		if out.String() != c.want {
			t.Errorf("%s:\nwant %q\ngot  %q", name, c.want, out.String())
		}
	}
}

func TestInteractionsSection(t *testing.T) {
	d := score.Defined
	x := &result.Interactions{Index: "k-SII", Order: 2, Efficient: true, Values: []result.CoalitionValue{
		{Players: []string{"a\x1b[1m"}, Phi: 0.125, Low: d(0.1), High: d(0.15), Share: d(0.25), ShareLow: d(0.2), ShareHigh: d(0.3), MeanAbsolute: result.Bounded{Share: d(0.12), Low: d(0.11), High: d(0.13)}},
		{Players: []string{"b"}, Phi: -0.001, Low: d(-0.002), High: d(0.001), Share: d(0.002), ShareLow: d(0), ShareHigh: d(0.004), MeanAbsolute: result.Bounded{Share: d(0.5)}},
		{Players: []string{"a\x1b[1m", "b"}, Phi: -0.376, Share: d(0.748)},
	}}
	headline := result.Global
	section := func(terminal bool) string {
		s, out, _ := fakeStreams(terminal, 0)
		p := newPage(s, colorNever)
		writeInteractions(p, &result.Target{Headline: headline, Interactions: x})
		if err := p.flush(); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	want := "\nk-SII to order 2\tmean\tglobal *\tmean absolute\n" +
		`a\x1b[1m` + "\t0.1250\t25.0 % [20.0, 30.0]\t12.0 % [11.0, 13.0]\n" +
		"b\t-0.001000\t< 0.40 %\t50.0 %\n" +
		`a\x1b[1m × b` + "\t-0.3760\t74.8 %\tundefined\n" +
		"all k-SII add up to output - base: -0.2520\n"
	if got := section(false); got != want {
		t.Errorf("want\n%s\ngot\n%s", want, got)
	}
	// The column to read says what is largest.
	headline = result.MeanAbsolute
	if _, rows, _ := strings.Cut(section(false), "\tglobal\tmean absolute *\n"); !strings.HasPrefix(rows, "b\t") {
		t.Errorf("want b first, got\n%s", rows)
	}
	headline = result.Global
	x.Efficient = false
	for range wording.MostOfSize + 1 {
		x.Values = append(x.Values, x.Values[1])
	}
	got := section(true)
	if strings.Contains(got, "add up") || !strings.Contains(got, "\n3 interactions more in --json\n") || !strings.Contains(got, `a\x1b[1m × b`) {
		t.Errorf("want no sum, three more, and the pair below eight singles, got\n%s", got)
	}
	for _, line := range strings.Split(got, "\n") {
		if visible(line) > defaultWidth {
			t.Errorf("%d letters are too wide: %s", visible(line), line)
		}
	}
	if (func() string { x = nil; return section(false) })() != "" {
		t.Error("want nothing where nothing was asked for")
	}
}

func TestInteractionFlags(t *testing.T) {
	for args, want := range map[string]string{
		"--index shap":             `want SV, BV, SII, BII, k-SII, STII, FSII, FBII`,
		"--order 0":                "want a whole number of at least 1, got \"0\"",
		"--order two":              "got \"two\"",
		"--index SV --order 2":     "--order 2: SV has values of single modalities, order 1",
		"--index k-SII --order=-1": "at least 1",
	} {
		s, _, errs := fakeStreams(false, 0)
		code := run(t.Context(), append([]string{"explain", triage + "/model.onnx", triage + "/test.npz"}, strings.Fields(args)...), s)
		if code != 2 || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: want code 2 and %q, got %d and %s", args, want, code, errs)
		}
	}
}

// The values of explain --index are those that index finds in the samples of the same
// run, and so are the shares by order.
func TestInteractionsAreThoseOfIndex(t *testing.T) {
	needLibrary(t)
	t.Chdir(triage)
	dir := t.TempDir()
	for _, c := range []struct{ index, order string }{{"k-SII", "3"}, {"STII", "2"}, {"SV", "1"}, {"FBII", "2"}} {
		run1 := dir + "/" + c.index
		s, _, errs := fakeStreams(false, 0)
		if code := run(t.Context(), []string{
			"explain", "model.onnx", "test.npz", "--background", "train.npz", "--background-size", "7", "--index", c.index, "--order", c.order,
			"-o", run1 + ".json", "--samples", run1 + ".npz", "-q",
		}, s); code != 0 {
			t.Fatal(errs)
		}
		ex, err := result.ReadFile(run1 + ".json")
		if err != nil {
			t.Fatal(err)
		}
		s, out, errs := fakeStreams(false, 0)
		if code := run(t.Context(), []string{"index", run1 + ".npz", "--index", c.index, "--order", c.order, "--mean", "--json"}, s); code != 0 {
			t.Fatal(errs)
		}
		var of struct {
			Values   map[string]float64
			Spectrum map[string]struct{ Global []float64 }
		}
		if err := json.Unmarshal(out.Bytes(), &of); err != nil {
			t.Fatal(err)
		}
		x := ex.Targets[0].Interactions
		delete(of.Values, "")
		if len(x.Values) != len(of.Values) {
			t.Errorf("%s: want %d values, got %d", c.index, len(of.Values), len(x.Values))
		}
		for _, v := range x.Values {
			var players []string
			for _, name := range v.Players {
				players = append(players, fmt.Sprint(slices.Index(ex.Modalities, name)))
			}
			if want, ok := of.Values[strings.Join(players, ",")]; !ok || !(math.Abs(v.Phi-want) <= 1e-12) {
				t.Errorf("%s of %s: want %v, got %v", c.index, v.Players, want, v.Phi)
			}
		}
		for name, sp := range map[string]*result.Spectrum{"Moebius": ex.Targets[0].Spectrum.Moebius, "k-SII": ex.Targets[0].Spectrum.KSII} {
			want := of.Spectrum[name].Global
			if len(want) != sp.Order {
				t.Errorf("%s: want %d orders, got %d", name, len(want), sp.Order)
				continue
			}
			for i, o := range sp.Global {
				if !(math.Abs(o.Share.Or(-1)-want[i]) <= 1e-12) {
					t.Errorf("%s, order %d: want %v, got %v", name, i+1, want[i], o.Share)
				}
			}
		}
		for _, name := range []string{run1 + ".json", run1 + ".npz"} {
			if err := os.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}
