package rival

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

func TestUnitRows(t *testing.T) {
	x := Matrix{4, 2, []float64{3, 4, 0, 0, 1e200, -1e200, 1e-200, 0}}
	got := unitRows(x)
	for i, want := range []float64{0.6, 0.8, 0, 0, math.Sqrt2 / 2, -math.Sqrt2 / 2, 1, 0} {
		near(t, fmt.Sprint("element ", i), got.Data[i], want, 1e-15)
	}
	if x.Data[0] != 3 {
		t.Error("the input was changed")
	}
	// A single column: mean square (900+1600)/2 = 1250.
	near(t, "single column", unitRows(Matrix{2, 1, []float64{30, 40}}).Data[1], 40/math.Sqrt(1250), 1e-15)
}

// decaying is a random matrix whose columns have standard deviations 1, 1/2, 1/3, ...,
// turned by a reflection so that no column is an axis.
func decaying(n, cols int, seed uint64) Matrix {
	rng := seeded(seed)
	mirror := make([]float64, cols)
	length := 0.0
	for c := range mirror {
		mirror[c] = rng.NormFloat64()
		length += mirror[c] * mirror[c]
	}
	m := matrix(n, cols, func(_, c int) float64 { return rng.NormFloat64() / float64(1+c) })
	for i := range n {
		row, along := m.Row(i), 0.0
		for c, v := range row {
			along += v * mirror[c]
		}
		for c := range row {
			row[c] += 5 - 2*along/length*mirror[c]
		}
	}
	return m
}

// Components against gonum's, up to sign: tall, wide, and large enough for iteration.
func TestPrincipal(t *testing.T) {
	for _, c := range []struct {
		n, cols int
		within  float64
	}{{60, 5, 1e-10}, {7, 40, 1e-10}, {540, 530, 1e-2}} {
		x := decaying(c.n, c.cols, 1)
		got, ok := principal(x, 2, 1)
		if !ok || got.Cols != 2 {
			t.Fatalf("%d×%d: got %d components, want 2", c.n, c.cols, got.Cols)
		}
		var pc stat.PC
		dense := mat.NewDense(c.n, c.cols, x.Data)
		if !pc.PrincipalComponents(dense, nil) {
			t.Fatal("gonum's components failed")
		}
		var vectors, want mat.Dense
		pc.VectorsTo(&vectors)
		mean := x.columnMeans()
		centred := mat.DenseCopyOf(dense)
		centred.Apply(func(_, j int, v float64) float64 { return v - mean[j] }, centred)
		want.Mul(centred, vectors.Slice(0, c.cols, 0, 2))
		for j := range 2 {
			sign := 1.0
			if want.At(0, j)*got.Data[j] < 0 {
				sign = -1
			}
			for i := range c.n {
				near(t, fmt.Sprintf("%d×%d: component %d of row %d", c.n, c.cols, j, i), got.Data[i*2+j], sign*want.At(i, j), c.within)
			}
		}
	}
}

func TestPrincipalOfFewDirections(t *testing.T) {
	if _, ok := principal(matrix(5, 3, func(int, int) float64 { return 0.1 }), 2, 1); ok {
		t.Error("equal rows have components")
	}
	if _, ok := principal(Matrix{1, 2, []float64{1, 2}}, 2, 1); ok {
		t.Error("one row has components")
	}
	got, ok := principal(Matrix{3, 1, []float64{1, 2, 6}}, 2, 1)
	if !ok || got.Cols != 1 {
		t.Fatalf("one column: got %d components", got.Cols)
	}
	near(t, "distance", math.Abs(got.Data[2]-got.Data[0]), 5, 1e-14)
	// Rows on a line, and equal rows: the same numbers, bit for bit.
	got, ok = principal(matrix(6, 4, func(i, j int) float64 { return float64(i%3) * float64(j+1) }), 2, 1)
	if !ok || !slices.Equal(got.Row(0), got.Row(3)) || !slices.Equal(got.Row(2), got.Row(5)) {
		t.Errorf("equal rows differ: %v", got.Data)
	}
}

