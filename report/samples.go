package report

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"math"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

const (
	// mostBytes bounds what the page holds of samples, before it is written as text: a
	// browser opens it while a person waits. Beyond it the explorer has every k-th
	// sample.
	mostBytes = 32 << 20
	// mostValueModalities is the number of modalities up to which the explorer has the
	// value of every coalition: 64 of them are a table, more are not.
	mostValueModalities = 6
)

// explorerData is what page.js reads. Columns of numbers are 32-bit floats, little
// endian, in base64: seven digits, in a third of the bytes of text.
type explorerData struct {
	Modalities []string       `json:"modalities"`
	Classes    []string       `json:"classes"`
	Targets    []string       `json:"targets"`
	Convention string         `json:"convention"`
	IDs        []string       `json:"ids"`
	Predicted  []int          `json:"predicted"`
	ByTarget   []explorerPart `json:"byTarget"`
	// Patterns holds for each pattern a letter for each modality, "0" where it is
	// missing, and Pattern the pattern of each sample; both null where all samples have
	// all.
	Patterns []string `json:"patterns"`
	Pattern  []int    `json:"pattern"`
}

// An explorerPart holds one target's columns.
type explorerPart struct {
	Base   string `json:"base"`
	Output string `json:"output"`
	// Score and SE have NaN where they are undefined.
	Score string `json:"score"`
	SE    string `json:"se"`
	// Phi holds, for each sample, the diagonal and the sums of both cells of pairs:
	// (0,0), (0,1), ..., (1,1), (1,2), ...
	Phi string `json:"phi"`
	// Values holds v(S) by coalition; empty where the page does not have them.
	Values string `json:"values"`
}

// An explorer says what the explorer has.
type explorer struct {
	// Data is the JSON document, with everything escaped that ends a script.
	Data template.JS
	// Every is k where the explorer has every k-th sample, and else 1.
	Every int
	// Count and Of are the samples that it has, and those that there are.
	Count, Of string
	Classes   []string
	Targets   []string
	// Values is set where it has the values of coalitions; Pairs where there are any.
	Values, Pairs bool
}

// newExplorer takes every k-th sample, so that they fit into a limit in bytes.
func newExplorer(ex *result.Explanation, s *result.Samples, limit int64) (*explorer, error) {
	m, n := len(s.Modalities), s.Len()
	values := m <= mostValueModalities
	for _, t := range s.ByTarget {
		values = values && t.Values != nil
	}
	numbers := 4 + m*(m+1)/2
	if values {
		numbers += 1 << m
	}
	every := stride(n, int64(4*numbers*len(s.ByTarget)), limit)
	data := explorerData{
		Modalities: escaped(s.Modalities), Classes: escaped(ex.Classes), Convention: ex.Provenance.Convention,
		IDs: []string{}, Predicted: []int{},
	}
	for _, t := range ex.Targets {
		data.Targets = append(data.Targets, wording.Escape(t.Target))
	}
	for i := 0; i < n; i += every {
		data.IDs = append(data.IDs, wording.Escape(s.IDs[i]))
		data.Predicted = append(data.Predicted, s.Predicted[i])
	}
	if s.Present != nil {
		data.Patterns, data.Pattern = patternsOf(s.Present, m, every)
	}
	for i := range s.ByTarget {
		data.ByTarget = append(data.ByTarget, newExplorerPart(&s.ByTarget[i], m, every, values))
	}
	// Marshal writes <, >, & and the line ends of JavaScript as \u escapes: nothing in
	// the document ends the element that holds it.
	raw, err := json.Marshal(data)
	if err != nil {
		return nil, fmt.Errorf("report: samples: %w", err)
	}
	return &explorer{
		Data: template.JS(raw), Every: every,
		Count: wording.Grouped(int64(len(data.IDs))), Of: wording.Grouped(int64(n)),
		Classes: data.Classes, Targets: data.Targets, Values: values, Pairs: m > 1,
	}, nil
}

// patternsOf numbers the different patterns of every k-th sample.
func patternsOf(present []game.Coalition, m, every int) (patterns []string, of []int) {
	number := map[game.Coalition]int{}
	for i := 0; i < len(present); i += every {
		at, met := number[present[i]]
		if !met {
			at = len(patterns)
			number[present[i]] = at
			letters := make([]byte, m)
			for k := range letters {
				letters[k] = '0'
				if present[i].Has(k) {
					letters[k] = '1'
				}
			}
			patterns = append(patterns, string(letters))
		}
		of = append(of, at)
	}
	return patterns, of
}

// stride returns the smallest k with which every k-th of n samples fits, and n if one
// alone does not.
func stride(n int, bytes, limit int64) int {
	const perID = 16 // about
	fit := limit / (bytes + perID)
	if fit < 1 {
		return max(1, n)
	}
	return max(1, int((int64(n)+fit-1)/fit))
}

func newExplorerPart(t *result.TargetSamples, m, every int, values bool) explorerPart {
	n := len(t.Base)
	var base, output, score, se, phi, all []float64
	for i := 0; i < n; i += every {
		base, output = append(base, t.Base[i]), append(output, t.Output[i])
		score, se = append(score, t.InterSHAP[i].Or(math.NaN())), append(se, t.SE[i].Or(math.NaN()))
		matrix := t.Matrix(i, m)
		for j := range m {
			phi = append(phi, matrix[j*m+j])
			for k := j + 1; k < m; k++ {
				phi = append(phi, matrix[j*m+k]+matrix[k*m+j])
			}
		}
		if values {
			all = append(all, t.Values[i<<m:(i+1)<<m]...)
		}
	}
	return explorerPart{
		Base: floats(base), Output: floats(output), Score: floats(score), SE: floats(se), Phi: floats(phi), Values: floats(all),
	}
}

// floats writes numbers as 32-bit floats. Those beyond their range become the largest.
func floats(numbers []float64) string {
	raw := make([]byte, 0, 4*len(numbers))
	for _, x := range numbers {
		if !math.IsNaN(x) {
			x = max(-math.MaxFloat32, min(math.MaxFloat32, x))
		}
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(x)))
	}
	return base64.StdEncoding.EncodeToString(raw)
}

func escaped(names []string) []string {
	if names == nil {
		return nil
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = wording.Escape(name)
	}
	return out
}

// checkLengths refuses samples whose columns are not as long as their ids and
// modalities say: whoever made them by hand gets an error for it, and not a panic.
// Whether they are those of a result is for [result.Samples.Belongs] to say.
func checkLengths(s *result.Samples) error {
	n, m := s.Len(), len(s.Modalities)
	if len(s.ByTarget) != len(s.Targets) {
		return fmt.Errorf("report: samples: want %d targets, as many as have a name, got %d", len(s.Targets), len(s.ByTarget))
	}
	if s.Present != nil && len(s.Present) != n {
		return errors.New("report: samples: want the modalities of each id, or of none")
	}
	if len(s.Predicted) != n {
		return errors.New("report: samples: want a prediction for each id")
	}
	for i := range s.ByTarget {
		t := &s.ByTarget[i]
		whole := len(t.Base) == n && len(t.Output) == n && len(t.InterSHAP) == n && len(t.SE) == n && len(t.Phi) == n*m*m
		if !whole || t.Values != nil && len(t.Values) != n<<m {
			return fmt.Errorf("report: samples: target %d: want %d numbers in every column", i, n)
		}
	}
	return nil
}
