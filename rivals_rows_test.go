package intershap

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// mixedFile has n rows: an input of five columns, of which the middle three are one
// modality and the others another, and an input of text. Row r has r in every place.
func mixedFile(t *testing.T, n int) dataset.File {
	t.Helper()
	x, text := make([]float32, 5*n), make([]string, n)
	for r := range n {
		for c := range 5 {
			x[5*r+c] = float32(r)
		}
		text[r] = string(rune('a' + r))
	}
	f, err := dataset.FromArrays(dataset.Array{Name: "x", Tensor: tensor.Of(x, n, 5)}, dataset.Array{Name: "text", Tensor: tensor.Of(text, n, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// mixedModalities are the middle of x, its ends, and the text.
var mixedModalities = []dataset.Modality{
	{Name: "middle", Parts: []dataset.Part{{Input: 0, Lo: 1, Hi: 4}}},
	{Name: "ends", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 1}, {Input: 0, Lo: 4, Hi: 5}}},
	{Name: "text", Parts: []dataset.Part{{Input: 1, Lo: 0, Hi: 1}}},
}

// sources returns for every row and modality the row that it came from, and fails
// where a modality is torn apart.
func sources(t *testing.T, rows []tensor.Tensor) (middle, ends, text []int) {
	t.Helper()
	x, letters := tensor.Values[float32](rows[0]), tensor.Values[string](rows[1])
	for r := range rows[0].Rows() {
		row := x[5*r : 5*r+5]
		if row[0] != row[4] || row[1] != row[2] || row[1] != row[3] {
			t.Fatalf("row %d is %v: a modality is torn apart", r, row)
		}
		middle, ends, text = append(middle, int(row[1])), append(ends, int(row[0])), append(text, int(letters[r][0]-'a'))
	}
	return middle, ends, text
}

func bind(t *testing.T, f dataset.File) *dataset.Samples {
	t.Helper()
	s, err := dataset.Bind(t.Context(), f, dataset.InferInputs(f), dataset.BindOptions{Role: "data"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Shuffled rows have the values of the rows asked for, each modality in an order of
// its own that follows from seed, and leave the file as it is.
func TestShuffledRows(t *testing.T) {
	f := mixedFile(t, 20)
	asked := []int{2, 3, 5, 7, 8, 11, 12, 13, 17, 19}
	source := shuffledRows{bind(t, f), mixedModalities, 4}
	rows, err := source.Gather(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	middle, ends, text := sources(t, rows.Inputs)
	for name, got := range map[string][]int{"middle": middle, "ends": ends, "text": text} {
		if sorted := slices.Sorted(slices.Values(got)); !slices.Equal(sorted, asked) {
			t.Errorf("%s comes from the rows %v, want those of %v", name, got, asked)
		}
		if slices.Equal(got, asked) {
			t.Errorf("%s is not shuffled", name)
		}
	}
	if slices.Equal(middle, ends) || slices.Equal(middle, text) || slices.Equal(ends, text) {
		t.Errorf("two modalities have one order: %v, %v, %v", middle, ends, text)
	}
	again, err := source.Gather(t.Context(), asked)
	if err != nil {
		t.Fatal(err)
	}
	if m, e, x := sources(t, again.Inputs); !slices.Equal(m, middle) || !slices.Equal(e, ends) || !slices.Equal(x, text) {
		t.Error("the same seed gives another order")
	}
	source.seed++
	if rows, err = source.Gather(t.Context(), asked); err != nil {
		t.Fatal(err)
	}
	if m, _, _ := sources(t, rows.Inputs); slices.Equal(m, middle) {
		t.Error("another seed gives the same order")
	}
}

// A permuted modality comes from the rows of the permutation, from memory or from the
// file, and all else stays.
func TestPermutedSamples(t *testing.T) {
	const n = 20
	f := mixedFile(t, n)
	samples := bind(t, f)
	held, err := samples.Read(t.Context(), 0, n)
	if err != nil {
		t.Fatal(err)
	}
	from := rival.Permutation(n, 3, 1, 0)
	for _, others := range [][]tensor.Tensor{held.Inputs, nil} {
		for k, m := range mixedModalities {
			rows, err := permutedSamples{samples, others, m, from}.Read(t.Context(), 6, 15)
			if err != nil {
				t.Fatal(err)
			}
			middle, ends, text := sources(t, rows.Inputs)
			for i, got := range [][]int{middle, ends, text} {
				want := firstNumbers(n)[6:15]
				if i == k {
					want = from[6:15]
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s shuffled: modality %d comes from the rows %v, want %v", m.Name, i, got, want)
				}
			}
		}
	}
	if middle, _, _ := sources(t, held.Inputs); !slices.Equal(middle, firstNumbers(n)) {
		t.Error("the file was changed")
	}
}

// What is drawn is in order, without repetition, and follows from seed and stream.
func TestDrawOf(t *testing.T) {
	if drawOf(10, 10, 1, 1) != nil || drawOf(9, 10, 1, 1) != nil {
		t.Error("as many as there are: want all")
	}
	one := drawOf(1000, 20, 1, pidStream)
	if len(one) != 20 || !slices.IsSorted(one) || len(slices.Compact(slices.Clone(one))) != 20 {
		t.Errorf("drew %v, want 20 different numbers in order", one)
	}
	if !slices.Equal(one, drawOf(1000, 20, 1, pidStream)) || slices.Equal(one, drawOf(1000, 20, 2, pidStream)) || slices.Equal(one, drawOf(1000, 20, 1, pidStream+1)) {
		t.Error("a draw must follow from seed and stream")
	}
}

// The projection over shuffled rows, by its definition: means of f over the rows one
// by one, for f = abc + a − b, in which nothing is a sum of parts.
func TestProductByBruteForce(t *testing.T) {
	const n, size, seed = 40, 25, 6
	rng := rand.New(rand.NewPCG(seed, seed))
	var x [3][]float64
	var arrays []dataset.Array
	for i, name := range []string{"a", "b", "c"} {
		for range n {
			x[i] = append(x[i], rng.NormFloat64())
		}
		arrays = append(arrays, dataset.Array{Name: name, Tensor: tensor.Of(x[i], n, 1)})
	}
	data, err := dataset.FromArrays(arrays...)
	if err != nil {
		t.Fatal(err)
	}
	f := func(a, b, c float64) float64 { return 9 + a*b*c + a - b }
	m := model.RowFunc("y", func(x model.Row) []float64 { return []float64{f(x("a")[0], x("b")[0], x("c")[0])} })
	got, err := Rivals(t.Context(), m, data, nil, RivalOptions{
		Options: Options{Task: Regression, BackgroundSize: size, Seed: seed, Mask: []string{"zero"}}, Scores: []string{rival.ScoreEMAP},
	})
	if err != nil {
		t.Fatal(err)
	}
	// The rows, as the run draws and shuffles them.
	samples := bind(t, data)
	p := &Plan{opt: Options{Seed: seed}, samples: samples}
	for i, name := range []string{"a", "b", "c"} {
		p.modalities = append(p.modalities, dataset.Modality{Name: name, Parts: []dataset.Part{{Input: i, Lo: 0, Hi: 1}}})
	}
	rows, err := p.drawRows(t.Context(), shuffledRows{samples, p.modalities, seed}, "marginal", size)
	if err != nil {
		t.Fatal(err)
	}
	var z [3][]float64
	for i, in := range rows.Inputs() {
		z[i] = tensor.Values[float64](in)
	}
	mean := func(g func(k int) float64) float64 {
		sum := 0.0
		for k := range size {
			sum += g(k)
		}
		return sum / size
	}
	base := mean(func(k int) float64 { return f(z[0][k], z[1][k], z[2][k]) })
	if got.EMAP.Design != rival.Product || got.EMAP.Samples != n || got.EMAP.Background != size || got.EMAP.Drawn != nil {
		t.Errorf("design %v, %d samples, %d rows, want product, %d and %d", got.EMAP.Design, got.EMAP.Samples, got.EMAP.Background, n, size)
	}
	largest := 0.0
	for i := range n {
		a := mean(func(k int) float64 { return f(x[0][i], z[1][k], z[2][k]) })
		b := mean(func(k int) float64 { return f(z[0][k], x[1][i], z[2][k]) })
		c := mean(func(k int) float64 { return f(z[0][k], z[1][k], x[2][i]) })
		want := a + b + c - 2*base
		if v := got.EMAP.Projected.Row(i)[0]; !(math.Abs(v-want) <= 1e-12) {
			t.Fatalf("sample %d: projected %v, by the definition %v", i, v, want)
		}
		largest = max(largest, math.Abs(want-f(x[0][i], x[1][i], x[2][i])))
	}
	if largest < 0.1 {
		t.Errorf("the projection misses %v at most: the test sees nothing", largest)
	}
	if _, ok := got.EMAP.OverPairs.Value(); ok {
		t.Error("a share over pairs for three modalities, want none")
	}
}
