// Package lint holds the house rules that a machine can check: which room may
// import which, and how files, names and comments look. Its tests run the
// rules on this module's own source.
//
// Every rule is a function from a [Tree] to a list of [Finding]. A finding
// names the place, the fault and the remedy, so that nobody has to read this
// package to mend their own. The package is no linter for other modules: what
// gofmt, go vet and staticcheck already say is not said again.
//
// Reading order: [Rooms], which is the map of the module; [Load]; the rules.
package lint
