package intershap_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// sampleLog keeps every row that a run hands out.
type sampleLog struct{ rows []result.SampleRow }

func (l *sampleLog) Begin(result.SamplesHeader) error { return nil }
func (l *sampleLog) Write(row result.SampleRow) error {
	row.Values, row.Phi = slices.Clone(row.Values), slices.Clone(row.Phi)
	l.rows = append(l.rows, row)
	return nil
}

// A person is one sample of the random study below, in plain Go.
type person struct {
	image []float64 // 1×3×3
	ids   []int64   // 4 token ids
	labs  []float64 // 5 values, of which 0..1 and 2..4 are two modalities
	age   float64   // fixed
}

func randomPeople(rng *rand.Rand, n int) []person {
	out := make([]person, n)
	for i := range out {
		p := person{image: make([]float64, 9), ids: make([]int64, 4), labs: make([]float64, 5)}
		for e := range p.image {
			p.image[e] = float64(float32(rng.NormFloat64()))
		}
		for e := range p.ids {
			p.ids[e] = rng.Int64N(7)
		}
		for e := range p.labs {
			p.labs[e] = 3 + 2*rng.NormFloat64()
		}
		p.age = rng.Float64()
		out[i] = p
	}
	return out
}

func peopleFile(t testing.TB, people []person) dataset.File {
	t.Helper()
	n := len(people)
	image, ids := make([]float32, 0, 9*n), make([]int64, 0, 4*n)
	labs, age := make([]float64, 0, 5*n), make([]float64, 0, n)
	for _, p := range people {
		for _, v := range p.image {
			image = append(image, float32(v))
		}
		ids, labs, age = append(ids, p.ids...), append(labs, p.labs...), append(age, p.age)
	}
	f, err := dataset.FromArrays(
		dataset.Array{Name: "image", Tensor: tensor.Of(image, n, 1, 3, 3)},
		dataset.Array{Name: "ids", Tensor: tensor.Of(ids, n, 4)},
		dataset.Array{Name: "labs", Tensor: tensor.Of(labs, n, 5)},
		dataset.Array{Name: "age", Tensor: tensor.Of(age, n, 1)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A network is a random two-layer perceptron over a person's numbers, with a
// random embedding of the token ids and three classes.
type network struct {
	embedding [7]float64
	first     [8][19]float64
	second    [3][8]float64
	// blind drops the labs' first two values.
	blind bool
}

func randomNetwork(rng *rand.Rand) *network {
	n := &network{}
	for i := range n.embedding {
		n.embedding[i] = rng.NormFloat64()
	}
	for i := range n.first {
		for j := range n.first[i] {
			n.first[i][j] = rng.NormFloat64() / 2
		}
	}
	for i := range n.second {
		for j := range n.second[i] {
			n.second[i][j] = rng.NormFloat64()
		}
	}
	return n
}

func (n *network) probabilities(p person) [3]float64 {
	x := append([]float64{}, p.image...)
	for _, id := range p.ids {
		x = append(x, n.embedding[id])
	}
	x = append(x, p.labs...)
	x = append(x, p.age)
	if n.blind {
		x[13], x[14] = 0, 0
	}
	var logits, out [3]float64
	for j := range n.first {
		h := 0.0
		for e, v := range x {
			h += n.first[j][e] * v
		}
		for c := range logits {
			logits[c] += n.second[c][j] * max(0, h)
		}
	}
	sum := 0.0
	for c, v := range logits {
		out[c] = math.Exp(v / 4)
		sum += out[c]
	}
	for c := range out {
		out[c] /= sum
	}
	return out
}

// Predict lets the network answer batches, as the engine asks them.
func (n *network) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	image, _ := inputs.Lookup("image")
	ids, _ := inputs.Lookup("ids")
	labs, _ := inputs.Lookup("labs")
	age, _ := inputs.Lookup("age")
	rows := inputs.Rows()
	var out []float64
	for r := range rows {
		p := person{ids: tensor.Values[int64](ids)[4*r : 4*r+4], labs: tensor.Values[float64](labs)[5*r : 5*r+5], age: tensor.Values[float64](age)[r]}
		for _, v := range tensor.Values[float32](image)[9*r : 9*r+9] {
			p.image = append(p.image, float64(v))
		}
		y := n.probabilities(p)
		out = append(out, y[:]...)
	}
	return model.Batch{{Name: "probabilities", Tensor: tensor.Of(out, rows, 3)}}, nil
}

// slowValues computes v(S) of one sample by the definition, one row at a time.
// Modalities: 0 image, 1 ids, 2 labs[0:2], 3 labs[2:5]; age is fixed.
func slowValues(f func(person) float64, x person, rows []person) []float64 {
	v := make([]float64, 16)
	for s := range v {
		for _, b := range rows {
			row := person{image: b.image, ids: b.ids, labs: append([]float64{}, b.labs...), age: x.age}
			if s&1 != 0 {
				row.image = x.image
			}
			if s&2 != 0 {
				row.ids = x.ids
			}
			if s&4 != 0 {
				row.labs[0], row.labs[1] = x.labs[0], x.labs[1]
			}
			if s&8 != 0 {
				row.labs[2], row.labs[3], row.labs[4] = x.labs[2], x.labs[3], x.labs[4]
			}
			v[s] += f(row) / float64(len(rows))
		}
	}
	return v
}

// slowPhi computes the paper's matrix by its sums over coalitions.
func slowPhi(v []float64, m int) []float64 {
	factorial := func(n int) float64 {
		out := 1.0
		for k := 2; k <= n; k++ {
			out *= float64(k)
		}
		return out
	}
	size := func(s int) int {
		n := 0
		for i := range m {
			n += s >> i & 1
		}
		return n
	}
	phi := make([]float64, m*m)
	for i := range m {
		for j := range m {
			if i == j {
				continue
			}
			for s := range v {
				if s>>i&1 == 1 || s>>j&1 == 1 {
					continue
				}
				weight := factorial(size(s)) * factorial(m-size(s)-2) / (2 * factorial(m-1))
				phi[i*m+j] += weight * (v[s|1<<i|1<<j] - v[s|1<<i] - v[s|1<<j] + v[s])
			}
		}
	}
	for i := range m {
		for s := range v {
			if s>>i&1 == 0 {
				phi[i*m+i] += factorial(size(s)) * factorial(m-size(s)-1) / factorial(m) * (v[s|1<<i] - v[s])
			}
		}
		for j := range m {
			if j != i {
				phi[i*m+i] -= phi[i*m+j]
			}
		}
	}
	return phi
}

// slowMask applies a mask to the background rows of one sample, by its name.
func slowMask(mask string, x person, rows []person) []person {
	mean := func(of func(p person) []float64) []float64 {
		out := make([]float64, len(of(rows[0])))
		for _, p := range rows {
			for e, v := range of(p) {
				out[e] += v / float64(len(rows))
			}
		}
		return out
	}
	masked := make([]person, len(rows))
	for i, p := range rows {
		masked[i] = person{image: p.image, ids: p.ids, labs: append([]float64{}, p.labs...), age: p.age}
	}
	switch mask {
	case "marginal":
	case "image=mean":
		m := mean(func(p person) []float64 { return p.image })
		for e := range m {
			m[e] = float64(float32(m[e]))
		}
		for i := range masked {
			masked[i].image = m
		}
	case "b=zero":
		for i := range masked {
			masked[i].labs[2], masked[i].labs[3], masked[i].labs[4] = 0, 0, 0
		}
	case "ids=value:3":
		for i := range masked {
			masked[i].ids = []int64{3, 3, 3, 3}
		}
	case "nearest:5":
		numbers := func(p person) []float64 {
			out := append([]float64{}, p.image...)
			for _, id := range p.ids {
				out = append(out, float64(id))
			}
			return append(out, p.labs...)
		}
		m := mean(numbers)
		sd := make([]float64, len(m))
		for _, p := range rows {
			for e, v := range numbers(p) {
				sd[e] += (v - m[e]) * (v - m[e]) / float64(len(rows))
			}
		}
		distance := func(p person) float64 {
			d, a, b := 0.0, numbers(p), numbers(x)
			for e := range a {
				d += (a[e] - b[e]) * (a[e] - b[e]) / sd[e]
			}
			return d
		}
		sort.SliceStable(masked, func(i, j int) bool { return distance(masked[i]) < distance(masked[j]) })
		masked = masked[:5]
	}
	return masked
}

// An independent, slow implementation must agree with the engine on random
// networks with inputs of several types, a slice as a modality, a fixed input,
// and every mask.
func TestAgainstDefinition(t *testing.T) {
	for seed, mask := range []string{"marginal", "image=mean", "b=zero", "ids=value:3", "nearest:5"} {
		t.Run(mask, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(uint64(seed), 11))
			net := randomNetwork(rng)
			people, rows := randomPeople(rng, 25), randomPeople(rng, 40)
			log := explainPeople(t, net, peopleFile(t, people), peopleFile(t, rows), func(o *intershap.Options) { o.Mask = []string{mask} })
			for i, x := range people {
				whole := net.probabilities(x)
				best := 0
				for c := range whole {
					if whole[c] > whole[best] {
						best = c
					}
				}
				want := slowValues(func(p person) float64 { return net.probabilities(p)[best] }, x, slowMask(mask, x, rows))
				got := log.rows[i]
				if got.Predicted != best {
					t.Errorf("sample %d: predicted %d, want %d", i, got.Predicted, best)
				}
				compare(t, fmt.Sprintf("sample %d: v", i), got.Values, want, 1e-13)
				compare(t, fmt.Sprintf("sample %d: phi", i), got.Phi, slowPhi(want, 4), 1e-13)
			}
		})
	}
}

