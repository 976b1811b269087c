package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"
)

// A value is a flag whose text is read by a function. Its errors say what is
// wanted; the flag's name is added where they are reported.
type value[T any] struct {
	to   *T
	text string
	kind string
	read func(text string) (T, error)
}

var _ pflag.Value = (*value[int])(nil)

// String returns the text, for the default in help.
func (v *value[T]) String() string { return v.text }

// Type returns the word that stands for the value in help.
func (v *value[T]) Type() string { return v.kind }

// Set reads text.
func (v *value[T]) Set(text string) error {
	x, err := v.read(text)
	if err != nil {
		return err
	}
	*v.to, v.text = x, text
	return nil
}

// define adds a flag; a default that cannot be read is a fault of the program.
func define[T any](flags *pflag.FlagSet, to *T, name, fallback, kind, usage string, read func(string) (T, error)) {
	v := &value[T]{to: to, kind: kind, read: read}
	if fallback != "" {
		if err := v.Set(fallback); err != nil {
			panic(fmt.Sprintf("cli: default of --%s: %v", name, err))
		}
	}
	flags.Var(v, name, usage)
}

// readCount reads a whole number of at least least.
func readCount(least int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least {
			return 0, fmt.Errorf("want a whole number of at least %d, got %q", least, text)
		}
		return n, nil
	}
}

// readSeed reads a seed.
func readSeed(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want a whole number from 0 to 2^64-1, got %q", text)
	}
	return n, nil
}

// readLevel reads a confidence level.
func readLevel(text string) (float64, error) {
	x, err := strconv.ParseFloat(text, 64)
	if err != nil || !(x > 0 && x < 1) {
		return 0, fmt.Errorf("want a level between 0 and 1, such as 0.95, got %q", text)
	}
	return x, nil
}

// A bound is a limit of a gate; the zero bound is none.
type bound struct {
	at  float64
	set bool
}

// readBound reads a fraction.
func readBound(text string) (bound, error) {
	x, err := readFraction(text)
	return bound{at: x, set: err == nil}, err
}

// readFraction reads a fraction, or one in percent: 0.05, 5%.
func readFraction(text string) (float64, error) {
	number, percent := strings.CutSuffix(text, "%")
	x, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if percent {
		x /= 100
	}
	if err != nil || !(x >= 0 && x <= 1) {
		return 0, fmt.Errorf("want a fraction from 0 to 1, such as 0.05 or 5%%, got %q", text)
	}
	return x, nil
}

// readWord returns a function that reads one of the given words.
func readWord(valid ...string) func(string) (string, error) {
	return readNamed(func(text string) (string, error) {
		if !slices.Contains(valid, text) {
			return "", errors.New("unknown word")
		}
		return text, nil
	}, valid...)
}

// readNamed returns a function that reads what parse knows by one of the valid
// names. Its errors list them all.
func readNamed[T any](parse func(string) (T, error), valid ...string) func(string) (T, error) {
	return func(text string) (T, error) {
		x, err := parse(text)
		if err != nil {
			return x, &wordError{got: text, valid: valid}
		}
		return x, nil
	}
}

// names returns the names of values, in order.
func names[T fmt.Stringer](values ...T) []string {
	var out []string
	for _, v := range values {
		out = append(out, v.String())
	}
	return out
}
