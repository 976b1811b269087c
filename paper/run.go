package paper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"sync"

	"github.com/intershap/intershap/dataset"
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
	folders, err := findReal(opt.Data)
	if err != nil {
		return nil, err
	}
	if err := r.openFolder(); err != nil {
		return nil, err
	}
	experiments := Experiments(opt.Tables)
	for _, d := range folders {
		r.total += len(d.models)
	}
	for _, e := range experiments {
		r.total += stepsOfUnit * len(r.units(e))
	}
	// What is kept is read first: a damaged file is found before an hour of training,
	// and the time that is left is that of what is left.
	left := make([][]unit, len(experiments))
	for i, e := range experiments {
		if left[i], err = r.left(ctx, e); err != nil {
			return nil, fmt.Errorf("paper: %w", err)
		}
	}
	for i, e := range experiments {
		if err := r.experiment(ctx, e, left[i]); err != nil {
			return nil, fmt.Errorf("paper: %w", err)
		}
	}
	page := newPage(opt.Tables, r.setup, r.scores, opt.Quick)
	for _, d := range folders {
		t, err := r.real(ctx, d)
		if err != nil {
			return nil, fmt.Errorf("paper: %w", err)
		}
		page.Real = append(page.Real, t)
	}
	if len(page.Real) > 0 {
		if err := writeJSON(filepath.Join(opt.Folder, realFolder, tablesFile), page.Real); err != nil {
			return nil, err
		}
	}
	return page, result.WriteFile(filepath.Join(opt.Folder, PageFile), page.WriteMarkdown)
}

// A run works through experiments.
type run struct {
	opt    Options
	setup  Setup
	scores Scores
	// tell guards what follows, and keeps calls of Progress apart: networks are
	// trained side by side.
	tell        sync.Mutex
	done, total int
}

// stepsOfUnit: a network is trained, then scored.
const stepsOfUnit = 2

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
		// Networks whose setup nobody knows would pass for those of this run.
		for _, e := range Experiments(Tables) {
			if _, err := os.Stat(filepath.Join(r.opt.Folder, e.Name())); err == nil {
				return fmt.Errorf("paper: %s has networks (%s) and no %s that says how they were trained; take another folder", r.opt.Folder, e.Name(), setupFile)
			}
		}
		return writeJSON(path, r.setup)
	case err != nil:
		return fmt.Errorf("paper: %w; take another folder", err)
	case !reflect.DeepEqual(found, r.setup):
		return fmt.Errorf("paper: the folder %s is of a run with another setup (quick or full, or another version of this program); take another folder", r.opt.Folder)
	}
	return nil
}

// A unit is a network of an experiment with one seed.
type unit struct {
	source  Source
	network Network
	seed    uint64
}

// name is that of the unit's files, without extension.
func (u unit) name() string {
	if u.network.XOR {
		return u.source.Name() + "/" + u.network.Name()
	}
	return fmt.Sprintf("%s/%s-seed%d", u.source.Name(), u.network.Name(), u.seed)
}

// units lists the units of a network on data: one a seed.
func (s Setup) units(source Source, n Network) []unit {
	if n.XOR {
		return []unit{{source: source, network: n}}
	}
	var out []unit
	for _, seed := range s.Seeds {
		out = append(out, unit{source, n, seed})
	}
	return out
}

// units lists the units of an experiment.
func (r *run) units(e Experiment) []unit {
	var out []unit
	for _, n := range e.Networks {
		out = append(out, r.setup.units(e.Source, n)...)
	}
	return out
}

// left takes the scores that the folder has, and returns the units that it does not
// have.
func (r *run) left(ctx context.Context, e Experiment) ([]unit, error) {
	var left []unit
	for _, u := range r.units(e) {
		s, found, err := r.keptScore(ctx, u)
		switch {
		case err != nil:
			return nil, err
		case found:
			r.scores[u.name()] = s
			r.finish(stepsOfUnit)
		default:
			left = append(left, u)
		}
	}
	return left, nil
}

// experiment trains and scores units.
func (r *run) experiment(ctx context.Context, e Experiment, units []unit) error {
	if len(units) == 0 {
		return nil
	}
	if err := os.MkdirAll(filepath.Join(r.opt.Folder, e.Name()), 0o777); err != nil {
		return err
	}
	r.begin("%s: data", e.Name())
	set, err := r.makeData(e.Source)
	if err != nil {
		return fmt.Errorf("%s: %w", e.Name(), err)
	}
	if err := r.train(ctx, set, units); err != nil {
		return err
	}
	for _, u := range units {
		r.begin("%s: scores", u.name())
		s, err := r.score(ctx, set, u)
		if err != nil {
			return fmt.Errorf("%s: %w", u.name(), err)
		}
		if err := r.keepScore(ctx, u, s); err != nil {
			return err
		}
		r.scores[u.name()] = s
		r.finish(1)
	}
	return nil
}

// A keptScore is a score on disk, with what it was made of.
type keptScore struct {
	// Unit is the name of the unit, Setup the digest of the setup, and Network that of
	// the unit's ONNX file.
	Unit    string `json:"unit"`
	Setup   string `json:"setup_sha256"`
	Network string `json:"network_sha256"`
	Score
}

// keptScore returns the score that the folder has of a unit. A score of another
// network is not found, one of another unit or setup is an error.
func (r *run) keptScore(ctx context.Context, u unit) (s Score, found bool, err error) {
	path := r.scoreFile(u)
	var kept keptScore
	if err := readJSON(path, &kept); errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	} else if err != nil {
		return s, false, fmt.Errorf("%w; remove it to have it made again", err)
	}
	if kept.Unit != u.name() || kept.Setup != r.setup.digest() {
		return s, false, fmt.Errorf("%s is of another network or setup (%s); remove it to have it made again", path, kept.Unit)
	}
	if err := kept.check(); err != nil {
		return s, false, fmt.Errorf("%s: %w; remove it to have it made again", path, err)
	}
	network, err := dataset.Digest(ctx, r.modelFile(u))
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	return kept.Score, err == nil && network == kept.Network, err
}

func (r *run) keepScore(ctx context.Context, u unit, s Score) error {
	network, err := dataset.Digest(ctx, r.modelFile(u))
	if err != nil {
		return err
	}
	return writeJSON(r.scoreFile(u), keptScore{u.name(), r.setup.digest(), network, s})
}

// digest returns the SHA-256 of the setup.
func (s Setup) digest() string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("paper: setup: %v", err)) // its fields always encode
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
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

// finish counts steps that are done.
func (r *run) finish(steps int) {
	r.tell.Lock()
	defer r.tell.Unlock()
	r.done += steps
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
			r.finish(1)
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
				return
			}
			r.finish(1)
		})
	}
	all.Wait()
	return context.Cause(ctx)
}

// trained returns the ONNX file of a unit's model.
func (r *run) trained(ctx context.Context, set *synth.Set, u unit) ([]byte, error) {
	if u.network.XOR {
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
		return fmt.Errorf("%s: %w", path, err)
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
