package demo

import (
	"context"
	"math"

	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// The measurements of a patient, which are the model's inputs and the modalities.
const (
	Image = "image"
	ECG   = "ecg"
	Labs  = "labs"
	Notes = "notes"
)

// The lengths of the measurements.
const (
	side   = 8  // the image is side × side pixels
	beats  = 32 // the ecg is as many times between beats, in seconds
	values = 4  // the labs are as many standardised values
	words  = 6  // the notes are as many numbers
)

// The classes, in the order of the model's columns.
const (
	home = iota
	isolate
	monitor
)

// Classes are the names of the model's classes.
func Classes() []string {
	return []string{home: "home", isolate: "isolate", monitor: "monitor"}
}

const (
	// rare is the probability of a class that nothing speaks for.
	rare = 5. / 128
	// byHaze moves from home to isolate where the image is hazy.
	byHaze = 15. / 32
	// byConflict moves from home to monitor where rhythm and laboratory contradict
	// each other.
	byConflict = 29. / 64
)

// Name is the path that the model gives for itself.
const Name = "triage demo"

// triage refuses inputs that the rule cannot read.
type triage struct{ model.Described }

// Predict implements [model.Model].
func (m triage) Predict(ctx context.Context, inputs model.Batch) (model.Batch, error) {
	if err := m.Signature().Check(inputs); err != nil {
		return nil, err
	}
	return m.Described.Predict(ctx, inputs)
}

// Model returns the model: inputs image [8, 8], ecg [32], labs [4], notes [6], all
// float32; output probabilities [3], float64. It is safe for concurrent use.
func Model() model.Described {
	input := func(name string, shape ...int) tensor.Spec {
		return tensor.Spec{Name: name, DType: tensor.Float32, Shape: append([]int{-1}, shape...)}
	}
	return triage{model.Describe(model.RowFunc(output, answer), model.Signature{
		Inputs:  []tensor.Spec{input(Image, side, side), input(ECG, beats), input(Labs, values), input(Notes, words)},
		Outputs: []tensor.Spec{{Name: output, DType: tensor.Float64, Shape: []int{-1, len(Classes())}}},
	})}
}

const output = "probabilities"

// What the two kinds of patients differ in.
const (
	dark, bright   = 0.25, 0.75 // pixels, which have a deviation of pixelNoise
	calm, restless = 0.02, 0.12 // deviations of the times between beats, in seconds
	low, high      = -1, 1      // laboratory values, which have a deviation of labNoise

	pixelNoise, labNoise = 0.15, 0.4
)

// Path names the model in results.
func (triage) Path() string { return Name }

// Runtime says what computes.
func (triage) Runtime() string { return "Go" }

// answer is the rule.
func answer(x model.Row) []float64 {
	p := make([]float64, len(Classes()))
	p[isolate], p[monitor] = rare, rare
	if hazy(x(Image)) {
		p[isolate] += byHaze
	}
	if irregular(x(ECG)) != bad(x(Labs)) {
		p[monitor] += byConflict
	}
	p[home] = 1 - p[isolate] - p[monitor]
	return p
}

// hazy reports whether an image is bright on its left half.
func hazy(pixels []float64) bool {
	const threshold = (dark + bright) / 2
	sum := 0.0
	for row := range side {
		for column := range side / 2 {
			sum += pixels[row*side+column]
		}
	}
	return sum/(side*side/2) > threshold
}

// irregular reports whether the times between beats differ.
func irregular(times []float64) bool {
	// Nearer to calm: the larger deviation is the less certain one.
	const threshold = 2.5 * calm
	mean, squares := 0.0, 0.0
	for _, t := range times {
		mean += t / beats
	}
	for _, t := range times {
		squares += (t - mean) * (t - mean)
	}
	return math.Sqrt(squares/beats) > threshold
}

// bad reports whether laboratory values are: two when they are high, two when they are
// low.
func bad(v []float64) bool { return v[0]+v[1] > v[2]+v[3] }
