package dataset

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// flagPattern finds the specs of a hint as a shell would hand them on.
var flagPattern = regexp.MustCompile(`--modality (?:'([^']*)'|(\S+))`)

// proposed returns the specs that the hint of err proposes.
func proposed(t *testing.T, err error) []string {
	t.Helper()
	var fault *ModalityError
	if !errors.As(err, &fault) {
		t.Fatalf("want a ModalityError, got %v", err)
	}
	var specs []string
	for _, m := range flagPattern.FindAllStringSubmatch(fault.Hint, -1) {
		specs = append(specs, m[1]+m[2])
	}
	return specs
}

// TestProposalsAreAccepted types what the hint says and wants modalities.
func TestProposalsAreAccepted(t *testing.T) {
	numbered := func(format string, n int) (names []string) {
		for i := range n {
			names = append(names, fmt.Sprintf(format, i))
		}
		return names
	}
	words := strings.Fields("age fare sex pclass sibsp parch ticket cabin embarked deck title alone who")
	for _, tt := range []struct {
		name   string
		inputs []string
		specs  []string
		want   string // of the modalities, by name
	}{
		{"one word and numbers", numbered("c%02d", 14), nil, "first rest"},
		{"two words and numbers", append(numbered("lab%d", 7), numbered("vital_%d", 7)...), nil, "lab vital"},
		{"a word that begins another", append(numbered("im%d", 7), numbered("image_%d", 7)...), nil, "first rest"},
		{"two words and a loner", append(append(numbered("lab%d", 6), numbered("vital_%d", 6)...), "age"), nil, "lab vital age"},
		{"a user's modality beside", numbered("c%02d", 15), []string{"a=c00,c01"}, "a first rest"},
		{"a user's modality that a word would meet", append(numbered("lab%d", 8), numbered("v%d", 8)...), []string{"a=lab0"}, "a first rest"},
		{"a pattern that swallows all", numbered("c%02d", 14), []string{"c=c*"}, "first rest"},
		{"words alone", words, nil, "first rest"},
		{"hundreds", numbered("pixel%d", 784), nil, "first rest"},
		{"paths, which no star crosses", numbered("/enc/x%02d/in", 14), nil, "first rest"},
		{"one begins the others", append([]string{"x"}, numbered("x%d", 14)...), nil, "first rest"},
		{"commas and brackets", numbered("a,[%02d]", 14), nil, "first rest"},
		{"letters of several bytes", append(numbered("é%d", 7), numbered("è%d", 7)...), nil, "é è"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var inputs []tensor.Spec
			for _, name := range tt.inputs {
				inputs = append(inputs, spec(name, tensor.Float32))
			}
			_, err := ParseModalities(tt.specs, nil, inputs, nil, MaxUnnamed)
			specs := proposed(t, err)
			if !strings.HasPrefix(tt.name, "a pattern that") {
				specs = append(tt.specs, specs...)
			}
			got, err := ParseModalities(specs, nil, inputs, nil, MaxUnnamed)
			if err != nil {
				t.Fatalf("the proposal %q is refused: %v", specs, err)
			}
			var names []string
			elements := 0
			for _, m := range got {
				names = append(names, m.Name)
				for _, part := range m.Parts {
					elements += part.Hi - part.Lo
				}
			}
			if have := strings.Join(names, " "); have != tt.want {
				t.Errorf("want modalities %s, got %s of %q", tt.want, have, specs)
			}
			if elements != len(inputs) {
				t.Errorf("want all %d inputs in a modality, got %d", len(inputs), elements)
			}
		})
	}
}

// TestProposesNothingThatFails checks the words for what no group can mend: the
// names of the groups are taken.
func TestProposesNothingThatFails(t *testing.T) {
	inputs := []tensor.Spec{spec("first", tensor.Float32)}
	for i := range 13 {
		inputs = append(inputs, spec(fmt.Sprintf("%c", 'a'+i), tensor.Float32))
	}
	_, err := ParseModalities([]string{"rest=first"}, nil, inputs, nil, MaxUnnamed)
	var fault *ModalityError
	if !errors.As(err, &fault) || !strings.HasSuffix(fault.Hint, "; or "+noProposal) {
		t.Errorf("want the hint %q, got %+v", noProposal, err)
	}
}

func TestAccepts(t *testing.T) {
	p, err := newModalityParser([]tensor.Spec{spec("a", tensor.Float32), spec("b", tensor.Float32)}, nil)
	check(t, err)
	if !p.accepts([]string{"x=a", "y=b"}) {
		t.Error("want x=a y=b accepted")
	}
	for _, specs := range [][]string{{"x=*"}, {"x=a", "y=*"}, {"x=c"}} {
		if p.accepts(specs) {
			t.Errorf("want %q refused", specs)
		}
	}
}
