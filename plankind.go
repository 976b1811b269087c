package intershap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/model"
)

// A PlanKind says how a run evaluates the model.
type PlanKind uint8

const (
	// AutoPlan is the zero PlanKind: in parts where the model can be cut and it
	// saves work, whole otherwise.
	AutoPlan PlanKind = iota
	// StagedPlan evaluates each part of the model on the rows that are distinct
	// for it. It is an error where the model cannot be cut.
	StagedPlan
	// FullPlan pushes every row through the whole model.
	FullPlan
)

var planNames = [...]string{"auto", "staged", "full"}

// ParsePlanKind returns the kind of plan called name.
func ParsePlanKind(name string) (PlanKind, error) {
	for i, n := range planNames {
		if n == name {
			return PlanKind(i), nil
		}
	}
	return 0, fmt.Errorf("intershap: unknown plan %q (want %s)", name, strings.Join(planNames[:], ", "))
}

// String returns the name that ParsePlanKind reads.
func (k PlanKind) String() string {
	if int(k) < len(planNames) {
		return planNames[k]
	}
	return fmt.Sprintf("PlanKind(%d)", uint8(k))
}

// Kind returns how the run evaluates the model: StagedPlan or FullPlan.
func (p *Plan) Kind() PlanKind {
	if p.engine.Staged() {
		return StagedPlan
	}
	return FullPlan
}

// Close frees the parts that a staged plan has cut from the model. The plan must
// not run afterwards; the model stays open.
func (p *Plan) Close() error {
	if p.stages == nil {
		return nil
	}
	stages := p.stages
	p.stages = nil
	return stages.Close()
}

// planRows plans the rows of the run, in parts where they are wanted and to be
// had.
func (p *Plan) planRows(ctx context.Context, opt engine.Options) (err error) {
	wanted := p.opt.Plan
	if _, ok := p.model.(model.Staged); !ok && wanted == AutoPlan {
		wanted = FullPlan
	}
	if wanted != FullPlan {
		done, err := p.planStages(ctx, opt)
		if done || err != nil {
			return err
		}
	}
	p.engine, err = engine.NewPlan(opt)
	return err
}

// planStages plans a run in parts. It reports false where the plain way is
// taken instead, which an automatic plan may do.
func (p *Plan) planStages(ctx context.Context, opt engine.Options) (done bool, err error) {
	stages, err := engine.Stage(ctx, opt)
	if uncut := (*model.Uncut)(nil); errors.As(err, &uncut) {
		if p.opt.Plan == StagedPlan {
			return false, fmt.Errorf("intershap: the plan staged needs a model in parts: %w; use --plan full", err)
		}
		p.warnings.Add("not-staged", uncut.Node, "every row goes through the whole model, which is slow: %v", uncut)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	opt.Stages = stages
	plan, err := engine.NewPlan(opt)
	if err == nil && (p.opt.Plan == StagedPlan || plan.Saves()) {
		p.engine, p.stages = plan, stages
		return true, nil
	}
	if p.opt.Plan == AutoPlan && (err == nil || errors.Is(err, engine.ErrMemory)) {
		return false, stages.Close()
	}
	return false, errors.Join(err, stages.Close())
}
