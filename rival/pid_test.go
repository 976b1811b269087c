package rival

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
)

// tight is the duality gap, in nats, that well-behaved tables reach.
const tight = 1e-9

// table builds a joint distribution from lines of x1, x2, y, each with the same mass.
func table(lines ...[3]int) Joint {
	var j Joint
	for _, l := range lines {
		j.First, j.Second, j.Target = max(j.First, l[0]+1), max(j.Second, l[1]+1), max(j.Target, l[2]+1)
	}
	j.Mass = make([]float64, j.First*j.Second*j.Target)
	for _, l := range lines {
		j.Mass[(l[0]*j.Second+l[1])*j.Target+l[2]]++
	}
	return j
}

func pid(t testing.TB, j Joint) PID {
	t.Helper()
	p, err := NewPID(j)
	if err != nil {
		t.Fatal(err)
	}
	if !(p.Gap >= 0 && p.Gap <= tight) {
		t.Errorf("gap %v, want 0 to %v", p.Gap, tight)
	}
	return p
}

// Distributions whose decomposition follows by hand.
//
// Where the tables of (x1,y) and (x2,y) are the same, q may take x1 = x2: then nothing
// is unique, so redundancy is I(X1;Y) and synergy I(X1,X2;Y) − I(X1;Y). That is the
// case of XOR, AND, reduced OR, the sum and pointwise unique information. Where a source
// holds all that the other has (unique, copies, and their combinations) the parts are
// those that the distribution was made of. diff is dit's: y = 0 only with x1 = 0 and
// y = 1 only with x2 = 0, so that p is the only q. Then synergy is 0 and the rest
// follows from I(X1,X2;Y) = 1 − 1/2 and I(X1;Y) = I(X2;Y) = 1 − 3/4·h(1/3). The numbers
// in dit's own test are 0.122556 and 0.188722.
func TestPIDOfGates(t *testing.T) {
	h := func(p float64) float64 { return -p*math.Log2(p) - (1-p)*math.Log2(1-p) }
	and := h(0.25) - 0.5 // I(X1;Y) = H(Y) − H(Y|X1) = h(1/4) − (0 + 1)/2
	diff := 1 - 0.75*h(1./3)
	near(t, "diff as in dit", 2*diff-0.5, 0.12255624891826589, 1e-15)
	near(t, "diff as in dit", 0.5-diff, 0.18872187554086706, 1e-15)
	for _, c := range []struct {
		name                                  string
		joint                                 Joint
		redundancy, unique1, unique2, synergy float64 // bits
	}{
		{"xor", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 0}), 0, 0, 0, 1},
		{"and", table([3]int{0, 0, 0}, [3]int{0, 1, 0}, [3]int{1, 0, 0}, [3]int{1, 1, 1}), and, 0, 0, 0.5},
		{"or", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 1}), and, 0, 0, 0.5},
		// Half of the mass on 000: H(Y) = 1, and the tables of AND.
		{"reduced or", table([3]int{0, 0, 0}, [3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}), and, 0, 0, 1 - and},
		{"sum", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 2}), 0.5, 0, 0, 1},
		{"pointwise unique", table([3]int{0, 1, 0}, [3]int{1, 0, 0}, [3]int{0, 2, 1}, [3]int{2, 0, 1}), 0.5, 0, 0, 0.5},
		{"copy", table([3]int{0, 0, 0}, [3]int{1, 1, 1}), 1, 0, 0, 0},
		{"first", table([3]int{0, 0, 0}, [3]int{0, 1, 0}, [3]int{1, 0, 1}, [3]int{1, 1, 1}), 0, 1, 0, 0},
		{"second", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 0}, [3]int{1, 1, 1}), 0, 0, 1, 0},
		{"both bits", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 2}, [3]int{1, 1, 3}), 0, 1, 1, 0},
		// A shared bit beside XOR.
		{"copy and xor", table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 0},
			[3]int{2, 2, 2}, [3]int{2, 3, 3}, [3]int{3, 2, 3}, [3]int{3, 3, 2}), 1, 0, 0, 1},
		{"independent", table([3]int{0, 0, 0}, [3]int{0, 0, 1}, [3]int{1, 1, 0}, [3]int{1, 1, 1}), 0, 0, 0, 0},
		{"one class", table([3]int{0, 0, 0}, [3]int{0, 1, 0}, [3]int{1, 0, 0}), 0, 0, 0, 0},
		{"diff", table([3]int{0, 0, 0}, [3]int{0, 0, 1}, [3]int{0, 1, 0}, [3]int{1, 0, 1}),
			2*diff - 0.5, 0.5 - diff, 0.5 - diff, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := pid(t, c.joint)
			got := p.Bits()
			near(t, "redundancy", got.Redundancy, c.redundancy, 1e-9)
			near(t, "unique 1", got.Unique1, c.unique1, 1e-9)
			near(t, "unique 2", got.Unique2, c.unique2, 1e-9)
			near(t, "synergy", got.Synergy, c.synergy, 1e-9)
			near(t, "nats of synergy", p.Synergy, c.synergy*math.Ln2, 1e-9)
		})
	}
}

