package intershap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/engine/checkpoint"
	"github.com/intershap/intershap/result"
)

// evaluate runs the plan's rows, all or those that no checkpoint has.
func (p *Plan) evaluate(ctx context.Context, provenance result.Provenance, each func(*engine.Tile) error) (engine.Cost, error) {
	if p.opt.Checkpoint == "" {
		return p.engine.Run(ctx, each)
	}
	build, err := build()
	if err != nil {
		return engine.Cost{}, fmt.Errorf("intershap: checkpoint %s: what program this is: %w", p.opt.Checkpoint, err)
	}
	id, err := p.identity("checkpoint "+p.opt.Checkpoint, provenance, build)
	if err != nil {
		return engine.Cost{}, err
	}
	if dir := p.opt.checkpoints; dir != "" {
		if err := os.Mkdir(dir, 0o777); err != nil && !errors.Is(err, fs.ErrExist) {
			return engine.Cost{}, fmt.Errorf("intershap: checkpoint: %w", err)
		}
	}
	folder, err := checkpoint.Open(p.opt.Checkpoint, id, checkpoint.Shape{
		Tiles: p.engine.Tiles(), Players: len(p.modalities), Targets: len(p.target.names), Blocks: len(p.background.Blocks()), Coalitions: p.engine.Coalitions(),
	})
	if err != nil {
		return engine.Cost{}, err
	}
	// Nothing is written when it closes: files were flushed one by one.
	defer folder.Close()
	from, to := p.engine.Range()
	found := 0 // of a shard's own tiles: the folder may have those of others
	for tile := from; tile < to; tile++ {
		if folder.Has(tile) {
			found++
		}
	}
	if p.opt.Resumed != nil && found > 0 {
		p.opt.Resumed(found, to-from)
	}
	return p.engine.Resume(ctx, folder, each)
}

// identity lists what a tile's values and shape depend on. The convention, the
// level of intervals, workers and all that is written elsewhere change neither.
// The platform is one of them: the same library computes with other instructions
// elsewhere, and the last bits differ.
func (p *Plan) identity(of string, from result.Provenance, build string) (checkpoint.Identity, error) {
	for _, s := range []struct{ what, digest string }{
		{"the model", from.Model.SHA256}, {"the data", from.Data.SHA256}, {"the background", from.Background.SHA256},
	} {
		if s.digest == "" {
			return nil, fmt.Errorf("intershap: %s: %s has no digest, so another run's tiles would look like this one's; open it from a file (a model may have a method Digest() string), or do without the %s",
				of, s.what, strings.Fields(of)[0])
		}
	}
	id := checkpoint.Identity{
		{Name: "version", Value: from.Version},
		{Name: "build", Value: build},
		{Name: "platform", Value: runtime.GOOS + "/" + runtime.GOARCH},
		{Name: "runtime", Value: from.Runtime},
		{Name: "model_sha256", Value: from.Model.SHA256},
		{Name: "data_sha256", Value: from.Data.SHA256},
		{Name: "samples", Value: p.samples.Len()},
		{Name: "background_sha256", Value: from.Background.SHA256},
		{Name: "background_rows", Value: p.background.Drawn()},
		{Name: "seed", Value: from.Seed},
		{Name: "mask", Value: from.Background.Mask},
		{Name: "modalities", Value: spelled(p.modalities, p.inputNames())},
		{Name: "output", Value: from.Output},
		{Name: "task", Value: from.Task},
		{Name: "transform", Value: from.Transform},
		{Name: "targets", Value: p.target.names},
		{Name: "classes", Value: append([]string{}, p.classes...)}, // [] without classes
		{Name: "plan", Value: from.Plan},
		{Name: "parts", Value: p.parts()},
		{Name: "memory", Value: from.Memory},
		{Name: "tile_samples", Value: p.engine.TileSamples()},
		{Name: "batch_rows", Value: p.engine.BatchRows()},
	}
	if len(p.opt.Missing) > 0 {
		id = append(id, checkpoint.Fact{Name: "missing", Value: p.opt.Missing})
	}
	if len(p.opt.Pad) > 0 {
		id = append(id, checkpoint.Fact{Name: "pad", Value: p.opt.Pad})
	}
	if from.Sampling != nil {
		id = append(id, checkpoint.Fact{Name: "sampling", Value: from.Sampling})
	}
	return id, nil
}

// parts names the parts of the model and the tensors between them: another cut
// rounds differently.
func (p *Plan) parts() []string {
	var out []string
	for _, part := range p.engine.Parts() {
		text := part.Name
		for i, o := range part.Outputs {
			separator := ","
			if i == 0 {
				separator = ": "
			}
			text += separator + o.Name
		}
		out = append(out, text)
	}
	return out
}

func (p *Plan) inputNames() []string {
	var names []string
	for _, in := range p.samples.Inputs() {
		names = append(names, in.Name)
	}
	return names
}

// spelled writes out which elements each modality has, whatever pattern named
// them: "text=input_ids[0:16],attention_mask[0:16]". What is in none is fixed.
func spelled(modalities []dataset.Modality, inputs []string) []string {
	var out []string
	for _, m := range modalities {
		text := m.Name
		for i, part := range m.Parts {
			separator := ","
			if i == 0 {
				separator = "="
			}
			text += fmt.Sprintf("%s%s[%d:%d]", separator, inputs[part.Input], part.Lo, part.Hi)
		}
		out = append(out, text)
	}
	return out
}
