package result

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

const seed = 7

var formats = []string{".npz", ".parquet", ".csv", ".jsonl"}

// awkward are numbers that a careless writer changes.
var awkward = []float64{
	0, math.Copysign(0, -1), 1.0 / 3, 0.30000000000000004, math.MaxFloat64, math.SmallestNonzeroFloat64,
	-1e16, 1e16 - 2, 1e21 - 1<<20, 1e-6, 9.999999e-7, 1 << 53, -123456789.125,
}

// makeRows draws rows that fit h: random numbers and awkward ones, every third
// share undefined.
func makeRows(h SamplesHeader, id func(sample int) string) []SampleRow {
	rng := rand.New(rand.NewPCG(seed, 0))
	m := len(h.Modalities)
	number := func() float64 {
		if rng.IntN(4) == 0 {
			return awkward[rng.IntN(len(awkward))]
		}
		return rng.NormFloat64()
	}
	var rows []SampleRow
	for i := range h.Samples {
		for k := range h.Targets {
			r := SampleRow{Sample: i, Target: k, ID: id(i), Predicted: i % 3, Base: number(), Output: number()}
			if h.HasPresent {
				r.Present = presentOf(h, i)
			}
			if rng.IntN(3) > 0 {
				r.InterSHAP = score.Defined(rng.Float64())
			}
			if rng.IntN(3) > 0 {
				r.SE = score.Defined(rng.Float64())
			}
			if rng.IntN(3) > 0 {
				r.Corrected = score.Defined(2*rng.Float64() - 0.5) // outside [0, 1] as well
			}
			for range 1 << m {
				r.Values = append(r.Values, number())
			}
			for range m * m {
				// Sums of two stay finite.
				r.Phi = append(r.Phi, number()/2)
			}
			withoutMissing(h, &r)
			rows = append(rows, r)
		}
	}
	return rows
}

// presentOf gives the samples all patterns in turn, that of none among them.
func presentOf(h SamplesHeader, i int) game.Coalition {
	return game.Coalition(i) % (1 << len(h.Modalities))
}

// withoutMissing makes the numbers of a row those of a sample that lacks modalities.
func withoutMissing(h SamplesHeader, r *SampleRow) {
	if !h.HasPresent {
		return
	}
	m := len(h.Modalities)
	for at := range r.Phi {
		if !r.Present.Has(at/m) || !r.Present.Has(at%m) {
			r.Phi[at] = 0
		}
	}
	for s := range r.Values {
		r.Values[s] = r.Values[game.Coalition(s)&r.Present]
	}
}

func numbered(i int) string { return strconv.Itoa(i*i - 5) }

func named(i int) string {
	return [...]string{"", "a", "patient 3, left", `the "second"`, "two\nlines", " padded ", "é", "日本", "🜁x", "null", "1e3"}[i%11] + strings.Repeat("z", i/11)
}

var roundTrips = []struct {
	name, reason string
	header       SamplesHeader
	id           func(int) string
}{
	{
		"one-target", "the plain case",
		SamplesHeader{Modalities: []string{"m1", "m2"}, Targets: []string{"predicted"}, Samples: 40, IDs: tensor.Int64}, numbered,
	},
	{
		"three-targets", "a leading axis, a first column",
		SamplesHeader{Modalities: []string{"m1", "m2", "m3"}, Targets: []string{"class:a", "class:b", "class:c"}, Samples: 21, IDs: tensor.Int64, ByTarget: true}, numbered,
	},
	{
		"one-target-by-target", "the axis is there though it has length one",
		SamplesHeader{Modalities: []string{"m1", "m2"}, Targets: []string{"class:a"}, Samples: 5, IDs: tensor.Int64, ByTarget: true}, numbered,
	},
	{
		"text-ids", "ids that every format must quote or pad",
		SamplesHeader{Modalities: []string{"m1", "m2"}, Targets: []string{"predicted"}, Samples: 33, IDs: tensor.String}, named,
	},
	{
		"awkward-names", "names of modalities and targets go into columns, keys and arrays",
		SamplesHeader{
			Modalities: []string{"a,b", `q"uote`, "new\nline", "ünï🜁"}, Targets: []string{"class:x,y", `class:"`, "class:\n"},
			Samples: 4, IDs: tensor.String,
		}, named,
	},
	{
		"one-modality", "no pair at all",
		SamplesHeader{Modalities: []string{"m1"}, Targets: []string{"predicted"}, Samples: 3, IDs: tensor.Int64}, numbered,
	},
	{
		"missing-modalities", "each row says what its sample has, in a last column",
		SamplesHeader{Modalities: []string{"m1", "m 2", "m,3"}, Targets: []string{"class:a", "class:b"}, Samples: 19, IDs: tensor.String, HasPresent: true}, named,
	},
	{
		"no-samples", "an empty table has its columns",
		SamplesHeader{Modalities: []string{"m1", "m2"}, Targets: []string{"predicted"}, IDs: tensor.String}, named,
	},
}