// mutual returns I(X;Y) in nats of a table [nx*ny], by the other formula: Σ p log p/(pq).
func mutual(p []float64, ny int) float64 {
	nx := len(p) / ny
	x, y, total := make([]float64, nx), make([]float64, ny), 0.0
	for at, v := range p {
		x[at/ny] += v
		y[at%ny] += v
		total += v
	}
	sum := 0.0
	for at, v := range p {
		if v > 0 {
			sum += v / total * math.Log(v*total/(x[at/ny]*y[at%ny]))
		}
	}
	return sum
}

// randomJoint draws sizes up to 7×7×5 and masses of one of several kinds, so that
// empty cells, values without mass and masses far apart all come up.
func randomJoint(seed uint64) Joint {
	rng := seeded(seed)
	j := Joint{First: 1 + rng.IntN(7), Second: 1 + rng.IntN(7), Target: 1 + rng.IntN(5)}
	j.Mass = make([]float64, j.First*j.Second*j.Target)
	kind := rng.IntN(5)
	for i := range j.Mass {
		switch kind {
		case 0:
			j.Mass[i] = rng.ExpFloat64()
		case 1:
			j.Mass[i] = math.Exp(-25 * rng.Float64())
		case 2:
			j.Mass[i] = float64(rng.IntN(9) / 6)
		case 3:
			j.Mass[i] = math.Floor(math.Exp(12*rng.Float64())) * float64(rng.IntN(4)/3)
		case 4:
			j.Mass[i] = float64(1 + rng.IntN(3))
		}
	}
	j.Mass[rng.IntN(len(j.Mass))]++
	return j
}

// tables returns the masses of (x1,y) and (x2,y).
func tables(j Joint) (first, second []float64) {
	first, second = make([]float64, j.First*j.Target), make([]float64, j.Second*j.Target)
	for at, v := range j.Mass {
		y := at % j.Target
		first[at/j.Target/j.Second*j.Target+y] += v
		second[at/j.Target%j.Second*j.Target+y] += v
	}
	return first, second
}

// Parts are not negative and meet the identities that define them.
func TestPIDIdentities(t *testing.T) {
	for seed := range uint64(600) {
		j := randomJoint(seed)
		p, err := NewPID(j)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		for i, part := range p.parts() {
			if part < 0 {
				t.Errorf("seed %d: part %d is %v", seed, i, part)
			}
		}
		first, second := tables(j)
		near(t, fmt.Sprint("seed ", seed, ": I(X1;Y)"), p.First, mutual(first, j.Target), 1e-12)
		near(t, fmt.Sprint("seed ", seed, ": I(X2;Y)"), p.Second, mutual(second, j.Target), 1e-12)
		near(t, fmt.Sprint("seed ", seed, ": I(X1,X2;Y)"), p.Both, mutual(j.Mass, j.Target), 1e-12)
		near(t, fmt.Sprint("seed ", seed, ": R+U1"), p.Redundancy+p.Unique1, p.First, 1e-12)
		near(t, fmt.Sprint("seed ", seed, ": R+U2"), p.Redundancy+p.Unique2, p.Second, 1e-12)
		near(t, fmt.Sprint("seed ", seed, ": sum"), p.Redundancy+p.Unique1+p.Unique2+p.Synergy, p.Both, 1e-12)
	}
}

// Order of sources, names of values and the unit of mass do not matter.
func TestPIDIsSymmetric(t *testing.T) {
	for seed := range uint64(60) {
		j := randomJoint(seed)
		rng := seeded(seed + 1000)
		p1, p2, py := rng.Perm(j.First), rng.Perm(j.Second), rng.Perm(j.Target)
		swapped := Joint{j.Second, j.First, j.Target, make([]float64, len(j.Mass))}
		for at, v := range j.Mass {
			x1, x2, y := at/j.Target/j.Second, at/j.Target%j.Second, at%j.Target
			swapped.Mass[(p2[x2]*j.First+p1[x1])*j.Target+py[y]] = 3 * v
		}
		a, b := pid(t, j), pid(t, swapped)
		near(t, "redundancy", b.Redundancy, a.Redundancy, 2*tight)
		near(t, "unique 1", b.Unique2, a.Unique1, 2*tight)
		near(t, "unique 2", b.Unique1, a.Unique2, 2*tight)
		near(t, "synergy", b.Synergy, a.Synergy, 2*tight)
	}
}

