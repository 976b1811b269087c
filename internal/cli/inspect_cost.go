package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/engine"
)

type costReport struct {
	// Plan is "staged" or "full".
	Plan string `json:"plan"`
	// Additive is set where no combination of parts is run.
	Additive bool `json:"additive"`
	// MACs counts the multiply-adds of a row of the whole model, nil where unknown.
	MACs        *int64           `json:"macs"`
	RowsNaive   int64            `json:"rows_naive"`
	Rows        map[string]int64 `json:"rows"`
	Parts       []partReport     `json:"parts"`
	Tiles       int              `json:"tiles"`
	TileSamples int              `json:"tile_samples"`
	BatchRows   int              `json:"batch_rows"`
	Workers     int              `json:"workers"`
	MemoryBytes int64            `json:"memory_bytes"`
	// ProbeRows of the whole model ran in ProbeSeconds; SecondsFull is what the
	// plain way takes at that speed.
	ProbeRows    int64   `json:"probe_rows"`
	ProbeSeconds float64 `json:"probe_seconds"`
	SecondsFull  float64 `json:"seconds_full"`
	// Seconds is what the run takes, by the speed of each part.
	Seconds float64 `json:"seconds"`
	// why says why the model is evaluated as it is.
	why string
}

// A partReport is a part of the model and what its rows take.
type partReport struct {
	Part       string   `json:"part"`
	Modalities []string `json:"modalities"`
	// Fixed is set where the part depends on fixed inputs too.
	Fixed   bool           `json:"fixed"`
	Inputs  []tensorReport `json:"inputs"`
	Outputs []tensorReport `json:"outputs"`
	// MACs counts the multiply-adds of a row, nil where unknown.
	MACs      *int64  `json:"macs"`
	Rows      int64   `json:"rows"`
	RowsNaive int64   `json:"rows_naive"`
	Seconds   float64 `json:"seconds"`
}

// share returns the part's multiply-adds as a fraction of the whole model's.
func (p *partReport) share(whole *int64) (x float64, known bool) {
	if p.MACs == nil || whole == nil {
		return 0, false
	}
	return float64(*p.MACs) / float64(*whole), true
}

// elements counts what a row of the part hands on.
func (p *partReport) elements() int {
	n := 0
	for _, out := range p.Outputs {
		n += out.Elements
	}
	return n
}

// openLength stands for elements that a model leaves open.
const openLength = -1

// probeTime bounds a measurement of speed, but for calls under way: one is of
// the whole model, one of all parts together.
const probeTime = 500 * time.Millisecond

// reportCost says what the plan takes, but for time.
func reportCost(plan *intershap.Plan, asked intershap.PlanKind, cut *keptCut, g *partGraph) *costReport {
	e := plan.Engine()
	c := &costReport{
		Plan: plan.Kind().String(), Additive: e.Additive(), MACs: known(cut.macs()),
		RowsNaive: e.NaiveRows(), Rows: map[string]int64{},
		Tiles: e.Tiles(), TileSamples: e.TileSamples(), BatchRows: e.BatchRows(), MemoryBytes: e.MemoryBytes(),
		why: reason(plan, asked, cut),
	}
	for i, part := range e.Parts() {
		drawn := g.parts[i]
		macs := part.MACs
		if !e.Staged() {
			macs = cut.macs()
		}
		c.Rows[part.Name] = part.Rows
		c.Parts = append(c.Parts, partReport{
			Part: part.Name, Modalities: drawn.modalities, Fixed: drawn.fixed, Inputs: drawn.inputs, Outputs: drawn.outputs,
			MACs: known(macs), Rows: part.Rows, RowsNaive: e.NaiveRows(),
		})
	}
	return c
}

// known returns a count, nil for the 0 that stands for an unknown one.
func known(count int64) *int64 {
	if count == 0 {
		return nil
	}
	return &count
}

// reason says how the model is evaluated and why so. Why a graph cannot be cut is
// a warning, and not said twice.
func reason(plan *intershap.Plan, asked intershap.PlanKind, cut *keptCut) string {
	switch {
	case plan.Engine().Additive():
		return "additive by construction: no combination is run"
	case plan.Engine().Staged():
		return "each part on the rows that differ for it"
	case asked == intershap.FullPlan:
		return "every row through the whole model, as asked"
	case cut.stages != nil:
		return "every row through the whole model: parts would save no work, or take more memory than --memory allows"
	}
	return "every row through the whole model"
}

// measure fills in the times, from probes of the whole model and of its parts.
func (c *costReport) measure(ctx context.Context, e *engine.Plan) error {
	speed, err := e.Measure(ctx, probeTime)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	c.Workers, c.ProbeRows, c.ProbeSeconds = speed.Workers, speed.Rows, speed.Elapsed.Seconds()
	c.SecondsFull = speed.Seconds(c.RowsNaive)
	if !e.Staged() {
		// The plain way is the run.
		c.Seconds = c.SecondsFull
		c.Parts[0].Seconds = c.Seconds
		return nil
	}
	parts, err := e.MeasureParts(ctx, probeTime)
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	for i, part := range parts {
		c.Parts[i].Seconds = part.Seconds
		c.Seconds += part.Seconds
	}
	return nil
}
