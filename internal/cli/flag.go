package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/intershap/intershap/diag"
)

// narration is what a command says beside its data.
type narration struct {
	quiet, verbose  bool
	color, progress string
}

// addNarration adds the flags of narration that every command has.
func addNarration(flags *pflag.FlagSet, n *narration) {
	flags.BoolVarP(&n.quiet, "quiet", "q", false, "say nothing but data and errors")
	flags.BoolVarP(&n.verbose, "verbose", "v", false, "tell each step on standard error")
	define(flags, &n.color, "color", colorAuto, "WHEN", "colour: auto, always or never",
		readWord(colorAuto, colorAlways, colorNever))
}

// addProgress adds the flag of commands that take their time.
func addProgress(flags *pflag.FlagSet, n *narration) {
	define(flags, &n.progress, "progress", progressAuto, "P", "auto, plain, json (lines on standard error) or none",
		readWord(progressAuto, progressPlain, progressJSON, progressNone))
}

// warn writes doubts on standard error, where there is no page with footnotes.
func (n narration) warn(s *streams, warnings []diag.Warning) error {
	if n.quiet {
		return nil
	}
	for _, warning := range warnings {
		if _, err := fmt.Fprintf(s.err, "%s: warning: %s\n", program, escape(warning.String())); err != nil {
			return err
		}
	}
	return nil
}

// flagFault turns what pflag says into a usage error in our words.
func flagFault(cmd *cobra.Command, err error) error {
	var (
		unknown *pflag.NotExistError
		missing *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
		fault   *usageError
	)
	switch {
	case errors.As(err, &unknown):
		fault = unknownFlag(cmd, unknown)
	case errors.As(err, &missing):
		fault = usagef("--%s needs a value", missing.GetFlag().Name)
	case errors.As(err, &invalid):
		fault = invalidValue("--"+invalid.GetFlag().Name, invalid.GetFlag(), invalid.GetValue(), errors.Unwrap(invalid))
	default:
		fault = usagef("%w", err)
	}
	fault.command = cmd.CommandPath()
	return fault
}

// unknownFlag names the nearest flag. pflag reads -json as five short flags.
func unknownFlag(cmd *cobra.Command, err *pflag.NotExistError) *usageError {
	var known []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden {
			known = append(known, f.Name)
		}
	})
	name, typed := err.GetSpecifiedName(), "--"+err.GetSpecifiedName()
	if short := err.GetSpecifiedShortnames(); short != "" {
		name, typed = short, "-"+short
	}
	fault := usagef("unknown flag %s", typed)
	if near := nearest(name, known); near != "" {
		fault.hint = fmt.Sprintf("did you mean --%s?", near)
	}
	return fault
}

func invalidValue(place string, f *pflag.Flag, text string, cause error) *usageError {
	if f.Value.Type() == "bool" {
		return usagef("%s: want true or false, got %q", place, text)
	}
	fault := usagef("%s: %w", place, cause)
	var word *wordError
	if errors.As(cause, &word) {
		fault.hint = word.hint()
	}
	return fault
}

// variableOf returns the environment variable that sets a flag.
func variableOf(flag string) string {
	return "INTERSHAP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// libraryFlag has a variable that the package onnx reads itself, so that its
// messages say where the path came from.
const libraryFlag = "onnxruntime"

// readEnvironment sets the flags that the command line leaves out and the
// environment has, and returns the assignments that it used. A flag that may be
// repeated takes one value a line.
func readEnvironment(cmd *cobra.Command, env environment) (used []string, err error) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		name := variableOf(f.Name)
		text, found := env.lookup(name)
		if err != nil || f.Changed || !found || text == "" || f.Name == "help" || f.Name == libraryFlag {
			return
		}
		values := []string{text}
		if f.Value.Type() == "stringArray" {
			values = strings.Split(strings.TrimRight(text, "\n"), "\n")
		}
		for _, v := range values {
			setErr := f.Value.Set(v)
			if setErr != nil {
				fault := invalidValue("environment variable "+name, f, v, setErr)
				fault.command = cmd.CommandPath()
				err = fault
				return
			}
		}
		f.Changed = true
		used = append(used, name+"="+text)
	})
	return used, err
}
