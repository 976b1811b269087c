package intershap

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/intershap/intershap/background"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/tensor"
)

// truth holds the true classes of the samples, or why there are none.
type truth struct {
	labels []int // nil without
	reason string
}

// needed says that labels are missing, and why. It is the same sentence for every score,
// so that a table says it once.
func (t truth) needed() string { return "true classes are needed, and " + t.reason }

// of returns the labels of some samples, nil without labels.
func (t truth) of(samples []int) []int {
	if t.labels == nil || samples == nil {
		return t.labels
	}
	return picked(t.labels, samples)
}

// picked returns the elements of x at the given places.
func picked(x, at []int) []int {
	out := make([]int, len(at))
	for i, k := range at {
		out[i] = x[k]
	}
	return out
}

// readTruth reads the true classes. Labels that are missing, or no classes, are a
// reason; a file that cannot be read is an error.
func (p *Plan) readTruth(ctx context.Context) (truth, error) {
	path := p.samples.File().Path()
	if p.task != Classes && p.task != Binary {
		return truth{reason: fmt.Sprintf("the task %s has no single true class a sample", p.task)}, nil
	}
	if !p.samples.HasLabels() {
		for _, w := range p.samples.Warnings() {
			if w.ID == "ignored-label" {
				return truth{reason: fmt.Sprintf("%s: %s", path, w.Text)}, nil
			}
		}
		return truth{reason: fmt.Sprintf("%s has none: add a column or array called label", path)}, nil
	}
	labels := make([]int, 0, p.samples.Len())
	class := labelColumn(p.classes)
	const chunk = 4096
	for lo := 0; lo < p.samples.Len(); lo += chunk {
		column, err := p.samples.ReadLabels(ctx, lo, min(lo+chunk, p.samples.Len()))
		if err != nil {
			return truth{}, err
		}
		for i := range column.Rows() {
			c, err := class(column, i)
			if err != nil {
				return truth{reason: fmt.Sprintf("%s: row %d: %v: name the classes in the order of the output's columns, with --classes (Options.Classes)", path, lo+i, err)}, nil
			}
			labels = append(labels, c)
		}
	}
	return truth{labels: labels}, nil
}

// beside plans another run of the plan's model: of some samples on other background
// rows. Parts are those of the plan, which were cut along the same modalities and
// held against the whole model, but for another transform, which is in the last one.
// The caller closes it.
func (p *Plan) beside(ctx context.Context, samples engine.Source, rows *background.Rows, target engine.Target, transform engine.Transform, progress func(done, total int64)) (*Plan, error) {
	opt := engine.Options{
		Model: p.model, Samples: samples, Modalities: p.modalities, Background: rows,
		Output: p.output.name, Width: p.output.width, Transform: transform,
		Target: target, Classify: p.output.classifier(p.task),
		Workers: p.opt.Workers, Memory: p.opt.Memory, Progress: progress,
	}
	q := &Plan{opt: p.opt, model: p.model}
	if p.stages == nil || transform != p.opt.Transform {
		return q, q.planRows(ctx, opt)
	}
	opt.Stages = p.stages
	plan, err := engine.NewPlan(opt)
	if p.opt.Plan == StagedPlan || err == nil && plan.Saves() {
		q.engine = plan
		return q, err
	}
	opt.Stages = nil
	q.engine, err = engine.NewPlan(opt)
	return q, err
}

// allColumns is the target of every column of the output.
func (p *Plan) allColumns() engine.Target {
	t := engine.Target{Choice: engine.Columns}
	for c := range p.output.width {
		t.Columns = append(t.Columns, c)
	}
	return t
}

// drawRows draws background rows from source by a rule for all modalities.
func (p *Plan) drawRows(ctx context.Context, source background.Source, rule string, size int) (*background.Rows, error) {
	mask, err := background.ParseMask([]string{rule}, p.modalities, p.samples.Inputs())
	if err != nil {
		return nil, err
	}
	return background.Draw(ctx, source, p.modalities, mask, background.Options{Size: size, Seed: p.opt.Seed})
}

// drawnSamples are background rows, drawn by the rule marginal, as the samples of a
// run: the same rows on both sides.
type drawnSamples struct {
	inputs []tensor.Spec
	rows   *background.Rows
}

func (s drawnSamples) Len() int              { return s.rows.Len() }
func (s drawnSamples) Inputs() []tensor.Spec { return s.inputs }

// Number is the row of the data that sample i is.
func (s drawnSamples) Number(i int) int { return s.rows.Source(i) }

func (s drawnSamples) Read(ctx context.Context, lo, hi int) (dataset.Rows, error) {
	out := dataset.Rows{Lo: lo}
	for _, in := range s.rows.Inputs() {
		out.Inputs = append(out.Inputs, in.Slice(lo, hi))
	}
	return out, ctx.Err()
}

// numbers lists the rows of the data that were drawn, nil for all of n.
func (s drawnSamples) numbers(n int) []int {
	if s.Len() == n {
		return nil
	}
	out := make([]int, s.Len())
	for i := range out {
		out[i] = s.Number(i)
	}
	return out
}

// drawOf draws size of n numbers by seed, in ascending order; nil stands for all.
// Streams keep what is drawn for one purpose apart from another.
func drawOf(n, size int, seed, stream uint64) []int {
	if n <= size {
		return nil
	}
	drawn := rand.New(rand.NewPCG(seed, stream)).Perm(n)[:size]
	slices.Sort(drawn)
	return drawn
}

// Streams of random numbers.
const (
	productStream = 0x70726f64756374 << 8 // plus the modality
	pidStream     = 0x706964
)

// copyModality gives row r of dst, for each of the rows, the elements that a
// modality has in row from[r] of src.
func copyModality(dst, src []tensor.Tensor, m dataset.Modality, from []int) {
	for _, part := range m.Parts {
		to, of := dst[part.Input], src[part.Input]
		width := to.RowLen()
		for r, k := range from {
			to.CopyElements(r*width+part.Lo, of, k*width+part.Lo, part.Hi-part.Lo)
		}
	}
}

// shuffledRows gathers rows each of whose modalities comes from a row of its own
// among them: the modalities are independent, and each has the same values as
// before. It is a source for a background.
type shuffledRows struct {
	*dataset.Samples
	modalities []dataset.Modality
	seed       uint64
}

// Gather returns the given rows, shuffled.
func (s shuffledRows) Gather(ctx context.Context, rows []int) (dataset.Rows, error) {
	whole, err := s.Samples.Gather(ctx, rows)
	if err != nil {
		return whole, err
	}
	out := whole
	out.Inputs = copies(whole.Inputs)
	for i, m := range s.modalities {
		order := rand.New(rand.NewPCG(s.seed, productStream+uint64(i))).Perm(len(rows))
		copyModality(out.Inputs, whole.Inputs, m, order)
	}
	return out, nil
}

// copies returns tensors that share no memory with in.
func copies(in []tensor.Tensor) []tensor.Tensor {
	out := make([]tensor.Tensor, len(in))
	for i, t := range in {
		out[i] = tensor.Concat(t)
	}
	return out
}
