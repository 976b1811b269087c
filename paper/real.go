package paper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/score"
)

// A RealTable holds the columns of Tables 4 and 5 for a data set of the user's: a
// folder with the files train and test, .npz or .parquet, which have labels, and
// networks model_NAME.onnx with the output probabilities. A file dataset.json may
// name the classes.
type RealTable struct {
	// Name is that of the folder.
	Name string `json:"name"`
	// Modalities are the players; Samples is the number of those explained.
	Modalities []string `json:"modalities"`
	Samples    int      `json:"samples"`
	// Lines has a row for each model and a column for each number.
	Lines []Line `json:"lines"`
	// Classes breaks InterSHAP down by predicted class, as the paper's Figure 3.
	Classes []RealClass `json:"classes"`
	// Notes say, of each model, what the data did not allow and what is doubtful.
	Notes []string `json:"notes"`
}

// A RealClass is a predicted class of one model.
type RealClass struct {
	Model string `json:"model"`
	ClassScore
}

// A realScore is a score and what it was made of.
type realScore struct {
	// Digests are SHA-256 sums of model, test and training file, and the names of the
	// classes.
	Digests []string `json:"digests"`
	Samples int      `json:"samples"`
	Score
}

// realFolder is that of real data's scores in the run's folder, tablesFile that of
// their tables.
const realFolder, tablesFile = "real", "tables.json"

// A realData is a folder of the user's data.
type realData struct {
	name, train, test string
	models            []string
	classes           []string
}

const modelPrefix, modelSuffix = "model_", ".onnx"

// findReal lists the files of every folder before any is worked on.
func findReal(folders []string) ([]realData, error) {
	var out []realData
	for _, folder := range folders {
		whole, err := filepath.Abs(folder)
		if err != nil {
			return nil, fmt.Errorf("paper: %w", err)
		}
		d := realData{name: filepath.Base(whole)}
		if slices.ContainsFunc(out, func(o realData) bool { return o.name == d.name }) {
			return nil, fmt.Errorf("paper: two data folders are called %s; rename one", d.name)
		}
		if d.train, err = findSplit(folder, "train"); err != nil {
			return nil, err
		}
		if d.test, err = findSplit(folder, "test"); err != nil {
			return nil, err
		}
		if d.models, err = filepath.Glob(filepath.Join(folder, modelPrefix+"*"+modelSuffix)); err != nil || len(d.models) == 0 {
			return nil, errors.Join(err, fmt.Errorf("paper: %s has no %s*%s; put the networks there", folder, modelPrefix, modelSuffix))
		}
		if d.classes, err = readClasses(filepath.Join(folder, "dataset.json")); err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func findSplit(folder, name string) (string, error) {
	for _, extension := range []string{".npz", ".parquet"} {
		path := filepath.Join(folder, name+extension)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("paper: %s has no %s.npz or %s.parquet", folder, name, name)
}

// readClasses reads the names of the classes, nil where the file is not there.
func readClasses(path string) ([]string, error) {
	var described struct {
		Classes []string `json:"classes"`
	}
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &described)
	}
	if err != nil {
		return nil, fmt.Errorf("paper: %s: %w", path, err)
	}
	return described.Classes, nil
}

// real scores the models of a data set and makes its table.
func (r *run) real(ctx context.Context, d realData) (RealTable, error) {
	t := RealTable{Name: d.name, Notes: []string{}}
	for _, path := range d.models {
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(path), modelPrefix), modelSuffix)
		r.begin("%s/%s: scores", d.name, name)
		s, err := r.scoreReal(ctx, d, name, path)
		if err != nil {
			return t, fmt.Errorf("%s: model %s: %w", d.name, name, err)
		}
		t.Modalities, t.Samples = s.Modalities, s.Samples
		t.Lines = append(t.Lines, realLines(name, s.Score)...)
		for _, c := range s.Classes {
			t.Classes = append(t.Classes, RealClass{name, c})
		}
		for _, n := range s.Notes {
			t.Notes = append(t.Notes, name+": "+n)
		}
		r.finish(1)
	}
	return t, nil
}

// scoreReal takes the score from the folder, or computes and keeps it.
func (r *run) scoreReal(ctx context.Context, d realData, name, path string) (realScore, error) {
	var digests []string
	for _, file := range []string{path, d.test, d.train} {
		digest, err := dataset.Digest(ctx, file)
		if err != nil {
			return realScore{}, err
		}
		digests = append(digests, digest)
	}
	digests = append(digests, d.classes...)
	folder := filepath.Join(r.opt.Folder, realFolder, d.name)
	file := filepath.Join(folder, name+".json")
	var s realScore
	if err := readJSON(file, &s); err == nil && slices.Equal(s.Digests, digests) {
		return s, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return s, fmt.Errorf("%w; remove it to have it made again", err)
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return s, err
	}
	samples, err := dataset.Open(ctx, d.test)
	if err != nil {
		return s, err
	}
	background, err := dataset.Open(ctx, d.train)
	if err != nil {
		return s, errors.Join(err, samples.Close())
	}
	s = realScore{Digests: digests, Samples: samples.Len()}
	s.Score, err = r.try(ctx, trial{path: path, samples: samples, background: background, classes: d.classes, rivals: true})
	if err := errors.Join(err, samples.Close(), background.Close()); err != nil {
		return s, err
	}
	return s, writeJSON(file, s)
}

// realLines are the columns of Tables 4 and 5.
func realLines(model string, s Score) []Line {
	var out []Line
	add := func(column string, unit Unit, value, spread score.Share) {
		l := Line{Row: model, Column: column, Unit: unit, Ours: value, Spread: spread, Seeds: 1}
		if x, ok := value.Value(); ok && unit == Percent {
			l.Ours = score.Defined(100 * x)
		}
		out = append(out, l)
	}
	add(interSHAP.name, Percent, s.InterSHAP, score.Share{})
	for _, p := range s.Rivals.ModelPID {
		name := modelPID.name
		if p.Pairwise {
			name = fmt.Sprintf("pairwise synergy %s × %s", p.First, p.Second)
		}
		add(name, Nats, score.Defined(p.Synergy), score.Defined(p.SD))
		add(name+", shuffled", Nats, score.Defined(p.Permuted), score.Share{})
	}
	emap := emapGap
	if len(s.Modalities) > 2 {
		emap.name += ", product form"
	}
	for _, m := range []measure{emap, shapeF1, f1} {
		add(m.name, Percent, m.of(s).value, score.Share{})
	}
	return out
}
