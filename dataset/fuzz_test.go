package dataset

import (
	"archive/zip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/intershap/intershap/tensor"
)

// fuzzFile feeds files to everything that reads: the only outcomes are rows or
// an error that names the file.
func fuzzFile(f *testing.F, name string) {
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), name)
		check(t, os.WriteFile(path, data, 0o600))
		for _, read := range []func(string) error{readEverything, readPadded} {
			if err := read(path); err != nil && !strings.Contains(err.Error(), name) {
				t.Errorf("the error does not name the file: %v", err)
			}
		}
	})
}

func seedFile(f *testing.F, path string) {
	data, err := os.ReadFile(path)
	check(f, err)
	f.Add(data)
}

func FuzzNPZ(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("testdata", "*.npz"))
	check(f, err)
	for _, path := range files {
		seedFile(f, path)
	}
	seedFile(f, writeNPZ(f, zip.Deflate, member{"x.npy", npyFloats("(3,2)", []float32{1, 2, 3, 4, 5, 6})}))
	fuzzFile(f, "fuzz.npz")
}

// FuzzNPY reaches the header's parser without an archive around it.
func FuzzNPY(f *testing.F) {
	f.Add("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 2), }")
	f.Add("{'descr': [('a', '<f4'), ('b', '<U9', (2,))], 'fortran_order': True, 'shape': (), }")
	f.Add(`{"shape": (3L,), "descr": ">U3", "fortran_order": False}`)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseNPYHeader(text)
		if err == nil && (h.bytes() < 0 || h.bytes() > maxNPYBytes) {
			t.Errorf("%q: a header of %d bytes is accepted", text, h.bytes())
		}
	})
}

func FuzzCSV(f *testing.F) {
	for _, text := range []string{
		"id,x.a,x.b,label\n1,2,3.5,a\n2,3,4,b\n", "\ufeffa,b\r\n\"1\",\"x\ny\"\r\n", "x\n1e999\n", "x\ninf\n", "x\nNA\n\n1\n", manyRows(5),
	} {
		f.Add([]byte(text))
	}
	fuzzFile(f, "fuzz.csv")
}

func FuzzParquet(f *testing.F) {
	folder := f.TempDir()
	seedFile(f, countingRows(f, filepath.Join(folder, "a.parquet"), 0, 20, 7))
	seedFile(f, writeParquet(f, filepath.Join(folder, "b.parquet"),
		schemaOf(field("x", arrow.ListOf(arrow.ListOf(arrow.PrimitiveTypes.Float32))), field("s", arrow.BinaryTypes.String)), 2,
		`{"x": [[1,2],[3,4]], "s": "a"}`, `{"x": [[1,2],[3,4]], "s": "b"}`, `{"x": [[1,2],[3,null]], "s": null}`))
	seedFile(f, writeRagged(f, filepath.Join(folder, "c.parquet"), [][]int64{{}, {1, 2}, {3}, {}, {4, 5, 6}}, 2))
	fuzzFile(f, "fuzz.parquet")
}

func FuzzParseModalities(f *testing.F) {
	f.Add("text=input_ids,attention_mask", "a=image[0:2]", "x")
	f.Add("a=x.*,stage.*", "b=*", "age")
	f.Add("a=[", "=", "")
	f.Fuzz(func(t *testing.T, one, two, fixed string) {
		inputs, features := clinic()
		all, err := ParseModalities([]string{one, two}, []string{fixed}, inputs, features, MaxUnnamed)
		if err != nil {
			return
		}
		if problem := partitionProblem(all, fixed, inputs); problem != "" {
			t.Errorf("%q, %q, fixed %q: %s", one, two, fixed, problem)
		}
	})
}

// partitionProblem says why modalities do not hold every element of every
// input that is not fixed exactly once.
func partitionProblem(all []Modality, fixed string, inputs []tensor.Spec) string {
	for i, in := range inputs {
		times := make([]int, in.RowLen())
		for _, m := range all {
			for _, p := range m.Parts {
				for e := p.Lo; p.Input == i && e < p.Hi; e++ {
					times[e]++
				}
			}
		}
		want := 1
		if in.Name == fixed {
			want = 0
		}
		for e, n := range times {
			if n != want {
				return in.Name + " element " + itoa(e) + " is in " + plural(n, "modality") + ", want " + itoa(want)
			}
		}
	}
	return ""
}

func TestPartitionProblemSeesWrongParts(t *testing.T) {
	inputs := []tensor.Spec{spec("a", tensor.Float32, 2), spec("b", tensor.Float32)}
	good := []Modality{{Name: "m", Parts: []Part{{0, 0, 2}}}}
	if problem := partitionProblem(good, "b", inputs); problem != "" {
		t.Error(problem)
	}
	for name, bad := range map[string][]Modality{
		"an element left out": {{Name: "m", Parts: []Part{{0, 0, 1}}}},
		"an element twice":    {{Name: "m", Parts: []Part{{0, 0, 2}}}, {Name: "n", Parts: []Part{{0, 1, 2}}}},
		"a fixed input":       {{Name: "m", Parts: []Part{{0, 0, 2}, {1, 0, 1}}}},
	} {
		if partitionProblem(bad, "b", inputs) == "" {
			t.Errorf("%s: not seen", name)
		}
	}
}
