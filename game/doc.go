// Package game holds cooperative games: what a set of players achieves
// together. In this project the players are modalities and v(S) is a model's
// output when only the modalities in S are shown; the package knows nothing of
// that and turns numbers into numbers.
//
// Conventions, for every package above:
//
//	I1  A coalition is a bit set; bit i is player i.
//	I2  A value table of m players has 2^m values; position S is v(S), so
//	    position 0 is the empty coalition and the last one is the grand.
//	    A partial table has the values of a list of coalitions alone, in the
//	    order of the list, from the empty one to the grand.
//	I3  A [Tables] holds finite numbers only; kernels rely on it.
//
// Reading order: [Coalition], [Tables], [MoebiusTo].
package game
