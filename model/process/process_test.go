package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/modeltest"
	"github.com/intershap/intershap/tensor"
)

// same reports where two batches differ in a bit.
func same(want, got model.Batch) string {
	if len(want) != len(got) {
		return fmt.Sprintf("want %d outputs, got %d", len(want), len(got))
	}
	for i, w := range want {
		g := got[i]
		switch {
		case w.Name != g.Name || w.Tensor.DType() != g.Tensor.DType() || !slices.Equal(w.Tensor.Shape(), g.Tensor.Shape()):
			return fmt.Sprintf("want %s %s%v, got %s %s%v", w.Name, w.Tensor.DType(), w.Tensor.Shape(), g.Name, g.Tensor.DType(), g.Tensor.Shape())
		case w.Tensor.DType() == tensor.String && !slices.Equal(tensor.Values[string](w.Tensor), tensor.Values[string](g.Tensor)),
			!bytes.Equal(w.Tensor.Bytes(), g.Tensor.Bytes()):
			return fmt.Sprintf("output %s differs", w.Name)
		}
	}
	return ""
}

func TestSameSeesDifferences(t *testing.T) {
	a, b := compute(rowsOf(5, -1)), compute(rowsOf(5, -1))
	if diff := same(a, b); diff != "" {
		t.Errorf("want equal batches, got %s", diff)
	}
	tensor.Values[float64](b[0].Tensor)[3] += 1e-15
	if same(a, b) == "" {
		t.Error("a changed number is not seen")
	}
	b = compute(rowsOf(5, -1))
	tensor.Values[string](b[1].Tensor)[3] = "x"
	if same(a, b) == "" || same(a, b[:1]) == "" || same(a, compute(rowsOf(4, -1))) == "" {
		t.Error("a changed text, number of outputs or of rows is not seen")
	}
}

func TestConformance(t *testing.T) {
	for _, fault := range []string{"good", "max_rows=5", "max_rows=40", "fixed=4"} {
		t.Run(fault, func(t *testing.T) {
			modeltest.Run(t, func(t *testing.T) model.Described { return openChild(t, fault, Options{Children: 3}) },
				modeltest.Rows(50), modeltest.Strings("", "a", "zwölf", "𝄞"))
		})
	}
}

// TestPredict holds every way of cutting to the model itself.
func TestPredict(t *testing.T) {
	for _, fault := range []string{"good", "max_rows=1", "max_rows=7", "max_rows=17", "max_rows=1000", "fixed=1", "fixed=6"} {
		m := openChild(t, fault, Options{})
		for _, n := range []int{1, 15, 16, 17, 100} {
			in := rowsOf(n, -1)
			out, err := m.Predict(t.Context(), model.Batch{in[2], in[0], in[1]})
			if err != nil {
				t.Fatal(err)
			}
			if diff := same(compute(in), out); diff != "" {
				t.Errorf("%s, %d rows: %s", fault, n, diff)
			}
		}
	}
}

func TestCut(t *testing.T) {
	for _, c := range []struct{ limit, fixed, rows, most, multiple int }{
		{0, 0, 100, 100, 16}, {1, 0, 100, 1, 1}, {15, 0, 100, 15, 15}, {16, 0, 100, 16, 16}, {40, 0, 100, 32, 16}, {0, 5, 100, 5, 5}, {9, 5, 100, 5, 5},
	} {
		m := &Model{hello: hello{MaxRows: c.limit}, declared: model.Signature{BatchSize: c.fixed}}
		if most, multiple := m.cut(c.rows); most != c.most || multiple != c.multiple {
			t.Errorf("%+v: got %d and %d", c, most, multiple)
		}
	}
}

