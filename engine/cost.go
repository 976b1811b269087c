package engine

import "github.com/intershap/intershap/tensor"

// A PartCost is what one part of a plan takes.
type PartCost struct {
	// Name joins the modalities that the part depends on by "+", in the order of
	// the modalities; "fixed" stands for fixed inputs. The whole model of the
	// plain way is the part "model".
	Name string
	// Players are the places of those modalities, model.Nobody first for fixed
	// inputs; nil for the whole model.
	Players []int
	// Outputs are the tensors that the part computes; nil for the whole model.
	Outputs []tensor.Spec
	// MACs counts the multiply-adds of a row, 0 where unknown.
	MACs int64
	// Rows is the number of rows that the plan runs.
	Rows int64
	// Seconds is the time that Rows take by a measurement, 0 without one. See
	// [Plan.MeasureParts].
	Seconds float64
}

// wholeModel is the one part of the plain way.
const wholeModel = "model"

// Staged reports whether the plan evaluates the model in parts.
func (p *Plan) Staged() bool { return p.stage != nil }

// Additive reports whether the parts add up to the output, so that no
// combination of them is run and interactions are zero by construction.
func (p *Plan) Additive() bool { return p.stage != nil && p.stage.additive() }

// Parts returns the parts of the model in the order of evaluation.
func (p *Plan) Parts() []PartCost {
	if p.stage == nil {
		return []PartCost{{Name: wholeModel, Rows: p.Rows()}}
	}
	out := make([]PartCost, len(p.stage.parts))
	for i := range out {
		part := &p.stage.parts[i]
		sample, shared := p.partRows(i)
		out[i] = PartCost{
			Name: part.name, Players: part.Players, Outputs: part.Outputs, MACs: part.MACs,
			Rows: int64(p.n)*sample + shared,
		}
	}
	return out
}

// Rows returns the rows that the plan runs, of all parts together.
func (p *Plan) Rows() int64 { return int64(p.n)*p.sampleRows() + p.sharedRows() }

// sampleRows counts the rows that each sample takes.
func (p *Plan) sampleRows() int64 {
	if p.stage == nil {
		return p.rowsPerSample() + 1
	}
	var rows int64
	for i := range p.stage.parts {
		own, _ := p.partRows(i)
		rows += own
	}
	return rows
}

// sharedRows counts the rows that all samples share.
func (p *Plan) sharedRows() int64 {
	if p.stage == nil {
		if p.sharedBase {
			return int64(p.b)
		}
		return 0
	}
	var rows int64
	for i := range p.stage.parts {
		_, shared := p.partRows(i)
		rows += shared
	}
	return rows
}

// NaiveRows returns the model rows of the plain method for C coalitions, which are
// 2^M where none are listed: N·B·(C−2) + N + B, or N·B·(C−1) + N where each sample
// has a v({}) of its own.
func (p *Plan) NaiveRows() int64 {
	rows := int64(p.n) * (p.rowsPerSample() + 1)
	if p.sharedBase {
		rows += int64(p.b)
	}
	return rows
}

// partRows counts the rows of a part: for each sample, its own row and those of
// every pattern that mixes it with the background; and for all samples, the
// background alone.
func (p *Plan) partRows(i int) (sample, shared int64) {
	part := &p.stage.parts[i]
	b := int64(p.b)
	switch {
	case i == p.stage.last:
		sample = 1 + int64(len(p.patterns[i]))*b
		if p.sumsWhole() {
			sample++
		}
		if p.headBase() {
			shared = b
		}
		return sample, shared
	case !part.fixed:
		shared = int64(p.opt.Background.Inputs()[0].Rows())
	}
	if p.stage.additive() {
		return 1, shared
	}
	return 1 + int64(len(p.patterns[i]))*b, shared
}

// headBase reports whether v({}) is the same for every sample, as the staged
// evaluator sees it: a fixed input that the output does not depend on is none.
func (p *Plan) headBase() bool {
	return !p.opt.Background.PerSample() && !p.stage.head().fixed
}

// sumsWhole reports whether v(all) goes through the last part a second time, to be
// transformed and rounded where the combinations are: another exponential function
// would make another last bit, and a Summer keeps fewer bits than float64 has.
func (p *Plan) sumsWhole() bool {
	head := p.stage.head()
	single := p.stage.features[head.first+p.stage.output].dtype == tensor.Float32
	return head.summer != nil && (p.opt.Transform != Identity || !single)
}

// worthwhile is the share of the plain way's work below which parts are worth
// their calls.
const worthwhile = 0.9

// Saves reports whether evaluation in parts takes less work than the plain way:
// in multiply-adds, or in rows of parts where those are unknown. A plan of the
// plain way saves nothing, nor does one that memory leaves a few rows a call.
func (p *Plan) Saves() bool {
	if p.stage == nil {
		return false
	}
	if p.Additive() {
		return true
	}
	if p.cut.short {
		return false
	}
	each := func(macs int64) float64 { return float64(macs) }
	whole := float64(p.opt.Stages.MACs)
	if whole == 0 {
		each = func(int64) float64 { return 1 }
		whole = float64(len(p.stage.parts))
	}
	work := 0.0
	for _, part := range p.Parts() {
		work += each(part.MACs) * float64(part.Rows)
	}
	return work < worthwhile*whole*float64(p.NaiveRows())
}