// A source that is a noisy copy of the other has nothing of its own, however the noise
// of the one depends on the rest of the distribution: unique 2 is 0, redundancy
// I(X2;Y), unique 1 the rest of I(X1;Y) (Bertschinger et al., 2014, on Blackwell's
// order). As X2 is made from X1 alone there is no synergy either.
func TestPIDOfNoisyCopies(t *testing.T) {
	for seed := range uint64(30) {
		rng := seeded(seed)
		n1, n2, ny := 2+rng.IntN(5), 2+rng.IntN(5), 2+rng.IntN(3)
		j := Joint{n1, n2, ny, make([]float64, n1*n2*ny)}
		for x1 := range n1 {
			channel := make([]float64, n2)
			for i := range channel {
				channel[i] = rng.ExpFloat64()
			}
			for y := range ny {
				v := rng.ExpFloat64()
				for x2, c := range channel {
					j.Mass[(x1*n2+x2)*ny+y] = v * c
				}
			}
		}
		p := pid(t, j)
		near(t, "unique 2", p.Unique2, 0, tight)
		near(t, "redundancy", p.Redundancy, p.Second, tight)
		near(t, "synergy", p.Synergy, 0, tight)
	}
}

// Two bits and a bit: for each y, q has one free number. A search over both, by
// golden sections one inside the other, is another way to the minimum.
func TestPIDBySearch(t *testing.T) {
	for seed := range uint64(25) {
		rng := seeded(seed)
		j := Joint{2, 2, 2, make([]float64, 8)}
		for i := range j.Mass {
			j.Mass[i] = rng.ExpFloat64() / 8
			if rng.IntN(5) == 0 {
				j.Mass[i] = 0
			}
		}
		j.Mass[0] += 0.01
		at := func(x1, x2, y int) int { return (x1*2+x2)*2 + y }
		// Mass moved from the diagonal to the other: from −the least of the one to
		// the least of the other.
		reach := func(y int) (lo, hi float64) {
			return -min(j.Mass[at(0, 1, y)], j.Mass[at(1, 0, y)]), min(j.Mass[at(0, 0, y)], j.Mass[at(1, 1, y)])
		}
		value := func(a, b float64) float64 {
			q := append([]float64{}, j.Mass...)
			for y, d := range []float64{a, b} {
				for _, x := range [][3]int{{0, 0, -1}, {1, 1, -1}, {0, 1, 1}, {1, 0, 1}} {
					i := at(x[0], x[1], y)
					q[i] = max(0, q[i]+float64(x[2])*d)
				}
			}
			return mutual(q, 2)
		}
		lo, hi := reach(0)
		least := golden(lo, hi, func(a float64) float64 {
			lo, hi := reach(1)
			return golden(lo, hi, func(b float64) float64 { return value(a, b) })
		})
		p := pid(t, j)
		near(t, fmt.Sprint("seed ", seed, ": synergy"), p.Synergy, p.Both-least, 1e-8)
	}
}

// golden returns the least value of a convex function between lo and hi.
func golden(lo, hi float64, f func(float64) float64) float64 {
	const r = 0.6180339887498949
	a, b := hi-r*(hi-lo), lo+r*(hi-lo)
	fa, fb := f(a), f(b)
	least := min(f(lo), f(hi), fa, fb)
	for range 60 {
		if fa < fb {
			hi, b, fb = b, a, fa
			a = hi - r*(hi-lo)
			fa = f(a)
		} else {
			lo, a, fa = a, b, fb
			b = lo + r*(hi-lo)
			fb = f(b)
		}
		least = min(least, fa, fb)
	}
	return least
}

// The certificate must be able to fail: bounds from points that are not optimal enclose
// the optimum, with room between them.
func TestPIDBounds(t *testing.T) {
	for seed := range uint64(100) {
		j := randomJoint(seed)
		d, err := newProgram(j)
		if err != nil {
			t.Fatal(err)
		}
		best := d.solve()
		rng := seeded(seed)
		u := make([]float64, len(d.bound))
		for i := range u {
			u[i] = 3 * rng.NormFloat64()
		}
		lower, upper := d.lower(u), d.upper(d.start())
		if lower > best.upper+1e-12 {
			t.Errorf("seed %d: a dual point bounds the optimum %v from below by %v", seed, best.upper, lower)
		}
		if upper < best.lower-1e-12 {
			t.Errorf("seed %d: a feasible point bounds the optimum %v from above by %v", seed, best.lower, upper)
		}
		if len(d.cells) > 1 && lower > best.lower-1e-9 {
			t.Errorf("seed %d: random multipliers are optimal: %v and %v", seed, lower, best.lower)
		}
		// q off its margins is mended, or its value would pass below the optimum.
		q := d.start()
		for i := range q {
			q[i] *= 1 + 9*rng.Float64() // f goes down with every q
		}
		if upper := d.upper(q); upper < best.lower-1e-12 {
			t.Errorf("seed %d: a point off its margins bounds the optimum %v by %v", seed, best.lower, upper)
		}
	}
}