func explainPeople(t testing.TB, m model.Model, people, rows dataset.File, change func(*intershap.Options)) *sampleLog {
	t.Helper()
	var log sampleLog
	opt := intershap.Options{
		Modalities: []string{"image=image", "ids=ids", "a=labs[0:2]", "b=labs[2:]"}, Fixed: []string{"age"},
		BackgroundSize: intershap.AllRows, Sink: &log,
	}
	if change != nil {
		change(&opt)
	}
	if _, err := intershap.Explain(t.Context(), m, people, rows, opt); err != nil {
		t.Fatal(err)
	}
	return &log
}

func compare(t testing.TB, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if message := difference(got, want, tolerance); message != "" {
		t.Errorf("%s: %s", what, message)
	}
}

func difference(got, want []float64, tolerance float64) string {
	if len(got) != len(want) {
		return fmt.Sprintf("%d numbers, want %d", len(got), len(want))
	}
	for i := range want {
		if !(math.Abs(got[i]-want[i]) <= tolerance) {
			return fmt.Sprintf("number %d is %v, want %v", i, got[i], want[i])
		}
	}
	return ""
}

// The comparison itself must be able to fail.
func TestDifference(t *testing.T) {
	if difference([]float64{1, 2}, []float64{1, 2 + 1e-12}, 1e-13) == "" || difference([]float64{1}, []float64{1, 2}, 1) == "" ||
		difference([]float64{math.NaN()}, []float64{0}, 1) == "" {
		t.Error("a difference goes unseen")
	}
	if d := difference([]float64{1}, []float64{1 + 1e-14}, 1e-13); d != "" {
		t.Error(d)
	}
}

