package paper

import (
	"errors"
	"fmt"
	"runtime"
	"slices"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/fusion"
	"github.com/intershap/intershap/synth"
)

// Tables are the tables that can be had, in the order of the page.
var Tables = []int{2, 3, 9, 10, 11}

// Options say what is reproduced, and how.
type Options struct {
	// Tables are numbers of [Tables]; nil means all, an empty list none.
	Tables []int
	// Folder keeps networks and scores. It is made where it is not there.
	Folder string
	// Quick takes fewer samples and epochs and one seed. Its numbers show that
	// everything works, not what the paper shows.
	Quick bool
	// Data are folders of data with models, whose scores stand in the place of
	// Tables 4 and 5. See [RealTable].
	Data []string
	// Workers is the number of networks that are trained side by side, and of
	// concurrent model calls; 0 means one a processor.
	Workers int
	// Progress is told how a run stands, from one goroutine at a time; it may be nil.
	Progress func(Progress)
}

// Progress says how a run stands.
type Progress struct {
	// Step is what is being done, as in "hd-xor-2-synergy/early, seed 42: training".
	Step string
	// Within is set when the step is the one before, further on.
	Within bool
	// Done of Total steps are done, kept ones among them: training a network is one,
	// and scoring it another.
	Done, Total int
}

// A Setup is what every number of a run depends on beside the experiment.
type Setup struct {
	// Samples is the number of samples of each data set; DataSeed makes them.
	Samples  int    `json:"samples"`
	DataSeed uint64 `json:"data_seed"`
	// Variant is that of the data, Labelling makes the label of the bits, and
	// Revision is that of the generators.
	Variant   string `json:"variant"`
	Labelling string `json:"labelling"`
	Revision  int    `json:"revision"`
	// Seeds are those of the networks. Epochs is their training, LongEpochs that of
	// the networks of most modalities; LearningRate is of Adam.
	Seeds        []uint64 `json:"seeds"`
	Epochs       int      `json:"epochs"`
	LongEpochs   int      `json:"long_epochs"`
	LearningRate float64  `json:"learning_rate"`
	// Background is the number of background rows, drawn from the validation split;
	// the samples are those of the test split.
	Background int `json:"background"`
	// Version is raised whenever the same setup gives other scores.
	Version int `json:"version"`
}

// version is [Setup.Version].
const version = 1

// full is the setup of the paper.
func full() Setup {
	return Setup{
		Samples: synth.DefaultSamples, DataSeed: 1,
		Variant: synth.Code.String(), Labelling: synth.ExactlyOne.String(), Revision: synth.Revision,
		Seeds: []uint64{1, 42, 113}, Epochs: fusion.DefaultEpochs, LongEpochs: 250, LearningRate: fusion.DefaultLearningRate,
		Background: intershap.DefaultBackgroundSize, Version: version,
	}
}

// quick is a setup that shows in a few minutes that everything works.
func quick() Setup {
	s := full()
	s.Samples, s.Seeds = 4000, []uint64{1}
	s.Epochs, s.LongEpochs, s.LearningRate = 60, 60, 1e-3
	s.Background = 200
	return s
}

func (o Options) setup() Setup {
	if o.Quick {
		return quick()
	}
	return full()
}

func (o Options) withDefaults() Options {
	if o.Tables == nil {
		o.Tables = slices.Clone(Tables)
	}
	if o.Workers == 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	return o
}

// validate reports every fault at once.
func (o Options) validate() error {
	var faults []error
	for _, t := range o.Tables {
		if !slices.Contains(Tables, t) {
			faults = append(faults, fmt.Errorf("no table %d (want some of %v)", t, Tables))
		}
	}
	if o.Folder == "" {
		faults = append(faults, errors.New("no folder that keeps networks and scores"))
	}
	if o.Workers < 1 {
		faults = append(faults, fmt.Errorf("workers %d must be positive", o.Workers))
	}
	if len(faults) > 0 {
		return fmt.Errorf("paper: options: %w", errors.Join(faults...))
	}
	return nil
}
