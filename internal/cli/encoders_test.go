package cli

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// TestExplainEncoders explains a model in files of its parts, each encoder on
// the rows that are distinct for it, and the same model in one file, on every
// row: the numbers agree.
func TestExplainEncoders(t *testing.T) {
	needLibrary(t)
	explain := func(model, plan string) (targets any) {
		s, out, errs := fakeStreams(false, time.Minute)
		code := run(t.Context(), []string{
			"explain", model, triage + "/test.npz", "--background", triage + "/train.npz", "--background-size", "50", "--plan", plan, "--json", "-q",
		}, s)
		var document map[string]any
		if code != exitDone {
			t.Fatalf("%s: want exit code 0, got %d: %s", model, code, errs)
		}
		if err := json.Unmarshal(out.Bytes(), &document); err != nil {
			t.Fatal(err)
		}
		return document["targets"]
	}
	// Means of float32 probabilities, which differ in their last bits.
	approx := cmp.Options{
		cmpopts.EquateApprox(1e-4, 1e-6),
		// What rounding explains is more where sums have another order.
		cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return key == "residual_tolerance" }),
	}
	// The residual is a check of the run itself, and tolerances differ by plan.
	checks := cmpopts.IgnoreMapEntries(func(key string, _ any) bool { return strings.HasPrefix(key, "residual") })
	parts, whole := explain(parts, "staged"), explain(triage+"/model.onnx", "full")
	if diff := cmp.Diff(whole, parts, approx, checks); diff != "" {
		t.Errorf("(-whole +parts):\n%s", diff)
	}
	if list, ok := whole.([]any); !ok || len(list) == 0 {
		t.Errorf("want targets, got %v", whole)
	}
}

// parts is the example's model in parts.
const parts = "../../model/encoders/testdata/triage/encoders.yaml"