// Four heaps far apart are the clusters, whatever the seed.
func TestKMeansFindsHeaps(t *testing.T) {
	rng := seeded(1)
	points := matrix(200, 2, func(i, j int) float64 { return 10*float64(i%4>>j&1) + rng.NormFloat64()/4 })
	for seed := range uint64(5) {
		cluster := kMeans(points, 4, 10, seed)
		if !slices.Equal(cluster, kMeans(points, 4, 10, seed)) {
			t.Errorf("seed %d gives two results", seed)
		}
		for i, c := range cluster {
			if c != cluster[i%4] {
				t.Fatalf("seed %d: points %d and %d of one heap are apart", seed, i, i%4)
			}
		}
		if _, kinds := dense(cluster); kinds != 4 {
			t.Errorf("seed %d: %d clusters, want 4", seed, kinds)
		}
	}
}

// The centres to start from are in different heaps: drawn far apart.
func TestSpread(t *testing.T) {
	rng := seeded(1)
	points := matrix(200, 2, func(i, j int) float64 { return 10*float64(i%4>>j&1) + rng.NormFloat64()/4 })
	for seed := range uint64(20) {
		centres := spread(points, 4, seeded(seed))
		heaps := map[[2]bool]bool{}
		for c := range centres.Rows {
			heaps[[2]bool{centres.Row(c)[0] > 5, centres.Row(c)[1] > 5}] = true
		}
		if len(heaps) != 4 {
			t.Errorf("seed %d: centres in %d heaps, want 4", seed, len(heaps))
		}
	}
}

// A centre without points goes to the point that is farthest from its own.
func TestLloydMovesEmptyCentres(t *testing.T) {
	points := Matrix{4, 1, []float64{5, 6, 7, 14}}
	cluster, squares := lloyd(points, Matrix{2, 1, []float64{6, 1000}})
	if cluster[3] == cluster[2] || cluster[0] != cluster[1] || cluster[1] != cluster[2] {
		t.Errorf("got clusters %v, want 14 by itself", cluster)
	}
	near(t, "squares", squares, 2, 1e-15) // 5, 6, 7 about 6
}

// No point may be nearer to another cluster's mean: what Lloyd's iteration ends at. And
// more restarts never end higher.
func TestKMeansIsALocalOptimum(t *testing.T) {
	rng := seeded(2)
	points := matrix(300, 2, func(int, int) float64 { return rng.NormFloat64() })
	squares := func(cluster []int, k int) float64 {
		mean, count := matrix(k, 2, func(int, int) float64 { return 0 }), make([]float64, k)
		for i, c := range cluster {
			count[c]++
			for j, v := range points.Row(i) {
				mean.Data[c*2+j] += v
			}
		}
		for i := range mean.Data {
			mean.Data[i] /= count[i/2]
		}
		sum := 0.0
		for i, c := range cluster {
			own := distance(points.Row(i), mean.Row(c))
			for other := range k {
				if d := distance(points.Row(i), mean.Row(other)); d < own-1e-12 {
					t.Fatalf("point %d is at %v from its mean and at %v from another", i, own, d)
				}
			}
			sum += own
		}
		return sum
	}
	one, ten := squares(kMeans(points, 20, 1, 1), 20), squares(kMeans(points, 20, 10, 1), 20)
	if ten > one+1e-12 {
		t.Errorf("ten restarts end at %v, one at %v", ten, one)
	}
}

// Fewer different points than clusters: each is a cluster.
func TestKMeansOfFewPoints(t *testing.T) {
	cluster := kMeans(matrix(30, 2, func(i, _ int) float64 { return float64(i % 3) }), 20, 10, 1)
	if _, kinds := dense(cluster); kinds != 3 {
		t.Errorf("%d clusters of three points, want 3", kinds)
	}
	for i, c := range cluster {
		if c != cluster[i%3] {
			t.Errorf("points %d and %d are equal and apart", i, i%3)
		}
	}
}

// bitsOf returns a modality of single bits, repeated over samples.
func bitsOf(n int, bit func(i int) int) Matrix {
	return matrix(n, 1, func(i, _ int) float64 { return float64(bit(i)) })
}

