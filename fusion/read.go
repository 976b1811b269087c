package fusion

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// A Folder is labelled samples from files, in three splits.
type Folder struct {
	// Train is never empty; Valid and Test are where there are no such files.
	Train, Valid, Test Split
	// Classes are the names of the classes, in the order of the labels: whole
	// numbers by size, names by their bytes.
	Classes []string
	// Warnings name columns that nothing uses.
	Warnings []diag.Warning
}

// A Split is the samples of one file.
type Split struct {
	Data
	// Path is that of the file, "" where there is none.
	Path string
}

// splitNames are the names of the files without their extension.
var splitNames = [...]string{"train", "valid", "test"}

// extensions are those of the files, each with its format. Of several files of one
// split the first of them is read: they are the same samples, written more than once.
var extensions = [...]string{".npz", ".parquet", ".csv"}

// ReadFolder reads the files train, valid and test of a folder, each of them .npz,
// .parquet or .csv; the last two may be missing. Where a split is there in several
// formats, the first in this order is read. It holds all samples in memory.
//
// Every column of the training file but "label" and "id" is an input, and columns
// input.feature are one input together. Inputs are floating-point numbers of any
// shape, and in a CSV file, which knows no types, numbers. Labels are whole numbers
// or names; the classes are those of the training samples. What does not fit is a
// [dataset.Error] with its place and a remedy.
func ReadFolder(ctx context.Context, dir string) (*Folder, error) {
	info, err := os.Stat(dir)
	if err != nil {
		var inPath *fs.PathError // which repeats the path
		if errors.As(err, &inPath) {
			err = inPath.Err
		}
		return nil, &dataset.Error{File: dir, Row: dataset.NoRow, Found: "cannot be opened: " + err.Error(), Err: err}
	}
	if !info.IsDir() {
		return nil, &dataset.Error{
			File: dir, Row: dataset.NoRow, Expected: "a folder with files train, valid and test (.npz, .parquet or .csv)", Found: "a file",
			Hint: "which samples are for testing has to be known later: write, say, 70 % of them to train.npz, 15 % to valid.npz and 15 % to test.npz",
		}
	}
	var paths [len(splitNames)]string
	for i, name := range splitNames {
		path, err := findSplit(dir, name)
		if err != nil {
			return nil, err
		}
		paths[i] = path
	}
	r := &folderReader{}
	f := &Folder{}
	for i, to := range []*Split{&f.Train, &f.Valid, &f.Test} {
		if paths[i] == "" {
			continue
		}
		split, err := r.read(ctx, paths[i])
		if err != nil {
			return nil, err
		}
		*to = split
	}
	f.Classes, f.Warnings = r.classes, r.warnings.All()
	return f, nil
}

// findSplit returns the path of a split, "" where there is none.
func findSplit(dir, name string) (string, error) {
	for _, extension := range extensions {
		path := filepath.Join(dir, name+extension)
		// What else is wrong with it dataset.Open says.
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
	}
	if name == splitNames[0] {
		return "", &dataset.Error{
			File: dir, Row: dataset.NoRow, Expected: "a file train.npz, train.parquet or train.csv", Found: "none",
			Hint: "write the samples to train on to such a file, with a column label; intershap synth writes examples",
		}
	}
	return "", nil
}

// A folderReader reads the training file first, and the others as that one is.
type folderReader struct {
	trainPath string
	specs     []tensor.Spec
	classes   []string
	warnings  diag.List
}

