package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/rival"
	"github.com/intershap/intershap/score"
)

// rivalSchema names the version of the document of `rival --json`.
const rivalSchema = "intershap/rival/v1"

// A rivalReport is the document; docs/format/rival.md specifies it. A score is null
// where it was not asked for, and where unfit has the reason.
type rivalReport struct {
	Schema     string             `json:"schema"`
	Provenance result.Provenance  `json:"provenance"`
	Options    rivalReportOptions `json:"options"`
	Modalities []string           `json:"modalities"`
	Scores     []string           `json:"scores"`
	InterSHAP  intershapReport    `json:"intershap"`
	Metrics    *metricsReport     `json:"metrics"`
	EMAP       *emapReport        `json:"emap"`
	Shape      *shapesReport      `json:"shape"`
	PID        *pidsReport        `json:"pid"`
	SRI        []sriReport        `json:"sri"`
	Share      *sharesReport      `json:"share"`
	Perceptual *perceptualReport  `json:"perceptual"`
	Effects    *effectsReport     `json:"effects"`
	Unfit      []unfitReport      `json:"unfit"`
	Rows       map[string]int64   `json:"rows"`
	// Explanation is the document of explain --json.
	Explanation json.RawMessage `json:"explanation"`
}

type rivalReportOptions struct {
	EMAPSamples int `json:"emap_samples"`
	Draws       int `json:"draws"`
}

// An intershapReport is the headline of the explanation.
type intershapReport struct {
	Target    string                `json:"target"`
	Headline  result.Headline       `json:"headline"`
	InterSHAP score.Share           `json:"intershap"`
	Low       score.Share           `json:"low"`
	High      score.Share           `json:"high"`
	Local     result.LocalAggregate `json:"local"`
}

type metricsReport struct {
	Accuracy float64 `json:"accuracy"`
	MacroF1  float64 `json:"macro_f1"`
}

type emapReport struct {
	Design      string         `json:"design"`
	Samples     int            `json:"samples"`
	Background  *int           `json:"background"`
	Gap         *emapGapReport `json:"gap"`
	OverPairs   score.Share    `json:"over_pairs"`
	OverSamples score.Share    `json:"over_samples"`
}

type emapGapReport struct {
	Accuracy   float64       `json:"accuracy"`
	MacroF1    float64       `json:"macro_f1"`
	Model      metricsReport `json:"model"`
	Projection metricsReport `json:"projection"`
}

type shapesReport struct {
	F1       *shapeReport `json:"f1"`
	Accuracy *shapeReport `json:"accuracy"`
	Outputs  *shapeReport `json:"outputs"`
}

type shapeReport struct {
	Cooperation   float64            `json:"cooperation"`
	Relative      score.Share        `json:"relative"`
	Baseline      float64            `json:"baseline"`
	All           float64            `json:"all"`
	Alone         map[string]float64 `json:"alone"`
	Contributions map[string]float64 `json:"contributions"`
	Pairs         []shapePairReport  `json:"pairs"`
}

type shapePairReport struct {
	Pair        [2]string `json:"pair"`
	Cooperation float64   `json:"cooperation"`
}

type pidsReport struct {
	Samples int         `json:"samples"`
	Data    []pidReport `json:"data"`
	Model   []pidReport `json:"model"`
}

// A pidReport is one pair of sources. Estimate is null where there is a reason.
type pidReport struct {
	Heading  string          `json:"heading"`
	First    string          `json:"first"`
	Second   string          `json:"second"`
	Estimate *estimateReport `json:"estimate"`
	Reason   *string         `json:"reason"`
}

type estimateReport struct {
	Nats          informationReport `json:"nats"`
	Bits          informationReport `json:"bits"`
	AboveShuffled aboveReport       `json:"above_shuffled"`
	Gap           float64           `json:"gap"`
	Clusters      [2]int            `json:"clusters"`
	Classes       int               `json:"classes"`
}

type informationReport struct {
	Mean       partsReport `json:"mean"`
	SD         partsReport `json:"sd"`
	Shuffled   partsReport `json:"shuffled"`
	ShuffledSD partsReport `json:"shuffled_sd"`
	// First, Second and Both are the information of the sources about the target.
	First  float64 `json:"first"`
	Second float64 `json:"second"`
	Both   float64 `json:"both"`
}

// An aboveReport says of each part whether it is more than shuffled targets give.
type aboveReport struct {
	Redundancy   bool `json:"redundancy"`
	UniqueFirst  bool `json:"unique_first"`
	UniqueSecond bool `json:"unique_second"`
	Synergy      bool `json:"synergy"`
}

