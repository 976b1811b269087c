package intershap

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/tensor"
)

// A Task says what a model's output means.
type Task uint8

const (
	// Guess is the zero Task: it is guessed from the output's shape and range.
	Guess Task = iota
	// Classes is one column a class, of which one is right.
	Classes
	// Binary is one column: the probability or logit of the second of two
	// classes.
	Binary
	// Multilabel is one column a class, of which any may be right.
	Multilabel
	// Regression is one or more columns of any range.
	Regression
	// Risk is one column, such as a hazard, or one for each of several horizons:
	// what a survival model says. It is never guessed.
	Risk
)

var taskNames = [...]string{"guess", "classes", "binary", "multilabel", "regression", "risk"}

// ParseTask returns the task called name.
func ParseTask(name string) (Task, error) {
	for i, n := range taskNames[1:] {
		if n == name {
			return Task(i + 1), nil
		}
	}
	return 0, fmt.Errorf("intershap: unknown task %q (want %s)", name, strings.Join(taskNames[1:], ", "))
}

// String returns the name that ParseTask reads.
func (t Task) String() string {
	if int(t) < len(taskNames) {
		return taskNames[t]
	}
	return fmt.Sprintf("Task(%d)", uint8(t))
}

// outputs describes what the model gave for a few rows.
type outputs struct {
	name  string
	dtype tensor.DType
	width int
	rows  []float64 // row by row
	// probabilities is set when every row lies in [0, 1] and sums to 1; unit
	// when every value lies in [0, 1].
	probabilities, unit bool
}

func describeOutputs(name string, out tensor.Tensor) outputs {
	o := outputs{name: name, dtype: out.DType(), width: out.RowLen(), rows: make([]float64, out.Len()), unit: true}
	out.Float64s(o.rows)
	o.probabilities = o.width > 1
	for r := range out.Rows() {
		sum := 0.0
		for _, v := range o.rows[r*o.width : (r+1)*o.width] {
			sum += v
			o.unit = o.unit && v >= 0 && v <= 1
		}
		const rounding = 1e-3 // of half-precision models with many classes
		o.probabilities = o.probabilities && math.Abs(sum-1) <= rounding
	}
	o.probabilities = o.probabilities && o.unit
	return o
}

// guess returns the task that the output's name, shape and range speak for.
func (o outputs) guess(t engine.Transform) (Task, error) {
	switch named := strings.ToLower(o.name); {
	case !o.dtype.IsFloat():
		return 0, fmt.Errorf("intershap: output %q holds %s: the numbers of classes, whose means say nothing? Choose an output of probabilities, or say that it is a count with the task regression", o.name, o.dtype)
	case o.width > 1 && (t == engine.Softmax || t == engine.Centred):
		return Classes, nil // both are made for the logits of classes
	case o.width == 1 && o.unit:
		return Binary, nil
	case o.width == 1:
		return Regression, nil
	case o.probabilities || strings.Contains(named, "logit"):
		return Classes, nil
	case o.unit:
		return Multilabel, nil
	}
	return 0, fmt.Errorf("intershap: output %q has %d columns of any range: logits of classes or a regression? Say which with the task: %s",
		o.name, o.width, strings.Join(taskNames[1:], ", "))
}

// check refuses a task or a transform that the output's shape rules out.
func (o outputs) check(t Task, transform engine.Transform) error {
	switch {
	case o.width == 1 && (transform == engine.Softmax || transform == engine.Centred || transform == engine.CentredLog):
		return fmt.Errorf("intershap: transform %s compares the columns of a row, output %q has one; use identity or sigmoid", transform, o.name)
	case t == Classes && o.width < 2:
		return fmt.Errorf("intershap: task classes wants an output with a column for each class, %q has one; use binary", o.name)
	case t == Binary && o.width > 1:
		return fmt.Errorf("intershap: task binary wants an output with one column, %q has %d; use classes or multilabel", o.name, o.width)
	}
	return nil
}

// classNames returns the names of the classes, nil without classes.
func classNames(t Task, given []string, width int) ([]string, error) {
	want := width
	switch {
	case (t == Regression || t == Risk) && len(given) == 0:
		return nil, nil
	case t == Binary:
		want = 2
	}
	if len(given) == 0 {
		given = columnNames(nil, want)
	}
	if len(given) != want {
		return nil, fmt.Errorf("intershap: %d class names for %d classes", len(given), want)
	}
	seen := map[string]bool{}
	for _, name := range given {
		if name == "" || seen[name] {
			return nil, fmt.Errorf("intershap: class names must be different and not empty, got %q", given)
		}
		seen[name] = true
	}
	return given, nil
}

// target is what a run explains, with the names by which people know it.
type target struct {
	engine engine.Target
	names  []string
	// follows is set when the explained column follows the sample.
	follows bool
	// all is set when every column was asked for.
	all bool
}

// maxHorizons is how many horizons are explained unasked.
const maxHorizons = 12

// horizonPrefix is before the horizon in the name of a target.
const horizonPrefix = "horizon:"