func TestDescription(t *testing.T) {
	m := openChild(t, "fixed=6", Options{Outputs: func(have []tensor.Spec) []string { return []string{have[0].Name} }})
	want := model.Signature{
		Inputs:    []tensor.Spec{{Name: "x", DType: tensor.Float32, Shape: []int{6, 3}}, {Name: "k", DType: tensor.Int64, Shape: []int{6}}, {Name: "s", DType: tensor.String, Shape: []int{6}}},
		Outputs:   []tensor.Spec{{Name: "y", DType: tensor.Float64, Shape: []int{6, 2}}},
		BatchSize: 6, CallBytes: model.FarCallBytes,
	}
	if diff := cmp.Diff(want, m.Signature()); diff != "" {
		t.Errorf("signature (-want +got):\n%s", diff)
	}
	out, err := m.Predict(t.Context(), rowsOf(7, -1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(compute(rowsOf(7, -1))[:1], out); diff != "" {
		t.Error(diff)
	}
	if got := m.Runtime(); got != "sums, go" {
		t.Errorf("runtime: got %q", got)
	}
	if got := m.Classes("y"); !slices.Equal(got, []string{"low", "high"}) || m.Classes("word") != nil {
		t.Errorf("classes: got %q and %q", got, m.Classes("word"))
	}
	if m.Unsupported() != nil || len(m.Digest()) != 64 {
		t.Errorf("got unsupported %q, digest %q", m.Unsupported(), m.Digest())
	}
	_, err = Open(t.Context(), command(t), Options{Env: childEnv(t, "good"), Outputs: func([]tensor.Spec) []string { return []string{"z"} }})
	if err == nil || !strings.Contains(err.Error(), `the model has no output "z"`) {
		t.Errorf("an unknown output: got %v", err)
	}
	if _, err := Open(t.Context(), command(t), Options{Children: -1}); err == nil {
		t.Error("want an error for -1 children")
	}
}

// A brief timeout, for children that never answer; generous for one that does.
const brief = 300 * time.Millisecond

// TestOpenFaults has children whose first words are wrong, and commands that are
// none.
func TestOpenFaults(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "model.py")
	if err := os.WriteFile(script, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	self := command(t)
	for _, c := range []struct {
		name, command, fault, reason string
		want, hint                   string
	}{
		{"no words", " ", "", "an empty command", "no program is named", "exec:COMMAND"},
		{"no program", "no-such-program --x", "", "a typing error", "there is no program no-such-program", "PATH"},
		{"a script", script, "", "a Python file is no program", "model.py cannot be run by itself", "exec:python3 "},
		{"a variable", "CUDA_VISIBLE_DEVICES=0 python3 m.py", "", "a shell's way to set it", "CUDA_VISIBLE_DEVICES=*** is a variable, and no program", "exec:env CUDA"},
		{"a shell", "python3 m.py > log", "", "no shell is run", "the character > means something to a shell alone", "sh -c"},
		{"ends", self, "dies at start", "a module is missing", "ended before it said what it takes: exit status 1; the last that it said: ModuleNotFoundError: No module named 'numpy'", "by itself"},
		{"mute", self, "mute", "it serves nothing", "it said nothing for 300ms", "--timeout"},
		{"prints", self, "prints", "a print before the frames", `it wrote "loading the mode" to standard output, which is no frame`, "print to standard error"},
		{"prints little", self, "prints little", "less than a header", `it wrote "ok" to standard output, which is no frame`, "print to standard error"},
		{"version", self, "version", "a later protocol", "it speaks version 2 of the protocol, want 1", "intershap help python"},
		{"no JSON", self, "hello=what", "", "its hello is no JSON", ""},
		{"empty", self, "hello={}", "", "its hello: it has no inputs", "intershap help python"},
		{"no outputs", self, `hello={"inputs":[{"name":"x","dtype":"float32","shape":[-1]}]}`, "", "it has no outputs", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Open(t.Context(), c.command, Options{Env: childEnv(t, c.fault), Timeout: timeoutFor(c.fault)})
			if err == nil {
				t.Fatalf("%s: want an error, got a model %v", c.reason, m.Signature())
			}
			var fault *Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.Hint, c.hint) {
				t.Errorf("%s: want %q with the hint %q, got %v with %q", c.reason, c.want, c.hint, err, hintIn(err))
			}
		})
	}
}

