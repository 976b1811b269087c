package paper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/synth"
)

// tiny is a setup whose networks learn nothing, in a moment.
func tiny() Setup {
	s := quick()
	s.Samples, s.Epochs, s.LongEpochs, s.Background = 400, 2, 2, 20
	s.Seeds = []uint64{1, 2}
	return s
}

// files lists the files of a folder with their sizes and times.
func files(t *testing.T, folder, suffix string) map[string]os.FileInfo {
	t.Helper()
	out := map[string]os.FileInfo{}
	err := filepath.Walk(folder, func(path string, info os.FileInfo, err error) error {
		if err == nil && strings.HasSuffix(path, suffix) {
			out[path] = info
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A run that was stopped in the middle goes on, keeps what it had, and ends with
// the page of a run that was not stopped.
func TestRunGoesOn(t *testing.T) {
	tables := []int{9}
	whole, err := runSetup(t.Context(), Options{Tables: tables, Folder: t.TempDir(), Workers: 2}, tiny())
	if err != nil {
		t.Fatal(err)
	}

	folder := filepath.Join(t.TempDir(), "run")
	ctx, stop := context.WithCancel(t.Context())
	opt := Options{Tables: tables, Folder: folder, Workers: 1, Progress: func(p Progress) {
		if p.Done == 5 { // two networks trained, two scored, one more trained
			stop()
		}
	}}
	if _, err := runSetup(ctx, opt, tiny()); !errors.Is(err, context.Canceled) {
		t.Fatalf("want the error of a stopped run, got %v", err)
	}
	kept := files(t, folder, "")
	if len(files(t, folder, ".onnx")) == 0 || len(files(t, folder, "seed1.json")) == 0 {
		t.Fatalf("want networks and scores that are kept, got %v", kept)
	}
	if _, err := os.Stat(filepath.Join(folder, PageFile)); err == nil {
		t.Errorf("want no page of a stopped run")
	}
	opt.Progress = nil
	again, err := runSetup(t.Context(), opt, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(whole, again, shares); diff != "" {
		t.Errorf("want the page of a run that was not stopped (-), got +:\n%s", diff)
	}
	for path, before := range kept {
		after, err := os.Stat(path)
		if err != nil || !os.SameFile(before, after) {
			t.Errorf("want %s as it was, got another (%v)", path, err)
		}
	}
}

// Every line of a table with networks of all kinds has its number.
func TestRunFillsTables(t *testing.T) {
	setup := tiny()
	setup.Seeds = setup.Seeds[:1]
	page, err := runSetup(t.Context(), Options{Tables: []int{3, 11}, Folder: t.TempDir(), Workers: 2}, setup)
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range page.Tables {
		for _, l := range table.Lines {
			if _, ok := l.Ours.Value(); !ok {
				t.Errorf("table %d: %s, %s has no number", table.Number, l.Row, l.Column)
			}
		}
	}
}

// On clean bits the answers are known: of a unique modality nothing is interaction,
// and of XOR nearly all. The background of a few rows moves the means of XOR.
func TestRunKnownAnswers(t *testing.T) {
	folder := t.TempDir()
	if _, err := runSetup(t.Context(), Options{Tables: []int{2}, Folder: folder, Workers: 2}, tiny()); err != nil {
		t.Fatal(err)
	}
	of := func(s synth.Setting) (out Score) {
		if err := readJSON(filepath.Join(folder, unit{source: hdxor(2, s), network: xor}.name()+".json"), &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	unique := of(uniqueness)
	if x, ok := unique.InterSHAP.Value(); !ok || x != 0 || unique.F1 != 1 || unique.Accuracy != 1 {
		t.Errorf("uniqueness: want InterSHAP 0 and everything right, got %v, F1 %v, accuracy %v", unique.InterSHAP, unique.F1, unique.Accuracy)
	}
	xor := of(synth.Synergy)
	if x := xor.InterSHAP.Or(0); x < 0.9 || xor.F1 != 1 {
		t.Errorf("synergy: want InterSHAP above 0.9 and everything right, got %v, F1 %v", x, xor.F1)
	}
	if x := xor.Rivals.EMAPGap.Or(0); x < 0.2 {
		t.Errorf("synergy: want an EMAP gap, got %v", x)
	}
	if x, ok := unique.Rivals.EMAPGap.Value(); !ok || x != 0 {
		t.Errorf("uniqueness: want the EMAP gap 0, got %v", unique.Rivals.EMAPGap)
	}
}

func TestRunRefuses(t *testing.T) {
	used := t.TempDir()
	if err := writeJSON(filepath.Join(used, setupFile), full()); err != nil {
		t.Fatal(err)
	}
	u := unit{source: sum(synth.Uniqueness(1)), network: early, seed: 1}
	// folder returns one of the tiny setup, with files under the unit's name.
	folder := func(files map[string]string) string {
		dir := t.TempDir()
		if err := writeJSON(filepath.Join(dir, setupFile), tiny()); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, u.source.Name()), 0o777); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	second := unit{u.source, early, 2}
	score := func(unit string, f1 string) map[string]string {
		return map[string]string{u.name() + ".json": fmt.Sprintf(`{"unit": %q, "setup_sha256": %q, "f1": %s}`, unit, tiny().digest(), f1)}
	}
	damaged := folder(map[string]string{u.name() + ".json": `{"f1":`})
	exchanged := folder(score(second.name(), "0.5"))
	edited := folder(score(u.name(), "88.2"))
	broken := folder(map[string]string{u.name() + ".onnx": "", second.name() + ".onnx": ""})
	lost := folder(nil)
	if err := os.Remove(filepath.Join(lost, setupFile)); err != nil {
		t.Fatal(err)
	}
	files := func(names ...string) string {
		dir := t.TempDir()
		for _, name := range names {
			if err := os.WriteFile(filepath.Join(dir, name), []byte("{"), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	data := files("train.npz", "test.npz", "model_a.onnx")
	bare := files("train.npz", "test.npz")
	classless := files("train.npz", "test.npz", "model_a.onnx", "dataset.json")
	empty := t.TempDir()
	tests := []struct {
		name string
		opt  Options
		want []string
	}{
		{"no such table", Options{Tables: []int{4}, Folder: t.TempDir()}, []string{"no table 4", "[2 3 9 10 11]"}},
		{"no folder", Options{}, []string{"no folder"}},
		{"bad workers", Options{Folder: t.TempDir(), Workers: -1}, []string{"workers -1"}},
		{"another setup", Options{Folder: used}, []string{used, "another setup", "another folder"}},
		{"networks without their setup", Options{Folder: lost}, []string{lost, "no setup.json", "another folder"}},
		{"a score of another network", Options{Folder: exchanged, Tables: []int{9}}, []string{"early-seed1.json", "another network", "remove it"}},
		{"an edited score", Options{Folder: edited, Tables: []int{9}}, []string{"early-seed1.json", "f1 is 88", "remove it"}},
		{"a damaged score", Options{Folder: damaged, Tables: []int{9}}, []string{"early-seed1.json", "remove it"}},
		{"a damaged network", Options{Folder: broken, Tables: []int{9}}, []string{"early-seed1", "onnx", "remove the file"}},
		{"data without files", Options{Folder: t.TempDir(), Data: []string{empty}}, []string{empty, "train.npz"}},
		{"data twice", Options{Folder: t.TempDir(), Data: []string{data, data}}, []string{"two data folders", "rename one"}},
		{"data without networks", Options{Folder: t.TempDir(), Data: []string{bare}}, []string{bare, "model_*.onnx"}},
		{"bad classes", Options{Folder: t.TempDir(), Data: []string{classless}}, []string{"dataset.json"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := runSetup(t.Context(), tt.opt, tiny())
			if err == nil {
				t.Fatal("want an error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("want %q in %q", want, err)
				}
			}
		})
	}
}

// Real data: every number is there, and nothing is computed twice.
func TestRunReal(t *testing.T) {
	shared := os.Getenv("INTERSHAP_SHARED")
	if shared == "" {
		t.Skip("INTERSHAP_SHARED is not set")
	}
	folder := t.TempDir()
	opt := Options{Folder: folder, Tables: []int{}, Data: []string{filepath.Join(shared, "data", "breast_tcga_2omics")}}
	page, err := runSetup(t.Context(), opt, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if len(page.Real) != 1 || len(page.Tables) != 0 {
		t.Fatalf("want one data set and no tables, got %+v", page)
	}
	got := page.Real[0]
	models := map[string]int{}
	for _, l := range got.Lines {
		models[l.Row]++
		if _, ok := l.Ours.Value(); !ok {
			t.Errorf("%s, %s has no number", l.Row, l.Column)
		}
	}
	for _, name := range []string{"early", "intermediate", "late"} {
		if models[name] == 0 {
			t.Errorf("model %s is missing", name)
		}
	}
	if len(got.Classes) == 0 || len(got.Classes[0].Contributions) != len(got.Modalities) {
		t.Errorf("want a breakdown by class, got %+v", got.Classes)
	}
	before := files(t, filepath.Join(folder, realFolder, got.Name), ".json")
	again, err := runSetup(t.Context(), opt, tiny())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(page, again, shares); diff != "" {
		t.Errorf("want the same page (-), got +:\n%s", diff)
	}
	for path, info := range before {
		if after, err := os.Stat(path); err != nil || !os.SameFile(info, after) {
			t.Errorf("want %s as it was (%v)", path, err)
		}
	}
}
