// Package wording says numbers and findings in words: the same ones in the
// terminal's table, on the report page, and wherever else a person reads them.
//
// Shares are fractions and are written in percent, numbers in units of the model
// with four significant digits, what is added to them with three. Nothing here lays out, colours or computes.
//
// Reading order: number.go (numbers), interval.go (a share with its bounds),
// verdict.go (sentences about a target), escape.go (names that a stranger chose).
package wording
