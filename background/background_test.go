package background_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// A table of rows: x is float32 [n,3], of which 0..1 and 2 are two modalities,
// ids is int64 [n,1], word is text [n].
type table struct {
	inputs []tensor.Spec
	values []tensor.Tensor
}

func (t table) Len() int              { return t.values[0].Rows() }
func (t table) Inputs() []tensor.Spec { return t.inputs }
func (t table) Gather(_ context.Context, rows []int) (dataset.Rows, error) {
	var out dataset.Rows
	for _, v := range t.values {
		var parts []tensor.Tensor
		for _, r := range rows {
			parts = append(parts, v.Slice(r, r+1))
		}
		out.Inputs = append(out.Inputs, tensor.Concat(parts...))
	}
	return out, nil
}

func newTable(n int) table {
	x, ids, words := make([]float32, 3*n), make([]int64, n), make([]string, n)
	for i := range n {
		x[3*i], x[3*i+1], x[3*i+2] = float32(i), float32(2*i), 7
		ids[i], words[i] = int64(i), "w"
	}
	return table{
		inputs: []tensor.Spec{
			{Name: "x", DType: tensor.Float32, Shape: []int{-1, 3}},
			{Name: "ids", DType: tensor.Int64, Shape: []int{-1, 1}},
			{Name: "word", DType: tensor.String, Shape: []int{-1}},
		},
		values: []tensor.Tensor{tensor.Of(x, n, 3), tensor.Of(ids, n, 1), tensor.Of(words, n)},
	}
}

var modalities = []dataset.Modality{
	{Name: "a", Parts: []dataset.Part{{Input: 0, Lo: 0, Hi: 2}}},
	{Name: "b", Parts: []dataset.Part{{Input: 0, Lo: 2, Hi: 3}, {Input: 1, Lo: 0, Hi: 1}}},
	{Name: "text", Parts: []dataset.Part{{Input: 2, Lo: 0, Hi: 1}}},
}

