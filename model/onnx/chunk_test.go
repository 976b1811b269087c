package onnx

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// fakeSession stands for the runtime: it doubles x, notes what it was given and
// returns what after makes of the result.
type fakeSession struct {
	seen   [][]float32
	after  func(tensor.Tensor) (tensor.Tensor, error)
	closed int
}

func (s *fakeSession) run(_ context.Context, inputs []tensor.Tensor) ([]tensor.Tensor, error) {
	x := tensor.Values[float32](inputs[0])
	s.seen = append(s.seen, slices.Clone(x))
	y := tensor.New(tensor.Float32, len(x))
	for i, v := range x {
		tensor.Values[float32](y)[i] = 2 * v
	}
	if s.after == nil {
		return []tensor.Tensor{y}, nil
	}
	out, err := s.after(y)
	return []tensor.Tensor{out}, err
}

func (s *fakeSession) close() error {
	s.closed++
	return nil
}

// fakeModel is a model with one input x and one output y on s.
func fakeModel(s session, batch int) *Model {
	return &Model{
		file:    file{name: "fake.onnx"},
		opened:  opened{session: s},
		inputs:  []tensor.Spec{{Name: "x", DType: tensor.Float32, Shape: []int{-1}}},
		outputs: []tensor.Spec{{Name: "y", DType: tensor.Float32, Shape: []int{-1}}},
		batch:   batch,
	}
}

// TestRuns says which rows reach the runtime, and that those asked for return.
func TestRuns(t *testing.T) {
	tests := []struct {
		name, reason string
		batch        int
		x            []float32
		want         [][]float32
	}{
		{"free", "one run for the whole batch, padded to a whole number of vectors", 0,
			[]float32{1, 2, 3}, [][]float32{slices.Concat([]float32{1, 2}, slices.Repeat([]float32{3}, 14))}},
		{"free, one row", "a single row may take another kernel", 0, []float32{1}, [][]float32{slices.Repeat([]float32{1}, 16)}},
		{"free, whole vectors", "nothing to pad", 0, slices.Repeat([]float32{1}, 32), [][]float32{slices.Repeat([]float32{1}, 32)}},
		{"free, one more", "the rest alone is padded", 0, slices.Repeat([]float32{1}, 33),
			[][]float32{slices.Repeat([]float32{1}, 32), slices.Repeat([]float32{1}, 16)}},
		{"fixed at one", "the file wants one row", 1, []float32{1, 2}, [][]float32{{1}, {2}}},
		{"fixed at one, one row", "nothing to pad", 1, []float32{1}, [][]float32{{1}}},
		{"exact", "no copy, no pad", 2, []float32{1, 2}, [][]float32{{1, 2}}},
		{"whole runs", "cut without rest", 2, []float32{1, 2, 3, 4}, [][]float32{{1, 2}, {3, 4}}},
		{"rest", "the last run repeats the last row", 4, []float32{1, 2, 3, 4, 5}, [][]float32{{1, 2, 3, 4}, {5, 5, 5, 5}}},
		{"fewer", "one padded run", 4, []float32{1, 2, 3}, [][]float32{{1, 2, 3, 3}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := &fakeSession{}
			out, err := fakeModel(s, tt.batch).Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of(tt.x)}})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.EqualFunc(tt.want, s.seen, slices.Equal[[]float32]) {
				t.Errorf("%s: want runs of %v, got %v", tt.reason, tt.want, s.seen)
			}
			want := make([]float32, len(tt.x))
			for i, v := range tt.x {
				want[i] = 2 * v
			}
			if got := tensor.Values[float32](out[0].Tensor); !slices.Equal(want, got) {
				t.Errorf("want %v, got %v", want, got)
			}
		})
	}
}

func TestRunErrors(t *testing.T) {
	calls := 0
	tests := []struct {
		name, reason string
		batch        int
		after        func(tensor.Tensor) (tensor.Tensor, error)
		want         string
	}{
		{"runtime", "passed on with the model's name", 0,
			func(tensor.Tensor) (tensor.Tensor, error) { return tensor.Tensor{}, errors.New("out of memory") },
			"onnx: fake.onnx: out of memory"},
		{"rows", "axis 0 must be the rows", 0,
			func(y tensor.Tensor) (tensor.Tensor, error) { return y.Slice(0, 1), nil },
			`output "y" has shape [1] for 16 rows`},
		{"no axis", "nor may it be missing", 0,
			func(tensor.Tensor) (tensor.Tensor, error) { return tensor.Tensor{}, nil },
			`output "y" has shape [] for 16 rows`},
		{"widths", "runs of different widths cannot be joined", 1,
			func(tensor.Tensor) (tensor.Tensor, error) {
				calls++
				return tensor.New(tensor.Float32, 1, calls), nil
			}, `output "y" has shape [1 2] for rows from 1 on, [1 1] for the first`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := fakeModel(&fakeSession{after: tt.after}, tt.batch)
			_, err := m.Predict(t.Context(), model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1, 2, 3})}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: want an error with %q, got %v", tt.reason, tt.want, err)
			}
		})
	}
}

// TestStopsBetweenRuns ends the context inside the first run.
func TestStopsBetweenRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := &fakeSession{after: func(y tensor.Tensor) (tensor.Tensor, error) { cancel(); return y, nil }}
	_, err := fakeModel(s, 1).Predict(ctx, model.Batch{{Name: "x", Tensor: tensor.Of([]float32{1, 2, 3})}})
	if !errors.Is(err, context.Canceled) || len(s.seen) != 1 {
		t.Errorf("want %v after one run, got %v after %d", context.Canceled, err, len(s.seen))
	}
}

func TestCloseOnce(t *testing.T) {
	s := &fakeSession{}
	m := fakeModel(s, 0)
	if err := errors.Join(m.Close(), m.Close()); err != nil || s.closed != 1 {
		t.Errorf("want one close of the session, got %d, %v", s.closed, err)
	}
}
