package result

import (
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/game"
)

// presentSign stands between the names of the modalities that a sample has.
const presentSign = "+"

// PresentText names the modalities of a coalition, as "image+labs"; "" for none.
func PresentText(modalities []string, present game.Coalition) string {
	return PatternText(PresentNames(modalities, present))
}

// PatternText joins the names of the modalities that samples have, as "image+labs"; "" for
// none.
func PatternText(present []string) string { return strings.Join(present, presentSign) }

// PresentNames lists the modalities of a coalition in their order; an empty list for none.
func PresentNames(modalities []string, present game.Coalition) []string {
	names := []string{}
	for i, name := range modalities {
		if present.Has(i) {
			names = append(names, name)
		}
	}
	return names
}

// presentTexts writes coalitions as text, each once: many samples have the same.
type presentTexts struct {
	modalities []string
	texts      map[game.Coalition]string
}

// newPresentTexts refuses names that could not be told apart again. The error names
// the file at path. It is nil where the file has no such column.
func newPresentTexts(path string, header SamplesHeader) (*presentTexts, error) {
	if !header.HasPresent {
		return nil, nil
	}
	for _, name := range header.Modalities {
		if strings.Contains(name, presentSign) {
			return nil, fmt.Errorf("result: samples file %s: want modalities without %q, which stands between the names of those that a sample has, got %q: rename it, or write .npz", path, presentSign, name)
		}
	}
	return &presentTexts{header.Modalities, map[game.Coalition]string{}}, nil
}

func (p *presentTexts) text(present game.Coalition) string {
	text, known := p.texts[present]
	if !known {
		text = PresentText(p.modalities, present)
		p.texts[present] = text
	}
	return text
}

// parsePresent is the inverse of [PresentText].
func parsePresent(modalities []string, text string) (game.Coalition, error) {
	var present game.Coalition
	if text == "" {
		return present, nil
	}
	last := -1
	for _, name := range strings.Split(text, presentSign) {
		i := slices.Index(modalities, name)
		if i <= last {
			return 0, fmt.Errorf("%s: want modalities in their order, %q, with %q between them, got %.80q", columnPresent, modalities, presentSign, text)
		}
		present = present.With(i)
		last = i
	}
	return present, nil
}

// checkPresent refuses modalities that are not there, and values of what a sample
// lacks: then a modality changes nothing, so that phi is zero and v(S) is that of S
// without it. values may be nil.
func checkPresent(present game.Coalition, phi, values []float64, m int) error {
	if present>>m != 0 {
		return fmt.Errorf("%s: want bits of %d modalities, got %#b", columnPresent, m, uint64(present))
	}
	for at, v := range phi {
		i, j := at/m, at%m
		if v != 0 && !(present.Has(i) && present.Has(j)) {
			return fmt.Errorf("phi[%d][%d]: want 0 for a modality that the sample lacks, got %v", i, j, v)
		}
	}
	for s, v := range values {
		if own := values[game.Coalition(s)&present]; v != own {
			return fmt.Errorf("value of coalition %#b: want that without the modalities that the sample lacks, %v, got %v", s, own, v)
		}
	}
	return nil
}
