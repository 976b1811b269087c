package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap/compare"
	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// sideNames are the names of a side and its files, as they were typed.
type sideNames struct {
	label string
	paths []string
	// samples are the files of --samples, in the order of paths; nil without the flag.
	samples []string
}

// readSides reads the arguments [LABEL=]FILE[,FILE...] and the values of --samples.
func readSides(args, samples []string) ([]sideNames, error) {
	var sides []sideNames
	for _, arg := range args {
		s, err := readSide(arg)
		if err != nil {
			return nil, err
		}
		sides = append(sides, s)
	}
	if err := checkTwice(sides); err != nil {
		return nil, err
	}
	if err := labelSides(sides); err != nil {
		return nil, err
	}
	for _, text := range samples {
		if err := addSamples(sides, text); err != nil {
			return nil, err
		}
	}
	return sides, nil
}

// readSide reads one argument. What is the name of a file is one, whatever signs are in
// it.
func readSide(arg string) (sideNames, error) {
	if info, err := os.Stat(arg); err == nil && !info.IsDir() {
		return sideNames{paths: []string{arg}}, nil
	}
	label, list, labelled := strings.Cut(arg, "=")
	if !labelled {
		label, list = "", arg
	}
	switch {
	case labelled && label == "":
		return sideNames{}, usagef("side %q: want a label before =", arg)
	case list == "":
		return sideNames{}, usagef("side %q has no file, want LABEL=FILE[,FILE...]", arg)
	}
	s := sideNames{label: label, paths: strings.Split(list, ",")}
	if slices.Contains(s.paths, "") {
		return sideNames{}, usagef("side %q: want a file between commas", arg)
	}
	if !labelled && len(s.paths) > 1 {
		fault := usagef("side %q: a group of results needs a label", arg)
		fault.hint = "write LABEL=" + list
		return sideNames{}, fault
	}
	return s, nil
}

// checkTwice refuses a file that is given twice: against itself it has no difference,
// and in a group it would count twice.
func checkTwice(sides []sideNames) error {
	type seen struct {
		path string
		info os.FileInfo
	}
	var all []seen
	for _, s := range sides {
		for _, path := range s.paths {
			info, err := os.Stat(path)
			if err != nil {
				continue // reading tells
			}
			for _, before := range all {
				if os.SameFile(before.info, info) {
					fault := usagef("%s and %s are the same file", before.path, path)
					fault.hint = "every result can be given once"
					return fault
				}
			}
			all = append(all, seen{path, info})
		}
	}
	return nil
}

// labelSides gives sides without a label the base name of their file, or its whole path
// where two would be called the same.
func labelSides(sides []sideNames) error {
	taken := map[string]int{}
	for i := range sides {
		if s := &sides[i]; s.label != "" {
			if taken[s.label]++; taken[s.label] > 1 {
				return usagef("two sides are called %q, want a label for each", s.label)
			}
		}
	}
	for i := range sides {
		if s := &sides[i]; s.label == "" {
			taken[baseName(s.paths[0])]++
		}
	}
	for i := range sides {
		if s := &sides[i]; s.label == "" {
			if s.label = baseName(s.paths[0]); taken[s.label] > 1 {
				s.label = s.paths[0]
			}
		}
	}
	return nil
}

// baseName is the name of a result without its folder and ending.
func baseName(path string) string {
	name := filepath.Base(path)
	if ext := filepath.Ext(name); strings.EqualFold(ext, ".json") && len(name) > len(ext) {
		name = strings.TrimSuffix(name, ext)
	}
	return name
}

