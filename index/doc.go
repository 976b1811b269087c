// Package index turns the value table of a game into interaction indices: what
// each player does alone and what players do together.
//
//	Shapley value          phi_i   a player's fair share of v(all) − v({})
//	SII of order two       SII_ij  what two players do only together
//	the paper's matrix     phi     SII halved into both cells, the rest on the
//	                               diagonal: it sums to v(all) − v({})
//
// Beside these, which the engine's tiles go through, a [Formula] computes any of nine
// indices to any order up to the number of players; [Cards] says what they are, and
// [Formula.Spectrum] what share of behaviour each order has.
//
// Everything comes from the Möbius transform m of the game (package game), in
// which each index is a weighted sum over the coalitions that hold the players
// asked for. Kernels write into their first argument, allocate nothing and
// panic on slices of the wrong length; bad data is refused earlier, by
// game.NewTables. Position i*m+j of a matrix is row i, column j.
//
// Reading order: pairs.go; index.go; weights.go, where the formulas stand; formula.go,
// superset.go; spectrum.go.
package index
