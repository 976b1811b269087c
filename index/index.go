package index

import (
	"fmt"
	"strings"
)

// An Index is an interaction index: a rule that says how much of a game is due to
// each coalition of up to some number of players, its order.
type Index uint8

// The indices, in the order of [Cards]. Moebius is the Möbius transform itself.
const (
	SV Index = iota + 1
	BV
	SII
	BII
	KSII
	STII
	FSII
	FBII
	Moebius
)

// A Card says what an index is.
type Card struct {
	Index Index
	// Name is the acronym of the literature, and what Parse takes; Title is the name
	// in words.
	Name, Title string
	// Source is who defined it, when and where.
	Source string
	// Generalises is the value of single players that order one gives: "SV", "BV" or
	// "v(i) - v({})".
	Generalises string
	// Efficient indices add up to v(all) − v({}) over all coalitions but the empty
	// one, whatever the order. [Index.EfficientAt] knows the cases of the others.
	Efficient bool
	// Empty is set where the empty coalition has a value: v({}), with which efficient
	// indices add up to v(all); for FBII the constant of the fit.
	Empty bool
	// Single is set for values, which have the order one alone. All others have every
	// order up to the number of players.
	Single bool
	// Cost is what all values of order K of one game of M players cost, its Möbius
	// transform included.
	Cost string
	// MaxPlayers bounds the players: the whole value table is held.
	MaxPlayers int
}

const (
	valueCost = "M·2^M"
	sumCost   = "M·2^M + K²·2^M"
)

var cards = [...]Card{
	{
		SV, "SV", "Shapley value",
		"Shapley (1953), A value for n-person games", "SV", true, false, true, valueCost, maxPlayers,
	},
	{
		BV, "BV", "Banzhaf value",
		"Banzhaf (1965), Weighted voting doesn't work", "BV", false, false, true, valueCost, maxPlayers,
	},
	{
		SII, "SII", "Shapley interaction index",
		"Grabisch and Roubens (1999), An axiomatic approach to the concept of interaction among players in cooperative games", "SV", false, false, false, sumCost, maxPlayers,
	},
	{
		BII, "BII", "Banzhaf interaction index",
		"Grabisch and Roubens (1999), An axiomatic approach to the concept of interaction among players in cooperative games", "BV", false, false, false, sumCost, maxPlayers,
	},
	{
		KSII, "k-SII", "k-Shapley values",
		"Bordt and von Luxburg (2023), From Shapley values to generalized additive models and back", "SV", true, true, false, sumCost, maxPlayers,
	},
	{
		STII, "STII", "Shapley-Taylor interaction index",
		"Sundararajan, Dhamdhere and Agarwal (2020), The Shapley Taylor interaction index", "SV", true, true, false, sumCost, maxPlayers,
	},
	{
		FSII, "FSII", "faithful Shapley interaction index",
		"Tsai, Yeh and Ravikumar (2023), Faith-Shap: the faithful Shapley interaction index", "SV", true, true, false, sumCost, maxPlayers,
	},
	{
		FBII, "FBII", "faithful Banzhaf interaction index",
		"Tsai, Yeh and Ravikumar (2023), Faith-Shap: the faithful Shapley interaction index", "BV", false, true, false, sumCost, maxPlayers,
	},
	{
		Moebius, "Moebius", "Möbius transform",
		"Harsanyi (1963), A simplified bargaining model for the n-person cooperative game", "v(i) - v({})", false, true, false, valueCost, maxPlayers,
	},
}

// Cards returns what is known of every index.
func Cards() []Card { return append([]Card(nil), cards[:]...) }

// Indices returns every index.
func Indices() []Index {
	var out []Index
	for _, c := range cards {
		out = append(out, c.Index)
	}
	return out
}

// Names returns the names of the indices.
func Names() []string {
	var out []string
	for _, c := range cards {
		out = append(out, c.Name)
	}
	return out
}

// Parse returns the index of a name, such as "k-SII".
func Parse(name string) (Index, error) {
	for _, c := range cards {
		if c.Name == name {
			return c.Index, nil
		}
	}
	return 0, fmt.Errorf("index: want %s, got %q", strings.Join(Names(), ", "), name)
}

func (x Index) valid() bool { return x >= 1 && int(x) <= len(cards) }

// Card returns what is known of x.
func (x Index) Card() Card {
	if !x.valid() {
		panic("index: unknown index")
	}
	return cards[x-1]
}

// String returns the name.
func (x Index) String() string {
	if !x.valid() {
		return fmt.Sprintf("Index(%d)", uint8(x))
	}
	return cards[x-1].Name
}

// MarshalText returns the name.
func (x Index) MarshalText() ([]byte, error) {
	if !x.valid() {
		return nil, fmt.Errorf("index: no index has the number %d", uint8(x))
	}
	return []byte(x.String()), nil
}

// UnmarshalText is [Parse].
func (x *Index) UnmarshalText(text []byte) (err error) {
	*x, err = Parse(string(text))
	return err
}

// MaxOrder returns the highest order that x has for games of m players.
func (x Index) MaxOrder(m int) int {
	if x.Card().Single {
		return 1
	}
	return m
}

// EfficientAt reports whether the values of order one to order add up to
// v(all) − v({}) in every game of m players: always for efficient indices, and for all
// others of one player; for SII at order one, where it is the Shapley value, and BV and
// BII there for two players, of whom the Banzhaf value is the Shapley value; for Möbius
// and FBII at order m, where nothing is left out; and for FBII at order m − 1 of an even
// number of players, where the fit misses v(all) and v({}) by the same.
func (x Index) EfficientAt(m, order int) bool {
	if x.Card().Efficient || m == 1 {
		return true
	}
	switch x {
	case SII:
		return order == 1
	case BV, BII:
		return order == 1 && m == 2
	case FBII:
		return order == m || order == m-1 && m%2 == 0
	}
	return order == m
}