// addSamples reads one --samples LABEL=FILE[,FILE...].
func addSamples(sides []sideNames, text string) error {
	var labels []string
	for i := range sides {
		s := &sides[i]
		labels = append(labels, s.label)
		list, ok := strings.CutPrefix(text, s.label+"=")
		if !ok {
			continue
		}
		files := strings.Split(list, ",")
		switch {
		case s.samples != nil:
			return usagef("--samples %s: %s has its samples already", text, s.label)
		case len(files) != len(s.paths):
			return usagef("--samples %s: want a file for each result of %s, which are %d, got %d", text, s.label, len(s.paths), len(files))
		}
		for _, f := range files {
			if f == "" {
				return usagef("--samples %s: want a file between commas", text)
			}
			if err := checkSamples(f); err != nil {
				return err
			}
		}
		s.samples = files
		return nil
	}
	label, _, _ := strings.Cut(text, "=")
	fault := usagef("--samples %s: want LABEL=FILE[,FILE...] with one of the labels %s", text, strings.Join(labels, ", "))
	fault.hint = didYouMean(nearest(label, labels))
	return fault
}

// A sideReader reads what sides are made of.
type sideReader struct {
	tell   teller
	labels *labelFile
	// force leaves out samples that are not those of their result.
	force bool
	// doubts are about the samples of sides, by label.
	doubts map[string][]diag.Warning
	// labelDoubts are about the labels of sides, whose names are their subjects.
	labelDoubts diag.List
}

// doubt notes a warning about a side.
func (r *sideReader) doubt(label, id, format string, args ...any) {
	if r.doubts == nil {
		r.doubts = map[string][]diag.Warning{}
	}
	var one diag.List
	switch id {
	case "samples-missing":
		one.Add("samples-missing", label, format, args...)
	default:
		one.Add("samples-unfit", label, format, args...)
	}
	r.doubts[label] = append(r.doubts[label], one.All()...)
}

// warningsOf returns the doubts about the sides of a comparison. Those about samples
// matter where single files are compared.
func (r *sideReader) warningsOf(c *compare.Comparison) []diag.Warning {
	var out []diag.Warning
	for _, label := range []string{c.Base, c.Other} {
		if c.Question == compare.Files {
			out = append(out, r.doubts[label]...)
		}
		for _, w := range r.labelDoubts.All() {
			if w.Subject == label {
				out = append(out, w)
			}
		}
	}
	return out
}

// checkLabels makes sure that the labels are those of the samples of a run: of the data
// that were explained, told by their digest. Ids that are positions name no sample of
// other data, and other ids the same one.
func (r *sideReader) checkLabels(label string, run *compare.Run) error {
	if run.Samples == nil {
		return nil // Right tells
	}
	l, explained := r.labels, run.Result.Provenance.Data
	const hint = "--labels takes the data that were explained, with their true classes"
	switch {
	case explained.SHA256 == l.digest:
	case explained.SHA256 == "":
		if len(l.labels) != run.Samples.Len() {
			return &hintedError{err: fmt.Errorf("cli: %s: want labels of the %d samples of %s, got %d", l.path, run.Samples.Len(), run.Path, len(l.labels)), hint: hint}
		}
	case l.positions || compare.Positional(run.Samples.IDs):
		return &hintedError{
			err:  fmt.Errorf("cli: %s: not the data of %s, which are %s (SHA-256 %s), and ids that are positions name no sample of other data", l.path, run.Path, explained.Source.Source, explained.SHA256),
			hint: hint,
		}
	default:
		r.labelDoubts.Add("labels-of-other-data", label, "labels of %s were joined by id, and other data were explained: labels may differ", l.path)
	}
	return nil
}

// read reads the results of a side. Samples are read where they can matter: of a single
// file, and for labels.
func (r *sideReader) read(names sideNames) (compare.Side, error) {
	side := compare.Side{Label: names.label}
	for i, path := range names.paths {
		ex, err := result.ReadFile(path)
		if err != nil {
			return side, err
		}
		run := compare.Run{Path: path, Result: ex}
		given := ""
		if names.samples != nil {
			given = names.samples[i]
		}
		if given != "" || len(names.paths) == 1 || r.labels != nil {
			if run.Samples, err = r.readSamples(names.label, path, given, ex); err != nil {
				return side, err
			}
		}
		if r.labels != nil {
			if err := r.checkLabels(names.label, &run); err != nil {
				return side, err
			}
			if run.Right, err = compare.Right(&run, r.labels.ids, r.labels.labels); err != nil {
				return side, err
			}
		}
		side.Runs = append(side.Runs, run)
	}
	return side, nil
}

