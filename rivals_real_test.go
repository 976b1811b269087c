package intershap_test

import (
	"path/filepath"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/rival"
)

// All scores of real models of two and three modalities exist, are finite, and are as
// the models are: late fusion is additive in its logits, so that its gap is zero.
func TestRivalsOfRealModels(t *testing.T) {
	for _, c := range []struct {
		model, output string
		late          bool
	}{
		{"bmmc_cite/model_late.onnx", "logits", true},
		{"bmmc_cite/model_early.onnx", "probabilities", false},
		{"av_digits_parity/model_crossattn.onnx", "probabilities", false},
		{"breast_tcga/model_late.onnx", "logits", true},
		{"breast_tcga/model_intermediate.onnx", "probabilities", false},
	} {
		t.Run(caseName(c.model), func(t *testing.T) {
			dir := filepath.Join(sharedData(t), filepath.Dir(c.model))
			m := openModel(t, filepath.Join(dir, filepath.Base(c.model)), c.output)
			samples := openData(t, filepath.Join(dir, "test.npz"))
			samples = head(t, samples, min(150, samples.Len()))
			got, err := intershap.Rivals(t.Context(), m, samples, openData(t, filepath.Join(dir, "train.npz")), intershap.RivalOptions{
				Options: intershap.Options{Output: c.output, BackgroundSize: 40, Seed: 1}, Draws: 3,
				PID: rival.PIDOptions{Clusters: 8, Seeds: 2, Permutations: 2, Restarts: 2},
			})
			if err != nil {
				t.Fatal(err)
			}
			checkFinite(t, got)
			if len(got.Unfit) > 0 {
				t.Errorf("unfit: %v", got.Unfit)
			}
			if got.Metrics == nil || got.EMAP == nil || got.EMAP.Gap == nil || got.ShapeF1 == nil || got.ShapeOutputs == nil || got.DataPID == nil || got.ModelPID == nil || got.Perceptual == nil {
				t.Fatalf("a score is missing: %+v", got)
			}
			// Single precision, of logits of some tens.
			const single = 1e-5
			within(t, "accuracy before the projection", got.EMAP.Gap.Model.Accuracy, got.Metrics.Accuracy, 0)
			within(t, "accuracy before shuffling", got.Perceptual.Accuracy, got.Metrics.Accuracy, 0)
			over, synergy := got.EMAP.OverSamples.Or(1), got.SRI[0].Both.Synergy.Or(1)
			if c.late && (got.EMAP.Gap.Accuracy != 0 || got.EMAP.Gap.MacroF1 != 0 || over > single || synergy > single || got.EMAP.OverPairs.Or(0) > single) {
				t.Errorf("late fusion: gap %+v, over samples %v, over pairs %v, SRI synergy %v, want zeros", got.EMAP.Gap, over, got.EMAP.OverPairs, synergy)
			}
			if !c.late && over < 1e-4 {
				t.Errorf("the sum of parts misses %v of the variance, want more", over)
			}
			t.Logf("accuracy %.3f, EMAP gap %.3f, over samples %.3g, SHAPE F1 %.3f, synergy of the data %.3f nats (shuffled %.3f), rows %v",
				got.Metrics.Accuracy, got.EMAP.Gap.Accuracy, over, got.ShapeF1.Cooperation, got.DataPID[0].Estimate.Mean.Synergy, got.DataPID[0].Estimate.Permuted.Synergy, got.Rows)
		})
	}
}

// Pairs of a real model are the same in parts and whole; SHAPE too, which takes the
// transform out of the last part.
func TestRivalsStagedPairs(t *testing.T) {
	dir := filepath.Join(sharedData(t), "bmmc_cite")
	samples := head(t, openData(t, filepath.Join(dir, "test.npz")), 60)
	m := openModel(t, filepath.Join(dir, "model_intermediate.onnx"), "logits")
	var got [2]*intershap.RivalScores
	for i, plan := range []intershap.PlanKind{intershap.FullPlan, intershap.StagedPlan} {
		var err error
		if got[i], err = intershap.Rivals(t.Context(), m, samples, nil, intershap.RivalOptions{
			Options: intershap.Options{Output: "logits", Transform: engine.Softmax, BackgroundSize: 10, Plan: plan}, Scores: []string{"emap", "shape"},
		}); err != nil {
			t.Fatal(err)
		}
	}
	const single = 1e-6
	for i, want := range got[0].EMAP.Projected.Data {
		within(t, "a projected probability", got[1].EMAP.Projected.Data[i], want, single)
	}
	share(t, "EMAP over pairs", got[1].EMAP.OverPairs, got[0].EMAP.OverPairs.Or(-1), 1e-4)
	within(t, "SHAPE on outputs", got[1].ShapeOutputs.Cooperation, got[0].ShapeOutputs.Cooperation, single)
	if staged, full := got[1].Rows["emap"], got[0].Rows["emap"]; full != 3600 || staged == full {
		t.Errorf("EMAP took %d rows whole and %d in parts, want 3600 and others", full, staged)
	}
}
