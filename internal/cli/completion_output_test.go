//go:build cgo

package cli

import (
	"strings"
	"testing"
)

func TestCompleteOutput(t *testing.T) {
	needLibrary(t)
	model := triage + "/model.onnx"
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"explain", model, "--output", ""}, "logits probabilities"},
		{[]string{"inspect", model, "data.npz", "--output", "p"}, "probabilities"},
		{[]string{"explain", model, "--output", "x"}, ""},
	} {
		if got := strings.Join(complete(t, tt.args...), " "); got != tt.want {
			t.Errorf("%q: want %q, got %q", tt.args, tt.want, got)
		}
	}
}
