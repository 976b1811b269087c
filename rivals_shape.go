package intershap

import (
	"context"
	"errors"
	"fmt"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// inAccuracy is the part of SHAPE that needs labels.
const inAccuracy = "forms in accuracy and F1"

// shape measures what modalities reach together, absent ones being zeros. The model
// is asked for its outputs before the transform, by which classes are predicted.
func (r *rivals) shape(ctx context.Context) error {
	p := r.plan
	for _, m := range p.modalities {
		for _, part := range m.Parts {
			if in := p.samples.Inputs()[part.Input]; in.DType == tensor.String {
				r.unfit(rival.ScoreShape, "", "an absent modality is zeros, and input %q of modality %s is text, which has none: take a model of numbers, such as token ids", in.Name, m.Name)
				return nil
			}
		}
	}
	rows, err := p.drawRows(ctx, p.samples, "zero", 1)
	if err != nil {
		return err
	}
	q, err := p.beside(ctx, p.samples, rows, p.allColumns(), engine.Identity, p.opt.Progress)
	if errors.Is(err, engine.ErrMemory) {
		r.unfit(rival.ScoreShape, "", "its outputs do not fit into memory (%v)", err)
		return nil
	}
	if err != nil {
		return err
	}
	r.begin(rival.ScoreShape, q.engine.Rows())
	sums := r.newShapeSums()
	cost, err := q.engine.Run(ctx, sums.add)
	if err := errors.Join(err, q.Close()); err != nil {
		return err
	}
	r.scores.Rows[rival.ScoreShape] = cost.Rows
	var infinite *infiniteError
	r.scores.ShapeOutputs, err = sums.shape()
	if errors.As(err, &infinite) {
		r.unfit(rival.ScoreShape, "form on outputs", "%v: take another transform", infinite)
	} else if err != nil {
		return err
	}
	if r.truth.labels == nil {
		r.unfit(rival.ScoreShape, inAccuracy, "%s", r.truth.needed())
		return nil
	}
	for _, form := range []struct {
		form rival.ShapeForm
		to   **rival.Shape
	}{{rival.ShapeF1, &r.scores.ShapeF1}, {rival.ShapeAccuracy, &r.scores.ShapeAccuracy}} {
		*form.to, err = pointer(rival.NewPublishedShape(rival.ShapeInput{
			Predicted: sums.predicted, Labels: r.truth.labels, Form: form.form,
		}))
		if u := (*rival.Unfit)(nil); errors.As(err, &u) {
			r.unfit(rival.ScoreShape, inAccuracy, "%s", u.Reason)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// pointer returns the address of what comes without an error.
func pointer[T any](x T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return &x, nil
}

// shapeSums collects the predicted classes of every coalition, and the sum of the
// explained outputs over samples.
type shapeSums struct {
	*rivals
	predicted [][]int
	outputs   []float64
	// infinite is the first output whose transform is not finite.
	infinite *infiniteError
}

// An infiniteError is an explained output whose transform is not finite.
type infiniteError struct {
	transform engine.Transform
	sample    int
}

func (e *infiniteError) Error() string {
	return fmt.Sprintf("the %s of sample %d with zeros in it is not finite", e.transform, e.sample)
}

func (r *rivals) newShapeSums() *shapeSums {
	n := 1 << len(r.plan.modalities)
	return &shapeSums{rivals: r, predicted: make([][]int, n), outputs: make([]float64, n)}
}

// add adds the samples of a tile, whose values are outputs before the transform.
func (s *shapeSums) add(t *engine.Tile) error {
	p := s.plan
	row := make([]float64, p.output.width)
	for i := range t.Samples() {
		column := s.explained(t.Lo + i)
		for coalition := range s.outputs {
			for c := range row {
				row[c] = t.Values.Game(c*t.Samples() + i)[coalition]
			}
			s.predicted[coalition] = append(s.predicted[coalition], p.classOf(row))
			p.opt.Transform.Apply(row)
			if y := row[column]; y-y != 0 && s.infinite == nil { // NaN and Inf alone
				s.infinite = &infiniteError{p.opt.Transform, t.Lo + i}
			}
			s.outputs[coalition] += row[column]
		}
	}
	return nil
}

// shape returns the form on outputs.
func (s *shapeSums) shape() (*rival.Shape, error) {
	if s.infinite != nil {
		return nil, s.infinite
	}
	means := make([]float64, len(s.outputs))
	for i, sum := range s.outputs {
		means[i] = sum / float64(s.plan.samples.Len())
	}
	return pointer(rival.NewShape(means, rival.ShapeOutputs))
}

// explained returns the output column that the question explains of a sample.
func (r *rivals) explained(sample int) int {
	switch target := r.plan.target.engine; target.Choice {
	case engine.Predicted:
		return r.kept.predicted[sample]
	case engine.Label:
		return r.truth.labels[sample]
	default:
		return target.Columns[0]
	}
}

// classOf returns the predicted class of an output row before the transform.
func (p *Plan) classOf(row []float64) int {
	if classify := p.output.classifier(p.task); classify != nil {
		return classify(row)
	}
	return rival.Predicted(rival.Matrix{Rows: 1, Cols: len(row), Data: row}, 0)[0]
}
