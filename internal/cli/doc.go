// Package cli is the command line: a file for each command, and what they
// share.
//
// [Run] is the whole program. Nothing below it ends the process, reads global
// state or writes anywhere but to its streams, so that tests run commands as a
// person does. Data go to standard output, everything else to standard error;
// errors become exit codes in one place, by type and never by text.
//
// Reading order: run.go, fault.go (errors and exit codes), command.go (the root,
// help), question.go (what explain and inspect are asked), then the commands:
// explain.go, demo.go, inspect.go, export.go, synth.go, train.go, setup.go, version.go, completion.go. table.go lays out
// an explanation, layout.go and number.go are its letters and figures.
package cli
