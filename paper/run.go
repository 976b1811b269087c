package paper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/synth"
)

// Run does what options ask for and returns the tables. Networks and scores that
// the folder has from an earlier run of the same setup are taken from there; a
// folder of another setup is refused.
func Run(ctx context.Context, opt Options) (*Page, error) {
	return runSetup(ctx, opt, opt.setup())
}

func runSetup(ctx context.Context, opt Options, setup Setup) (*Page, error) {
	opt = opt.withDefaults()
	if err := opt.validate(); err != nil {
		return nil, err
	}
	r := &run{opt: opt, setup: setup, scores: Scores{}}
	if err := r.openFolder(); err != nil {
		return nil, err
	}
	real, err := findReal(opt.Data)
	if err != nil {
		return nil, err
	}
	experiments := Experiments(opt.Tables)
	for _, d := range real {
		r.total += len(d.models)
	}
	for _, e := range experiments {
		r.total += len(r.units(e))
	}
	for _, e := range experiments {
		if err := r.experiment(ctx, e); err != nil {
			return nil, fmt.Errorf("paper: %s: %w", e.Name(), err)
		}
	}
	page := newPage(opt.Tables, r.setup, r.scores, opt.Quick)
	for _, d := range real {
		t, err := r.real(ctx, d)
		if err != nil {
			return nil, err
		}
		page.Real = append(page.Real, t)
	}
	return page, result.WriteFile(filepath.Join(opt.Folder, PageFile), page.WriteMarkdown)
}

// A run works through experiments.
type run struct {
	opt         Options
	setup       Setup
	scores      Scores
	done, total int
	// tell keeps calls of Progress apart: networks are trained side by side.
	tell sync.Mutex
}

// PageFile is the page in the folder of a run.
const PageFile = "paper.md"

// setupFile is what every number of a folder depends on.
const setupFile = "setup.json"

// openFolder makes the folder, or finds that it belongs to the same setup.
func (r *run) openFolder() error {
	if err := os.MkdirAll(r.opt.Folder, 0o777); err != nil {
		return fmt.Errorf("paper: %w", err)
	}
	path := filepath.Join(r.opt.Folder, setupFile)
	var found Setup
	switch err := readJSON(path, &found); {
	case errors.Is(err, fs.ErrNotExist):
		return writeJSON(path, r.setup)
	case err != nil:
		return err
	case !reflect.DeepEqual(found, r.setup):
		return fmt.Errorf("paper: %s is of a run with another setup (quick or full, or another version); take another folder, or remove this one", path)
	}
	return nil
}

// A unit is a network of an experiment with one seed, or the labelling function.
type unit struct {
	source  Source
	network Network
	seed    uint64
	// xor is set for the labelling function on the clean bits, which has neither
	// network nor seed.
	xor bool
}

// name is that of the unit's files, without extension.
func (u unit) name() string {
	if u.xor {
		return u.source.Name() + "/xor"
	}
	return fmt.Sprintf("%s/%s-seed%d", u.source.Name(), u.network.Name(), u.seed)
}

// hasXOR reports whether Table 2 shows the labelling function on a source.
func (s Source) hasXOR() bool {
	return s.Kind == synth.KindHDXOR && s.Modalities == 2 && s.Setting != synth.Random
}

// units lists the units of an experiment.
func (r *run) units(e Experiment) []unit {
	var out []unit
	if e.hasXOR() {
		out = append(out, unit{source: e.Source, xor: true})
	}
	for _, n := range e.Networks {
		for _, seed := range r.setup.Seeds {
			out = append(out, unit{source: e.Source, network: n, seed: seed})
		}
	}
	return out
}

// experiment trains and scores what the folder does not have.
func (r *run) experiment(ctx context.Context, e Experiment) error {
	units := r.units(e)
	var left []unit
	for _, u := range units {
		var s Score
		switch err := readJSON(r.scoreFile(u), &s); {
		case err == nil:
			r.scores[u.name()] = s
			r.done++
		case errors.Is(err, fs.ErrNotExist):
			left = append(left, u)
		default:
			return err
		}
	}
	if len(left) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(r.opt.Folder, e.Name()), 0o777); err != nil {
		return err
	}
	r.begin("%s: data", e.Name())
	set, err := r.makeData(e.Source)
	if err != nil {
		return err
	}
	if err := r.train(ctx, set, left); err != nil {
		return err
	}
	for _, u := range left {
		r.begin("%s: scores", u.name())
		s, err := r.score(ctx, set, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.name(), err)
		}
		if err := writeJSON(r.scoreFile(u), s); err != nil {
			return err
		}
		r.scores[u.name()] = s
		r.done++
	}
	return nil
}

