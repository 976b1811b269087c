//go:build cgo

package intershap_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

const (
	// The rows of a mutant's run are more than the engine itself looks at.
	mutantSamples, mutantBackground = 17, 11
	// longestRow bounds the inputs that are made up for a mutant.
	longestRow = 1 << 10
	// freeAxis is the length of an axis that the model leaves open.
	freeAxis = 3
	// mutantBound is what values may differ by relative to the largest, besides what
	// follows from the model's own amplification of rounding.
	mutantBound = 1e-3
	// nudge is the relative change of inputs that shows this amplification, and
	// amplified how often it may come in.
	nudge, amplified = 1e-6, 100
)

// A mutant is a model file that may have faults.
type mutant struct {
	Path              string
	Modalities, Fixed []string
}

// A verdict is what became of a mutant.
type verdict struct {
	Fate string
	// Fault is what is wrong with us; it is empty where all is well.
	Fault string
}

// The fates of mutants, and how far one has come.
const (
	refused = "refused" // it does not open, or fails as a whole
	whole   = "whole"   // it is not cut
	agreed  = "agreed"  // in parts it gives what it gives whole
	parts   = "parts"   // it works whole, and is about to be cut
)

// explain explains a mutant whole and in parts; it tells when the parts begin.
func (u mutant) explain(ctx context.Context, begin func()) verdict {
	m, err := onnx.Open(u.Path, onnx.Options{})
	if err != nil {
		return verdict{Fate: refused}
	}
	defer m.Close()
	samples, background, ok := mutantRows(m.Signature().Inputs, 0)
	if !ok {
		return verdict{Fate: refused}
	}
	opt := intershap.Options{
		Modalities: u.Modalities, Fixed: u.Fixed, Task: intershap.Regression, Workers: 1,
		BackgroundSize: intershap.AllRows, Output: mutantOutput(m.Signature().Outputs),
	}
	run := func(plan intershap.PlanKind, samples, background dataset.File) (*sampleLog, error) {
		log := &sampleLog{}
		opt := opt
		opt.Plan, opt.Sink = plan, log
		_, err := intershap.Explain(ctx, m, samples, background, opt)
		return log, err
	}
	want, err := run(intershap.FullPlan, samples, background)
	if err != nil {
		return verdict{Fate: refused}
	}
	bound := mutantBound
	moved, movedBackground, _ := mutantRows(m.Signature().Inputs, nudge)
	if nudged, err := run(intershap.FullPlan, moved, movedBackground); err == nil {
		bound += amplified * distance(nudged, want)
	}
	begin()
	got, err := run(intershap.StagedPlan, samples, background)
	if uncut := (*model.Uncut)(nil); errors.As(err, &uncut) {
		return verdict{Fate: whole}
	}
	if err != nil {
		return verdict{parts, fmt.Sprintf("works whole and fails in parts: %v", err)}
	}
	if d := stagedDifference(got, want, bound); d != "" {
		return verdict{parts, fmt.Sprintf("parts and whole differ: %s, bound %.2g of it", d, bound)}
	}
	return verdict{Fate: agreed}
}

// mutantOutput chooses the first output of floating-point numbers.
func mutantOutput(outputs []tensor.Spec) string {
	for _, o := range outputs {
		if o.DType.IsFloat() {
			return o.Name
		}
	}
	return outputs[0].Name
}

// mutantRows makes up rows for any inputs, each number moved by a relative change
// up or down. It reports false for inputs that are too long, or text.
func mutantRows(inputs []tensor.Spec, change float64) (samples, background dataset.File, ok bool) {
	rng := rand.New(rand.NewPCG(3, 4))
	rows := func(n int) (dataset.File, bool) {
		var arrays []dataset.Array
		for _, in := range inputs {
			shape, length := []int{n}, 1
			for _, d := range in.Shape[min(1, len(in.Shape)):] {
				if d < 0 {
					d = freeAxis
				}
				if length *= d; length > longestRow {
					return nil, false
				}
				shape = append(shape, d)
			}
			values := make([]float64, n*length)
			for i := range values {
				if in.DType.IsFloat() {
					values[i] = rng.NormFloat64() * (1 + change*float64(1-2*(i%2)))
				} else {
					values[i] = float64(rng.IntN(2))
				}
			}
			x, err := tensor.Cast(tensor.Of(values, shape...), in.DType)
			if err != nil {
				return nil, false
			}
			arrays = append(arrays, dataset.Array{Name: in.Name, Tensor: x})
		}
		f, err := dataset.FromArrays(arrays...)
		return f, err == nil
	}
	if samples, ok = rows(mutantSamples); !ok {
		return nil, nil, false
	}
	background, ok = rows(mutantBackground)
	return samples, background, ok
}