// timeoutFor is brief for children that do not answer.
func timeoutFor(fault string) time.Duration {
	if strings.HasPrefix(fault, "hangs") || fault == "mute" {
		return brief
	}
	return time.Minute
}

func hintIn(err error) string {
	var fault *Error
	if errors.As(err, &fault) {
		return fault.Hint
	}
	return ""
}

func TestHelloFaults(t *testing.T) {
	spec := func(name, dtype string, shape ...int) helloSpec {
		return helloSpec{Name: name, DType: dtype, Shape: shape}
	}
	x := []helloSpec{spec("x", "float32", -1, 3)}
	y := []helloSpec{spec("y", "float32", -1)}
	classes := spec("y", "float32", -1, 2)
	classes.Classes = []string{"a"}
	for _, c := range []struct {
		name string
		h    hello
		want string
	}{
		{"good", hello{Inputs: x, Outputs: y}, ""},
		{"dtype", hello{Inputs: []helloSpec{spec("x", "bfloat16", -1)}, Outputs: y}, `input "x": the type "bfloat16" is unknown, want one of float16, float32`},
		{"no name", hello{Inputs: []helloSpec{spec("", "bool", -1)}, Outputs: y}, `input 0 is called ""`},
		{"zero byte", hello{Inputs: []helloSpec{spec("a\x00", "bool", -1)}, Outputs: y}, `want a name`},
		{"twice", hello{Inputs: append(x, x...), Outputs: y}, `two inputs are called "x"`},
		{"no axes", hello{Inputs: x, Outputs: []helloSpec{spec("y", "float32")}}, `output "y" has no axes`},
		{"zero", hello{Inputs: []helloSpec{spec("x", "bool", -1, 0)}, Outputs: y}, "axis 1 has the length 0"},
		{"minus two", hello{Inputs: []helloSpec{spec("x", "bool", -2)}, Outputs: y}, "axis 0 has the length -2"},
		{"unequal rows", hello{Inputs: x, Outputs: []helloSpec{spec("y", "float32", 4)}}, "x float32[N,3] and y float32[4] differ in axis 0"},
		{"max_rows", hello{MaxRows: -1, Inputs: x, Outputs: y}, "max_rows is -1"},
		{"fewer than fixed", hello{MaxRows: 3, Inputs: []helloSpec{spec("x", "bool", 4)}, Outputs: []helloSpec{spec("y", "bool", 4)}}, "max_rows is 3, but every batch has the 4 rows"},
		{"digest", hello{Digest: "abc", Inputs: x, Outputs: y}, "want a SHA-256"},
		{"short digest", hello{Digest: "abcd", Inputs: x, Outputs: y}, "want a SHA-256"},
		{"classes", hello{Inputs: x, Outputs: []helloSpec{classes}}, "1 names of classes"},
	} {
		_, err := c.h.signature()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want %q, got %v", c.name, c.want, err)
		}
	}
}