func TestSamplesRoundTrip(t *testing.T) {
	for _, c := range roundTrips {
		rows := makeRows(c.header, c.id)
		for _, format := range formats {
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				path := writeSamples(t, format, c.header, rows)
				if d := compare(want(c.header, rows), readers[format](t, path, c.header).records); d != "" {
					t.Errorf("%s (seed %d; -want +got):\n%s", c.reason, seed, d)
				}
			})
		}
	}
}

// compare returns the differences between records, "" for none. Numbers are
// compared by their bits. Arrays that a format does not have count as equal.
func compare(want, got []record) string {
	want = slices.Clone(want)
	for i := range min(len(want), len(got)) {
		if got[i].phi == nil && got[i].values == nil {
			want[i].phi, want[i].values = nil, nil
		}
	}
	if reflect.DeepEqual(want, got) {
		return "" // cmp takes seconds for many rows
	}
	return cmp.Diff(want, got, cmp.AllowUnexported(record{}), cmpopts.EquateEmpty())
}

// The comparison of the round trips must see every cell of every format.
func TestSamplesComparisonFails(t *testing.T) {
	h := roundTrips[1].header
	rows := makeRows(h, numbered)
	flip := func(x *float64) { *x = math.Float64frombits(math.Float64bits(*x) ^ 1) }
	share := func(s *score.Share) {
		if v, ok := s.Value(); ok {
			flip(&v)
			*s = score.Defined(v)
			return
		}
		*s = score.Defined(0)
	}
	const at = 7 // sample 2, target 1
	changes := []struct {
		name   string
		change func(*SampleRow)
		arrays bool // only formats with arrays hold it
	}{
		{"base", func(r *SampleRow) { flip(&r.Base) }, false},
		{"output", func(r *SampleRow) { flip(&r.Output) }, false},
		{"intershap", func(r *SampleRow) { share(&r.InterSHAP) }, false},
		{"intershap lost", func(r *SampleRow) { r.InterSHAP = score.Share{} }, false},
		{"intershap_se", func(r *SampleRow) { share(&r.SE) }, false},
		{"intershap_corrected", func(r *SampleRow) { share(&r.Corrected) }, false},
		{"phi", func(r *SampleRow) { flip(&r.Phi[4]) }, false},
		{"values", func(r *SampleRow) { flip(&r.Values[5]) }, true},
	}
	rows[at].InterSHAP, rows[at].Corrected = score.Defined(0.5), score.Defined(0.625)
	for _, c := range changes {
		changed := slices.Clone(rows)
		changed[at].Phi, changed[at].Values = slices.Clone(rows[at].Phi), slices.Clone(rows[at].Values)
		c.change(&changed[at])
		for _, format := range formats {
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				got := readers[format](t, writeSamples(t, format, h, changed), h).records
				if compare(want(h, changed), got) != "" {
					t.Fatal("want the changed rows to come back, got other ones")
				}
				differs := compare(want(h, rows), got) != ""
				if sees := !c.arrays || got[0].values != nil; differs != sees {
					t.Errorf("want a difference: %v, got %v", sees, differs)
				}
			})
		}
	}
	ids := makeRows(h, func(i int) string { return strconv.Itoa(i) })
	if compare(want(h, rows), want(h, ids)) == "" {
		t.Error("want other ids to differ, got no difference")
	}
}

