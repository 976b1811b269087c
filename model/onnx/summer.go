package onnx

import (
	"context"
	"fmt"
	"math"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graph"
	"github.com/intershap/intershap/tensor"
)

// A summer is the last part of a model: it transforms the output and adds it up
// before anything leaves the runtime.
type summer struct {
	*grid
	model *Model
	sums  session
	// overSamples is opened when it is first asked for; most runs never do.
	overSamples        session
	overSamplesProgram *graph.Program
}

var _ model.Summer = (*summer)(nil)

// SumRows adds up over the background rows of every block.
func (s *summer) SumRows(ctx context.Context, inputs model.Batch, blocks []int) (model.Sums, error) {
	p, err := s.layOut(inputs)
	if err != nil {
		return model.Sums{}, err
	}
	rows := 0
	for _, length := range blocks {
		rows += length
	}
	if rows != p.b {
		return model.Sums{}, fmt.Errorf("onnx: blocks of %v rows, want %d together", blocks, p.b)
	}
	p.blocks, p.columns = blocks, s.columns()
	results, err := s.run(ctx, s.sums, s.part.Sums, p)
	if err != nil {
		return model.Sums{}, err
	}
	return sumsOf(results, []int{p.n, len(blocks), p.columns})
}

// SumSamples adds up over the samples.
func (s *summer) SumSamples(ctx context.Context, inputs model.Batch) (model.Sums, error) {
	p, err := s.layOut(inputs)
	if err != nil {
		return model.Sums{}, err
	}
	p.columns = s.columns()
	if err := s.openOverSamples(); err != nil {
		return model.Sums{}, err
	}
	results, err := s.run(ctx, s.overSamples, s.overSamplesProgram, p)
	if err != nil {
		return model.Sums{}, err
	}
	return sumsOf(results, []int{p.b, p.columns})
}

func (s *summer) columns() int { return s.part.Outputs[0].Shape[1] }

func (s *summer) openOverSamples() (err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.overSamples != nil {
		return nil
	}
	if s.overSamplesProgram, err = s.part.OverSamples(); err != nil {
		return err
	}
	if s.overSamples, err = s.model.openProgram(s.part, s.overSamplesProgram); err != nil {
		return err
	}
	s.open = append(s.open, s.overSamples)
	return nil
}

// sumsOf reads the sums of the first samples: the high and the low parts, and
// where a transform hides numbers that are not finite, sums that show them.
func sumsOf(results []tensor.Tensor, shape []int) (model.Sums, error) {
	if len(results) != 2 && len(results) != 3 {
		return model.Sums{}, fmt.Errorf("onnx: a part gave %d sums, want 2 or 3", len(results))
	}
	var values [3][]float64
	for i, r := range results {
		if r.DType() != tensor.Float64 || r.Len() < product(shape) {
			return model.Sums{}, fmt.Errorf("onnx: a part gave sums %s %v, want float64 %v", r.DType(), r.Shape(), shape)
		}
		values[i] = tensor.Values[float64](r)[:product(shape)]
	}
	sums := model.Sums{Shape: shape, High: values[0], Low: values[1]}
	shown := values[0]
	if len(results) == 3 {
		shown = values[2]
	}
	columns := shape[len(shape)-1]
	for lo := 0; lo < len(shown); lo += columns {
		for _, x := range shown[lo : lo+columns] {
			if x-x != 0 { // NaN and Inf alone
				for c := range columns {
					sums.High[lo+c] = math.NaN()
				}
				break
			}
		}
	}
	return sums, nil
}
