package synth

import (
	"fmt"
	"strconv"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// The kinds of data.
const (
	KindHDXOR = "hd-xor"
	KindSUM   = "sum"
)

// What labels are made by, where it is no [Labelling].
const (
	labellingSum  = "sum"
	labellingCoin = "coin"
)

// A Set is a data set in three splits of 70, 15 and 15 % of the samples, each
// with the class shares of the whole: the samples of each class are shuffled and
// cut by rounding 70 and 15 % of their number, and the last class gets what makes
// the splits 70 and 15 % of all samples.
type Set struct {
	// Kind is [KindHDXOR] or [KindSUM].
	Kind string
	// Setting, Variant and Seed are those of the options.
	Setting Setting
	Variant Variant
	Seed    uint64
	// Sizes holds the number of elements of each modality.
	Sizes []int
	// Train, Valid and Test are the splits, in the order of the sample ids.
	Train, Valid, Test *Split
	// Baseline is the labelling function on the bits, nil where labels are no
	// function of bits: SUM, and the setting random.
	Baseline *Baseline

	labelling string
	// places says for each sample which row of which split it is.
	places []place
}

// A Split is a part of a set's samples.
type Split struct {
	// Name is "train", "valid" or "test".
	Name string
	// IDs are the numbers of the samples in the whole set, ascending.
	IDs []int64
	// Labels are 0 or 1.
	Labels []int64
	// Modalities holds float32 of shape [samples, size] for each modality.
	Modalities []tensor.Tensor
	// Bits holds the clean bits, float32 of shape [samples, bits], for each
	// modality as [Baseline] takes them; nil where there are none.
	Bits []tensor.Tensor
}

type place struct {
	split *Split
	row   int
}

// ModalityName returns the name of modality i, counted from 0: "m1" for the
// first.
func ModalityName(i int) string { return "m" + strconv.Itoa(i+1) }

// newSet returns a set with labels, ids and modalities of zeros.
func newSet(labels []int64, sizes []int, seed uint64) (*Set, error) {
	set := &Set{
		Sizes: sizes, places: make([]place, len(labels)),
		Train: &Split{Name: "train"}, Valid: &Split{Name: "valid"}, Test: &Split{Name: "test"},
	}
	splits := set.Splits()
	which, err := stratify(labels, newStream(seed, forSplit))
	if err != nil {
		return nil, err
	}
	for i, label := range labels {
		split := splits[which[i]]
		set.places[i] = place{split, len(split.Labels)}
		split.IDs = append(split.IDs, int64(i))
		split.Labels = append(split.Labels, label)
	}
	for _, split := range splits {
		for _, size := range sizes {
			split.Modalities = append(split.Modalities, zeros(len(split.Labels), size))
		}
	}
	return set, nil
}

// minClass is the least number of samples of a class of which every split gets
// one.
const minClass = 10

// stratify returns for each sample the split, 0 to 2, that it belongs to.
func stratify(labels []int64, s *stream) ([]int, error) {
	const classes = 2
	var members [classes][]int
	for i, label := range labels {
		members[label] = append(members[label], i)
	}
	// 70 and 15 %, halves rounded up.
	train := func(n int) int { return (70*n + 50) / 100 }
	valid := func(n int) int { return (15*n + 50) / 100 }
	leftTrain, leftValid := train(len(labels)), valid(len(labels))
	which := make([]int, len(labels))
	for class, all := range members {
		if len(all) < minClass {
			return nil, fmt.Errorf("synth: want at least %d samples of class %d, so that every split has one, got %d of %d; ask for more samples",
				minClass, class, len(all), len(labels))
		}
		s.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		t, v := train(len(all)), valid(len(all))
		if class == classes-1 {
			t, v = leftTrain, leftValid
		}
		leftTrain, leftValid = leftTrain-t, leftValid-v
		for k, i := range all {
			switch {
			case k >= t+v:
				which[i] = 2
			case k >= t:
				which[i] = 1
			}
		}
	}
	return which, nil
}

// input returns the elements of a modality of sample i.
func (s *Set) input(i, modality int) []float32 {
	at := s.places[i]
	return tensor.Values[float32](at.split.Modalities[modality].Slice(at.row, at.row+1))
}

// bits returns the clean bits of a modality of sample i.
func (s *Set) bits(i, modality int) []float32 {
	at := s.places[i]
	return tensor.Values[float32](at.split.Bits[modality].Slice(at.row, at.row+1))
}

// addBits gives all splits room for bits.
func (s *Set) addBits(widths []int) {
	for _, split := range s.Splits() {
		for _, width := range widths {
			split.Bits = append(split.Bits, zeros(len(split.Labels), width))
		}
	}
}

// Splits returns the training, validation and test split.
func (s *Set) Splits() []*Split { return []*Split{s.Train, s.Valid, s.Test} }

// Len returns the number of samples.
func (s *Split) Len() int { return len(s.Labels) }

// Classes returns the number of samples with the label 0 and with the label 1.
func (s *Split) Classes() [2]int {
	var n [2]int
	for _, label := range s.Labels {
		n[label]++
	}
	return n
}

// Arrays returns the modalities m1, m2, ..., label and id as data files hold
// them; [dataset.FromArrays] makes a file of them. They share memory with s.
func (s *Split) Arrays() []dataset.Array { return s.arrays(s.Modalities) }

// BitArrays returns what Arrays does with the clean bits in place of the
// modalities; nil where there are none.
func (s *Split) BitArrays() []dataset.Array {
	if s.Bits == nil {
		return nil
	}
	return s.arrays(s.Bits)
}

func (s *Split) arrays(modalities []tensor.Tensor) []dataset.Array {
	var out []dataset.Array
	for i, t := range modalities {
		out = append(out, dataset.Array{Name: ModalityName(i), Tensor: t})
	}
	return append(out,
		dataset.Array{Name: "label", Tensor: tensor.Of(s.Labels)},
		dataset.Array{Name: "id", Tensor: tensor.Of(s.IDs)})
}