func (r *run) scoreFile(u unit) string { return filepath.Join(r.opt.Folder, u.name()+".json") }
func (r *run) modelFile(u unit) string { return filepath.Join(r.opt.Folder, u.name()+".onnx") }

// begin tells of a step.
func (r *run) begin(format string, args ...any) { r.progress(false, fmt.Sprintf(format, args...)) }

func (r *run) progress(within bool, step string) {
	r.tell.Lock()
	defer r.tell.Unlock()
	r.opt.Progress(Progress{Step: step, Within: within, Done: r.done, Total: r.total})
}

// makeData makes the data of a source.
func (r *run) makeData(s Source) (*synth.Set, error) {
	variant, err := synth.ParseVariant(r.setup.Variant)
	if err != nil {
		return nil, err
	}
	if s.Kind == synth.KindSUM {
		return synth.SUM(synth.SUMOptions{Setting: s.Setting, Samples: r.setup.Samples, Seed: r.setup.DataSeed, Variant: variant})
	}
	labelling, err := synth.ParseLabelling(r.setup.Labelling)
	if err != nil {
		return nil, err
	}
	return synth.HDXOR(synth.HDXOROptions{
		Setting: s.Setting, Modalities: s.Modalities, Samples: r.setup.Samples, Seed: r.setup.DataSeed,
		Variant: variant, Labelling: labelling,
	})
}

// train trains the networks that have no file yet, side by side: a network takes
// one core.
func (r *run) train(ctx context.Context, set *synth.Set, units []unit) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	free := make(chan struct{}, r.opt.Workers)
	var all sync.WaitGroup
	for _, u := range units {
		if _, err := os.Stat(r.modelFile(u)); err == nil {
			continue
		}
		free <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			defer func() { <-free }()
			file, err := r.trained(ctx, set, u)
			if err == nil {
				err = result.WriteFile(r.modelFile(u), func(w io.Writer) error {
					_, err := w.Write(file)
					return err
				})
			}
			if err != nil {
				cancel(fmt.Errorf("%s: %w", u.name(), err))
			}
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// trained returns the ONNX file of a unit's model.
func (r *run) trained(ctx context.Context, set *synth.Set, u unit) ([]byte, error) {
	if u.xor {
		return set.Baseline.ONNX()
	}
	opt := fusion.Options{
		Epochs: r.setup.Epochs, LearningRate: r.setup.LearningRate, Seed: u.seed, FrozenEncoders: u.network.Frozen,
	}
	if u.source.Modalities == most {
		opt.Epochs = r.setup.LongEpochs
	}
	opt.Progress = func(e fusion.Epoch) {
		r.progress(true, fmt.Sprintf("%s: epoch %d of %d, loss %.3f", u.name(), e.Number, opt.Epochs, e.Loss))
	}
	r.begin("%s: training", u.name())
	// Nothing looks at the validation data: the paper stops at the last epoch.
	network, err := fusion.Train(ctx, u.network.Fusion, samplesOf(set.Train, u.network), fusion.Data{}, opt)
	if err != nil {
		return nil, err
	}
	return network.ONNX(), nil
}

// samplesOf returns a split as a network sees it.
func samplesOf(split *synth.Split, n Network) fusion.Data {
	var d fusion.Data
	for i, t := range split.Modalities {
		if n.Only == 0 || n.Only == i+1 {
			d.Inputs = append(d.Inputs, model.Named{Name: synth.ModalityName(i), Tensor: t})
		}
	}
	for _, label := range split.Labels {
		d.Labels = append(d.Labels, int(label))
	}
	return d
}

// readJSON reads a file that this package wrote.
func readJSON(path string, to any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, to); err != nil {
		return fmt.Errorf("paper: %s: %w; remove it to have it made again", path, err)
	}
	return nil
}

// writeJSON writes a file that is there complete or not at all.
func writeJSON(path string, from any) error {
	return result.WriteFile(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(from)
	})
}
