//go:build cgo

package intershap_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
)

const (
	groupSamples, groupBackground = 24, 8
	// groupBound is what v(S) may differ by in parts, of single precision.
	groupBound = 3e-5
)

// groupRun explains real data with groups.
func groupRun(t *testing.T, folder, name string, plan intershap.PlanKind, groups ...string) (*intershap.Explanation, *sampleLog) {
	t.Helper()
	dir := filepath.Join(sharedData(t), folder)
	m := openModel(t, filepath.Join(dir, "model_"+name+".onnx"), "probabilities")
	rows := func(file string, n int) dataset.File { return head(t, openData(t, filepath.Join(dir, file)), n) }
	log := &sampleLog{}
	ex, err := intershap.Explain(t.Context(), m, rows("test.npz", groupSamples), rows("train.npz", 40),
		intershap.Options{Groups: groups, BackgroundSize: groupBackground, Plan: plan, Sink: log, Workers: 1, Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return ex, log
}

// The encoder of a modality with g groups mixes its channels, so it runs on their
// 2^g − 2 patterns of sample and background; encoders of other modalities run on single
// rows, and so does what is linear in a group. Numbers are those of the plain way.
func TestGroupsStaged(t *testing.T) {
	const n, b = groupSamples, groupBackground
	patterns := func(groups int) int64 { return n*b*(1<<groups-2) + n + b }
	for _, tt := range []struct {
		folder, model string
		groups        []string
		// part is the encoder, of so many groups.
		part string
		of   int
	}{
		{"icu_mortality", "intermediate", []string{"vitals=heart:0-2,temp:3,gcs:4,other:5-7"}, "vitals", 4},
		{"icu_mortality", "gru", []string{"vitals=heart:0-2+6,rest:3-5+7"}, "vitals", 2},
		{"icu_mortality", "late", []string{"vitals=each:3", "labs=first:0-20,rest:21-47"}, "vitals", 3},
		{"basic_motions", "intermediate", []string{"accel=each"}, "accel", 3},
	} {
		t.Run(tt.folder+"/"+tt.model, func(t *testing.T) {
			got, parts := groupRun(t, tt.folder, tt.model, intershap.StagedPlan, tt.groups...)
			_, whole := groupRun(t, tt.folder, tt.model, intershap.FullPlan, tt.groups...)
			if diff := stagedDifference(parts, whole, groupBound); diff != "" {
				t.Error(diff)
			}
			if rows := got.Cost.Rows[tt.part]; rows != patterns(tt.of) {
				t.Errorf("the encoder %s ran %d rows, want %d: %v", tt.part, rows, patterns(tt.of), got.Cost.Rows)
			}
			// Every other modality's encoder still runs once for each row.
			for _, name := range []string{"static", "gyro"} {
				if rows, ok := got.Cost.Rows[name]; ok && rows != n+b {
					t.Errorf("the encoder %s ran %d rows, want %d", name, rows, n+b)
				}
			}
		})
	}
}

// Patches of an image are no part of axis 1: the graph is not cut, the run says so, and
// is the plain one.
func TestGroupsOfPatches(t *testing.T) {
	ex, _ := groupRun(t, "mfeat_image", "conv", intershap.AutoPlan, "pix=grid:2x2")
	if ex.Provenance.Plan != "full" || !slices.ContainsFunc(ex.Warnings, func(w diag.Warning) bool { return w.ID == "not-staged" && strings.Contains(w.Text, "axis 1") }) {
		t.Errorf("plan %s, warnings %v, want the plain way and not-staged", ex.Provenance.Plan, ex.Warnings)
	}
	if got := len(ex.Groups[0].Players) + 2; got != len(ex.Modalities) || got != 6 {
		t.Errorf("groups %v of players %q", ex.Groups, ex.Modalities)
	}
}
