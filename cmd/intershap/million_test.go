package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/intershap/intershap/internal/cli"
	"github.com/intershap/intershap/model/onnx"
	"github.com/intershap/intershap/result"
)

// millionVariable makes TestMillion explain as many rows as it says:
//
//	INTERSHAP_MILLION=1 go test -run TestMillion -v ./cmd/intershap
//	go test -run xxx -bench Million -benchtime 1x ./cmd/intershap
const millionVariable = "INTERSHAP_MILLION"

const million = 1_000_000

// peakVariable names the file into which the program "measured" writes its largest
// resident memory, in KiB.
const peakVariable = "INTERSHAP_TEST_PEAK"

// measuredMain is the tool, followed by a look at the memory that it took: its own
// word, since what the system tells of a child that has ended counts the memory of the
// parent that it was started from as well.
func measuredMain() {
	code := cli.Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ())
	raw, err := os.ReadFile("/proc/self/status")
	if err == nil {
		for line := range strings.Lines(string(raw)) {
			if size, found := strings.CutPrefix(line, "VmHWM:"); found {
				err = os.WriteFile(os.Getenv(peakVariable), []byte(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(size), "kB"))), 0o600)
			}
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// measured is what a run of the tool took.
type measured struct {
	peak    int64 // bytes
	wall    time.Duration
	printed bytes.Buffer
	ex      *result.Explanation
}

// run explains the cohort in a process of its own, with more flags behind.
func (c cohort) run(tb testing.TB, flags ...string) measured {
	tb.Helper()
	return measure(tb, append([]string{"explain", c.model, c.folder, "--background", c.background, "--background-size", "100", "--progress", "none", "--json"}, flags...))
}

// measure runs the tool, which prints a result or a shard, in a process of its own.
func measure(tb testing.TB, args []string) measured {
	tb.Helper()
	lib, err := onnx.FindLibrary("")
	if err != nil {
		tb.Fatalf("the model needs a runtime: %v", err)
	}
	peak := filepath.Join(tb.TempDir(), "peak")
	cmd := exec.CommandContext(tb.Context(), "measured", args...)
	var stderr bytes.Buffer
	m := measured{ex: new(result.Explanation)}
	cmd.Env = append(os.Environ(), onnx.LibraryVariable+"="+lib.Path, peakVariable+"="+peak)
	cmd.Stdout, cmd.Stderr = &m.printed, &stderr
	begun := time.Now()
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%v\n%s", err, stderr.String())
	}
	m.wall = time.Since(begun)
	if err := json.Unmarshal(m.printed.Bytes(), m.ex); err != nil {
		tb.Fatal(err)
	}
	raw, err := os.ReadFile(peak)
	if err != nil {
		tb.Fatal(err)
	}
	kib, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil {
		tb.Fatal(err)
	}
	m.peak = kib << 10
	return m
}

// inShards explains the cohort in so many shards, one after the other, and merges them.
// The peak is the largest of all processes.
func (c cohort) inShards(tb testing.TB, of int) measured {
	tb.Helper()
	merge := []string{"merge", "--json"}
	var peak int64
	var wall time.Duration
	for k := 1; k <= of; k++ {
		m := c.run(tb, "--shard", fmt.Sprintf("%d/%d", k, of), "--quiet")
		path := filepath.Join(tb.TempDir(), "shard.json")
		if err := os.WriteFile(path, m.printed.Bytes(), 0o600); err != nil {
			tb.Fatal(err)
		}
		tb.Logf("shard %d/%d: %d KiB", k, of, m.printed.Len()>>10)
		peak, wall, merge = max(peak, m.peak), wall+m.wall, append(merge, path)
	}
	m := measure(tb, merge)
	m.peak, m.wall = max(peak, m.peak), wall+m.wall
	return m
}

func wantProc(tb testing.TB) {
	tb.Helper()
	if runtime.GOOS != "linux" {
		tb.Skip("the peak of a process is read from /proc")
	}
}

// asCohort are flags that say what the visits are.
var asCohort = []string{"--by", "sex", "--by", "site,sex", "--cluster", "id", "--weight", "weight", "--missing", "notes"}