// A modality that the network cannot see gets exactly nothing, alone and in
// pairs, whatever rounding 100 background rows bring.
func TestIgnoredModality(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 12))
	net := randomNetwork(rng)
	net.blind = true
	log := explainPeople(t, net, peopleFile(t, randomPeople(rng, 30)), peopleFile(t, randomPeople(rng, 100)), nil)
	for i, row := range log.rows {
		for j := range 4 {
			if row.Phi[2*4+j] != 0 || row.Phi[j*4+2] != 0 {
				t.Errorf("sample %d: phi of the unseen modality with %d is %v, want exactly 0", i, j, row.Phi[2*4+j])
			}
		}
		if row.Phi[0] == 0 || row.Phi[1] == 0 {
			t.Errorf("sample %d: a seen modality has phi %v: the test sees nothing", i, row.Phi)
		}
	}
}

// sized is the network with a fixed batch size, which moves the borders of all
// calls.
type sized struct {
	*network
	rows int
}

func (s sized) Signature() model.Signature {
	return model.Signature{
		Inputs: []tensor.Spec{
			{Name: "image", DType: tensor.Float32, Shape: []int{-1, 1, 3, 3}},
			{Name: "ids", DType: tensor.Int64, Shape: []int{-1, 4}},
			{Name: "labs", DType: tensor.Float64, Shape: []int{-1, 5}},
			{Name: "age", DType: tensor.Float64, Shape: []int{-1, 1}},
		},
		Outputs:   []tensor.Spec{{Name: "probabilities", DType: tensor.Float64, Shape: []int{-1, 3}}},
		BatchSize: s.rows,
	}
}

// How the work is cut must not show: batch size, workers and memory change no
// bit of any sample's values.
func TestCutsDoNotShow(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 13))
	net := randomNetwork(rng)
	people, rows := peopleFile(t, randomPeople(rng, 37)), peopleFile(t, randomPeople(rng, 23))
	want := explainPeople(t, net, people, rows, func(o *intershap.Options) { o.Workers = 1 })
	for name, change := range map[string]func(*intershap.Options){
		"three workers": func(o *intershap.Options) { o.Workers = 3 },
		"small memory":  func(o *intershap.Options) { o.Memory = 1 << 20 },
	} {
		same(t, name, explainPeople(t, net, people, rows, change), want)
	}
	for _, batch := range []int{1, 7, 1000} {
		same(t, fmt.Sprintf("batches of %d", batch), explainPeople(t, sized{net, batch}, people, rows, nil), want)
	}
}

func same(t *testing.T, name string, got, want *sampleLog) {
	t.Helper()
	if len(got.rows) != len(want.rows) {
		t.Fatalf("%s: %d samples, want %d", name, len(got.rows), len(want.rows))
	}
	for i := range want.rows {
		if !slices.Equal(got.rows[i].Values, want.rows[i].Values) || !slices.Equal(got.rows[i].Phi, want.rows[i].Phi) {
			t.Errorf("%s: sample %d differs", name, i)
		}
	}
}