// TestPredictFaults has children that break the protocol, die or hang at a batch.
func TestPredictFaults(t *testing.T) {
	for _, c := range []struct{ fault, reason, want, hint string }{
		{"dies always", "it would never end otherwise", "3 processes ended at the same batch of 48 rows, the last: exit status 139; the last that it said: Segmentation fault in layer 3", "by itself"},
		{"kills itself", "as the system does without memory", "the last: signal: killed", "fewer --workers"},
		{"dies at later starts", "", "", ""},
		{"hangs", "a deadlock", "no answer to a batch of 48 rows for 300ms", "--timeout"},
		{"garbage", "a print among the frames", `it wrote "epoch 1: loss 0."`, "print to standard error"},
		{"flood", "both sides write", `it wrote "garbage garbage "`, "print to standard error"},
		{"truncated", "half a frame, then the end", "3 processes ended at the same batch of 48 rows, the last: exit status 0", ""},
		{"wrong kind", "", "it sent a hello, want outputs", ""},
		{"unknown kind", "", "it sent the kind 77, want outputs", ""},
		{"version later", "", "it speaks version 9 of the protocol", ""},
		{"huge", "nothing is allocated for it", "it announced 1152921504606846976 bytes for outputs, want at most", ""},
		{"large", "more than this answer can take", "it announced 4294967296 bytes", ""},
		{"no zip", "", "its outputs cannot be read: answer: cannot be read: no ZIP archive", ""},
		{"checksum", "", `column "y": cannot be read`, ""},
		{"rows", "", `output "y" is float64[3,2] for 48 rows, want float64[48,2]`, "a row for each row"},
		{"width", "", `output "y" is float64[48,5] for 48 rows, want float64[48,2]`, "as the model declares"},
		{"axes", "", `output "y" is float64[48] for 48 rows`, ""},
		{"dtype", "", `output "y" is int32[48,2] for 48 rows, want float64[48,2]`, ""},
		{"missing", "", `it gave no output "y" (got word)`, ""},
		{"fails at the row", "an exception", "the model failed: ValueError: 42 is no good (model.py:7)", "standard error"},
		{"fails without words", "", "the model failed: a failure without a reason", ""},
		{"fails without JSON", "", "it sent a failure that is no JSON", ""},
	} {
		if c.fault == "large" || c.fault == "dies at later starts" {
			continue // below
		}
		t.Run(c.fault, func(t *testing.T) {
			m := openChild(t, c.fault, Options{Timeout: time.Minute})
			m.opt.Timeout = timeoutFor(c.fault) // of the batch alone: to start takes longer
			out, err := m.Predict(t.Context(), rowsOf(40, 11))
			if err == nil {
				t.Fatalf("%s: want an error, got %v", c.reason, out)
			}
			var fault *Error
			if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) || !strings.Contains(fault.Hint, c.hint) {
				t.Errorf("%s: want %q with the hint %q, got %v with %q", c.reason, c.want, c.hint, err, hintIn(err))
			}
		})
	}
}

// A child that dies twice at its first batch is no fault of the batch.
func TestDiesAndIsStartedAgain(t *testing.T) {
	var told bytes.Buffer
	m := openChild(t, "dies", Options{Stderr: &told})
	out, err := m.Predict(t.Context(), rowsOf(40, -1))
	if err != nil {
		t.Fatal(err)
	}
	if diff := same(compute(rowsOf(40, -1)), out); diff != "" {
		t.Error(diff)
	}
	want := "Segmentation fault in layer 3\na process ended (exit status 139), another is started\n"
	if got := told.String(); got != want+want {
		t.Errorf("want twice %q, got %q", want, got)
	}
}

// One row that cannot be answered says so and leaves the others alone.
func TestOneBatchFails(t *testing.T) {
	m := openChild(t, "fails at the row", Options{})
	for _, bad := range []int{-1, 3, -1} {
		out, err := m.Predict(t.Context(), rowsOf(20, bad))
		var failure *Failure
		switch {
		case bad >= 0 && (!errors.As(err, &failure) || failure.Place != "model.py:7"):
			t.Errorf("want the model's failure, got %v", err)
		case bad < 0 && (err != nil || same(compute(rowsOf(20, bad)), out) != ""):
			t.Errorf("rows without a fault: %v, %s", err, same(compute(rowsOf(20, bad)), out))
		}
	}
	if got := m.slots[0].child.dead(); got {
		t.Error("the child should have lived on")
	}
}

// A batch that ends its child does not take a batch with it that waits behind.
func TestDeathCountsForItsBatchAlone(t *testing.T) {
	m := openChild(t, "dies at the row", Options{})
	const good = 6
	errs := make([]error, good+1)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			bad := -1
			if i == good {
				bad = 0
			}
			_, errs[i] = m.Predict(t.Context(), rowsOf(30, bad))
		})
	}
	all.Wait()
	for i, err := range errs[:good] {
		if err != nil {
			t.Errorf("batch %d: %v", i, err)
		}
	}
	if errs[good] == nil || !strings.Contains(errs[good].Error(), " processes ended at the same batch of 32 rows") {
		t.Errorf("the bad batch: got %v", errs[good])
	}
}