func estimate(t testing.TB, modalities []Matrix, target []int, o PIDOptions) []PIDView {
	t.Helper()
	names := make([]string, len(modalities))
	for i := range names {
		names[i] = fmt.Sprint("m", i+1)
	}
	views, err := estimatePID(modalities, names, target, o)
	if err != nil {
		t.Fatal(err)
	}
	return views
}

// estimatePID clusters and decomposes.
func estimatePID(modalities []Matrix, names []string, target []int, o PIDOptions) ([]PIDView, error) {
	e, err := NewPIDEstimator(context.Background(), modalities, names, o)
	if err != nil {
		return nil, err
	}
	return e.Estimate(context.Background(), target)
}

// Clean bits go through the pipeline unharmed: XOR has ln 2 of synergy, a shared bit
// ln 2 of redundancy, a bit of the first modality ln 2 of its own.
func TestEstimatePIDOfBits(t *testing.T) {
	const n = 400
	first, second := bitsOf(n, func(i int) int { return i & 1 }), bitsOf(n, func(i int) int { return i >> 1 & 1 })
	for _, c := range []struct {
		name   string
		x      []Matrix
		target func(i int) int
		want   Information
	}{
		{"xor", []Matrix{first, second}, func(i int) int { return i&1 ^ i>>1&1 }, Information{Synergy: math.Ln2}},
		{"first", []Matrix{first, second}, func(i int) int { return i & 1 }, Information{Unique1: math.Ln2}},
		{"copy", []Matrix{first, first}, func(i int) int { return i & 1 }, Information{Redundancy: math.Ln2}},
	} {
		target := make([]int, n)
		for i := range target {
			target[i] = c.target(i)
		}
		v := estimate(t, c.x, target, PIDOptions{})[0]
		if v.Heading != "PID" || v.First != "m1" || v.Second != "m2" || v.Estimate == nil {
			t.Fatalf("%s: got view %+v", c.name, v)
		}
		e := v.Estimate
		want := c.want.parts()
		for i, got := range e.Mean.parts() {
			near(t, fmt.Sprint(c.name, ": part ", i), got, want[i], 1e-9)
			near(t, fmt.Sprint(c.name, ": sd of part ", i), e.SD.parts()[i], 0, 1e-9)
			// χ² with one or two degrees of freedom over 2n: about 1/800 a part.
			near(t, fmt.Sprint(c.name, ": permuted part ", i), e.Permuted.parts()[i], 0, 0.01)
		}
		if e.Clusters != [2]int{2, 2} || e.Samples != n || e.Classes != 2 {
			t.Errorf("%s: clusters %v, samples %d, classes %d", c.name, e.Clusters, e.Samples, e.Classes)
		}
	}
}

// Noise tells nothing, yet 400 cells and 500 samples make a large synergy of it: the
// permuted baseline must be as large.
func TestEstimatePIDShowsItsBias(t *testing.T) {
	rng := seeded(4)
	noise := func() Matrix { return matrix(500, 6, func(int, int) float64 { return rng.NormFloat64() }) }
	target := make([]int, 500)
	for i := range target {
		target[i] = rng.IntN(2)
	}
	e := estimate(t, []Matrix{noise(), noise()}, target, PIDOptions{})[0].Estimate
	if e.Mean.Synergy < 0.1 {
		t.Errorf("synergy of noise is %v, want the bias to show", e.Mean.Synergy)
	}
	near(t, "permuted synergy", e.Permuted.Synergy, e.Mean.Synergy, 5*e.PermutedSD.Synergy+3*e.SD.Synergy)
	if e.SD.Synergy == 0 || e.PermutedSD.Synergy == 0 {
		t.Error("want a spread over seeds and over permutations")
	}
	near(t, "sum", e.Mean.Redundancy+e.Mean.Unique1+e.Mean.Unique2+e.Mean.Synergy, e.Both, 1e-12)
	near(t, "first", e.Mean.Redundancy+e.Mean.Unique1, e.First, 1e-12)
	near(t, "second", e.Mean.Redundancy+e.Mean.Unique2, e.Second, 1e-12)
	if !(e.Gap > 0 && e.Gap <= MaxGap) {
		t.Errorf("gap %v, want one that is told and small", e.Gap)
	}
	again := estimate(t, []Matrix{noise(), noise()}, target, PIDOptions{Seed: 9})[0].Estimate
	if again.Mean == e.Mean {
		t.Error("other data give the same numbers")
	}
}