func draw(t *testing.T, n int, opt background.Options, masks ...string) *background.Rows {
	t.Helper()
	source := newTable(n)
	mask, err := background.ParseMask(masks, modalities, source.inputs)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := background.Draw(t.Context(), source, modalities, mask, opt)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestDraw(t *testing.T) {
	ids := func(r *background.Rows) []int64 { return slices.Clone(tensor.Values[int64](r.Inputs()[1])) }
	few := draw(t, 100, background.Options{Size: 40, Seed: 1})
	again := draw(t, 100, background.Options{Size: 40, Seed: 1})
	other := draw(t, 100, background.Options{Size: 40, Seed: 2})
	if few.Len() != 40 || len(few.Blocks()) != 16 {
		t.Errorf("%d rows in %d blocks, want 40 in 16", few.Len(), len(few.Blocks()))
	}
	if !slices.Equal(ids(few), ids(again)) || slices.Equal(ids(few), ids(other)) {
		t.Error("the seed alone must decide the draw")
	}
	seen := map[int64]bool{}
	for _, id := range ids(few) {
		if seen[id] {
			t.Errorf("row %d was drawn twice", id)
		}
		seen[id] = true
	}
	sum := 0
	for _, b := range few.Blocks() {
		if sum += b; b < 2 || b > 3 {
			t.Errorf("a block has %d rows, want 2 or 3", b)
		}
	}
	if sum != 40 {
		t.Errorf("blocks hold %d rows, want 40", sum)
	}
	counts := make([]int, len(few.Blocks()))
	for k, b := range few.BlockOf() {
		counts[b]++
		if few.Source(k) != int(ids(few)[k]) {
			t.Errorf("row %d came from row %d of the file, Source says %d", k, ids(few)[k], few.Source(k))
		}
	}
	if !slices.Equal(counts, few.Blocks()) {
		t.Errorf("blocks hold %v rows, Blocks says %v", counts, few.Blocks())
	}
	if slices.IsSorted(few.BlockOf()) {
		t.Error("blocks are runs of the file: a sorted file would bias them")
	}
	for _, size := range []int{0, 100, 1000} {
		every := ids(draw(t, 100, background.Options{Size: size, Seed: 1}))
		if len(every) != 100 || !slices.IsSorted(every) {
			t.Errorf("size %d: %d rows, want all 100 in the order of the file", size, len(every))
		}
	}
	if got := len(draw(t, 5, background.Options{}).Blocks()); got != 5 {
		t.Errorf("five rows lie in %d blocks, want 5", got)
	}
	if one := draw(t, 5, background.Options{Size: 1}); len(one.Blocks()) != 0 || !one.ErrorUnknown() {
		t.Errorf("one row: %d blocks, error unknown %v", len(one.Blocks()), one.ErrorUnknown())
	}
}

func TestMasks(t *testing.T) {
	rows := draw(t, 10, background.Options{}, "a=mean", "b=value:3", "b.x=zero")
	x, ids := tensor.Values[float32](rows.Inputs()[0]), tensor.Values[int64](rows.Inputs()[1])
	for r := range 10 {
		if x[3*r] != 4.5 || x[3*r+1] != 9 || x[3*r+2] != 0 || ids[r] != 3 {
			t.Errorf("row %d is %v, %d, want means 4.5 and 9, zero, 3", r, x[3*r:3*r+3], ids[r])
		}
	}
	if len(rows.Blocks()) != 10 {
		t.Errorf("the text is still drawn, but there are %d blocks", len(rows.Blocks()))
	}
	constant := draw(t, 10, background.Options{}, "a=mean", "b=value:3", "text=value:[MASK]")
	if constant.Len() != 1 || len(constant.Blocks()) != 0 || constant.Drawn() != 10 {
		t.Errorf("fixed values: %d rows, %d blocks, %d drawn, want 1, 0, 10", constant.Len(), len(constant.Blocks()), constant.Drawn())
	}
	if !constant.ErrorUnknown() || draw(t, 10, background.Options{}, "a=zero", "b=zero", "text=value:-").ErrorUnknown() {
		t.Error("a mean over drawn rows has an error that no block tells; fixed values have none")
	}
	if got := tensor.Values[string](constant.Inputs()[2])[0]; got != "[MASK]" {
		t.Errorf("the text is %q", got)
	}
}

// A modality with the rule absent looks in every row as the data have it where a
// sample lacks it, NaN and all.
func TestAbsent(t *testing.T) {
	nan := float32(math.NaN())
	looks := []tensor.Tensor{tensor.Of([]float32{1, nan, -5}, 1, 3), tensor.Of([]int64{99}, 1, 1), tensor.Of([]string{"none"}, 1)}
	absent := [][]tensor.Tensor{looks, looks, looks}
	rows := draw(t, 10, background.Options{Absent: absent}, "a=absent", "b.ids=absent")
	x, ids := tensor.Values[float32](rows.Inputs()[0]), tensor.Values[int64](rows.Inputs()[1])
	for r := range 10 {
		if x[3*r] != 1 || !math.IsNaN(float64(x[3*r+1])) || x[3*r+2] != 7 || ids[r] != 99 {
			t.Errorf("row %d is %v, %d, want 1, NaN, 7 of the row, 99", r, x[3*r:3*r+3], ids[r])
		}
	}
	if got := rows.Mask().String(); got != "a=absent b.ids=absent" {
		t.Errorf("the mask is %q", got)
	}
	// Nothing is random: one row, whose error is known to be none.
	all := draw(t, 10, background.Options{Absent: absent}, "absent")
	if all.Len() != 1 || len(all.Blocks()) != 0 || all.ErrorUnknown() {
		t.Errorf("%d rows, %d blocks, error unknown %v, want 1, 0, false", all.Len(), len(all.Blocks()), all.ErrorUnknown())
	}
	if got := tensor.Values[string](all.Inputs()[2])[0]; got != "none" {
		t.Errorf("the text is %q, want none", got)
	}
	mask := all.Mask()
	if mask.Drawn() != 0 || mask.Absent() != 0b111 {
		t.Errorf("drawn %b, absent %b, want none and all", mask.Drawn(), mask.Absent())
	}
	mask = rows.Mask()
	if mask.Drawn() != 0b110 || mask.Absent() != 0b011 {
		t.Errorf("drawn %b, absent %b, want 110 and 011: b has a part of either kind", mask.Drawn(), mask.Absent())
	}
}

// Only candidates are drawn, by the same draw as from a file that has them alone.
func TestCandidates(t *testing.T) {
	candidates := []int{1, 3, 4, 10, 11, 12, 40, 77, 98}
	for _, size := range []int{0, 4, 9, 100} {
		some := draw(t, 100, background.Options{Size: size, Seed: 5, Candidates: candidates}, "a=mean")
		alone := draw(t, len(candidates), background.Options{Size: size, Seed: 5})
		if some.Drawn() != alone.Drawn() || !slices.Equal(some.BlockOf(), alone.BlockOf()) {
			t.Errorf("size %d: %d rows in blocks %v, want %d in %v", size, some.Drawn(), some.BlockOf(), alone.Drawn(), alone.BlockOf())
		}
		mean := float32(0)
		for k := range some.Drawn() {
			want := candidates[alone.Source(k)]
			if got := int(tensor.Values[int64](some.Inputs()[1])[k]); got != want || some.Source(k) != want {
				t.Errorf("size %d: row %d is %d, Source says %d, want %d", size, k, got, some.Source(k), want)
			}
			mean += float32(want)
		}
		mean /= float32(some.Drawn())
		if got := tensor.Values[float32](some.Inputs()[0])[0]; math.Abs(float64(got-mean)) > 1e-5 {
			t.Errorf("size %d: mean %v, want %v over the candidates that were drawn", size, got, mean)
		}
	}
	all := draw(t, 5, background.Options{Size: 3, Seed: 1})
	every := draw(t, 5, background.Options{Size: 3, Seed: 1, Candidates: []int{0, 1, 2, 3, 4}})
	if !slices.Equal(tensor.Values[int64](all.Inputs()[1]), tensor.Values[int64](every.Inputs()[1])) {
		t.Error("a list of all rows draws others than no list")
	}
}

func TestMaskErrors(t *testing.T) {
	tests := []struct{ name, want string }{
		{"median", "want marginal, mean, zero, value:V, nearest:K or absent"},
		{"nearest:0", "number of rows"},
		{"nearest:x", "number of rows"},
		{"c=zero", `no modality "c" (have a, b, text)`},
		{"b=mean", "a mean of int64"},
		{"text=zero", "text has no zero"},
		{"b=value:2.5", "not a whole number"},
		{"a=value:much", "want a finite number"},
		{"a=value:NaN", "want a finite number"},
		{"a=nearest:3", "marginal and nearest:3"},
	}
	for _, test := range tests {
		_, err := background.ParseMask([]string{test.name}, modalities, newTable(1).inputs)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", test.name, err, test.want)
		}
	}
	if _, err := background.ParseMask([]string{"a=nearest:3", "b=nearest:4", "text=value:x"}, modalities, newTable(1).inputs); err == nil {
		t.Error("no error for two numbers of nearest rows")
	}
}

