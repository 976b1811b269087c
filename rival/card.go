package rival

import "fmt"

// The names of the scores.
const (
	ScoreEMAP       = "emap"
	ScoreShape      = "shape"
	ScorePID        = "pid"
	ScoreSRI        = "sri"
	ScoreShare      = "share"
	ScorePerceptual = "perceptual"
	ScoreEffects    = "effects"
)

// A Card says what a score is and what it needs, in words for a page of help.
type Card struct {
	// Name is how the score is asked for: "emap".
	Name string
	// Title is how it is headed.
	Title string
	// Source is the publication that defined it.
	Source string
	// Says is what the number means, in half a sentence.
	Says string
	// Unit and Range are those of the headline.
	Unit, Range string
	// Zero says for which models the headline is zero by construction; empty
	// where it is for none.
	Zero string
	// Labels says what true labels are needed for; empty where they are not.
	Labels string
	// Reads lists the arrays that are needed, with their shapes.
	Reads string
	// Beyond says what is done with more than two modalities.
	Beyond string
	// Ours is set where Beyond is an idea of this module, and not of the source.
	Ours bool
}

// Cards returns the card of every score, in the order of the table.
func Cards() []Card {
	return []Card{emapCard, shapeCard, pidCard, sriCard, shareCard, perceptualCard, effectsCard}
}

// An Unfit says why a score cannot be computed from the data at hand. The data
// are at fault, not the caller: a table prints the reason as a footnote.
type Unfit struct {
	// Score is the name of the score.
	Score string
	// Part is what of the score is missing, such as "gap in accuracy and F1"; empty
	// for all of it.
	Part string
	// Reason is a clause without a capital or a full stop, with the remedy.
	Reason string
}

// What names the score, and in brackets the part that is missing.
func (u *Unfit) What() string {
	if u.Part == "" {
		return u.Score
	}
	return u.Score + " (" + u.Part + ")"
}

// Error returns what is missing, and the reason.
func (u *Unfit) Error() string { return fmt.Sprintf("rival: %s: %s", u.What(), u.Reason) }

func unfit(score, format string, args ...any) *Unfit {
	return &Unfit{Score: score, Reason: fmt.Sprintf(format, args...)}
}
