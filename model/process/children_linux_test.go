package process

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/tensor"
)

// alive reports whether a process runs; one that has ended and was not waited for
// does not.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ") // the name may hold blanks
	return after != "" && after[0] != 'Z' && after[0] != 'X'
}

// waitForEnd fails the test where a process does not end. It looks every few
// milliseconds, and a bounded number of times.
func waitForEnd(t *testing.T, pid int) {
	t.Helper()
	const (
		pause = 5 * time.Millisecond
		looks = 4000
	)
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for range looks {
		if !alive(pid) {
			return
		}
		<-tick.C
	}
	t.Errorf("process %d is still there", pid)
}

// pidOf asks a child for the number of a process.
func pidOf(t *testing.T, m *Model) int {
	t.Helper()
	out, err := m.Predict(t.Context(), rowsOf(1, -1))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(tensor.Values[string](out[1].Tensor)[0])
	if err != nil {
		t.Fatal(err)
	}
	if !alive(pid) {
		t.Fatalf("process %d should be there", pid)
	}
	return pid
}

// What a child started ends with it, even if it ignores the end of its pipes.
func TestGrandchildrenEnd(t *testing.T) {
	for _, how := range []string{"close", "death"} {
		m := openChild(t, "spawns", Options{})
		pid := pidOf(t, m)
		switch how {
		case "close":
			if err := m.Close(); err != nil {
				t.Error(err)
			}
		case "death":
			if err := m.slots[0].child.cmd.Process.Kill(); err != nil {
				t.Error(err)
			}
		}
		waitForEnd(t, pid)
	}
}

// parentVariable makes this test program one that opens a model, tells the number
// of its child, and waits.
const parentVariable = "INTERSHAP_TEST_PARENT"

// A parent that is killed takes its children with it: their input ends.
func TestChildrenEndWithTheParent(t *testing.T) {
	parent := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestParent$", "-test.v")
	parent.Env = append(childEnv(t, ""), parentVariable+"=1")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid := 0
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		if text, found := strings.CutPrefix(lines.Text(), "child "); found {
			if pid, err = strconv.Atoi(text); err != nil {
				t.Error(err)
			}
		}
	}
	if pid == 0 || !alive(pid) {
		t.Fatalf("child %d should be there", pid)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = parent.Wait() // it was killed
	waitForEnd(t, pid)
}

// TestParent is the other program of TestChildrenEndWithTheParent.
func TestParent(t *testing.T) {
	if os.Getenv(parentVariable) == "" {
		t.Skip("it is run by another test")
	}
	m := openChild(t, "tells its pid", Options{})
	fmt.Printf("\nchild %d\n", pidOf(t, m))
	hang() // until it is killed
}
