package engine

import (
	"fmt"
	"math"
	"strings"
)

// A Transform is applied to each row of the model's output, before any mean.
type Transform uint8

const (
	// Identity leaves outputs as they are.
	Identity Transform = iota
	// Softmax makes probabilities of the row's logits.
	Softmax
	// Sigmoid makes a probability of each logit.
	Sigmoid
	// Log is the natural logarithm of each output.
	Log
	// Logit is log(p/(1-p)) of each probability.
	Logit
	// Centred subtracts the row's mean: logits of several classes are defined
	// up to a constant, which this removes.
	Centred
	// CentredLog is Log, then Centred: the centred logits of probabilities of
	// several classes, log p_k - Σ_j log p_j / K (Aitchison, 1982).
	CentredLog
)

var transformNames = [...]string{"identity", "softmax", "sigmoid", "log", "logit", "centred", "centred-log"}

// ParseTransform returns the transform called name.
func ParseTransform(name string) (Transform, error) {
	for i, n := range transformNames {
		if n == name {
			return Transform(i), nil
		}
	}
	return 0, fmt.Errorf("engine: unknown transform %q (want %s)", name, strings.Join(transformNames[:], ", "))
}

// String returns the name that ParseTransform reads.
func (t Transform) String() string {
	if int(t) < len(transformNames) {
		return transformNames[t]
	}
	return fmt.Sprintf("Transform(%d)", uint8(t))
}

// Apply transforms one row in place.
func (t Transform) Apply(row []float64) {
	switch t {
	case Softmax:
		largest := math.Inf(-1)
		for _, v := range row {
			largest = max(largest, v)
		}
		sum := 0.0
		for i, v := range row {
			row[i] = math.Exp(v - largest)
			sum += row[i]
		}
		for i := range row {
			row[i] /= sum
		}
	case Sigmoid:
		for i, v := range row {
			row[i] = 1 / (1 + math.Exp(-v))
		}
	case Log:
		for i, v := range row {
			row[i] = math.Log(v)
		}
	case Logit:
		for i, v := range row {
			row[i] = math.Log(v) - math.Log1p(-v)
		}
	case Centred:
		centre(row)
	case CentredLog:
		Log.Apply(row)
		centre(row)
	}
}

// centre subtracts the row's mean.
func centre(row []float64) {
	mean := 0.0
	for _, v := range row {
		mean += v / float64(len(row))
	}
	for i := range row {
		row[i] -= mean
	}
}
