package process

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// childVariable makes this test program a child: its value is what the child does
// wrong, "good" for nothing.
const childVariable = "INTERSHAP_TEST_CHILD"

// startsVariable names a file that gets a byte for each start of a child, so that
// a child knows how many were there before it.
const startsVariable = "INTERSHAP_TEST_STARTS"

func TestMain(m *testing.M) {
	if fault := os.Getenv(childVariable); fault != "" {
		if err := serve(fault, os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// testHello is what the test's child declares.
func testHello() hello {
	return hello{
		Name: "sums", Runtime: "go", MaxRows: 0,
		Inputs: []helloSpec{{Name: "x", DType: "float32", Shape: []int{-1, 3}}, {Name: "k", DType: "int64", Shape: []int{-1}}, {Name: "s", DType: "string", Shape: []int{-1}}},
		Outputs: []helloSpec{{Name: "y", DType: "float64", Shape: []int{-1, 2}, Classes: []string{"low", "high"}},
			{Name: "word", DType: "string", Shape: []int{-1}}},
	}
}

// compute is the model: y = (k·Σx, len(s)), word = s+s.
func compute(in model.Batch) model.Batch {
	x, _ := in.Lookup("x")
	k, _ := in.Lookup("k")
	s, _ := in.Lookup("s")
	y, word := tensor.New(tensor.Float64, in.Rows(), 2), tensor.New(tensor.String, in.Rows())
	for r := range in.Rows() {
		sum := 0.0
		for _, v := range tensor.Values[float32](x)[3*r : 3*r+3] {
			sum += float64(v)
		}
		text := tensor.Values[string](s)[r]
		tensor.Values[float64](y)[2*r] = float64(tensor.Values[int64](k)[r]) * sum
		tensor.Values[float64](y)[2*r+1] = float64(len(text))
		tensor.Values[string](word)[r] = text + text
	}
	return model.Batch{{Name: "y", Tensor: y}, {Name: "word", Tensor: word}}
}

// frameOf wraps a payload.
func frameOf(kind byte, payload []byte) []byte {
	return append(appendHeader(nil, kind, int64(len(payload))), payload...)
}

// encodeBatch is the frame of a batch, in the memory of room.
func encodeBatch(room []byte, batch model.Batch) ([]byte, error) {
	f := batchFrame{bytes: room}
	err := f.set(batch)
	return f.bytes, err
}

// outputsOf is the frame of an answer.
func outputsOf(out model.Batch) ([]byte, error) {
	frame, err := encodeBatch(nil, out)
	if err == nil {
		frame[5] = outputsKind
	}
	return frame, err
}

// badRow is what x[0] is in the row that the children with a fault of one row
// mind.
const badRow = 42

// serveFile is a child that is an ONNX file, where there is C.
var serveFile func(path string, in io.Reader, out io.Writer) error

// serve is a child in Go. Its faults are those that the tests name.
func serve(fault string, in io.Reader, out io.Writer) error {
	fault, argument, _ := strings.Cut(fault, "=")
	if fault == "onnx" {
		return serveFile(argument, in, out)
	}
	starts := countStarts()
	h := testHello()
	switch fault {
	case "max_rows":
		h.MaxRows, _ = strconv.Atoi(argument)
	case "fixed":
		n, _ := strconv.Atoi(argument)
		for _, list := range [][]helloSpec{h.Inputs, h.Outputs} {
			for i := range list {
				list[i].Shape[0] = n
			}
		}
	case "changes":
		if starts > 1 {
			h.Inputs[0].Shape[1] = 4
		}
	case "dies at start":
		fmt.Fprint(os.Stderr, "Traceback:\nModuleNotFoundError: No module named 'numpy'\n\n")
		os.Exit(1)
	case "dies at later starts":
		if starts > 1 {
			os.Exit(7)
		}
	case "mute":
		hang() // until it is killed
	case "echo":
		_, err := io.Copy(out, in)
		return err
	case "prints":
		fmt.Fprintln(out, "loading the model ...")
	case "prints little":
		fmt.Fprint(out, "ok")
		return nil
	case "hello":
		_, err := out.Write(frameOf(helloKind, []byte(argument)))
		return err
	}
	payload, err := json.Marshal(h)
	if err != nil {
		return err
	}
	greeting := frameOf(helloKind, payload)
	if fault == "version" {
		greeting[4] = 2
	}
	if _, err := out.Write(greeting); err != nil {
		return err
	}
	for batches := 1; ; batches++ {
		_, payload, err := readFrame(in, nil, 1<<40, batchKind)
		if err == io.ErrUnexpectedEOF {
			if fault == "does not end" {
				hang()
			}
			return nil
		}
		if err != nil {
			return err
		}
		arrays, err := dataset.ReadNPZ("batch", payload)
		if err != nil {
			return err
		}
		var batch model.Batch
		for _, a := range arrays {
			batch = append(batch, model.Named{Name: a.Name, Tensor: a.Tensor})
		}
		x, _ := batch.Lookup("x")
		bad := slices.Contains(tensor.Values[float32](x), badRow)
		answer := compute(batch)
		frame, err := outputsOf(answer)
		if err != nil {
			return err
		}
		switch {
		case fault == "dies" && batches == 1 && starts <= 2, fault == "dies at the row" && bad, fault == "dies always":
			fmt.Fprintln(os.Stderr, "Segmentation fault in layer 3")
			os.Exit(139)
		case fault == "kills itself":
			self, err := os.FindProcess(os.Getpid())
			if err != nil {
				return err
			}
			return self.Kill()
		case fault == "hangs", fault == "hangs at the row" && bad:
			hang()
		case fault == "garbage":
			frame = []byte("epoch 1: loss 0.3\n")
		case fault == "flood":
			// More than the pipe holds, before the batch is read to its end.
			frame = bytes.Repeat([]byte("garbage "), 1<<20)
		case fault == "truncated":
			_, err := out.Write(frame[:len(frame)/2])
			return err
		case fault == "wrong kind":
			frame[5] = helloKind
		case fault == "unknown kind":
			frame[5] = 77
		case fault == "version later":
			frame[4] = 9
		case fault == "huge":
			frame = appendHeader(nil, outputsKind, 1<<60)
		case fault == "large":
			frame = appendHeader(nil, outputsKind, 1<<31)
		case fault == "no zip":
			frame = frameOf(outputsKind, []byte("what is this"))
		case fault == "checksum":
			frame[bytes.Index(frame, []byte("NUMPY"))+130] ^= 1
		case fault == "rows":
			frame, err = outputsOf(model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, 3, 2)}, answer[1]})
		case fault == "width":
			frame, err = outputsOf(model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, batch.Rows(), 5)}, answer[1]})
		case fault == "axes":
			frame, err = outputsOf(model.Batch{{Name: "y", Tensor: tensor.New(tensor.Float64, batch.Rows())}, answer[1]})
		case fault == "dtype":
			frame, err = outputsOf(model.Batch{{Name: "y", Tensor: tensor.New(tensor.Int32, batch.Rows(), 2)}, answer[1]})
		case fault == "missing":
			frame, err = outputsOf(answer[1:])
		case fault == "fails at the row" && bad:
			frame = frameOf(failureKind, []byte(`{"error": "ValueError: 42 is no good\nmore", "place": "model.py:7"}`))
		case fault == "fails without words":
			frame = frameOf(failureKind, []byte(`{}`))
		case fault == "fails without JSON":
			frame = frameOf(failureKind, []byte(`{`))
		case fault == "spawns":
			// It holds our standard output, and does not look at any pipe.
			sleeper := exec.Command("sleep", "1000")
			sleeper.Stdout, sleeper.Stderr = os.Stdout, os.Stderr
			if err := sleeper.Start(); err != nil {
				return err
			}
			tensor.Values[string](answer[1].Tensor)[0] = strconv.Itoa(sleeper.Process.Pid)
			frame, err = outputsOf(answer)
		case fault == "tells its pid":
			tensor.Values[string](answer[1].Tensor)[0] = strconv.Itoa(os.Getpid())
			frame, err = outputsOf(answer)
		case fault == "closes":
			os.Stdout.Close()
			hang()
		}
		if err != nil {
			return err
		}
		if _, err := out.Write(frame); err != nil {
			return err
		}
	}
}

