package intershap

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/rival"
)

// RivalOptions say which scores are computed beside InterSHAP.
type RivalOptions struct {
	// Options are the question, as [Explain] takes it. It must have one target.
	// Sink must be nil: scores are made of the samples' values.
	Options
	// Scores are names of [rival.Cards]; nil means all.
	Scores []string
	// EMAPSamples is the most samples whose pairs EMAP takes, drawn by seed where
	// there are more; 0 means DefaultEMAPSamples.
	EMAPSamples int
	// Draws is how often the Perceptual Score shuffles each modality; 0 means
	// DefaultDraws.
	Draws int
	// PID says how information is estimated; its Seed is that of the question.
	PID rival.PIDOptions
	// Begin is told which score comes next and how many model rows it takes, 0 for
	// none; it may be nil. Progress counts the rows of each score by itself.
	Begin func(score string, rows int64)
}

const (
	// DefaultEMAPSamples have nine million pairs.
	DefaultEMAPSamples = 3000
	// DefaultDraws of a shuffled modality tell its accuracy well enough: the
	// standard error is in the result.
	DefaultDraws = 10
)

// RivalScores are InterSHAP and the scores that people compare it with. A score
// that was not asked for, or that the data do not allow, is nil; Unfit has the
// reasons.
type RivalScores struct {
	// Explanation holds InterSHAP.
	Explanation *Explanation
	// Scores names the scores asked for, in the order of [rival.Cards].
	Scores []string
	// Metrics are those of the model on the samples, nil without labels.
	Metrics *rival.Metrics
	EMAP    *EMAPScore
	// ShapeF1, ShapeAccuracy and ShapeOutputs are the forms of SHAPE; the last
	// needs no labels.
	ShapeF1, ShapeAccuracy, ShapeOutputs *rival.Shape
	// DataPID decomposes the information about the labels, ModelPID that about the
	// model's predictions.
	DataPID, ModelPID []rival.PIDView
	SRI               []rival.SRI
	Shares            *rival.ModalityShares
	Perceptual        *rival.Perceptual
	Effects           *rival.Effects
	// Unfit says what could not be computed, in the order of Scores; a score may
	// have several, for its forms.
	Unfit []*rival.Unfit
	// Rows counts the model rows that each score took beside those of InterSHAP.
	Rows map[string]int64
}

// EMAPScore is EMAP with what it was computed from.
type EMAPScore struct {
	rival.EMAP
	// Samples is the number of samples, those drawn where there were more.
	Samples int
	// Background is the number of shuffled rows that stand for the product of the
	// modalities' distributions; 0 for two modalities, which take all pairs.
	Background int
}

// Rivals computes InterSHAP and, for the same model, samples and target, the
// scores that people compare it with.
func Rivals(ctx context.Context, m model.Model, samples, rows dataset.File, opt RivalOptions) (*RivalScores, error) {
	return nil, fmt.Errorf("intershap: rivals: %s", strings.Join(slices.Clone(opt.Scores), ","))
}
