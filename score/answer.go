package score

import "fmt"

// An Answer is what an interval says of a question.
type Answer uint8

// The answers. The zero Answer is unclear.
const (
	Unclear Answer = iota
	Yes
	No
)

var answerNames = [...]string{Unclear: "unclear", Yes: "yes", No: "no"}

// AtLeast says whether the share is x or more: yes where all of the interval is,
// no where all of it is less. An interval that holds both, and one without bounds,
// leave it unclear. A yes is wrong with about the probability that the interval's level
// leaves, a no hardly ever: a lower bound leaves out the cells that are not clear.
func (i Interval) AtLeast(x float64) Answer {
	low, ok1 := i.Low.Value()
	high, ok2 := i.High.Value()
	switch {
	case !ok1 || !ok2:
		return Unclear
	case low >= x:
		return Yes
	case high < x:
		return No
	default:
		return Unclear
	}
}

// String returns "yes", "no" or "unclear".
func (a Answer) String() string {
	if int(a) < len(answerNames) {
		return answerNames[a]
	}
	return fmt.Sprintf("Answer(%d)", uint8(a))
}

// MarshalText writes the answer's name.
func (a Answer) MarshalText() ([]byte, error) {
	if int(a) >= len(answerNames) {
		return nil, fmt.Errorf("score: no answer has the number %d", uint8(a))
	}
	return []byte(a.String()), nil
}

// UnmarshalText reads an answer's name.
func (a *Answer) UnmarshalText(text []byte) error {
	for i, name := range answerNames {
		if name == string(text) {
			*a = Answer(i)
			return nil
		}
	}
	return fmt.Errorf("score: unknown answer %q (want yes, no or unclear)", text)
}
