package intershap

import (
	"context"
	"errors"
	"fmt"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// perceptual measures the accuracy that is lost when a modality is shuffled. The
// samples as they are go through the whole model too, in the same calls, so that a
// modality that is ignored changes no bit.
func (r *rivals) perceptual(ctx context.Context) error {
	p := r.plan
	n, m := p.samples.Len(), len(p.modalities)
	in := rival.PerceptualInput{Labels: r.truth.labels, Permuted: make([][]int, m)}
	if in.Labels == nil {
		r.unfit(rival.ScorePerceptual, "", "%s", r.truth.needed())
		return nil
	}
	// Without predictions labels are all that it can find fault with.
	if _, err := rival.NewPerceptual(rival.PerceptualInput{Labels: in.Labels}); errors.As(err, new(*rival.Unfit)) {
		return err
	}
	turns := int64(1 + m*r.opt.Draws)
	r.begin(rival.ScorePerceptual, turns*int64(n))
	held, err := p.heldSamples(ctx)
	if err != nil {
		return err
	}
	done := int64(0)
	predict := func(source engine.Source) ([]int, error) {
		progress := func(rows, _ int64) {
			if tell := p.opt.Progress; tell != nil {
				tell(done+rows, turns*int64(n))
			}
		}
		predicted, err := p.predict(ctx, source, progress)
		done += int64(n)
		return predicted, err
	}
	if in.Predicted, err = predict(p.samples); err != nil {
		return err
	}
	for i, modality := range p.modalities {
		for draw := range r.opt.Draws {
			predicted, err := predict(permutedSamples{p.samples, held, modality, rival.Permutation(n, p.opt.Seed, i, draw)})
			if err != nil {
				return fmt.Errorf("modality %s, shuffled: %w", modality.Name, err)
			}
			in.Permuted[i] = append(in.Permuted[i], rival.Hits(predicted, in.Labels))
		}
	}
	r.scores.Rows[rival.ScorePerceptual] = done
	r.scores.Perceptual, err = pointer(rival.NewPerceptual(in))
	return err
}

// predict returns the predicted class of every row of a source.
func (p *Plan) predict(ctx context.Context, source engine.Source, progress func(done, total int64)) ([]int, error) {
	plan, err := engine.NewPlan(engine.Options{
		Model: p.model, Samples: source, Modalities: p.modalities, Background: p.background,
		Output: p.output.name, Width: p.output.width, Target: engine.Target{Choice: engine.Predicted},
		Workers: p.opt.Workers, Memory: p.opt.Memory, Progress: progress,
	})
	if err != nil {
		return nil, err
	}
	predicted := make([]int, 0, source.Len())
	_, err = plan.Outputs(ctx, func(_ int, outputs []float64) error {
		for w := p.output.width; len(outputs) > 0; outputs = outputs[w:] {
			predicted = append(predicted, p.classOf(outputs[:w]))
		}
		return nil
	})
	return predicted, err
}

// heldShare is the share of the memory limit up to which samples are held in memory
// to be shuffled; larger ones are gathered from the file, call by call.
const heldShare = 4

// heldSamples returns the inputs of all samples, or nothing where they are too large.
func (p *Plan) heldSamples(ctx context.Context) ([]tensor.Tensor, error) {
	const text = 64 // bytes of a text, about
	bytes := int64(0)
	for _, in := range p.samples.Inputs() {
		size := in.DType.Size()
		if in.DType == tensor.String {
			size = text
		}
		bytes += int64(in.RowLen()*size) * int64(p.samples.Len())
	}
	if bytes > p.opt.Memory/heldShare {
		return nil, nil
	}
	rows, err := p.samples.Read(ctx, 0, p.samples.Len())
	return rows.Inputs, err
}

// permutedSamples are samples that take one modality of each other: sample i has that
// of sample from[i].
type permutedSamples struct {
	*dataset.Samples
	held     []tensor.Tensor // all samples, or nothing
	modality dataset.Modality
	from     []int
}

// Read returns rows [lo, hi), the modality exchanged.
func (s permutedSamples) Read(ctx context.Context, lo, hi int) (dataset.Rows, error) {
	rows, err := s.Samples.Read(ctx, lo, hi)
	if err != nil {
		return rows, err
	}
	others, from := s.held, s.from[lo:hi]
	if others == nil {
		gathered, err := s.Samples.Gather(ctx, from)
		if err != nil {
			return rows, err
		}
		others, from = gathered.Inputs, firstNumbers(hi-lo)
	}
	rows.Inputs = copies(rows.Inputs) // which may share memory with the file
	copyModality(rows.Inputs, others, s.modality, from)
	return rows, nil
}

// firstNumbers lists 0 to n−1.
func firstNumbers(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