func TestDrawErrors(t *testing.T) {
	source := newTable(4)
	parse := func(masks ...string) background.Mask {
		m, err := background.ParseMask(masks, modalities, source.inputs)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	check := func(source table, mask background.Mask, opt background.Options, want string) {
		t.Helper()
		if _, err := background.Draw(t.Context(), source, modalities, mask, opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
	check(newTable(0), parse(), background.Options{}, "no rows")
	check(source, parse(), background.Options{Size: -2}, "at least 0")
	check(source, parse("nearest:3", "text=value:x"), background.Options{Size: 2}, "wants 3 rows, have 2")
	check(source, parse("nearest:3"), background.Options{}, "text, which has no distance")
	check(source, parse(), background.Options{Candidates: []int{}}, "none of the 4 rows has every modality")
	check(source, parse(), background.Options{Candidates: []int{0, 4}}, "ascend below 4, got 4 at place 1")
	check(source, parse(), background.Options{Candidates: []int{-1, 2}}, "got -1 at place 0")
	check(source, parse(), background.Options{Candidates: []int{2, 2}}, "got 2 at place 1")
	check(source, parse("nearest:3", "text=value:x"), background.Options{Candidates: []int{1, 2}}, "wants 3 rows, have 2")
	looks := newTable(1).values
	check(source, parse("b=absent"), background.Options{}, `no sample lacks "b"`)
	check(source, parse("b=absent"), background.Options{Absent: [][]tensor.Tensor{looks, nil, nil}}, "--mask b=value:V")
	check(source, parse("b=absent"), background.Options{Absent: [][]tensor.Tensor{nil, looks}}, "2 modalities look where they are absent, want 3")
	check(source, parse("b=absent"), background.Options{Absent: [][]tensor.Tensor{nil, looks[:1], nil}}, "want a row of each input")
	check(source, parse("b=absent"), background.Options{Absent: [][]tensor.Tensor{nil, {looks[0], looks[0], looks[2]}, nil}}, "want a row of each input")
}

// The rows nearest to a sample, by a search written out for this table.
func TestNearestFinds(t *testing.T) {
	all := modalities[:2]
	source := newTable(10)
	source.inputs, source.values = source.inputs[:2], source.values[:2]
	mask, err := background.ParseMask([]string{"nearest:3"}, all, source.inputs)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := background.Draw(t.Context(), source, all, mask, background.Options{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	// All varying elements are multiples of the row number, so that the rows
	// nearest to 4.2 are 4, 5 and 3.
	sample := []tensor.Tensor{tensor.Of([]float32{4.2, 8.4, math.MaxInt16}, 1, 3), tensor.Of([]int64{4}, 1, 1)}
	near := make([]int, 3)
	if !rows.PerSample() || rows.Len() != 3 || len(rows.Blocks()) != 0 {
		t.Errorf("per sample %v, %d rows, %d blocks", rows.PerSample(), rows.Len(), len(rows.Blocks()))
	}
	rows.Nearest(near, sample, 0)
	var got []int64
	for _, k := range near {
		got = append(got, tensor.Values[int64](rows.Inputs()[1])[k])
	}
	if !slices.Equal(got, []int64{4, 5, 3}) {
		t.Errorf("nearest rows are %v, want [4 5 3]", got)
	}
}
