//go:build cgo

package intershap_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/intershap/intershap/model/onnx/graphtest"
)

// mutantSeeds is the number of changed graphs of a plain test run; shortMutantSeeds
// in short mode.
const mutantSeeds, shortMutantSeeds = 600, 80

// mutate changes a random graph, or the bytes of its file.
func mutate(seed, change uint64) (file []byte, c *graphtest.Case, changes string) {
	c = graphtest.New(seed)
	rng := rand.New(rand.NewPCG(seed, change))
	const flips = 8 // one in so many
	if rng.IntN(flips) == 0 {
		return graphtest.FlipBytes(rng, c.Model), c, "bytes"
	}
	file, names := graphtest.Mutate(rng, c.Model)
	return file, c, strings.Join(names, ", ")
}

// Graphs with faults in them never give a wrong result in parts, and never bring
// us down.
func TestMutatedGraphs(t *testing.T) {
	n := uint64(mutantSeeds)
	if testing.Short() {
		n = shortMutantSeeds
	}
	counts := map[string]int{}
	for seed := range n {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			file, c, changes := mutate(seed, 1)
			got := mutants.explain(t, file, c.Modalities, c.Fixed)
			if got.Fault != "" {
				t.Errorf("changed %s, made of %v: %s", changes, c.Kinds, got.Fault)
			}
			counts[got.Fate]++
		})
	}
	t.Logf("of %d mutants %d are refused, %d stay whole, %d agree in parts", n, counts[refused], counts[whole], counts[agreed])
	if counts[agreed]*10 < int(n) || counts[whole]*20 < int(n) {
		t.Errorf("of %d mutants %d agree in parts and %d stay whole: too few to prove anything", n, counts[agreed], counts[whole])
	}
}

// The child process hides its coverage from the fuzzer, so that inputs are drawn
// blindly; the changes themselves know what a graph is.
func FuzzMutatedGraph(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, seed, change uint64) {
		file, c, changes := mutate(seed, change)
		if got := mutants.explain(t, file, c.Modalities, c.Fixed); got.Fault != "" {
			t.Errorf("changed %s, made of %v: %s", changes, c.Kinds, got.Fault)
		}
	})
}

func FuzzGraphFile(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(graphtest.New(seed).Model)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if got := mutants.explain(t, file, nil, nil); got.Fault != "" {
			t.Error(got.Fault)
		}
	})
}
