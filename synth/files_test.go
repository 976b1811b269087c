package synth_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/synth"
)

func content(t *testing.T, f synth.File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatalf("%s: %v", f.Name, err)
	}
	return b.Bytes()
}

func names(files []synth.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

// Both formats read back bit for bit through package dataset, and again with the
// same bytes.
func TestFilesReadBack(t *testing.T) {
	// More rows than a row group has in the training split.
	set, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Redundancy, Modalities: 2, Samples: 6000, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []synth.Format{synth.NPZ, synth.Parquet} {
		t.Run(format.String(), func(t *testing.T) {
			files := set.Files(format)
			ext := "." + format.String()
			if diff := cmp.Diff([]string{"train" + ext, "valid" + ext, "test" + ext, "bits" + ext, "baseline.onnx", "synth.json"}, names(files)); diff != "" {
				t.Fatalf("files (-want +got):\n%s", diff)
			}
			for i, arrays := range [][]dataset.Array{set.Train.Arrays(), set.Valid.Arrays(), set.Test.Arrays(), set.Test.BitArrays()} {
				raw := content(t, files[i])
				if !bytes.Equal(raw, content(t, files[i])) {
					t.Errorf("%s: written twice with other bytes", files[i].Name)
				}
				path := filepath.Join(t.TempDir(), files[i].Name)
				if err := os.WriteFile(path, raw, 0o600); err != nil {
					t.Fatal(err)
				}
				for _, fault := range readBack(t, path, arrays) {
					t.Errorf("%s: %s", files[i].Name, fault)
				}
			}
		})
	}
}

// readBack says how a file differs from what was written.
func readBack(t *testing.T, path string, arrays []dataset.Array) (faults []string) {
	t.Helper()
	f, err := dataset.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := len(f.Columns()); got != len(arrays) {
		return []string{"another number of columns"}
	}
	for i, c := range f.Columns() {
		want := arrays[i].Tensor
		if c.Name != arrays[i].Name || c.DType != want.DType() || c.RowLen() != want.RowLen() || c.Rows != want.Rows() {
			faults = append(faults, "column "+c.Name+" is another")
			continue
		}
		got, err := f.Read(t.Context(), 0, c.Rows, []int{i})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(want.Bytes(), got[0].Bytes()) {
			faults = append(faults, "column "+c.Name+" has other elements")
		}
	}
	return faults
}

func TestReadBackSeesOtherFiles(t *testing.T) {
	set, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Synergy, Samples: 100, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "test.npz")
	if err := os.WriteFile(path, content(t, set.Files(synth.NPZ)[2]), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, arrays := range map[string][]dataset.Array{
		"another split":  set.Valid.Arrays(),
		"bits":           set.Test.BitArrays(),
		"fewer columns":  set.Test.Arrays()[1:],
		"another column": append(slices.Clone(set.Test.Arrays()[:3]), dataset.Array{Name: "name", Tensor: set.Test.Arrays()[3].Tensor}),
	} {
		if len(readBack(t, path, arrays)) == 0 {
			t.Errorf("%s: not seen", name)
		}
	}
}

// Sets without a labelling of bits have neither bits nor a baseline, and no set has
// a file that FileNames leaves out.
func TestFilesWithoutBits(t *testing.T) {
	random, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Random, Samples: 100})
	if err != nil {
		t.Fatal(err)
	}
	sum, err := synth.SUM(synth.SUMOptions{Setting: synth.Synergy, Samples: 200})
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range []*synth.Set{random, sum} {
		if diff := cmp.Diff([]string{"train.npz", "valid.npz", "test.npz", "synth.json"}, names(set.Files(synth.NPZ))); diff != "" {
			t.Errorf("%s %s (-want +got):\n%s", set.Kind, set.Setting, diff)
		}
	}
	for _, format := range []synth.Format{synth.NPZ, synth.Parquet} {
		for _, name := range names(random.Files(format)) {
			if !slices.Contains(synth.FileNames(), name) {
				t.Errorf("%s is missing from FileNames", name)
			}
		}
	}
}

func TestDescription(t *testing.T) {
	set, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Synergy, Modalities: 3, Samples: 200, Seed: 9, Variant: synth.Code, Labelling: synth.Parity})
	if err != nil {
		t.Fatal(err)
	}
	var got synth.Description
	files := set.Files(synth.Parquet)
	decode := json.NewDecoder(bytes.NewReader(content(t, files[len(files)-1])))
	decode.DisallowUnknownFields()
	if err := decode.Decode(&got); err != nil {
		t.Fatal(err)
	}
	baseline := "baseline.onnx"
	want := synth.Description{
		Schema: "intershap/synth/v1", Revision: synth.Revision, Kind: "hd-xor", Setting: "synergy", Variant: "code", Label: "parity",
		Seed: 9, Samples: 200,
		Modalities: []synth.ModalityDescription{{Name: "m1", Elements: 200}, {Name: "m2", Elements: 100}, {Name: "m3", Elements: 150}},
		Files: []synth.FileDescription{
			{File: "train.parquet", Samples: 140, Classes: [2]int{70, 70}}, {File: "valid.parquet", Samples: 30, Classes: [2]int{15, 15}},
			{File: "test.parquet", Samples: 30, Classes: [2]int{15, 15}}, {File: "bits.parquet", Samples: 30, Classes: [2]int{15, 15}},
		},
		Baseline: &baseline,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sum, err := synth.SUM(synth.SUMOptions{Setting: synth.Mix(2), Samples: 200})
	if err != nil {
		t.Fatal(err)
	}
	d := sum.Describe(synth.NPZ)
	if d.Kind != "sum" || d.Label != "sum" || d.Setting != "mix-2" || d.Baseline != nil {
		t.Errorf("want the description of SUM, got %+v", d)
	}
}

// A disk that is full is an error in all files, and no panic.
func TestFilesOnAFullDisk(t *testing.T) {
	set, err := synth.HDXOR(synth.HDXOROptions{Setting: synth.Synergy, Samples: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, format := range []synth.Format{synth.NPZ, synth.Parquet} {
		for _, f := range set.Files(format) {
			if err := f.Write(full{}); err == nil || !strings.Contains(err.Error(), errFull.Error()) {
				t.Errorf("%s: want the error of the disk, got %v", f.Name, err)
			}
		}
	}
}

var errFull = errors.New("no space left")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var _ io.Writer = full{}