func (r *folderReader) read(ctx context.Context, path string) (split Split, err error) {
	f, err := dataset.Open(ctx, path)
	if err != nil {
		return Split{}, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	specs := r.specs
	if specs == nil {
		if specs, err = inputsOf(f); err != nil {
			return Split{}, err
		}
	}
	samples, err := dataset.Bind(ctx, f, specs, dataset.BindOptions{})
	if err != nil {
		return Split{}, err
	}
	if err := checkLabelled(samples); err != nil {
		return Split{}, err
	}
	r.warnings.Append(samples.Warnings()...)
	// The checksums of the file, which Read passes over.
	if err := samples.Check(ctx, nil); err != nil {
		return Split{}, err
	}
	rows, err := samples.Read(ctx, 0, samples.Len())
	if err != nil {
		return Split{}, err
	}
	split = Split{Path: path}
	for i, spec := range samples.Inputs() {
		x := rows.Inputs[i]
		if len(x.Shape()) == 1 { // numbers, one a sample
			x = x.Reshape(x.Rows(), 1)
		}
		split.Inputs = append(split.Inputs, model.Named{Name: spec.Name, Tensor: x})
	}
	names := labelNames(rows.Labels)
	if r.classes == nil {
		r.trainPath = path
		r.classes = distinct(rows.Labels, names)
		for _, in := range split.Inputs {
			shape := append([]int{-1}, in.Tensor.Shape()[1:]...)
			r.specs = append(r.specs, tensor.Spec{Name: in.Name, DType: tensor.Float32, Shape: shape})
		}
	}
	split.Labels, err = r.number(path, names)
	return split, err
}

// inputsOf returns the inputs that the columns of a file are.
func inputsOf(f dataset.File) ([]tensor.Spec, error) {
	var specs []tensor.Spec
	for _, c := range f.Columns() {
		if c.Name == "label" || c.Name == "id" {
			continue
		}
		if c.Refused != nil {
			return nil, c.Refused
		}
		if !numbers(f, c) {
			return nil, &dataset.Error{
				File: f.Path(), Row: dataset.NoRow, Column: c.Name, Expected: "floating-point numbers", Found: c.DType.String(),
				Hint: "write measurements as float32 and categories as one column each, 0.0 or 1.0; leave out of the file what is no input",
			}
		}
		name := c.Name
		// As Bind has it, a number called input.feature belongs to input.
		if group, _, dotted := strings.Cut(c.Name, "."); dotted && c.RowLen() == 1 {
			name = group
		}
		if !slices.ContainsFunc(specs, func(s tensor.Spec) bool { return s.Name == name }) {
			specs = append(specs, tensor.Spec{Name: name, DType: tensor.Float32})
		}
	}
	if specs == nil {
		return nil, &dataset.Error{
			File: f.Path(), Row: dataset.NoRow, Expected: "a column for each modality beside label", Found: "none",
			Hint: "an array of each modality, [samples, ...], or columns modality.feature",
		}
	}
	return specs, nil
}

// numbers reports whether a column is of measurements. Whole numbers in a file with
// types are something else: words, categories, indices.
func numbers(f dataset.File, c dataset.Column) bool {
	untyped := strings.EqualFold(filepath.Ext(f.Path()), ".csv")
	// A column without rows has no type; that there are none is told later.
	return c.DType.IsFloat() || untyped && c.DType.IsInteger() || c.Rows == 0
}

// checkLabelled refuses samples without classes.
func checkLabelled(s *dataset.Samples) error {
	if s.HasLabels() {
		return nil
	}
	e := &dataset.Error{
		File: s.File().Path(), Row: dataset.NoRow, Expected: `a column "label" with the class of every sample`, Found: "none",
		Hint: "write one class a row, a whole number or a name",
	}
	for _, w := range s.Warnings() {
		if w.ID == "ignored-label" {
			e.Found = w.Text
		}
	}
	return e
}

// labelNames returns labels as text.
func labelNames(labels tensor.Tensor) []string {
	if labels.DType() == tensor.String {
		return tensor.Values[string](labels)
	}
	names := make([]string, labels.Len())
	for i, v := range tensor.Values[int64](labels) {
		names[i] = strconv.FormatInt(v, 10)
	}
	return names
}

// distinct returns the classes of labels, whose names are given too, in order.
func distinct(labels tensor.Tensor, names []string) []string {
	if labels.DType() == tensor.String {
		return slices.Compact(slices.Sorted(slices.Values(names)))
	}
	var classes []string
	for _, v := range slices.Compact(slices.Sorted(slices.Values(tensor.Values[int64](labels)))) {
		classes = append(classes, strconv.FormatInt(v, 10))
	}
	return classes
}

// number returns the place of each name among the classes.
func (r *folderReader) number(path string, names []string) ([]int, error) {
	place := make(map[string]int, len(r.classes))
	for c, name := range r.classes {
		place[name] = c
	}
	labels := make([]int, len(names))
	for i, name := range names {
		c, known := place[name]
		if !known {
			return nil, &dataset.Error{
				File: path, Row: i, Column: "label", Expected: fmt.Sprintf("one of the %d classes of %s", len(r.classes), filepath.Base(r.trainPath)),
				Found: strconv.Quote(name), Hint: "a network knows the classes that it was trained on: add such samples there, or take them out here",
			}
		}
		labels[i] = c
	}
	return labels, nil
}