func TestSamplesColumns(t *testing.T) {
	for _, c := range roundTrips {
		for _, format := range []string{".parquet", ".csv", ".jsonl"} {
			if c.header.Samples == 0 && format == ".jsonl" {
				continue // no row, no key
			}
			t.Run(c.name+"/"+format[1:], func(t *testing.T) {
				path := writeSamples(t, format, c.header, makeRows(c.header, c.id))
				got := readers[format](t, path, c.header).columns
				if d := cmp.Diff(wantColumns(c.header), got); d != "" {
					t.Errorf("columns (-want +got):\n%s", d)
				}
			})
		}
	}
}

// The text of CSV and JSON lines is fixed: scripts cut it.
func TestSamplesText(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a", "b,c"}, Targets: []string{"x", "y"}, Samples: 1, IDs: tensor.String}
	rows := []SampleRow{
		{Target: 0, Predicted: 1, Base: 0.5, Output: 1, InterSHAP: score.Defined(0.25), Corrected: score.Defined(-0.5), Values: []float64{0.5, 0, 0, 1}, Phi: []float64{0.25, 0.125, 0.125, 0}},
		{Target: 1, Predicted: 1, Base: 1e-9, Output: -2, Values: []float64{1e-9, 0, 0, -2}, Phi: []float64{1, 2, 3, 4}},
	}
	for _, c := range []struct{ format, want string }{
		{".csv", "target,id,predicted,base,output,intershap,intershap_se,phi.a,\"phi.b,c\",\"phi.a:b,c\",intershap_corrected\n" +
			"x,\"\",1,0.5,1.0,0.25,,0.25,0.0,0.25,0.0\n" +
			"y,\"\",1,1e-09,-2.0,,,1.0,4.0,5.0,\n"},
		{".jsonl", `{"target":"x","id":"","predicted":1,"base":0.5,"output":1.0,"intershap":0.25,"intershap_se":null,` +
			`"phi.a":0.25,"phi.b,c":0.0,"phi.a:b,c":0.25,"values":[0.5,0.0,0.0,1.0],"phi":[[0.25,0.125],[0.125,0.0]],"intershap_corrected":0.0}` + "\n" +
			`{"target":"y","id":"","predicted":1,"base":1e-09,"output":-2.0,"intershap":null,"intershap_se":null,` +
			`"phi.a":1.0,"phi.b,c":4.0,"phi.a:b,c":5.0,"values":[1e-09,0.0,0.0,-2.0],"phi":[[1.0,2.0],[3.0,4.0]],"intershap_corrected":null}` + "\n"},
	} {
		got, err := os.ReadFile(writeSamples(t, c.format, h, rows))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, string(got)); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.format, d)
		}
	}
}

// Runs and row groups have ends: rows on both sides of them must not mix.
func TestSamplesChunks(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a", "b", "c", "d"}, Targets: []string{"x", "y", "z"}, IDs: tensor.Int64}
	runOfValues := spoolBuffer / (len(h.Targets) << 4 * spoolElement)
	for _, n := range []int{runOfValues, 2*runOfValues + 1} {
		h.Samples = n
		rows := makeRows(h, numbered)
		got := readNPZ(t, writeSamples(t, ".npz", h, rows), h).records
		if d := compare(want(h, rows), got); d != "" {
			t.Errorf("npz, %d samples (seed %d): differs from what was written", n, seed)
		}
	}
	h = SamplesHeader{Modalities: []string{"a"}, Targets: []string{"x"}, Samples: rowGroupRows + 3, IDs: tensor.Int64}
	rows := makeRows(h, numbered)
	path := writeSamples(t, ".parquet", h, rows)
	if d := compare(want(h, rows), readParquet(t, path, h).records); d != "" {
		t.Errorf("parquet, %d samples (seed %d): differs from what was written", h.Samples, seed)
	}
}

// Equal rows give equal bytes, whenever they are written.
func TestSamplesBytesRepeat(t *testing.T) {
	h := roundTrips[1].header
	rows := makeRows(h, numbered)
	for _, format := range formats {
		first := must[[]byte](t)(os.ReadFile(writeSamples(t, format, h, rows)))
		second := must[[]byte](t)(os.ReadFile(writeSamples(t, format, h, rows)))
		if string(first) != string(second) {
			t.Errorf("%s: want the same bytes twice, got different ones", format)
		}
	}
}