type partsReport struct {
	Redundancy   float64 `json:"redundancy"`
	UniqueFirst  float64 `json:"unique_first"`
	UniqueSecond float64 `json:"unique_second"`
	Synergy      float64 `json:"synergy"`
}

type sriReport struct {
	Pair     [2]string      `json:"pair"`
	Both     sriPartsReport `json:"both"`
	OfFirst  sriPartsReport `json:"of_first"`
	OfSecond sriPartsReport `json:"of_second"`
}

type sriPartsReport struct {
	Synergy      score.Share `json:"synergy"`
	Redundancy   score.Share `json:"redundancy"`
	Independence score.Share `json:"independence"`
}

type sharesReport struct {
	Modalities map[string]shareReport `json:"modalities"`
	Undefined  int                    `json:"undefined"`
}

type shareReport struct {
	Share score.Share `json:"share"`
	SD    score.Share `json:"sd"`
}

type perceptualReport struct {
	Accuracy   float64                             `json:"accuracy"`
	Modalities map[string]perceptualModalityReport `json:"modalities"`
}

type perceptualModalityReport struct {
	Score      float64     `json:"score"`
	SE         score.Share `json:"se"`
	Normalised score.Share `json:"normalised"`
	Shuffled   float64     `json:"shuffled"`
}

type effectsReport struct {
	Modalities map[string]modalityEffectsReport `json:"modalities"`
}

type modalityEffectsReport struct {
	Alone   effectReport `json:"alone"`
	Shapley effectReport `json:"shapley"`
	Last    effectReport `json:"last"`
}

type effectReport struct {
	Mean         float64 `json:"mean"`
	MeanAbsolute float64 `json:"mean_absolute"`
}

type unfitReport struct {
	Score string `json:"score"`
	// Part is what of the score is missing, null for all of it.
	Part   *string `json:"part"`
	Reason string  `json:"reason"`
}

// reportRivals returns the document of scores.
func reportRivals(r *intershap.RivalScores, o *rivalOptions) (*rivalReport, error) {
	var explanation bytes.Buffer
	if err := r.Explanation.Write(&explanation); err != nil {
		return nil, err
	}
	names := r.Explanation.Modalities
	out := &rivalReport{
		Schema: rivalSchema, Provenance: r.Explanation.Provenance, Options: rivalReportOptions{o.emapSamples, o.draws},
		Modalities: names, Scores: slices.Concat([]string{}, r.Scores), InterSHAP: reportHeadline(&r.Explanation.Targets[0]),
		Shape: reportShapes(r, names), PID: reportPIDs(r), SRI: reportSRI(r.SRI, names),
		Unfit: []unfitReport{}, Rows: map[string]int64{}, Explanation: explanation.Bytes(),
	}
	if m := r.Metrics; m != nil {
		out.Metrics = &metricsReport{m.Accuracy, m.MacroF1}
	}
	if r.EMAP != nil {
		out.EMAP = reportEMAP(r.EMAP)
	}
	if s := r.Shares; s != nil {
		out.Share = &sharesReport{byName(names, func(i int) shareReport { return shareReport{s.Shares[i], s.SD[i]} }), s.Undefined}
	}
	if p := r.Perceptual; p != nil {
		out.Perceptual = &perceptualReport{p.Accuracy, byName(names, func(i int) perceptualModalityReport {
			m := p.Modalities[i]
			return perceptualModalityReport{m.Score, m.SE, m.Normalised, m.Permuted}
		})}
	}
	if e := r.Effects; e != nil {
		out.Effects = &effectsReport{byName(names, func(i int) modalityEffectsReport {
			return modalityEffectsReport{effectReport(e.Alone[i]), effectReport(e.Shapley[i]), effectReport(e.Last[i])}
		})}
	}
	for _, u := range r.Unfit {
		report := unfitReport{Score: u.Score, Reason: u.Reason}
		if u.Part != "" {
			report.Part = &u.Part
		}
		out.Unfit = append(out.Unfit, report)
	}
	for name, rows := range r.Rows {
		out.Rows[name] = rows
	}
	return out, nil
}

// write writes the document, indented; a number that is not finite is an error, and
// nothing is written then.
func (r *rivalReport) write(w io.Writer) error {
	var document bytes.Buffer
	enc := json.NewEncoder(&document)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(r); err != nil {
		return fmt.Errorf("cli: rival: %w", err)
	}
	_, err := w.Write(document.Bytes())
	return err
}

