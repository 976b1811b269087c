package paper

import (
	"fmt"
	"slices"

	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/synth"
)

// A Source says which data to make.
type Source struct {
	// Kind is synth.KindHDXOR or synth.KindSUM.
	Kind string
	// Setting says which modalities carry the label.
	Setting synth.Setting
	// Modalities is the number of modalities.
	Modalities int
}

// Name returns a name that is fit for a folder: "hd-xor-3-synergy".
func (s Source) Name() string { return fmt.Sprintf("%s-%d-%s", s.Kind, s.Modalities, s.Setting) }

// A Network says how modalities are joined.
type Network struct {
	// XOR is set for the labelling function on the clean bits, in the place of a
	// network: it is not trained and has no seed.
	XOR    bool
	Fusion fusion.Fusion
	// Frozen leaves the layers of single modalities at their initial weights, as
	// the published networks do.
	Frozen bool
	// Only is the one modality, counted from 1, that the network sees; 0 for all.
	Only int
}

// Name returns a name that is fit for a file: "late-frozen".
func (n Network) Name() string {
	switch {
	case n.XOR:
		return "xor"
	case n.Only > 0:
		return "only-" + synth.ModalityName(n.Only-1)
	case n.Frozen:
		return n.Fusion.String() + "-frozen"
	}
	return n.Fusion.String()
}

// The networks of the tables.
var (
	xor                = Network{XOR: true}
	early              = Network{Fusion: fusion.Early}
	intermediate       = Network{Fusion: fusion.Intermediate}
	late               = Network{Fusion: fusion.Late}
	frozenIntermediate = Network{Fusion: fusion.Intermediate, Frozen: true}
	frozenLate         = Network{Fusion: fusion.Late, Frozen: true}
)

// only returns the network of modality u, counted from 1, alone.
func only(u int) Network { return Network{Fusion: fusion.Early, Only: u} }

// An Experiment is data, and the networks that tables want of it.
type Experiment struct {
	Source
	Networks []Network
}

// The settings of HD-XOR that the tables show, in their order.
var (
	uniqueness      = synth.Uniqueness(1)
	hdxorSettings   = []synth.Setting{uniqueness, synth.Synergy, synth.Redundancy, synth.Random}
	settingHeadings = map[synth.Setting]string{
		uniqueness: "uniqueness", synth.Synergy: "synergy", synth.Redundancy: "redundancy", synth.Random: "random",
	}
)

// hdxor returns the data of HD-XOR.
func hdxor(modalities int, setting synth.Setting) Source {
	return Source{Kind: synth.KindHDXOR, Setting: setting, Modalities: modalities}
}

// sum returns the data of SUM.
func sum(setting synth.Setting) Source {
	return Source{Kind: synth.KindSUM, Setting: setting, Modalities: 2}
}

// most and least are the numbers of modalities of Table 3.
const least, most = 2, 4

// wanted lists, for each table, data and networks in the order of the page.
func wanted(table int) []Experiment {
	var out []Experiment
	switch table {
	case 2:
		for _, c := range table2Columns {
			out = append(out, Experiment{hdxor(2, c.setting), []Network{c.network}})
		}
	case 3:
		for m := least; m <= most; m++ {
			for _, s := range hdxorSettings[:3] {
				out = append(out, Experiment{hdxor(m, s), []Network{early}})
			}
		}
	case 9:
		for _, s := range synth.SUMSettings() {
			out = append(out, Experiment{sum(s), []Network{early}})
		}
	case 10:
		for _, s := range hdxorSettings[:3] {
			out = append(out, Experiment{hdxor(2, s), []Network{early, frozenIntermediate, intermediate, frozenLate, late}})
		}
	case 11:
		for _, s := range hdxorSettings {
			out = append(out, Experiment{hdxor(2, s), []Network{
				only(1), only(2), early, frozenIntermediate, intermediate, frozenLate, late,
			}})
		}
	}
	return out
}

// Experiments lists what tables want, each data once with each network once.
func Experiments(tables []int) []Experiment {
	var out []Experiment
	for _, t := range tables {
		for _, e := range wanted(t) {
			at := slices.IndexFunc(out, func(o Experiment) bool { return o.Source == e.Source })
			if at < 0 {
				at = len(out)
				out = append(out, Experiment{Source: e.Source})
			}
			for _, n := range e.Networks {
				if !slices.Contains(out[at].Networks, n) {
					out[at].Networks = append(out[at].Networks, n)
				}
			}
		}
	}
	return out
}