func TestSamplesRefuseHeader(t *testing.T) {
	good := SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x"}, Samples: 1, IDs: tensor.Int64}
	for _, c := range []struct {
		name, file string
		change     func(*SamplesHeader)
		want       string
	}{
		{"no modality", "s.csv", func(h *SamplesHeader) { h.Modalities = nil }, "want 1 to 20 modalities, got 0"},
		{"too many", "s.npz", func(h *SamplesHeader) { h.Modalities = strings.Split(strings.Repeat("a", 21), "") }, "want 1 to 20 modalities, got 21"},
		{"no target", "s.csv", func(h *SamplesHeader) { h.Targets = nil }, "want at least one target"},
		{"negative", "s.csv", func(h *SamplesHeader) { h.Samples = -1 }, "want 0 samples or more, got -1"},
		{"ids", "s.csv", func(h *SamplesHeader) { h.IDs = tensor.Float32 }, "want ids of type int64 or string, got float32"},
		{"empty name", "s.csv", func(h *SamplesHeader) { h.Modalities[0] = "" }, "want a name for every modality"},
		{"twice", "s.csv", func(h *SamplesHeader) { h.Modalities[0] = "b" }, `two modalities called "b"`},
		{"target twice", "s.csv", func(h *SamplesHeader) { h.Targets = []string{"x", "x"} }, `two targets called "x"`},
		{"bad text", "s.csv", func(h *SamplesHeader) { h.Targets = []string{"\xff"} }, "want UTF-8 for the name of target"},
		{"csv columns", "s.csv", func(h *SamplesHeader) { h.Modalities = []string{"a", "b", "a:b"} }, `got "phi.a:b" for a modality and for a pair`},
		{"parquet columns", "s.parquet", func(h *SamplesHeader) { h.Modalities = []string{"a", "b", "a:b"} }, `got "phi.a:b"`},
		{"jsonl columns", "s.jsonl", func(h *SamplesHeader) { h.Modalities = []string{"a", "b", "a:b"} }, `got "phi.a:b"`},
		{"npz has no columns", "s.npz", func(h *SamplesHeader) { h.Modalities = []string{"a", "b", "a:b"} }, ""},
		{"trailing NUL", "s.npz", func(h *SamplesHeader) { h.Modalities[1] = "b\x00" }, "want text that does not end in NUL"},
		{"NUL in csv", "s.csv", func(h *SamplesHeader) { h.Modalities[1] = "b\x00" }, ""},
		{"extension", "s.xlsx", func(*SamplesHeader) {}, `want .npz, .parquet, .csv or .jsonl, got ".xlsx"`},
		{"upper case", "s.CSV", func(*SamplesHeader) {}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			h := good
			h.Modalities = slices.Clone(good.Modalities)
			c.change(&h)
			w, err := CreateSamples(filepath.Join(dir, c.file), h)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if err := w.Discard(); err != nil {
					t.Fatal(err)
				}
			} else if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "result: samples file ") {
				t.Fatalf("want an error that says %q, got %v", c.want, err)
			}
			wantEmpty(t, dir)
		})
	}
}

