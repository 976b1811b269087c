package synth

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrOptions is wrapped by the errors of options that nothing can be made by.
var ErrOptions = errors.New("bad options")

// Revision counts the generators: it is raised whenever the same options give
// other numbers than before.
const Revision = 1

// What options are held to.
const (
	// DefaultSamples is the number of samples of the paper.
	DefaultSamples = 20000
	// MinSamples leaves a few samples of each class for every split.
	MinSamples = 100
	// MaxModalities is the most that the rest of the module explains.
	MaxModalities = 20
	// maxBytes bounds the modalities of all samples: they are held in memory.
	maxBytes = 4 << 30
)

// A Setting says which modalities carry what the label is made of.
type Setting string

// The settings without a number; [Uniqueness] and [Mix] give the others.
const (
	// Synergy spreads what the label is made of over modalities.
	Synergy Setting = "synergy"
	// Redundancy gives every modality all of it.
	Redundancy Setting = "redundancy"
	// Random draws labels that depend on nothing.
	Random Setting = "random"
)

const uniquenessPrefix, mixPrefix = "uniqueness-", "mix-"

// Uniqueness returns the setting in which modality u alone, counted from 1,
// carries what the label is made of.
func Uniqueness(u int) Setting { return Setting(uniquenessPrefix + strconv.Itoa(u)) }

// Mix returns the setting of SUM in which half of the part of modality u, 1 or
// 2, counts beside the whole part of the other.
func Mix(u int) Setting { return Setting(mixPrefix + strconv.Itoa(u)) }

// unique returns the modality, counted from 0, of a uniqueness setting.
func (s Setting) unique() (modality int, ok bool) {
	text, ok := strings.CutPrefix(string(s), uniquenessPrefix)
	if !ok {
		return 0, false
	}
	u, err := strconv.Atoi(text)
	return u - 1, err == nil
}

// HDXORSettings returns the settings of HD-XOR for a number of modalities.
func HDXORSettings(modalities int) []Setting {
	var all []Setting
	for u := range modalities {
		all = append(all, Uniqueness(u+1))
	}
	return append(all, Synergy, Redundancy, Random)
}

// SUMSettings returns the settings of SUM.
func SUMSettings() []Setting {
	return []Setting{Uniqueness(1), Uniqueness(2), Mix(1), Mix(2), Synergy, Redundancy}
}

// A Variant says which of the paper's two descriptions is followed where its
// appendix and its published code differ.
type Variant uint8

const (
	// Appendix follows the text.
	Appendix Variant = iota + 1
	// Code follows the published scripts.
	Code
)

var variantNames = map[Variant]string{Appendix: "appendix", Code: "code"}

// String returns "appendix" or "code".
func (v Variant) String() string {
	if name, ok := variantNames[v]; ok {
		return name
	}
	return fmt.Sprintf("Variant(%d)", uint8(v))
}

// ParseVariant returns the variant called name.
func ParseVariant(name string) (Variant, error) {
	for _, v := range []Variant{Appendix, Code} {
		if v.String() == name {
			return v, nil
		}
	}
	return 0, fmt.Errorf("synth: unknown variant %q (want appendix or code)", name)
}

// HDXOROptions say which HD-XOR data to make. The zero value but for Setting is
// the data of the paper's appendix with two modalities.
type HDXOROptions struct {
	// Setting says which modalities carry the bits; it has no default.
	Setting Setting
	// Modalities is the number of modalities, 2 to [MaxModalities]; 0 means 2.
	Modalities int
	// Samples is the number of samples in all splits together, at least
	// [MinSamples]; 0 means [DefaultSamples].
	Samples int
	// Seed chooses the draws; every seed is a good one.
	Seed uint64
	// Variant is [Appendix] or [Code]; 0 means Appendix.
	Variant Variant
	// Labelling makes the label of the bits; 0 means [ExactlyOne]. Of two bits
	// both labellings are XOR, and the setting random has none.
	Labelling Labelling
}

func (o HDXOROptions) withDefaults() HDXOROptions {
	if o.Modalities == 0 {
		o.Modalities = 2
	}
	if o.Samples == 0 {
		o.Samples = DefaultSamples
	}
	if o.Variant == 0 {
		o.Variant = Appendix
	}
	if o.Labelling == 0 {
		o.Labelling = ExactlyOne
	}
	return o
}

// validate reports all faults of options with their defaults.
func (o HDXOROptions) validate() error {
	var f faults
	if o.Modalities < 2 || o.Modalities > MaxModalities {
		f.add("want 2 to %d modalities, got %d", MaxModalities, o.Modalities)
	} else {
		f.checkSetting(o.Setting, HDXORSettings(o.Modalities))
		if variantNames[o.Variant] != "" {
			f.checkSamples(o.Samples, o.Variant.sizes(o.Modalities))
		}
	}
	f.checkVariant(o.Variant)
	if labellingNames[o.Labelling] == "" {
		f.add("want the labelling exactly-one or parity, got %v", o.Labelling)
	}
	return f.err()
}

// SUMOptions say which SUM data to make. There are two modalities.
type SUMOptions struct {
	// Setting says which parts count; it has no default.
	Setting Setting
	// Samples is the number of samples in all splits together, at least
	// [MinSamples]; 0 means [DefaultSamples].
	Samples int
	// Seed chooses the draws; every seed is a good one.
	Seed uint64
	// Variant is [Appendix] or [Code]; 0 means Appendix.
	Variant Variant
}

func (o SUMOptions) withDefaults() SUMOptions {
	if o.Samples == 0 {
		o.Samples = DefaultSamples
	}
	if o.Variant == 0 {
		o.Variant = Appendix
	}
	return o
}

// validate reports all faults of options with their defaults.
func (o SUMOptions) validate() error {
	var f faults
	f.checkSetting(o.Setting, SUMSettings())
	f.checkSamples(o.Samples, sumSizes())
	f.checkVariant(o.Variant)
	return f.err()
}

// faults collects what is wrong with options.
type faults []string

func (f *faults) add(format string, args ...any) { *f = append(*f, fmt.Sprintf(format, args...)) }

func (f *faults) checkSetting(s Setting, valid []Setting) {
	if slices.Contains(valid, s) {
		return
	}
	var names []string
	for _, v := range valid {
		names = append(names, string(v))
	}
	f.add("want the setting %s, got %q", strings.Join(names, ", "), string(s))
}

func (f *faults) checkVariant(v Variant) {
	if variantNames[v] == "" {
		f.add("want the variant appendix or code, got %v", v)
	}
}

func (f *faults) checkSamples(samples int, sizes []int) {
	if samples < MinSamples {
		f.add("want at least %d samples, so that every split has some of each class, got %d", MinSamples, samples)
		return
	}
	row := int64(0)
	for _, size := range sizes {
		row += int64(size) * float32Bytes
	}
	if most := maxBytes / row; int64(samples) > most {
		f.add("want at most %d samples of this width, which fill %d GiB of memory, got %d", most, int64(maxBytes)>>30, samples)
	}
}

const float32Bytes = 4

func (f faults) err() error {
	if len(f) == 0 {
		return nil
	}
	return fmt.Errorf("synth: %w: %s", ErrOptions, strings.Join(f, "; "))
}