// readSamples reads the samples of a result from the file that was given, else from the
// one that the result names; nil where there is none.
func (r *sideReader) readSamples(label, path, given string, ex *result.Explanation) (*result.Samples, error) {
	file := given
	if file == "" {
		if ex.SamplesFile == nil {
			r.doubt(label, "samples-missing", "the result names no file of samples: one that explain --samples writes makes the interval sharper")
			return nil, nil
		}
		if file = findSamples(path, *ex.SamplesFile); file == "" {
			r.doubt(label, "samples-missing", "its file of samples %s is not there: --samples %s=FILE says where it is", *ex.SamplesFile, label)
			return nil, nil
		}
	}
	r.tell.step("samples of %s: %s", path, file)
	samples, err := result.ReadSamples(file)
	if err == nil {
		err = samples.Belongs(ex)
	}
	switch {
	case err == nil:
		return samples, nil
	case r.force && given == "":
		r.doubt(label, "samples-unfit", "%v: they are left out", err)
		return nil, nil
	}
	hint := fmt.Sprintf("--samples %s=FILE gives those of %s", label, path)
	if given == "" {
		hint += "; --force goes on without them"
	}
	return nil, &hintedError{err: err, hint: hint}
}

// findSamples finds the file that a result names: as it is named, which was relative to
// where explain ran, else beside the result; "" where it is not.
func findSamples(resultPath, named string) string {
	dir := filepath.Dir(resultPath)
	places := []string{named}
	if !filepath.IsAbs(named) {
		places = append(places, filepath.Join(dir, named))
	}
	places = append(places, filepath.Join(dir, filepath.Base(named)))
	for _, path := range places {
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path
		}
	}
	return ""
}

// A labelFile is what a file of data says of its samples.
type labelFile struct {
	path, digest string
	ids, labels  []string
	// positions is set where the file has no ids.
	positions bool
}

// readLabels reads the columns label and id of a file of data; without ids samples are
// called 0, 1, ...
func readLabels(ctx context.Context, path string) (out *labelFile, err error) {
	f, err := dataset.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	column := func(name string) ([]string, error) {
		for i, c := range f.Columns() {
			if c.Name != name {
				continue
			}
			if c.Refused != nil {
				return nil, c.Refused
			}
			if c.RowLen() != 1 {
				return nil, fmt.Errorf("cli: %s: column %s: want one value a row, got %d", path, name, c.RowLen())
			}
			parts, err := f.Read(ctx, 0, c.Rows, []int{i})
			if err != nil {
				return nil, err
			}
			return texts(parts[0]), nil
		}
		return nil, fs.ErrNotExist
	}
	labels, err := column("label")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &hintedError{err: fmt.Errorf("cli: %s: want a column label, got none", path), hint: "--labels takes the data that were explained, with their true classes"}
	}
	if err != nil {
		return nil, err
	}
	ids, err := column("id")
	positions := errors.Is(err, fs.ErrNotExist)
	switch {
	case positions:
		for i := range labels {
			ids = append(ids, fmt.Sprint(i))
		}
	case err != nil:
		return nil, err
	}
	if len(ids) != len(labels) {
		return nil, fmt.Errorf("cli: %s: want as many ids as labels, got %d and %d", path, len(ids), len(labels))
	}
	digest, err := dataset.Digest(ctx, path)
	if err != nil {
		return nil, err
	}
	return &labelFile{path, digest, ids, labels, positions}, nil
}

// texts returns the elements of a column as text.
func texts(t tensor.Tensor) []string {
	if t.DType() == tensor.String {
		return tensor.Values[string](t)
	}
	out := make([]string, t.Len())
	for i := range out {
		out[i] = t.Format(i)
	}
	return out
}