// While a row is searched each batch costs one process, and a single row, which
// would be named, as many as ever.
func TestSearchCostsOneDeath(t *testing.T) {
	for _, c := range []struct {
		rows, deaths int
		searching    bool
	}{{30, 3, false}, {30, 1, true}, {1, 3, true}} {
		var told bytes.Buffer
		m := openChild(t, "dies at the row", Options{Stderr: &told})
		ctx := t.Context()
		if c.searching {
			ctx = model.Searching(ctx)
		}
		if _, err := m.Predict(ctx, rowsOf(c.rows, 0)); err == nil {
			t.Error("want an error")
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if got := strings.Count(told.String(), "Segmentation fault"); got != c.deaths {
			t.Errorf("%d rows, searching %v: want %d deaths, got %d", c.rows, c.searching, c.deaths, got)
		}
		want := c.searching && c.rows > 1
		if got := strings.Contains(told.String(), "looking for the row"); got != want {
			t.Errorf("%d rows, searching %v: the search is told: want %v, got %v", c.rows, c.searching, want, got)
		}
	}
}

// TestRowThatEndsAProcess explains a model that ends at a row: the run names it after
// few starts.
func TestRowThatEndsAProcess(t *testing.T) {
	const bad = 37
	var told bytes.Buffer
	m := openChild(t, "dies at the row", Options{Stderr: &told})
	var arrays []dataset.Array
	for _, in := range rowsOf(64, bad) {
		arrays = append(arrays, dataset.Array{Name: in.Name, Tensor: in.Tensor})
	}
	rows, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	_, err = intershap.Explain(t.Context(), m, rows, rows, intershap.Options{Output: "y", Task: intershap.Regression, Target: "all", Fixed: []string{"s"}, Workers: 1})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("sample %d", bad)) && !strings.Contains(err.Error(), fmt.Sprintf("row %d", bad)) {
		t.Errorf("want row %d named, got %v", bad, err)
	}
	// Three at a call of 1,024 rows, one at each of its halves at most, three at the row.
	const most = 3 + 10 + 3
	if n := strings.Count(told.String(), "Segmentation fault"); n < 7 || n > most {
		t.Errorf("want at most %d deaths, got %d", most, n)
	}
}

func TestChangesItsSignature(t *testing.T) {
	m := openChild(t, "changes", Options{Children: 1})
	m.slots[0].child.kill(breached)
	_, err := m.Predict(t.Context(), rowsOf(3, -1))
	if err == nil || !strings.Contains(err.Error(), "it declares other inputs, outputs or files") {
		t.Errorf("got %v", err)
	}
}

func TestDiesAtLaterStarts(t *testing.T) {
	m := openChild(t, "dies at later starts", Options{})
	m.slots[0].child.kill(breached)
	_, err := m.Predict(t.Context(), rowsOf(3, -1))
	if err == nil || !strings.Contains(err.Error(), "3 processes ended at the same batch of 16 rows, the last: it ended before it said what it takes: exit status 7") {
		t.Errorf("got %v", err)
	}
}

// TestWithoutNotice runs children as on systems that tell of no end before it is
// taken: they answer, die and are started again, and end with the model.
func TestWithoutNotice(t *testing.T) {
	notice := untilEnd
	untilEnd = func(int) bool { return false }
	t.Cleanup(func() { untilEnd = notice }) // after the models are closed
	for _, fault := range []string{"good", "dies"} {
		m := openChild(t, fault, Options{})
		out, err := m.Predict(t.Context(), rowsOf(40, -1))
		if err != nil {
			t.Fatal(err)
		}
		if diff := same(compute(rowsOf(40, -1)), out); diff != "" {
			t.Errorf("%s: %s", fault, diff)
		}
	}
	m := openChild(t, "hangs", Options{Timeout: time.Minute})
	m.opt.Timeout = brief
	if _, err := m.Predict(t.Context(), rowsOf(40, -1)); err == nil || !strings.Contains(err.Error(), "no answer to a batch") {
		t.Errorf("a child that hangs: got %v", err)
	}
	m = openChild(t, "dies always", Options{})
	if _, err := m.Predict(t.Context(), rowsOf(40, -1)); err == nil || !strings.Contains(err.Error(), "exit status 139") {
		t.Errorf("a child that dies: got %v", err)
	}
}