func TestCountJoint(t *testing.T) {
	j, err := CountJoint([]int{7, 7, 9}, []int{0, 5, 5}, []int{-3, 4, 4})
	if err != nil {
		t.Fatal(err)
	}
	want := Joint{2, 2, 2, []float64{1, 0, 0, 1, 0, 0, 0, 1}}
	if fmt.Sprint(j) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", j, want)
	}
	for _, c := range [][3][]int{{{1}, {1}, {}}, {{1}, {1, 2}, {1}}, {{}, {}, {}}} {
		if _, err := CountJoint(c[0], c[1], c[2]); err == nil || !strings.Contains(err.Error(), "as many values") {
			t.Errorf("%v: got error %v", c, err)
		}
	}
}

func TestPIDRefuses(t *testing.T) {
	for _, c := range []struct {
		joint Joint
		want  string
	}{
		{Joint{}, "want 0×0×0 masses"},
		{Joint{1, 1, 2, []float64{1}}, "want 1×1×2 masses, got 1"},
		{Joint{1, 2, 2, []float64{1, 1, -1, 1}}, "x1=0, x2=1, y=0: want a mass from 0 on, got -1"},
		{Joint{1, 1, 2, []float64{1, math.NaN()}}, "y=1: want a mass from 0 on, got NaN"},
		{Joint{1, 1, 2, []float64{0, 0}}, "want masses with a positive sum, got 0"},
		{Joint{1, 1, 2, []float64{math.MaxFloat64, math.MaxFloat64}}, "want masses with a positive sum, got +Inf"},
	} {
		if _, err := NewPID(c.joint); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one that says %q", err, c.want)
		}
	}
}

// largeJoint is 20×20×classes: counts of samples whose clusters tell of the class
// together and alone.
func largeJoint(samples, classes int) Joint {
	rng := rand.New(rand.NewPCG(1, 2))
	j := Joint{20, 20, classes, make([]float64, 400*classes)}
	for range samples {
		a, b := rng.IntN(20), rng.IntN(20)
		j.Mass[(a*20+b)*classes+(a/4+b+rng.IntN(3))%classes]++
	}
	return j
}

func TestPIDOfManyCells(t *testing.T) {
	for _, samples := range []int{300, 3000, 300000} {
		for _, classes := range []int{2, 10} {
			p := pid(t, largeJoint(samples, classes))
			near(t, "sum", p.Redundancy+p.Unique1+p.Unique2+p.Synergy, p.Both, 1e-12)
		}
	}
}

// Masses at the end of what a number can hold are an answer or an error, no panic.
func TestPIDOfTinyMasses(t *testing.T) {
	for _, tiny := range []float64{1e-12, 1e-100, 1e-300, 5e-324} {
		j := table([3]int{0, 0, 0}, [3]int{0, 1, 1}, [3]int{1, 0, 1}, [3]int{1, 1, 0})
		for i := range j.Mass {
			j.Mass[i] = max(j.Mass[i], tiny)
		}
		p, err := NewPID(j)
		if err != nil {
			if tiny > 1e-15 {
				t.Errorf("masses of %v: %v", tiny, err)
			}
			if !strings.Contains(err.Error(), "too far apart") {
				t.Errorf("masses of %v: got error %v, want one that says why", tiny, err)
			}
			continue
		}
		near(t, fmt.Sprint("synergy beside masses of ", tiny), p.Bits().Synergy, 1, 1e-8)
	}
}

// Clusters of 120 samples of real features against ten classes, on which Newton's
// direction becomes rounding before the smallest gap is reached: the best bounds must be
// kept, whatever comes later. Random tables do not get there.
func TestPIDOfClusters(t *testing.T) {
	f, err := os.Open("testdata/hard.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tables := json.NewDecoder(f)
	n := 0
	for ; tables.More(); n++ {
		var d struct{ First, Second, Target []int }
		if err := tables.Decode(&d); err != nil {
			t.Fatal(err)
		}
		joint, err := CountJoint(d.First, d.Second, d.Target)
		if err != nil {
			t.Fatal(err)
		}
		p, err := NewPID(joint)
		if err != nil {
			t.Errorf("table %d: %v", n, err)
			continue
		}
		near(t, "sum of parts", p.Redundancy+p.Unique1+p.Unique2+p.Synergy, p.Both, 1e-12)
	}
	if n < 10 {
		t.Errorf("want ten tables or more, got %d", n)
	}
}