// parseHorizons reads all or horizon:K,K: columns of a risk by their names, or counted
// from 0.
func parseHorizons(text string, names []string, width int) (target, error) {
	chosen, named := strings.CutPrefix(text, horizonPrefix)
	t := target{engine: engine.Target{Choice: engine.Columns}, all: true}
	var wanted []string
	switch {
	case named:
		wanted = strings.Split(chosen, ",")
	case text == "" && width > maxHorizons:
		return t, fmt.Errorf("intershap: task risk: the output has %d horizons, counted from 0: choose some, as in --target horizon:%d,%d, or all", width, width/4, width/2)
	case text == "" || text == "all":
		wanted = columnNames(names, width)
	default:
		return t, fmt.Errorf("intershap: target %q: of several horizons want all or horizon:K[,K], by name or counted from 0", text)
	}
	for _, name := range wanted {
		c := slices.Index(columnNames(names, width), name)
		if k, err := strconv.Atoi(name); c < 0 && err == nil && k >= 0 && k < width {
			c = k
		}
		if c < 0 {
			return t, fmt.Errorf("intershap: target %s: no horizon %q (have %s)", text, name, someOf(columnNames(names, width)))
		}
		if slices.Contains(t.engine.Columns, c) {
			return t, fmt.Errorf("intershap: target %s: horizon %q twice", text, name)
		}
		t.engine.Columns = append(t.engine.Columns, c)
		t.names = append(t.names, horizonPrefix+columnName(names, c))
	}
	t.all = len(t.names) > 1
	return t, nil
}

// someOf lists names, the first and the last of many.
func someOf(names []string) string {
	if n := len(names); n > maxHorizons {
		return fmt.Sprintf("%s to %s", names[0], names[n-1])
	}
	return strings.Join(names, ", ")
}

// parseTarget reads predicted, label, all or class:NAME, and of a risk horizon:K.
func parseTarget(text string, task Task, classes []string, width int) (target, error) {
	if task == Risk && width > 1 {
		return parseHorizons(text, classes, width)
	}
	if width == 1 {
		if text != "" && text != "output" && text != "predicted" && text != "all" {
			return target{}, fmt.Errorf("intershap: target %q: an output of one column has the target output alone", text)
		}
		return target{engine: engine.Target{Choice: engine.Columns, Columns: []int{0}}, names: []string{"output"}}, nil
	}
	if text == "" {
		text = "all"
		if task == Classes {
			text = "predicted"
		}
	}
	name, isClass := strings.CutPrefix(text, "class:")
	switch {
	case text == "predicted" || text == "label":
		if task != Classes {
			return target{}, fmt.Errorf("intershap: target %s needs task classes, this is %s; use all or class:NAME", text, task)
		}
		choice := engine.Predicted
		if text == "label" {
			choice = engine.Label
		}
		return target{engine: engine.Target{Choice: choice}, names: []string{text}, follows: true}, nil
	case text == "all":
		t := target{engine: engine.Target{Choice: engine.Columns}, all: true}
		for c := range width {
			t.engine.Columns = append(t.engine.Columns, c)
			t.names = append(t.names, "class:"+columnName(classes, c))
		}
		return t, nil
	case isClass:
		for c := range width {
			if columnName(classes, c) == name {
				return target{engine: engine.Target{Choice: engine.Columns, Columns: []int{c}}, names: []string{text}}, nil
			}
		}
		return target{}, fmt.Errorf("intershap: target %s: no such class (have %s)", text, strings.Join(columnNames(classes, width), ", "))
	}
	if strings.HasPrefix(text, horizonPrefix) {
		return target{}, fmt.Errorf("intershap: target %s: horizons are those of the task risk, this is %s (--task risk)", text, task)
	}
	return target{}, fmt.Errorf("intershap: unknown target %q (want predicted, label, all or class:NAME)", text)
}

func columnName(classes []string, c int) string {
	if c < len(classes) {
		return classes[c]
	}
	return strconv.Itoa(c)
}

func columnNames(classes []string, width int) []string {
	var out []string
	for c := range width {
		out = append(out, columnName(classes, c))
	}
	return out
}

// classifier returns the function that finds the predicted class of an output
// row; nil stands for the column of the largest value. A binary output counts
// from the middle of its range; a regression predicts no class.
func (o outputs) classifier(t Task) func(row []float64) int {
	switch t {
	case Binary:
		middle := o.middle()
		return func(row []float64) int {
			if row[0] >= middle {
				return 1
			}
			return 0
		}
	case Regression, Risk:
		return func([]float64) int { return 0 }
	}
	return nil
}

// middle returns the output from which on a binary output says the second class: ½
// for a probability, 0 for a logit.
func (o outputs) middle() float64 {
	if o.unit {
		return 0.5
	}
	return 0
}

// labelColumn returns the function that finds the column of a sample's label:
// the class of that name, else the class at that position.
func labelColumn(classes []string) func(labels tensor.Tensor, row int) (int, error) {
	return func(labels tensor.Tensor, row int) (int, error) {
		if labels.Rows() <= row {
			return 0, fmt.Errorf("the data has no column label")
		}
		var text string
		position := int64(-1)
		switch labels.DType() {
		case tensor.Int64:
			position = tensor.Values[int64](labels)[row]
			text = strconv.FormatInt(position, 10)
		case tensor.String:
			text = tensor.Values[string](labels)[row]
		}
		for c, name := range classes {
			if name == text {
				return c, nil
			}
		}
		if position >= 0 && position < int64(len(classes)) {
			return int(position), nil
		}
		return 0, fmt.Errorf("label %q is no class (have %s)", text, strings.Join(classes, ", "))
	}
}
