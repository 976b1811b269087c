package plot

import (
	"errors"
	"fmt"
	"slices"

	"github.com/intershap/intershap/plot/scene"
)

// A Kind is a kind of figure.
type Kind string

// The kinds of figures.
const (
	Waterfall Kind = "waterfall"
	Force     Kind = "force"
	Matrix    Kind = "matrix"
	Network   Kind = "network"
	Beeswarm  Kind = "beeswarm"
	Bars      Kind = "bars"
	Spectrum  Kind = "spectrum"
	Groups    Kind = "groups"
)

// Kinds returns every kind, in the order in which they are told.
func Kinds() []Kind {
	return []Kind{Waterfall, Force, Matrix, Network, Beeswarm, Bars, Spectrum, Groups}
}

// Interactions says how interactions are drawn where effects have rows of their own.
type Interactions string

// The ways to draw interactions.
const (
	// Pairs gives every pair a row.
	Pairs Interactions = "pairs"
	// One gives all pairs together one row, their sum.
	One Interactions = "one"
)

// Options say how a figure looks. The zero value is a light figure as large as it
// needs to be.
type Options struct {
	// Width and Height are those of the figure in CSS pixels, 1/96 inch; 0 for what
	// the figure needs.
	Width, Height float64
	Theme         Theme
	// Palette has the colours; nil for [OkabeIto].
	Palette      Palette
	Interactions Interactions
}

// The bounds of a figure's sides, in pixels.
const (
	MinSide = 100
	MaxSide = 20000
)

func (o Options) validate() error {
	var faults []error
	for _, side := range []struct {
		name string
		px   float64
	}{{"Width", o.Width}, {"Height", o.Height}} {
		if side.px != 0 && !(side.px >= MinSide && side.px <= MaxSide) {
			faults = append(faults, fmt.Errorf("%s (%v) must be 0 or from %d to %d pixels", side.name, side.px, MinSide, MaxSide))
		}
	}
	if o.Theme > Dark {
		faults = append(faults, fmt.Errorf("Theme (%d) must be one of the constants", o.Theme))
	}
	if o.Palette != nil && len(o.Palette) < minColours {
		faults = append(faults, fmt.Errorf("Palette (%d colours) must have %d or more", len(o.Palette), minColours))
	}
	if o.Interactions != "" && o.Interactions != Pairs && o.Interactions != One {
		faults = append(faults, fmt.Errorf("Interactions (%q) must be %q or %q", o.Interactions, Pairs, One))
	}
	return errors.Join(faults...)
}

// ErrUnfit is the root of errors that say why a subject cannot be drawn as a kind of
// figure: no samples are at hand, or there is but one modality. Whoever draws all
// kinds passes over it.
var ErrUnfit = errors.New("the figure does not fit the subject")

// An unfit says why, in words.
type unfit struct{ reason string }

func (e *unfit) Error() string { return e.reason }
func (e *unfit) Unwrap() error { return ErrUnfit }

func unfitf(format string, args ...any) error { return &unfit{fmt.Sprintf(format, args...)} }

// ErrSize is the root of errors that say that a figure does not fit into the size that
// was asked for.
var ErrSize = errors.New("the size is too small")

// Draw draws a figure. The picture is as large as the options say; where they leave a
// side open, it is as long as the figure needs. Errors wrap [ErrUnfit] or [ErrSize]
// where those are the cause.
func Draw(kind Kind, s *Subject, opt Options) (*scene.Scene, error) {
	if err := opt.validate(); err != nil {
		return nil, fmt.Errorf("plot: %w", err)
	}
	if opt.Interactions == "" {
		opt.Interactions = Pairs
	}
	draw, ok := map[Kind]func(*Subject, Options) (*scene.Scene, error){
		Waterfall: drawWaterfall, Force: drawForce, Matrix: drawMatrix, Network: drawNetwork,
		Beeswarm: drawBeeswarm, Bars: drawBars, Spectrum: drawSpectrum, Groups: drawGroups,
	}[kind]
	if !ok {
		return nil, fmt.Errorf("plot: unknown kind %q, want one of %q", kind, Kinds())
	}
	sc, err := draw(s, opt)
	if err != nil {
		return nil, fmt.Errorf("plot: %s: %w", kind, err)
	}
	return sc, nil
}

// Needs reports whether a kind is drawn from a samples file.
func (k Kind) Needs() (samples bool) { return k == Beeswarm }

// ParseKind reads the name of a kind.
func ParseKind(text string) (Kind, error) {
	if k := Kind(text); slices.Contains(Kinds(), k) {
		return k, nil
	}
	return "", fmt.Errorf("plot: unknown kind %q, want one of %q", text, Kinds())
}
