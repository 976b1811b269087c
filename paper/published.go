package paper

import (
	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/synth"
)

// A Published is a number as the paper prints it.
type Published struct {
	// Value is in the unit of its line, Spread what stands behind ±, undefined
	// where nothing does.
	Value  float64     `json:"value"`
	Spread score.Share `json:"spread"`
}

// exactly returns a published number without a spread.
func exactly(value float64) *Published { return &Published{Value: value} }

// about returns a published number with its spread.
func about(value, spread float64) *Published { return &Published{value, score.Defined(spread)} }

// A column of Table 2 is the labelling function or the network on one setting.
type column struct {
	setting synth.Setting
	network Network
}

// table2Columns are those of Table 2.
var table2Columns = []column{
	{uniqueness, xor}, {uniqueness, early}, {synth.Synergy, xor}, {synth.Synergy, early},
	{synth.Redundancy, early}, {synth.Random, early},
}

// A measure is one number of a score.
type measure struct {
	name string
	unit Unit
	of   func(Score) measured
	// overSamples is set where the paper's ± is over samples, not over seeds.
	overSamples bool
}

// A measured is a number of one model, with a spread of its own where it has one:
// over samples or over seeds of an estimate.
type measured struct{ value, spread score.Share }

// The numbers of a score that tables show.
var (
	interSHAP = measure{name: "InterSHAP", unit: Percent, of: func(s Score) measured { return measured{value: s.InterSHAP} }}
	local     = measure{name: "InterSHAP local", unit: Percent, overSamples: true, of: func(s Score) measured { return measured{s.Local, s.LocalSD} }}
	f1        = measure{name: "F1", unit: Percent, of: func(s Score) measured { return measured{value: score.Defined(s.F1)} }}
	emapGap   = measure{name: "EMAP gap (F1)", unit: Percent, of: ofRivals(func(r RivalScore) score.Share { return r.EMAPGap })}
	shapeF1   = measure{name: "SHAPE (F1)", unit: Percent, of: ofRivals(func(r RivalScore) score.Share { return r.Shape })}
	dataPID   = measure{name: "PID synergy", unit: Nats, of: onlyPID(func(r RivalScore) []PIDScore { return r.DataPID })}
	modelPID  = measure{name: "PID synergy", unit: Nats, of: onlyPID(func(r RivalScore) []PIDScore { return r.ModelPID })}
)

func ofRivals(of func(RivalScore) score.Share) func(Score) measured {
	return func(s Score) measured {
		if s.Rivals == nil {
			return measured{}
		}
		return measured{value: of(*s.Rivals)}
	}
}

// onlyPID reads the synergy where there is one view, of two modalities.
func onlyPID(of func(RivalScore) []PIDScore) func(Score) measured {
	return func(s Score) measured {
		if s.Rivals == nil || len(of(*s.Rivals)) != 1 {
			return measured{}
		}
		p := of(*s.Rivals)[0]
		return measured{score.Defined(p.Synergy), score.Defined(p.SD)}
	}
}

// table2 has a row for each measure and a number for each column.
var table2 = []struct {
	measure
	published []*Published
}{
	{interSHAP, []*Published{exactly(0), about(0.2, 0.1), exactly(99.7), about(98, 0.5), about(38.6, 0.5), about(57.8, 1.1)}},
	{local, []*Published{exactly(1.8), about(3.4, 5.2), exactly(96.9), about(85.8, 12.1), about(37.3, 25), about(40, 13.3)}},
	{modelPID, []*Published{exactly(0.01), about(0.01, 0.01), exactly(0.39), about(0.39, 0.01), about(0.14, 0.02), about(0.48, 0.01)}},
	{emapGap, []*Published{exactly(0), about(0, 0), exactly(49.1), about(43.5, 1), about(1.8, 0.4), about(0.6, 0.4)}},
	{shapeF1, []*Published{exactly(1.6), about(16.5, 0.6), exactly(33.1), about(27.6, 1.5), about(-47.1, 0.5), about(15.1, 1.9)}},
}

// table3 has InterSHAP for two modalities and more: uniqueness, synergy, redundancy.
var table3 = [][]*Published{
	{about(0.2, 0.1), about(98, 0.5), about(38.6, 0.5)},
	{about(0.6, 0.2), about(88.8, 0.5), about(51.9, 0.3)},
	{about(1.2, 0.1), about(64.1, 0.8), about(40.2, 0.2)},
}

// table3F1 is the F1 on synergy.
var table3F1 = []*Published{exactly(94.4), exactly(79.2), exactly(76.4)}

// table9 has the settings of SUM in the order of synth.SUMSettings.
var table9 = []struct {
	measure
	published []*Published
}{
	{interSHAP, []*Published{about(2.6, 0.6), about(2.3, 0.3), about(9.7, 0.9), about(7.1, 0.5), about(15.1, 0.5), about(10.5, 0.2)}},
	{local, []*Published{exactly(9.3), exactly(9), exactly(14.7), exactly(13.8), exactly(22.1), exactly(22.3)}},
}

// A fusionRow is a network with what is published of it in each setting; networks
// with trained encoders are not, and have none.
type fusionRow struct {
	heading   string
	network   Network
	published []*Published
}

// table10 has InterSHAP: uniqueness, synergy, redundancy.
var table10 = []fusionRow{
	{"early", early, []*Published{exactly(0.2), exactly(98), exactly(38.6)}},
	{"intermediate, encoders frozen", frozenIntermediate, []*Published{about(0.6, 0.3), about(94.8, 0.5), about(47.2, 2.1)}},
	{"intermediate, encoders trained", intermediate, nil},
	{"late, encoders frozen", frozenLate, []*Published{about(0.5, 0.2), about(0.5, 0), about(1.1, 0.4)}},
	{"late, encoders trained", late, nil},
}

// table11Settings is the order of Table 11's columns.
var table11Settings = []synth.Setting{synth.Synergy, uniqueness, synth.Redundancy, synth.Random}

// table11 has F1.
var table11 = []fusionRow{
	{"modality 1", only(1), []*Published{exactly(50.3), exactly(99.5), exactly(96.7), exactly(49.6)}},
	{"modality 2", only(2), []*Published{exactly(51.8), exactly(49.3), exactly(91.4), exactly(51)}},
	{"early", early, []*Published{exactly(92.4), exactly(99.5), exactly(97.4), exactly(50)}},
	{"intermediate, encoders frozen", frozenIntermediate, []*Published{exactly(80), exactly(96), exactly(92.4), exactly(46.5)}},
	{"intermediate, encoders trained", intermediate, nil},
	{"late, encoders frozen", frozenLate, []*Published{exactly(49.7), exactly(60.5), exactly(57.8), exactly(47.3)}},
	{"late, encoders trained", late, nil},
}
