package intershap

import (
	"context"
	"errors"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/tensor"
)

// The parts of a PID that may be missing.
const ofLabels, ofPredictions = "of the labels", "of the predictions"

// pid decomposes the information that modalities have about the labels, and about the
// model's predictions.
func (r *rivals) pid(ctx context.Context) error {
	p := r.plan
	r.begin(rival.ScorePID, 0)
	for _, m := range p.modalities {
		for _, part := range m.Parts {
			if in := p.samples.Inputs()[part.Input]; in.DType == tensor.String {
				r.unfit(rival.ScorePID, "", "clusters are of numbers, and input %q of modality %s is text: take a model of numbers, such as embeddings", in.Name, m.Name)
				return nil
			}
		}
	}
	drawn := p.drawForPID()
	features, err := p.features(ctx, drawn)
	if err != nil {
		return err
	}
	r.scores.PIDSamples = features[0].Rows
	estimator, err := rival.NewPIDEstimator(ctx, features, p.names(), r.opt.PID)
	if u := (*rival.Unfit)(nil); errors.As(err, &u) {
		r.unfit(rival.ScorePID, "", "%s", u.Reason)
		return nil
	}
	if err != nil {
		return err
	}
	estimate := func(what string, target []int) ([]rival.PIDView, error) {
		views, err := estimator.Estimate(ctx, target)
		if u := (*rival.Unfit)(nil); errors.As(err, &u) {
			r.unfit(rival.ScorePID, what, "%s", u.Reason)
			return nil, nil
		}
		for i := range views {
			if u := views[i].Unfit; u != nil {
				views[i].Unfit = r.unfit(rival.ScorePID, "", "%s", u.Reason)
			}
		}
		return views, err
	}
	if r.truth.labels == nil {
		r.unfit(rival.ScorePID, ofLabels, "%s", r.truth.needed())
	} else if r.scores.DataPID, err = estimate(ofLabels, r.truth.of(drawn)); err != nil {
		return err
	}
	if p.task != Classes && p.task != Binary {
		r.unfit(rival.ScorePID, ofPredictions, "the task %s predicts no single class", p.task)
		return nil
	}
	predicted := r.kept.predicted
	if drawn != nil {
		predicted = picked(predicted, drawn)
	}
	r.scores.ModelPID, err = estimate(ofPredictions, predicted)
	return err
}

// pidBytes is what a number takes while it is estimated from: itself, scaled, and
// centred.
const pidBytes = 3 * 8

// drawForPID draws the samples of which information is estimated, as many as memory
// allows; nil stands for all.
func (p *Plan) drawForPID() []int {
	columns := 0
	for _, m := range p.modalities {
		columns += elements(m.Parts)
	}
	size := min(MaxPIDSamples, p.opt.Memory/int64(pidBytes*columns))
	return drawOf(p.samples.Len(), int(max(1, size)), p.opt.Seed, pidStream)
}

// features returns the elements of each modality as numbers, a row for each of the
// drawn samples.
func (p *Plan) features(ctx context.Context, drawn []int) ([]rival.Matrix, error) {
	if drawn == nil {
		drawn = firstNumbers(p.samples.Len())
	}
	out := make([]rival.Matrix, len(p.modalities))
	for i, m := range p.modalities {
		out[i] = emptyMatrix(len(drawn), elements(m.Parts))
	}
	const chunk = 1024
	for lo := 0; lo < len(drawn); lo += chunk {
		hi := min(lo+chunk, len(drawn))
		rows, err := p.samples.Gather(ctx, drawn[lo:hi])
		if err != nil {
			return nil, err
		}
		numbers := map[int][]float64{} // of inputs
		for i, m := range p.modalities {
			column := 0
			for _, part := range m.Parts {
				in := rows.Inputs[part.Input]
				if numbers[part.Input] == nil {
					numbers[part.Input] = make([]float64, in.Len())
					in.Float64s(numbers[part.Input])
				}
				for r := range hi - lo {
					row := numbers[part.Input][r*in.RowLen():]
					copy(out[i].Row(lo + r)[column:], row[part.Lo:part.Hi])
				}
				column += part.Hi - part.Lo
			}
		}
	}
	return out, nil
}

// elements counts the elements of a row in parts.
func elements(parts []dataset.Part) int {
	n := 0
	for _, part := range parts {
		n += part.Hi - part.Lo
	}
	return n
}
