package cli

import (
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// parse reads args and environment as a command does.
func parse(t *testing.T, env environment, args ...string) (q question, used []string, err error) {
	t.Helper()
	cmd := &cobra.Command{Use: "explain", RunE: func(*cobra.Command, []string) error { return nil }}
	addQuestion(cmd.Flags(), &q)
	cmd.Flags().String("shared", "", "")
	if err := cmd.ParseFlags(args); err != nil {
		return q, nil, flagFault(cmd, err)
	}
	used, err = readEnvironment(cmd, env)
	return q, used, err
}

// TestFixed checks lists, and that a comma too many is seen before the model.
func TestFixed(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"a, b", ""},
		{"", `--fixed: want names of inputs, got ""`},
		{"a,,b", `got "a,,b" with an empty one`},
		{"a, ", `got "a, " with an empty one`},
	} {
		q, _, err := parse(t, nil, "--fixed", tt.text)
		if err != nil {
			t.Fatal(err)
		}
		q.model = "a.onnx"
		err = q.check()
		if tt.want == "" {
			if err != nil || !slices.Equal(q.options.Fixed, []string{"a", "b"}) {
				t.Errorf("%q: want a and b, got %q, %v", tt.text, q.options.Fixed, err)
			}
		} else if err == nil || exitCode(err) != exitUsage || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: want a usage error with %q, got %v", tt.text, tt.want, err)
		}
	}
}

// TestEnvironment checks flag before variable before default.
func TestEnvironment(t *testing.T) {
	env := environment{
		"INTERSHAP_SEED=5", "INTERSHAP_SEED=6", "INTERSHAP_MASK=value:a,b\nimage=zero\n", "INTERSHAP_OUTPUT=",
		"INTERSHAP_ONNXRUNTIME=/lib", "INTERSHAP_NO_SUCH_FLAG=1", "INTERSHAP_HELP=1",
	}
	q, used, err := parse(t, env, "--background-size", "0", "--modality", "a=x,y", "--modality", "b=z")
	if err != nil {
		t.Fatal(err)
	}
	if q.options.Seed != 6 {
		t.Errorf("seed: want 6 from the last variable, got %d", q.options.Seed)
	}
	if q.options.BackgroundSize != -1 {
		t.Errorf("background size: want all rows (-1) for 0, got %d", q.options.BackgroundSize)
	}
	if want := []string{"value:a,b", "image=zero"}; !slices.Equal(q.options.Mask, want) {
		t.Errorf("mask: want %q, a value a line and commas kept, got %q", want, q.options.Mask)
	}
	if want := []string{"a=x,y", "b=z"}; !slices.Equal(q.options.Modalities, want) {
		t.Errorf("modalities: want %q, got %q", want, q.options.Modalities)
	}
	if q.library != "" {
		t.Errorf("library: want it left to the package onnx, got %q", q.library)
	}
	if q.options.Memory != 2<<30 || q.options.Workers != 0 {
		t.Errorf("want the defaults 2 GiB and 0, got %d and %d", q.options.Memory, q.options.Workers)
	}
	slices.Sort(used)
	if want := []string{"INTERSHAP_MASK=value:a,b\nimage=zero\n", "INTERSHAP_SEED=6"}; !slices.Equal(used, want) {
		t.Errorf("used: want %q, got %q", want, used)
	}
	if q, _, err = parse(t, env, "--seed", "7"); err != nil || q.options.Seed != 7 {
		t.Errorf("seed: want 7, the flag comes before the variable, got %d, %v", q.options.Seed, err)
	}
}

func TestFlagFaults(t *testing.T) {
	tests := []struct {
		name       string
		env        environment
		args       []string
		want, hint string
	}{
		{"variable", environment{"INTERSHAP_SEED=x"}, nil, `environment variable INTERSHAP_SEED: want a whole number`, ""},
		{"unknown", nil, []string{"--sed", "1"}, "unknown flag --sed", "did you mean --seed?"},
		{"short", nil, []string{"-seed"}, "unknown flag -seed", "did you mean --seed?"},
		{"far", nil, []string{"--frobnicate"}, "unknown flag --frobnicate", ""},
		{"empty", nil, []string{"--seed"}, "--seed needs a value", ""},
		{"word", nil, []string{"--plan", "ful"}, `--plan: want auto, staged, full, got "ful"`, `did you mean "full"?`},
		{"workers", nil, []string{"--workers", "0"}, "--workers: want a whole number of at least 1", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := parse(t, tt.env, tt.args...)
			if exitCode(err) != exitUsage {
				t.Fatalf("want exit code %d, got %d of %v", exitUsage, exitCode(err), err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want %q, got %q", tt.want, err)
			}
			if got := hintOf(err); got != tt.hint {
				t.Errorf("hint: want %q, got %q", tt.hint, got)
			}
		})
	}
}

// TestEveryFlagHasAVariable checks that the rule of help environment holds, and
// that no flag lacks a sentence.
func TestEveryFlagHasAVariable(t *testing.T) {
	if got := variableOf("background-size"); got != "INTERSHAP_BACKGROUND_SIZE" {
		t.Errorf("want INTERSHAP_BACKGROUND_SIZE, got %s", got)
	}
	for _, cmd := range NewCommand().Commands() {
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" {
				t.Errorf("%s --%s: want a sentence", cmd.Name(), f.Name)
			}
			if f.Shorthand != "" && !strings.Contains("oqvh", f.Shorthand) {
				t.Errorf("%s --%s: want no short form -%s", cmd.Name(), f.Name, f.Shorthand)
			}
		})
	}
}

func TestNearest(t *testing.T) {
	for _, tt := range []struct{ name, want, reason string }{
		{"explian", "explain", "two letters swapped"},
		{"inspct", "inspect", "one letter missing"},
		{"Version", "version", "case"},
		{"comp", "completion", "the start of a word"},
		{"xyz", "", "nothing is near"},
		{"", "", "nothing was said"},
	} {
		if got := nearest(tt.name, []string{"completion", "explain", "inspect", "version"}); got != tt.want {
			t.Errorf("nearest(%q): want %q, got %q: %s", tt.name, tt.want, got, tt.reason)
		}
	}
}

func TestCommandLine(t *testing.T) {
	got := commandLine([]string{"INTERSHAP_CLASSES=a b"}, []string{"explain", "model.onnx", "--modality=stage.*", "--mask", "it's", ""})
	want := `INTERSHAP_CLASSES='a b' intershap explain model.onnx '--modality=stage.*' --mask 'it'\''s' ''`
	if got != want {
		t.Errorf("want %s, got %s", want, got)
	}
}

func TestModelKinds(t *testing.T) {
	for _, tt := range []struct{ model, want string }{
		{"model.onnx", ""}, {"dir/MODEL.ONNX", ""},
		{"encoders.yaml", ""}, {"dir/M.YML", ""}, {"exec:./serve --x", ""}, {"EXEC:./serve", ""},
		{"http://host/invocations", ""}, {"https://host/v2/models/m", ""}, {"grpc://host/m", ""},
		{"model.pt", "want the name of an ONNX file"}, {"model", "want the name of an ONNX file"},
	} {
		err := checkModelKind(tt.model)
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want %q, got %v", tt.model, tt.want, err)
		}
		if err != nil && exitCode(err) != exitUsage {
			t.Errorf("%s: want exit code %d, got %d", tt.model, exitUsage, exitCode(err))
		}
	}
}