// distance returns the largest difference of two runs relative to the largest
// value of a target.
func distance(a, b *sampleLog) float64 {
	largest, difference := map[int]float64{}, map[int]float64{}
	for i, row := range b.rows {
		for s, v := range row.Values {
			largest[row.Target] = max(largest[row.Target], math.Abs(v))
			difference[row.Target] = max(difference[row.Target], math.Abs(v-a.rows[i].Values[s]))
		}
	}
	out := 0.0
	for target, d := range difference {
		if d > 0 {
			out = max(out, d/largest[target])
		}
	}
	return out
}

func TestDistance(t *testing.T) {
	run := func(v float64) *sampleLog {
		return &sampleLog{rows: []result.SampleRow{{Values: []float64{4, 1}}, {Target: 1, Values: []float64{1, v}}}}
	}
	if got := distance(run(0.5), run(0.25)); got != 0.25 {
		t.Errorf("distance %v, want a quarter of the second target's largest", got)
	}
	if got := distance(run(0), run(0)); got != 0 {
		t.Errorf("distance %v of equal runs", got)
	}
}

// mutantVariable is set for the child process that explains mutants.
const mutantVariable = "INTERSHAP_TEST_MUTANTS"

// Mutants are explained in a child process, since the runtime itself crashes on
// some graphs that are not sound.
func TestMain(m *testing.M) {
	if os.Getenv(mutantVariable) == "" {
		os.Exit(m.Run())
	}
	in := json.NewDecoder(os.Stdin)
	for {
		var u mutant
		if err := in.Decode(&u); err != nil {
			os.Exit(0) // the parent is done
		}
		v := u.explain(context.Background(), func() { fmt.Println(parts) })
		line, err := json.Marshal(v)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(line))
	}
}

// A nursery has the child process that explains mutants, one at a time. A child
// that died is replaced.
type nursery struct {
	mutex  sync.Mutex
	child  *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Scanner
	stderr *bytes.Buffer
}

// mutants is shared by all tests of this process; the child ends with it, when
// its input does.
var mutants nursery

// explain has the child explain a file.
func (n *nursery) explain(t testing.TB, file []byte, modalities, fixed []string) verdict {
	t.Helper()
	n.mutex.Lock()
	defer n.mutex.Unlock()
	path := filepath.Join(t.TempDir(), "model.onnx")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if n.child == nil {
		n.start(t)
	}
	question, err := json.Marshal(mutant{path, modalities, fixed})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintln(n.in, string(question)); err != nil {
		t.Fatal(err)
	}
	begun := false
	for n.out.Scan() {
		line := n.out.Bytes()
		if string(line) == parts {
			begun = true
			continue
		}
		var v verdict
		if json.Unmarshal(line, &v) == nil && v.Fate != "" {
			return v
		}
	}
	// Its end is the answer; the status adds nothing.
	_ = n.child.Wait()
	last := n.stderr.String()
	n.child = nil
	return epitaph(last, begun)
}

func (n *nursery) start(t testing.TB) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	n.stderr = &bytes.Buffer{}
	n.child = exec.Command(self)
	n.child.Env = append(os.Environ(), mutantVariable+"=1")
	n.child.Stderr = n.stderr
	stdout, err := n.child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if n.in, err = n.child.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	n.out = bufio.NewScanner(stdout)
	n.out.Buffer(nil, 1<<20)
	if err := n.child.Start(); err != nil {
		t.Fatal(err)
	}
}

// epitaph judges the death of a child by its last words: a crash of the runtime
// on the file itself is not ours, anything else is.
func epitaph(last string, begun bool) verdict {
	const most = 4000
	native := strings.Contains(last, "signal arrived during cgo execution") || strings.Contains(last, "terminate called")
	if native && !begun {
		return verdict{Fate: refused}
	}
	return verdict{parts, "died: " + last[:min(len(last), most)]}
}

func TestEpitaph(t *testing.T) {
	const native = "SIGSEGV: segmentation violation\nsignal arrived during cgo execution\n"
	for _, c := range []struct {
		name, reason, last string
		begun, ours        bool
	}{
		{"runtime", "the file itself is more than the runtime can bear", native, false, false},
		{"runtime on parts", "we wrote them", native, true, true},
		{"panic", "always ours", "panic: index out of range", false, true},
		{"silence", "nothing excuses us", "", false, true},
	} {
		if got := epitaph(c.last, c.begun); (got.Fault != "") != c.ours {
			t.Errorf("%s (%s): %+v", c.name, c.reason, got)
		}
	}
}
