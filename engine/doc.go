// Package engine plans and runs every model evaluation of an explanation. No
// other package calls a model in a loop.
//
// A run answers, for each sample x and coalition S of modalities,
//
//	v_x(S) = mean over background rows b of f(x on S, b elsewhere)
//
// with f the model's output after the [Transform], row by row. [NewPlan] fixes
// the rows of a run and cuts them into tiles: consecutive samples with all their
// coalitions. The shape of a tile follows from declared sizes and the memory
// limit alone, so that a tile means the same on every machine. [Plan.Run] has
// workers evaluate tiles and hands them out in order.
//
// A sample may lack modalities (dataset.Rows.Present). It plays with those that it has,
// P: v_x(S) is v_x(S∩P), so that its v(all) is a mean over background rows as well, and
// phi of what is absent is exactly zero. Its predicted class is told by the mean output
// of its rows with P.
//
// A run evaluates all coalitions, or those of a list ([Options].Coalitions), where
// there are too many. A listed coalition has the bits that it has among all.
//
// Conventions: bit i of a coalition is modality i, present (game.Coalition).
// Means are taken in twice the precision of float64, in the order of the
// background rows: where a modality changes nothing, v is the same number with
// and without it, whatever the batches were.
//
// An [evaluator] fills a tile. There are three, and a plan has one of them: full
// pushes every row through the whole model; staged evaluates each part of a model
// on the rows that are distinct for it, so that only what depends on all
// modalities sees the combinations; additive adds up terms of one modality each
// and runs no combination at all. [Stage] cuts the model and holds the parts
// against the whole, so that the numbers are the same to rounding.
//
// Reading order: plan.go, coalitions.go and run.go; full.go with rows.go, sums.go and base.go;
// then for models in parts stage.go and verify.go, staging.go (what parts are),
// staged_shape.go and chunk.go (how rows are cut), cost.go (how many there are),
// backdrop.go, staged.go, additive.go. lacking.go has what samples that lack modalities
// take besides. checkpoint.go lets a run go on after a stop, and shard.go run a part of
// the tiles. [Plan.Pairs] and [Plan.Outputs] give rows away, for scores that are not
// made of coalitions.
package engine
