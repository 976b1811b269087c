package cli

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/score"
)

type costReport struct {
	// Plan is "staged" or "full".
	Plan string `json:"plan"`
	// Additive is set where no combination of parts is run.
	Additive bool `json:"additive"`
	// MACs counts the multiply-adds of a row of the whole model, nil where nobody
	// counted them.
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
	// MACs counts the multiply-adds of a row, nil where those of the whole model
	// are not known; 0 for a part that multiplies no matrices.
	MACs      *int64  `json:"macs"`
	Rows      int64   `json:"rows"`
	RowsNaive int64   `json:"rows_naive"`
	Seconds   float64 `json:"seconds"`
}

// share returns the part's multiply-adds as a share of the whole model's.
func (p *partReport) share(whole *int64) score.Share {
	if p.MACs == nil || whole == nil {
		return score.Share{}
	}
	return score.Defined(float64(*p.MACs) / float64(*whole))
}

// mixes reports whether the part takes rows of which some is the sample's and
// some the background's.
func (p *partReport) mixes() bool {
	return len(p.Modalities) > 1 || p.Fixed && len(p.Modalities) > 0
}

// elements counts what a row of the part hands on.
func (p *partReport) elements() int {
	n := 0
	for _, out := range p.Outputs {
		n += out.Elements
	}
	return n
}

// probeTime bounds a measurement of speed, but for calls under way: one is of
// the whole model, one of all parts together.
const probeTime = 500 * time.Millisecond

// reportCost says what the plan takes, but for time; parts are those of its
// graph.
func reportCost(plan *intershap.Plan, asked intershap.PlanKind, cut *keptCut, parts []partReport) *costReport {
	e := plan.Engine()
	c := &costReport{
		Plan: plan.Kind().String(), Additive: e.Additive(), MACs: cut.macs(), Parts: parts,
		RowsNaive: e.NaiveRows(), Rows: map[string]int64{},
		Tiles: e.Tiles(), TileSamples: e.TileSamples(), BatchRows: e.BatchRows(), MemoryBytes: e.MemoryBytes(),
		why: reason(e, asked, cut.whole, plan.Warnings()),
	}
	for i, part := range e.Parts() {
		r := &c.Parts[i]
		r.Rows, r.RowsNaive = part.Rows, c.RowsNaive
		if r.MACs = c.MACs; c.MACs != nil && e.Staged() {
			r.MACs = &part.MACs
		}
		c.Rows[part.Name] = part.Rows
	}
	return c
}

// reason says how the model is evaluated, and why so.
func reason(e *engine.Plan, asked intershap.PlanKind, indivisible bool, warnings []diag.Warning) string {
	const whole = "every row through the whole model"
	switch {
	case e.Additive():
		return "additive by construction: no combination is run"
	case e.Staged():
		return "each part on the rows that differ for it"
	case asked == intershap.FullPlan:
		return whole + ", as asked"
	case indivisible:
		return whole + ": only a model in a file can be cut"
	case slices.ContainsFunc(warnings, func(w diag.Warning) bool { return w.ID == notStaged }):
		return whole + ": it is not cut, see the warning " + notStaged
	}
	return whole + ": parts would save no work, or take more memory than --memory allows"
}

// notStaged is the warning that says why a model is not evaluated in parts.
const notStaged = "not-staged"

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