// BenchmarkMillion explains cohorts in processes of their own and reports the largest
// resident memory.
func BenchmarkMillion(b *testing.B) {
	wantProc(b)
	for _, rows := range []int{10_000, 100_000, million} {
		c := newCohort(b, rows)
		for _, way := range []struct {
			name string
			run  func(dir string) measured
		}{
			{"result", func(string) measured { return c.run(b) }},
			{"samples", func(dir string) measured { return c.run(b, "--samples", filepath.Join(dir, "samples.parquet")) }},
			{"checkpoint", func(dir string) measured { return c.run(b, "--checkpoint", filepath.Join(dir, "checkpoint")) }},
			{"cohort", func(string) measured { return c.run(b, asCohort...) }},
			{"shards", func(string) measured { return c.inShards(b, 4) }},
		} {
			b.Run(fmt.Sprintf("rows=%d/keep=%s", rows, way.name), func(b *testing.B) {
				for b.Loop() {
					m := way.run(b.TempDir())
					b.ReportMetric(float64(m.peak)/(1<<20), "peak-MiB")
					b.ReportMetric(float64(rows)/m.wall.Seconds(), "samples/s")
					b.ReportMetric(float64(m.ex.Cost.RowsNaive)/m.ex.Cost.Seconds/1e6, "Mrows/s")
					b.ReportMetric(m.ex.Cost.Seconds, "evaluation-s")
				}
			})
		}
	}
}

// fewVisits is what a test explains that was not asked for a million.
const fewVisits = 20_000

// A million samples must fit into 2 GiB, and memory must not grow with them. What is
// found is what was planted.
func TestMillion(t *testing.T) {
	wantProc(t)
	const limit = 2 << 30
	few := newCohort(t, fewVisits).run(t)
	checkPlanted(t, few.ex, fewVisits)
	t.Logf("%d samples: peak %d MiB, %.1f s", fewVisits, few.peak>>20, few.wall.Seconds())
	if few.peak > limit {
		t.Errorf("%d samples take %d MiB, want at most %d", fewVisits, few.peak>>20, limit>>20)
	}
	if os.Getenv(millionVariable) == "" {
		t.Logf("set %s=1 to explain a million", millionVariable)
		return
	}
	c := newCohort(t, million)
	many := c.run(t)
	checkPlanted(t, many.ex, million)
	t.Logf("%d samples: peak %d MiB, %.1f s", million, many.peak>>20, many.wall.Seconds())
	if many.peak > limit {
		t.Errorf("%d samples take %d MiB, want at most %d", million, many.peak>>20, limit>>20)
	}
	const growth = 128 << 20
	if many.peak > few.peak+growth {
		t.Errorf("%d samples take %d MiB and %d take %d: it grows", fewVisits, few.peak>>20, million, many.peak>>20)
	}
	cut := c.inShards(t, 4)
	t.Logf("%d samples in shards: peak %d MiB, %.1f s", million, cut.peak>>20, cut.wall.Seconds())
	blank := func(m measured) string {
		return commandText.ReplaceAllString(secondsLine.ReplaceAllString(m.printed.String(), ""), "")
	}
	if at := difference(blank(many), blank(cut)); at != "" {
		t.Errorf("shards of %d samples merge to another result: %s", million, at)
	}
}

// checkPlanted checks that the interaction of image and labs is nearly all there is.
func checkPlanted(tb testing.TB, ex *result.Explanation, rows int) {
	tb.Helper()
	target := ex.Targets[0]
	if target.Samples != rows {
		tb.Errorf("%d samples explained, want %d", target.Samples, rows)
	}
	const planted = 0.95
	share, ok := target.Global.Pairs[0].Share.Value()
	if want := [2]string{cohortNames[0], cohortNames[1]}; target.Global.Pairs[0].Pair != want {
		tb.Fatalf("the first pair is %v, want %v", target.Global.Pairs[0].Pair, want)
	}
	if !ok || share < planted {
		tb.Errorf("the planted pair has a share of %v, want at least %v", share, planted)
	}
}