// Three modalities: a target that is the parity of three bits is told by no pair and by
// no single one, and by each bit together with the rest.
func TestEstimatePIDOfThree(t *testing.T) {
	const n = 400
	var x []Matrix
	for m := range 3 {
		x = append(x, bitsOf(n, func(i int) int { return i >> m & 1 }))
	}
	target := make([]int, n)
	for i := range target {
		target[i] = i&1 ^ i>>1&1 ^ i>>2&1
	}
	views := estimate(t, x, target, PIDOptions{Seeds: 2, Permutations: 2})
	want := []struct {
		heading, first, second string
		synergy                float64
	}{
		{"pairwise", "m1", "m2", 0}, {"pairwise", "m1", "m3", 0}, {"pairwise", "m2", "m3", 0},
		{"one against the rest", "m1", "m2+m3", math.Ln2},
		{"one against the rest", "m2", "m1+m3", math.Ln2},
		{"one against the rest", "m3", "m1+m2", math.Ln2},
	}
	if len(views) != len(want) {
		t.Fatalf("%d views, want %d", len(views), len(want))
	}
	for i, w := range want {
		v := views[i]
		if v.Heading != w.heading || v.First != w.first || v.Second != w.second {
			t.Errorf("view %d: got %q, %q, %q, want %v", i, v.Heading, v.First, v.Second, w)
		}
		near(t, fmt.Sprint("synergy of view ", i), v.Estimate.Mean.Synergy, w.synergy, 1e-9)
	}
}

func TestEstimatePIDUnfit(t *testing.T) {
	const n = 30
	rng := seeded(1)
	good := matrix(n, 3, func(int, int) float64 { return rng.NormFloat64() })
	// Rows of one direction are equal once they have length one.
	flat := matrix(n, 3, func(i, j int) float64 { return float64(1+i) * float64(1+j) })
	target := make([]int, n)
	for i := range target {
		target[i] = i % 2
	}
	v := estimate(t, []Matrix{good, flat}, target, PIDOptions{})[0]
	if v.Estimate != nil || v.Unfit == nil || !strings.HasPrefix(v.Unfit.Reason, "m2 is the same for all samples") {
		t.Errorf("constant modality: got %+v and %v", v.Estimate, v.Unfit)
	}
	for _, c := range []struct {
		name   string
		x      []Matrix
		target []int
		o      PIDOptions
		want   string
		unfit  bool
	}{
		{"no target", []Matrix{good, good}, nil, PIDOptions{}, "needs true labels", true},
		{"one class", []Matrix{good, good}, make([]int, n), PIDOptions{}, "are of class 0", true},
		{"few samples", []Matrix{good, good}, target, PIDOptions{Clusters: 31}, "31 clusters need as many samples, have 30", true},
		{"rows", []Matrix{good, {1, 3, []float64{1, 2, 3}}}, target, PIDOptions{}, "features of m2: want 30×3 numbers, got 1×3", false},
		{"one modality", []Matrix{good}, target, PIDOptions{}, "want at least 2 modalities", false},
		{"options", []Matrix{good, good}, target, PIDOptions{Clusters: 1}, "want at least 2 clusters, got 1", false},
		{"more options", []Matrix{good, good}, target, PIDOptions{Seeds: -1}, "want at least 1 seeds, got -1", false},
	} {
		names := []string{"m1", "m2"}[:len(c.x)]
		_, err := estimatePID(c.x, names, c.target, c.o)
		var u *Unfit
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.As(err, &u) != c.unfit {
			t.Errorf("%s: got error %v, want one that says %q and is for a footnote: %v", c.name, err, c.want, c.unfit)
		}
	}
}