// countStarts returns the number of this start, from 1.
func countStarts() int {
	path := os.Getenv(startsVariable)
	if path == "" {
		return 1
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer f.Close()
	if _, err := f.Write([]byte{'.'}); err != nil {
		panic(err)
	}
	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	return int(info.Size())
}

// command is this test program as a word of a command.
func command(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return "'" + path + "'"
}

// childEnv is the environment of a child with a fault.
func childEnv(t testing.TB, fault string) []string {
	t.Helper()
	// A program with the race detector sleeps for a second at its end, unless told
	// otherwise.
	race := strings.TrimSpace(os.Getenv("GORACE") + " atexit_sleep_ms=0")
	return append(os.Environ(), childVariable+"="+fault, startsVariable+"="+t.TempDir()+"/starts", "GORACE="+race)
}

// openChild opens the test's child and closes it at the end.
func openChild(t testing.TB, fault string, opt Options) *Model {
	t.Helper()
	opt.Env = childEnv(t, fault)
	m, err := Open(t.Context(), command(t), opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		noneLeft(t, m)
	})
	return m
}

// noneLeft fails the test where a child of a closed model is still there.
func noneLeft(t testing.TB, m *Model) {
	t.Helper()
	for _, s := range m.slots {
		if s.child != nil && s.child.cmd.ProcessState == nil {
			t.Errorf("the child in place %d was not waited for", s.number)
		}
	}
}

// rows returns n rows for the test's child, with badRow in row bad, or nowhere.
func rowsOf(n, bad int) model.Batch {
	x, k, s := tensor.New(tensor.Float32, n, 3), tensor.New(tensor.Int64, n), tensor.New(tensor.String, n)
	for r := range n {
		for c := range 3 {
			tensor.Values[float32](x)[3*r+c] = float32(r)/8 + float32(c)
		}
		tensor.Values[int64](k)[r] = int64(r%5) - 2
		tensor.Values[string](s)[r] = strings.Repeat("é", r%4)
		if r == bad {
			tensor.Values[float32](x)[3*r] = badRow
		}
	}
	return model.Batch{{Name: "x", Tensor: x}, {Name: "k", Tensor: k}, {Name: "s", Tensor: s}}
}

// hasProgram skips a test for want of a program.
func hasProgram(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("there is no %s", name)
	}
	return path
}

// hang does nothing until the process is killed. Without C a goroutine that waits for
// nothing at all is a deadlock, which ends the program.
func hang() { <-time.After(time.Hour) }
