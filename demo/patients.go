package demo

import (
	"math/rand/v2"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// The numbers of patients: those who are explained, a multiple of block, and those who
// fill absent measurements, a power of two: means over them have no rounding.
const (
	Samples    = 256
	Background = 512
)

// seed fixes both, so that everybody sees the same numbers.
const seed = 2025

// Of a block of patients who are explained hazyOf are hazy, and every combination of the
// other signs comes equally often with haze and without.
const (
	block      = 32
	hazyOf     = 12
	hazyShare  = float64(hazyOf) / block
	conflicted = 0.5 // the share of patients whose rhythm and laboratory contradict
)

// Patients returns the patients who are explained, with their ids and the class that the
// rule sends them to as label, and others as background rows.
func Patients() (samples, background dataset.File, err error) {
	rng := rand.New(rand.NewPCG(seed, 0))
	explained := make([]signs, Samples)
	for i := range explained {
		explained[i] = signs{hazy: i%block < hazyOf, irregular: i&1 == 1, bad: i&2 == 2}
	}
	rng.Shuffle(Samples, func(i, j int) { explained[i], explained[j] = explained[j], explained[i] })
	if samples, err = measure(rng, explained, 1001); err != nil {
		return nil, nil, err
	}
	others := make([]signs, Background)
	for i := range others {
		others[i] = signs{hazy: rng.Float64() < hazyShare, irregular: rng.IntN(2) == 1, bad: rng.IntN(2) == 1}
	}
	background, err = measure(rng, others, 5001)
	return samples, background, err
}

// signs are what is true of a patient.
type signs struct{ hazy, irregular, bad bool }

// measure draws the measurements of patients, numbered from first on.
func measure(rng *rand.Rand, patients []signs, first int64) (dataset.File, error) {
	n := len(patients)
	var (
		image, ecg, labs, notes []float32
		ids, labels             []int64
	)
	add := func(dst *[]float32, n int, mean, deviation float64) {
		for range n {
			*dst = append(*dst, float32(mean+deviation*rng.NormFloat64()))
		}
	}
	either := func(sign bool, without, with float64) float64 {
		if sign {
			return with
		}
		return without
	}
	for i, p := range patients {
		for range side {
			add(&image, side/2, either(p.hazy, dark, bright), pixelNoise)
			add(&image, side/2, dark, pixelNoise)
		}
		const second = 0.8 // between beats, on the mean
		add(&ecg, beats, second, either(p.irregular, calm, restless))
		add(&labs, values/2, either(p.bad, low, high), labNoise)
		add(&labs, values/2, either(p.bad, high, low), labNoise)
		add(&notes, words, 0, 1)
		ids, labels = append(ids, first+int64(i)), append(labels, p.class())
	}
	return dataset.FromArrays(
		dataset.Array{Name: Image, Tensor: tensor.Of(image, n, side, side)},
		dataset.Array{Name: ECG, Tensor: tensor.Of(ecg, n, beats)},
		dataset.Array{Name: Labs, Tensor: tensor.Of(labs, n, values)},
		dataset.Array{Name: Notes, Tensor: tensor.Of(notes, n, words)},
		dataset.Array{Name: "id", Tensor: tensor.Of(ids, n)},
		dataset.Array{Name: "label", Tensor: tensor.Of(labels, n)},
	)
}

// class is the one of the largest probability under the rule.
func (p signs) class() int64 {
	switch {
	case p.hazy: // isolate is ahead of monitor, 65 to 63 of 128, and of home
		return isolate
	case p.irregular != p.bad:
		return monitor
	}
	return home
}