func TestSamplesRefuseRow(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x", "y"}, Samples: 2, IDs: tensor.Int64}
	for _, c := range []struct {
		name   string
		at     int // the row that is changed
		change func(*SampleRow)
		want   string
	}{
		{"order", 1, func(r *SampleRow) { r.Target = 0 }, "want sample 0 of 2, target 1 of 2 next, got sample 0, target 0"},
		{"skipped", 2, func(r *SampleRow) { r.Sample = 3 }, "want sample 1 of 2, target 0 of 2 next, got sample 3, target 0"},
		{"other id", 1, func(r *SampleRow) { r.ID = "9" }, `want the same id and prediction for each target, got "9" and 0`},
		{"other class", 3, func(r *SampleRow) { r.Predicted = 9 }, "want the same id and prediction"},
		{"text for number", 0, func(r *SampleRow) { r.ID = "p1" }, `sample 0: want an int64 as id, got "p1"`},
		{"values", 3, func(r *SampleRow) { r.Values = r.Values[:3] }, `sample 1, target "y": want 4 values and 4 numbers of phi for 2 modalities, got 3 and 4`},
		{"phi", 0, func(r *SampleRow) { r.Phi = r.Phi[:1] }, "got 4 and 1"},
		{"base", 0, func(r *SampleRow) { r.Base = math.NaN() }, "base: want a finite number, got NaN"},
		{"output", 0, func(r *SampleRow) { r.Output = math.Inf(1) }, "output: want a finite number, got +Inf"},
		{"share", 0, func(r *SampleRow) { r.InterSHAP = score.Defined(math.NaN()) }, "intershap: want a finite number"},
		{"error", 0, func(r *SampleRow) { r.SE = score.Defined(math.Inf(1)) }, "intershap_se: want a finite number"},
		{"corrected", 0, func(r *SampleRow) { r.Corrected = score.Defined(math.NaN()) }, "intershap_corrected: want a finite number"},
		{"value", 0, func(r *SampleRow) { r.Values[2] = math.NaN() }, "value of coalition 0b10: want a finite number, got NaN"},
		{"cell", 0, func(r *SampleRow) { r.Phi[2] = math.Inf(-1) }, "phi[1][0]: want a finite number, got -Inf"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			w, err := CreateSamples(filepath.Join(dir, "s.npz"), h)
			if err != nil {
				t.Fatal(err)
			}
			rows := makeRows(h, numbered)
			c.change(&rows[c.at])
			for _, r := range rows[:c.at] {
				if err := w.Write(r); err != nil {
					t.Fatal(err)
				}
			}
			err = w.Write(rows[c.at])
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("want an error that says %q, got %v", c.want, err)
			}
			if again := w.Write(rows[c.at]); again != err {
				t.Errorf("want the same error again, got %v", again)
			}
			if closed := w.Close(); closed == nil || !strings.Contains(closed.Error(), c.want) {
				t.Errorf("want Close to fail with it, got %v", closed)
			}
			wantEmpty(t, dir)
		})
	}
}

func TestSamplesRefuseID(t *testing.T) {
	for _, c := range []struct{ name, file, id, want string }{
		{"not UTF-8", "s.csv", "\xff", `sample 0: want UTF-8 as id, got "\xff"`},
		{"trailing NUL", "s.npz", "a\x00", "sample 0: want text that does not end in NUL"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := SamplesHeader{Modalities: []string{"a"}, Targets: []string{"x"}, Samples: 1, IDs: tensor.String}
			w, err := CreateSamples(filepath.Join(t.TempDir(), c.file), h)
			if err != nil {
				t.Fatal(err)
			}
			defer w.Discard()
			rows := makeRows(h, func(int) string { return c.id })
			if err := w.Write(rows[0]); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("want an error that says %q, got %v", c.want, err)
			}
		})
	}
}

func wantEmpty(t *testing.T, dir string) {
	t.Helper()
	entries := must[[]os.DirEntry](t)(os.ReadDir(dir))
	if len(entries) > 0 {
		t.Errorf("want nothing left, got %v", entries)
	}
}

func TestAppendFloat(t *testing.T) {
	check := func(x float64, want, reason string) {
		t.Helper()
		if got := string(appendFloat(nil, x)); got != want {
			t.Errorf("%s: want %s, got %s", reason, want, got)
		}
	}
	check(0, "0.0", "a float looks like one")
	check(math.Copysign(0, -1), "-0.0", "zero has a sign")
	check(-2.5, "-2.5", "no more digits than needed")
	check(0.30000000000000004, "0.30000000000000004", "all digits that are needed")
	check(1e-6, "0.000001", "the smallest without exponent")
	check(9.5e-7, "9.5e-07", "below")
	check(1e15, "1000000000000000.0", "the largest power of ten without exponent")
	check(1e16, "1e+16", "above")
	check(math.SmallestNonzeroFloat64, "5e-324", "subnormal")
	check(-math.MaxFloat64, "-1.7976931348623157e+308", "largest")
}