// A caller who gives up gets an answer at once, and the next call another child.
func TestCancelled(t *testing.T) {
	m := openChild(t, "hangs at the row", Options{Timeout: time.Minute})
	ctx, cancel := context.WithCancel(t.Context())
	answer := make(chan error, 1)
	go func() {
		_, err := m.Predict(ctx, rowsOf(20, 5))
		answer <- err
	}()
	m.slots[0].waitForCall()
	cancel()
	if err := <-answer; !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
	if out, err := m.Predict(t.Context(), rowsOf(20, -1)); err != nil || same(compute(rowsOf(20, -1)), out) != "" {
		t.Errorf("the next call: %v", err)
	}
}

// waitForCall returns when a batch is on its way to the child.
func (s *slot) waitForCall() {
	for {
		s.child.write.Lock()
		turn := s.child.turn
		s.child.write.Unlock()
		select {
		case <-turn:
		default:
			return
		}
	}
}

func TestClose(t *testing.T) {
	m := openChild(t, "hangs at the row", Options{Children: 2, Timeout: time.Minute})
	answer := make(chan error, 1)
	go func() {
		_, err := m.Predict(t.Context(), rowsOf(20, 5))
		answer <- err
	}()
	m.slots[0].waitForCall()
	if err := m.Close(); err != nil {
		t.Error(err)
	}
	if err := <-answer; !errors.Is(err, ErrClosed) {
		t.Errorf("a call during Close: want %v, got %v", ErrClosed, err)
	}
	if _, err := m.Predict(t.Context(), rowsOf(1, -1)); !errors.Is(err, ErrClosed) {
		t.Errorf("a call after Close: want %v, got %v", ErrClosed, err)
	}
	if err := m.Close(); err != nil {
		t.Error(err)
	}
}

// A single caller needs a single child, several start more.
func TestChildrenStartWhenNeeded(t *testing.T) {
	m := openChild(t, "good", Options{Children: 4})
	for range 20 {
		if _, err := m.Predict(t.Context(), rowsOf(4, -1)); err != nil {
			t.Fatal(err)
		}
	}
	started := 0
	for _, s := range m.slots {
		if s.child != nil {
			started++
		}
	}
	if started != 1 {
		t.Errorf("want 1 child for one caller, got %d", started)
	}
}

func TestDigest(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	of := func(own string, words ...string) string {
		d, err := digest(words, own)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	write("model.py", "a")
	write("w.pt", "b")
	write("python3", "not this one")
	// printf '["python3","model.py","--weights=w.pt"]\n' and the lines of
	// sha256sum model.py w.pt, through sha256sum.
	const want = "9bef041fcc479f4db315028fc9a019bee62ab4cf29599445253b8cceb285ae6e"
	if got := of("", "python3", "model.py", "--weights=w.pt"); got != want {
		t.Errorf("want %s, got %s", want, got)
	}
	base := of("", "python3", "model.py", "--weights=w.pt")
	write("python3", "changed")
	if of("", "python3", "model.py", "--weights=w.pt") != base {
		t.Error("a program of PATH is no file of the command")
	}
	for name, change := range map[string]func() string{
		"own digest":   func() string { return of("aa", "python3", "model.py", "--weights=w.pt") },
		"another word": func() string { return of("", "python3", "model.py", "--weights", "w.pt") },
		"weights":      func() string { write("w.pt", "c"); return of("", "python3", "model.py", "--weights=w.pt") },
		"the script": func() string {
			write("w.pt", "b")
			write("model.py", "c")
			return of("", "python3", "model.py", "--weights=w.pt")
		},
	} {
		if change() == base {
			t.Errorf("%s: want another digest", name)
		}
		write("model.py", "a")
		write("w.pt", "b")
	}
}