// byName returns what at says of each modality.
func byName[T any](names []string, at func(i int) T) map[string]T {
	out := map[string]T{}
	for i, name := range names {
		out[name] = at(i)
	}
	return out
}

func reportHeadline(t *result.Target) intershapReport {
	share, low, high := t.HeadlineInterval()
	return intershapReport{t.Target, t.Headline, share, low, high, t.Local}
}

func reportEMAP(e *intershap.EMAPScore) *emapReport {
	out := &emapReport{Design: e.Design.String(), Samples: e.Samples, OverPairs: e.OverPairs, OverSamples: e.OverSamples}
	if e.Design == rival.Product {
		out.Background = &e.Background
	}
	if g := e.Gap; g != nil {
		out.Gap = &emapGapReport{g.Accuracy, g.MacroF1, metricsReport(g.Model), metricsReport(g.Projection)}
	}
	return out
}

func reportShapes(r *intershap.RivalScores, names []string) *shapesReport {
	if r.ShapeF1 == nil && r.ShapeAccuracy == nil && r.ShapeOutputs == nil {
		return nil
	}
	return &shapesReport{reportShape(r.ShapeF1, names), reportShape(r.ShapeAccuracy, names), reportShape(r.ShapeOutputs, names)}
}

func reportShape(s *rival.Shape, names []string) *shapeReport {
	if s == nil {
		return nil
	}
	out := &shapeReport{
		Cooperation: s.Cooperation, Relative: s.Relative, Baseline: s.Baseline, All: s.All,
		Alone:         byName(names, func(i int) float64 { return s.Alone[i] }),
		Contributions: byName(names, func(i int) float64 { return s.Contributions[i] }),
		Pairs:         []shapePairReport{},
	}
	for _, p := range pairsOf(len(names)) {
		out.Pairs = append(out.Pairs, shapePairReport{[2]string{names[p[0]], names[p[1]]}, s.Pairs[p[0]*len(names)+p[1]]})
	}
	return out
}

// pairsOf returns the pairs of m modalities: (0, 1), (0, 2), ..., (1, 2), ...
func pairsOf(m int) [][2]int {
	var out [][2]int
	for i := range m {
		for j := i + 1; j < m; j++ {
			out = append(out, [2]int{i, j})
		}
	}
	return out
}

func reportPIDs(r *intershap.RivalScores) *pidsReport {
	if r.DataPID == nil && r.ModelPID == nil {
		return nil
	}
	return &pidsReport{r.PIDSamples, reportPID(r.DataPID), reportPID(r.ModelPID)}
}

func reportPID(views []rival.PIDView) []pidReport {
	var out []pidReport
	for _, v := range views {
		p := pidReport{Heading: v.Heading, First: v.First, Second: v.Second}
		if v.Unfit != nil {
			p.Reason = &v.Unfit.Reason
		}
		if e := v.Estimate; e != nil {
			p.Estimate = &estimateReport{
				Nats: reportInformation(e, 1), Bits: reportInformation(e, math.Ln2),
				AboveShuffled: reportAbove(e.AboveShuffled()), Gap: e.Gap, Clusters: e.Clusters, Classes: e.Classes,
			}
		}
		out = append(out, p)
	}
	return out
}

func reportAbove(a rival.Above) aboveReport {
	return aboveReport{a.Redundancy, a.Unique1, a.Unique2, a.Synergy}
}

// reportInformation returns an estimate in a unit of so many nats.
func reportInformation(e *rival.PIDEstimate, unit float64) informationReport {
	parts := func(x rival.Information) partsReport {
		return partsReport{x.Redundancy / unit, x.Unique1 / unit, x.Unique2 / unit, x.Synergy / unit}
	}
	return informationReport{
		Mean: parts(e.Mean), SD: parts(e.SD), Shuffled: parts(e.Permuted), ShuffledSD: parts(e.PermutedSD),
		First: e.First / unit, Second: e.Second / unit, Both: e.Both / unit,
	}
}

func reportSRI(all []rival.SRI, names []string) []sriReport {
	var out []sriReport
	for _, s := range all {
		out = append(out, sriReport{
			Pair: [2]string{names[s.I], names[s.J]},
			Both: sriPartsReport(s.Both), OfFirst: sriPartsReport(s.OfI), OfSecond: sriPartsReport(s.OfJ),
		})
	}
	return out
}
