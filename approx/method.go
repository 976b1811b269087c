package approx

import (
	"fmt"
	"strings"

	"github.com/intershap/intershap/index"
)

// A Method is a way to choose coalitions and to estimate from their values.
type Method uint8

// The methods, in the order of [Cards].
const (
	Permutation Method = iota + 1
	SHAPIQ
	Regression
)

// A Card says what a method is.
type Card struct {
	Method Method
	// Name is what Parse takes; Title is the name in words.
	Name, Title string
	// Source is who described it, when and where.
	Source string
	// Indices are those that the method estimates.
	Indices []index.Index
	// Orders is the highest order that the method has, 0 where the number of players
	// alone bounds it.
	Orders int
	// Note says when to use it.
	Note string
}

// MaxOrder returns the highest order to which the method estimates x in games of some
// number of players, 0 where it does not offer x.
func (c Card) MaxOrder(x index.Index, players int) int {
	for _, offered := range c.Indices {
		if offered != x {
			continue
		}
		most := x.MaxOrder(players)
		if c.Orders > 0 {
			most = min(most, c.Orders)
		}
		return most
	}
	return 0
}

var cards = [...]Card{
	{
		Permutation, "permutation", "permutation sampling in balanced blocks",
		"Castro, Gómez and Tejada (2009), Polynomial calculation of the Shapley value based on sampling; Williams (1949), Experimental designs balanced for the estimation of residual effects of treatments",
		[]index.Index{index.SV, index.SII}, 2,
		"the simplest to explain, and no fit that could go wrong; triples come beside each other too unevenly to be offered",
	},
	{
		SHAPIQ, "shap-iq", "SHAP-IQ, stratified by size",
		"Fumagalli, Muschalik, Kolpaczki, Hüllermeier and Hammer (2023), SHAP-IQ: unified approximation of any-order Shapley interactions",
		index.Indices(), 0,
		"the smallest budgets, any index to any order",
	},
	{
		Regression, "regression", "least-squares fit with SHAP-IQ of its residuals",
		"Fumagalli, Muschalik, Kolpaczki, Hüllermeier and Hammer (2024), KernelSHAP-IQ: weighted least-square optimization for Shapley interactions; Chernozhukov and others (2018), Double/debiased machine learning for treatment and structural parameters",
		index.Indices(), 0,
		"the smallest error wherever the budget allows it: take this one first",
	},
}

// Cards returns what is known of every method.
func Cards() []Card { return append([]Card(nil), cards[:]...) }

// Names returns the names of the methods.
func Names() []string {
	var out []string
	for _, c := range cards {
		out = append(out, c.Name)
	}
	return out
}

// Parse returns the method of a name, such as "shap-iq".
func Parse(name string) (Method, error) {
	for _, c := range cards {
		if c.Name == name {
			return c.Method, nil
		}
	}
	return 0, fmt.Errorf("approx: want %s, got %q", strings.Join(Names(), ", "), name)
}

func (m Method) valid() bool { return m >= 1 && int(m) <= len(cards) }

// Card returns what is known of m.
func (m Method) Card() Card {
	if !m.valid() {
		panic("approx: unknown method")
	}
	return cards[m-1]
}

// String returns the name.
func (m Method) String() string {
	if !m.valid() {
		return fmt.Sprintf("Method(%d)", uint8(m))
	}
	return cards[m-1].Name
}

// MarshalText returns the name.
func (m Method) MarshalText() ([]byte, error) {
	if !m.valid() {
		return nil, fmt.Errorf("approx: no method has the number %d", uint8(m))
	}
	return []byte(m.String()), nil
}

// UnmarshalText is [Parse].
func (m *Method) UnmarshalText(text []byte) (err error) {
	*m, err = Parse(string(text))
	return err
}
