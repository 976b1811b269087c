package result

import (
	"archive/zip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

func TestPresentText(t *testing.T) {
	names := []string{"image", "ecg", "labs"}
	for bits, want := range []string{"", "image", "ecg", "image+ecg", "labs", "image+labs", "ecg+labs", "image+ecg+labs"} {
		present := game.Coalition(bits)
		if got := PresentText(names, present); got != want {
			t.Errorf("%03b: want %q, got %q", bits, want, got)
		}
		if got, err := parsePresent(names, want); err != nil || got != present {
			t.Errorf("%q: want %03b, got %03b, %v", want, bits, uint64(got), err)
		}
	}
	for _, text := range []string{"labs+image", "image+image", "sound", "image+", "+", " image", "image,ecg"} {
		_, err := parsePresent(names, text)
		wantFault(t, text, err, "present: want modalities in their order")
	}
}

// A sign in a name that stands between names is refused before the run, but by the format
// that has bits.
func TestSamplesPresentNames(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a+b", "c"}, Targets: []string{"x"}, Samples: 1, IDs: tensor.Int64, HasPresent: true}
	for _, format := range formats {
		w, err := CreateSamples(filepath.Join(t.TempDir(), "s"+format), h)
		want := `want modalities without "+", which stands between the names of those that a sample has, got "a+b": rename it, or write .npz`
		if format == ".npz" {
			want = ""
		}
		wantFault(t, format, err, want)
		if err == nil {
			if err := w.Discard(); err != nil {
				t.Error(err)
			}
		}
	}
	h.HasPresent = false
	for _, format := range formats {
		writeSamples(t, format, h, makeRows(h, numbered))
	}
}

// Rows that cannot be those of a sample with what it says that it has.
func TestSamplesPresentRefused(t *testing.T) {
	h := SamplesHeader{Modalities: []string{"a", "b"}, Targets: []string{"x", "y"}, Samples: 4, IDs: tensor.Int64, HasPresent: true}
	for _, c := range []struct {
		name   string
		at     int // sample 2 has b alone
		change func(*SampleRow)
		want   string
	}{
		{"good", 4, func(*SampleRow) {}, ""},
		{"bit", 4, func(r *SampleRow) { r.Present = 4 }, "present: want bits of 2 modalities, got 0b100"},
		{"phi alone", 4, func(r *SampleRow) { r.Phi[0] = 1 }, `sample 2, target "x": phi[0][0]: want 0 for a modality that the sample lacks, got 1`},
		{"phi of a pair", 4, func(r *SampleRow) { r.Phi[2] = 0.5 }, "phi[1][0]: want 0 for a modality that the sample lacks, got 0.5"},
		{"value", 4, func(r *SampleRow) { r.Values[1] = r.Values[0] + 1 }, "value of coalition 0b1: want that without the modalities that the sample lacks"},
		{"targets", 5, func(r *SampleRow) { r.Present = 3 }, "sample 2: want the same modalities for each target, got 0b11 after 0b10"},
	} {
		rows := makeRows(h, numbered)
		c.change(&rows[c.at])
		w, err := CreateSamples(filepath.Join(t.TempDir(), "s.npz"), h)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows[:c.at+1] {
			err = w.Write(r)
		}
		wantFault(t, c.name, err, c.want)
		if err := w.Discard(); err != nil {
			t.Error(err)
		}
		memory := SamplesMemory{}
		if err := memory.Begin(h); err != nil {
			t.Fatal(err)
		}
		// Samples in memory must hang together too, see makeGames.
		if c.want == "" {
			continue
		}
		rows = makeGames(h, numbered)
		c.change(&rows[c.at])
		for _, r := range rows[:c.at+1] {
			err = memory.Write(r)
		}
		wantFault(t, c.name+" in memory", err, c.want)
	}
}

func TestReadSamplesPresentRefused(t *testing.T) {
	const header = "id,predicted,base,output,intershap,intershap_se,phi.a,phi.b,phi.a:b,intershap_corrected,present\n"
	for _, c := range []struct{ name, content, want string }{
		{"good", header + "1,0,0,1,0.0,,1.0,0.0,0.0,,a\n", ""},
		{"none", header + "1,0,1,1,,,0.0,0.0,0.0,,\"\"\n", ""},
		{"unknown", header + "1,0,0,1,0.0,,1.0,0.0,0.0,,c\n", `line 2: present: want modalities in their order, ["a" "b"], with "+" between them, got "c"`},
		{"lacking", header + "1,0,0,1,0.0,,1.0,0.0,0.0,,b\n", "line 2: phi[0][0]: want 0 for a modality that the sample lacks, got 1"},
		{"targets", "target," + header + "x,1,0,0,1,0.0,,1.0,0.0,0.0,,a\ny,1,0,0,1,0.0,,1.0,0.0,0.0,,a+b\n", `want the same modalities for each target, got "a+b" after "a"`},
	} {
		refused(t, c.name, ".csv", []byte(c.content), c.want)
	}
	const object = `{"id":7,"predicted":0,"base":0,"output":1,"intershap":0.5,"intershap_se":null,"phi.a":1,"phi.b":0.0,"phi.a:b":0,"values":[0,1,0,1],"phi":[[1,0],[0,0]]`
	for _, c := range []struct{ name, content, want string }{
		{"good", object + `,"present":"a"}` + "\n", ""},
		{"number", object + `,"present":1}` + "\n", "present: want text, got 1"},
		{"null", object + `,"present":null}` + "\n", "present: want text, got null"},
		{"later", object + "}\n" + object + `,"present":"a"}` + "\n", "line 2: want no present as in the first line, got one"},
		{"lost", object + `,"present":"a"}` + "\n" + object + "}\n", `line 2: want a key "present", got none`},
		{"value", strings.Replace(object, "[0,1,0,1]", "[0,1,0.5,1]", 1) + `,"present":"a"}` + "\n", "value of coalition 0b10: want that without the modalities that the sample lacks, 0, got 0.5"},
	} {
		refused(t, c.name, ".jsonl", []byte(c.content), c.want)
	}
	one := append(members(), npzMemberText{"present", "<u8", []int{1}, int64s(3)})
	refused(t, "good", ".npz", archiveOf(t, zip.Store, SamplesSchema, one), "")
	one[len(one)-1] = npzMemberText{"present", "<u8", []int{1}, int64s(1)}
	refused(t, "lacking", ".npz", archiveOf(t, zip.Store, SamplesSchema, one), "phi[0][1]: want 0 for a modality that the sample lacks, got 0.25")
	one[len(one)-1] = npzMemberText{"present", "<u8", []int{1}, int64s(7)}
	refused(t, "bit", ".npz", archiveOf(t, zip.Store, SamplesSchema, one), "present: want bits of 2 modalities, got 0b111")
	one[len(one)-1] = npzMemberText{"present", "<i8", []int{1}, int64s(3)}
	refused(t, "type", ".npz", archiveOf(t, zip.Store, SamplesSchema, one), `array "present": want one axis of uint64, got shape [1] of int64`)
	one[len(one)-1] = npzMemberText{"present", "<u8", []int{2}, int64s(3, 3)}
	refused(t, "count", ".npz", archiveOf(t, zip.Store, SamplesSchema, one), `array "present": want 1 samples as "id" has, got 2`)
}

// lackingRun returns samples that lack modalities and a result that they belong to:
// cells of phi are means over the samples that have them, by adding up.
func lackingRun() (*Samples, *Explanation) {
	s, e := belonging(1)
	h := SamplesHeader{Modalities: s.Modalities, Targets: []string{"class:x"}, Samples: s.Len(), IDs: tensor.Int64, HasPresent: true}
	*s = *wantSamples(h, makeGames(h, numbered), true)
	e.Provenance.Missing = []string{"a", "b", "c"}
	t, own := &e.Targets[0], &s.ByTarget[0]
	t.Base, t.Output, t.Local.Undefined = 0, 0, 0
	local, patterns := 0.0, map[game.Coalition]int{}
	sums, counts := make([]float64, 9), make([]int, 9)
	for i := range s.Len() {
		t.Base += own.Base[i] / float64(s.Len())
		t.Output += own.Output[i] / float64(s.Len())
		if x, ok := own.InterSHAP[i].Value(); ok {
			local += x
		} else {
			t.Local.Undefined++
		}
		patterns[s.Present[i]]++
		for at := range sums {
			if s.Present[i].Has(at/3) && s.Present[i].Has(at%3) {
				counts[at]++
				sums[at] += own.Phi[i*9+at]
			}
		}
	}
	for at := range sums {
		t.Global.Phi[at/3][at%3] = sums[at] / float64(counts[at])
	}
	t.Local.Mean = score.Defined(local / float64(s.Len()-t.Local.Undefined))
	for present, n := range patterns {
		p := Pattern{Breakdown: Breakdown{Samples: n}}
		for i, name := range s.Modalities {
			if present.Has(i) {
				p.Present = append(p.Present, name)
			}
		}
		t.Patterns = append(t.Patterns, p)
	}
	return s, e
}

func TestSamplesWithMissingModalitiesBelong(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Samples, *Explanation)
		want   string
	}{
		{"good", func(*Samples, *Explanation) {}, ""},
		{"mean over all", func(_ *Samples, e *Explanation) { e.Targets[0].Global.Phi[0][1] *= 0.5 }, "want a mean phi[0][1] of"},
		{"no bits", func(s *Samples, _ *Explanation) { s.Present = nil }, "want the modalities that each sample has (present), got none"},
		{"bits of a run without", func(_ *Samples, e *Explanation) { e.Provenance.Missing = nil }, "want samples that have all modalities, got a present that says what each has"},
		{"count", func(_ *Samples, e *Explanation) { e.Targets[0].Patterns[2].Samples++ }, "present: want "},
		{"pattern", func(_ *Samples, e *Explanation) { e.Targets[0].Patterns = e.Targets[0].Patterns[1:] }, "present: want one of the result's patterns, got "},
		{"weights", func(_ *Samples, e *Explanation) {
			e.Provenance.Weight = "w"
			e.Targets[0].Global.Phi[0][1] *= 0.5 // a weighted mean, which nothing tells
		}, ""},
	} {
		s, e := lackingRun()
		c.change(s, e)
		wantFault(t, c.name, s.Belongs(e), c.want)
	}
	s, _ := lackingRun()
	if !slices.Contains(s.Present, 0) || !slices.Contains(s.Present, 7) {
		t.Error("want samples that have nothing and samples that have all")
	}
}
