package onnx

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/model/onnx/graph"
	"github.com/intershap/intershap/model/onnx/onnxpb"
	"github.com/intershap/intershap/tensor"
)

var _ model.Staged = (*Model)(nil)

// Stage cuts the model along modalities, with package graph, and opens a session
// for each part. The session of the whole model stays.
func (m *Model) Stage(ctx context.Context, q model.Question) (*model.Stages, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return nil, m.errorf("%w", ErrClosed)
	}
	if m.batch > 0 {
		return nil, &model.Uncut{Reason: fmt.Sprintf("the file fixes the batch at %d rows; export it with a free batch axis", m.batch)}
	}
	// The parts are cut from the file, whose messages are not kept.
	data, err := os.ReadFile(m.file.path)
	if err != nil {
		return nil, m.errorf("cut: %w", bare(err))
	}
	var source onnxpb.ModelProto
	if err := proto.Unmarshal(data, &source); err != nil {
		return nil, m.errorf("cut: %w", err)
	}
	cutting, err := graph.Cut(ctx, &source, q, m.runOnce)
	if err != nil {
		return nil, err
	}
	stages := &model.Stages{Output: cutting.Output, Terms: cutting.Terms, Sums: cutting.Sums, MACs: cutting.MACs}
	for i := range cutting.Parts {
		grid, err := m.openPart(&cutting.Parts[i])
		if err != nil {
			return nil, errors.Join(err, stages.Close())
		}
		stages.Parts = append(stages.Parts, newPart(&cutting.Parts[i], cutting.Sums, grid))
	}
	return stages, nil
}

func newPart(p *graph.Part, sums []model.Sum, grid model.Grid) model.Part {
	part := model.Part{Players: p.Players, Outputs: p.Outputs, MACs: p.MACs, RowBytes: p.RowBytes, Grid: grid}
	for _, in := range p.Inputs {
		part.Inputs = append(part.Inputs, in.Name)
	}
	for _, sum := range sums {
		if at := slices.Index(part.Inputs, sum.Sample); at >= 0 {
			part.Inputs[at] = sum.Name
			part.Inputs = slices.DeleteFunc(part.Inputs, func(name string) bool { return name == sum.Background })
		}
	}
	return part
}

// runOnce is the runner of package graph.
func (m *Model) runOnce(ctx context.Context, data []byte, outputs []string, batches []model.Batch) ([][]tensor.Tensor, error) {
	var names []string
	for _, in := range batches[0] {
		names = append(names, in.Name)
	}
	s, err := m.openBytes(data, names, outputs)
	if err != nil {
		return nil, err
	}
	var results [][]tensor.Tensor
	for _, batch := range batches {
		var inputs []tensor.Tensor
		for _, in := range batch {
			inputs = append(inputs, in.Tensor)
		}
		r, err := s.run(ctx, inputs)
		if err != nil {
			return nil, errors.Join(err, s.close())
		}
		results = append(results, r)
	}
	return results, s.close()
}
