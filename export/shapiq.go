package export

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// shapiqForm is the version of shapiq whose files these are.
const shapiqForm = "1.3.0"

// emptySet is shapiq's name of the set of no players.
const emptySet = "Empty"

// InteractionValues writes shapiq's InteractionValues as JSON: the k-SII of order two
// of one sample or of the mean over samples, for one target. They add up to the output,
// the value of the empty set, which is the base, included. What a sample lacks has zeros.
// The mean over samples that lack different modalities is refused: it does not add up.
func (x *Export) InteractionValues(w io.Writer, place Place) error {
	target, err := x.one(place.Target)
	if err != nil {
		return err
	}
	r := x.mean(target)
	if place.Sample != All {
		r = x.sample(place.Sample, target)
	} else if err := x.meanAddsUp(target); err != nil {
		return err
	}
	m := len(x.explanation.Modalities)
	parts := make([]float64, m*(m+1)/2)
	partsTo(parts, r.phi, m)
	// An interaction of one modality alone would have the order two and no pair.
	order := min(m, 2)
	d := newDocument(w)
	d.open()
	x.head(d, "InteractionValues", "interaction_values", place.Sample, target)
	d.object("metadata", func() {
		d.field("n_players", m)
		d.field("index", "k-SII")
		d.field("max_order", order)
		d.field("min_order", 0)
		d.field("estimated", false)
		d.field("estimation_budget", nil)
		d.field("baseline_value", r.base)
		d.field("player_names", x.explanation.Modalities)
	})
	d.object("data", func() {
		d.field(emptySet, r.base)
		for i := range m {
			d.field(strconv.Itoa(i), parts[i])
		}
		at := m
		eachPair(m, func(i, j int) {
			d.field(fmt.Sprintf("%d,%d", i, j), parts[at])
			at++
		})
	})
	return d.close()
}

// head writes what stands before the numbers in both of shapiq's files.
func (x *Export) head(d *document, object, kind string, sample, target int) {
	e := x.explanation
	about := fmt.Sprintf("mean over %d samples", e.Targets[target].Samples)
	if sample != All {
		about = fmt.Sprintf("sample %s", x.samples.IDs[sample])
	}
	d.field("object_name", object)
	d.field("data_type", kind)
	d.field("version", shapiqForm)
	d.field("created_from", "intershap "+e.Provenance.Version)
	d.field("description", fmt.Sprintf("%s, target %s of output %s, modalities %s",
		about, e.Targets[target].Target, e.Provenance.Output, strings.Join(e.Modalities, ", ")))
	d.object("parameters", func() {})
}

// table returns v(S) of one sample, or their mean, for one target.
func (x *Export) table(place Place) (values []float64, target int, err error) {
	if target, err = x.one(place.Target); err != nil {
		return nil, 0, err
	}
	if x.samples == nil {
		return nil, 0, errors.New("export: a game is made of the values of coalitions, which are in a samples file, and none was given")
	}
	t, size := &x.samples.ByTarget[target], 1<<len(x.samples.Modalities)
	if t.Values == nil {
		return nil, 0, fmt.Errorf("export: %s: a game is made of the values of coalitions, which .npz and .jsonl have and this file has not", x.samples.Path)
	}
	if place.Sample != All {
		return t.Values[place.Sample*size : (place.Sample+1)*size], target, nil
	}
	values = make([]float64, size)
	n := float64(x.samples.Len())
	for i, v := range t.Values {
		values[i%size] += v / n
	}
	return values, target, nil
}

// Game writes one of shapiq's games as JSON: the value of every coalition of one sample,
// or the mean over samples, for one target. The normalisation value is 0: values are as
// they are. It needs samples with values, which NPZ and JSON lines have.
func (x *Export) Game(w io.Writer, place Place) error {
	values, target, err := x.table(place)
	if err != nil {
		return err
	}
	d := newDocument(w)
	d.open()
	x.head(d, "Game", "game", place.Sample, target)
	d.object("metadata", func() {
		d.field("n_players", len(x.explanation.Modalities))
		d.field("game_name", "intershap")
		d.field("normalization_value", 0.0)
		d.field("precompute_flag", true)
		d.field("precomputed", true)
		d.field("player_names", x.explanation.Modalities)
	})
	d.object("data", func() {
		for s, v := range values {
			d.field(coalitionKey(s), v)
		}
	})
	return d.close()
}

// coalitionKey returns shapiq's name of a coalition: players in order.
func coalitionKey(s int) string {
	if s == 0 {
		return emptySet
	}
	var key []byte
	for rest := uint(s); rest != 0; rest &= rest - 1 {
		if len(key) > 0 {
			key = append(key, ',')
		}
		key = strconv.AppendInt(key, int64(bits.TrailingZeros(rest)), 10)
	}
	return string(key)
}

// GameNPZ writes what [Export.Game] does as shapiq's arrays: values [2^M], coalitions
// [2^M, M] of booleans, n_players and normalization_value.
func (x *Export) GameNPZ(w io.Writer, place Place) error {
	values, _, err := x.table(place)
	if err != nil {
		return err
	}
	m := len(x.explanation.Modalities)
	archive := newArchive(w)
	archive.floats("values", []int{len(values)}, func(yield func([]float64) error) error { return yield(values) })
	archive.bools("coalitions", []int{len(values), m}, func(yield func([]bool) error) error {
		present := make([]bool, m)
		for s := range values {
			for i := range present {
				present[i] = s>>i&1 == 1
			}
			if err := yield(present); err != nil {
				return err
			}
		}
		return nil
	})
	archive.integer("n_players", int64(m))
	archive.floats("normalization_value", nil, func(yield func([]float64) error) error { return yield([]float64{0}) })
	return archive.close()
}
