package onnx

import (
	"fmt"
	"regexp"
	"strings"
)

// A LoadError says why ONNX Runtime refuses a file that it read.
type LoadError struct {
	// Reason is what is wrong with the model.
	Reason string
	// Hint is the remedy, a sentence for a line of its own; it may be empty.
	Hint string
	// Err is the runtime's error, as it came.
	Err error
}

// Error returns the reason.
func (e *LoadError) Error() string { return "ONNX Runtime cannot load it: " + e.Reason }

// Unwrap returns the runtime's error.
func (e *LoadError) Unwrap() error { return e.Err }

// A refusal is a reason that the runtime gives, in its words and in ours, with
// what was found in the parentheses of the pattern.
type refusal struct {
	pattern      *regexp.Regexp
	reason, hint string
}

var refusals = []refusal{
	{
		regexp.MustCompile(`Opset (\d+) is under development.* support for domain (\S+) is till opset (\d+)`),
		"the model has opset $1 of domain $2, the library knows $3 at most",
		"export the model with opset $3 or lower (opset_version of torch.onnx.export, target_opset of skl2onnx), or use a newer library",
	},
	{
		regexp.MustCompile(`Unsupported model IR version: (\d+), max supported IR version: (\d+)`),
		"the file has IR version $1, the library knows $2 at most",
		"set ir_version of the model to $2 and save it again, or export it with an older version of onnx, or use a newer library",
	},
	{
		regexp.MustCompile(`No Op registered for (\S+) with domain_version of (\d+)`),
		"there is no operator $1 in the model's opset $2",
		"export the model again with an opset that has the operator, or with other operators",
	},
	{
		regexp.MustCompile(`(\S+?)(?:\(-?\d+\))? is not a registered function/op`),
		"the library has no operator $1",
		"custom operators are not loaded: export the model with standard operators",
	},
}

// refused puts what the runtime says of a file in words for a person.
func refused(f file, err error) error {
	text := err.Error()
	if _, rest, found := strings.Cut(text, f.path+" failed:"); found {
		text = rest
	}
	text = withoutSignature(text)
	if !f.hasGraph {
		return fmt.Errorf("ONNX Runtime cannot load it: %s (is it an ONNX model?%s)", text, f.looksLike)
	}
	for _, r := range refusals {
		if at := r.pattern.FindStringSubmatchIndex(text); at != nil {
			expand := func(template string) string {
				return string(r.pattern.ExpandString(nil, template, text, at))
			}
			return &LoadError{Reason: expand(r.reason), Hint: expand(r.hint), Err: err}
		}
	}
	return &LoadError{Reason: text, Err: err}
}

// sourcePlace is how messages of failed checks begin in the runtime: file and
// line, before the signature of the function.
var sourcePlace = regexp.MustCompile(`^\S+\.(?:h|hpp|cc|cpp|cxx):\d+ `)

// withoutSignature drops the place in the runtime's own source, which tells a
// user nothing: file, line and the C++ signature. What it does not recognise
// it leaves.
func withoutSignature(text string) string {
	text = strings.TrimSpace(text)
	place := sourcePlace.FindString(text)
	if place == "" {
		return text
	}
	rest := text[len(place):]
	for {
		end := endOfParameters(rest)
		if end < 0 {
			return text
		}
		rest = rest[end:]
		// A function inside a function, or operator(), has more of them.
		if !strings.HasPrefix(rest, "::") && !strings.HasPrefix(rest, "(") {
			break
		}
	}
	rest = strings.TrimPrefix(strings.TrimPrefix(rest, ">"), " const")
	if inside, found := strings.CutPrefix(rest, " [with "); found {
		if _, after, closed := strings.Cut(inside, "] "); closed {
			rest = after
		}
	}
	if rest = strings.TrimSpace(rest); rest == "" {
		return text
	}
	return rest
}

// endOfParameters returns the place behind the first pair of parentheses, or -1.
func endOfParameters(text string) int {
	depth := 0
	for i, r := range text {
		switch r {
		case '(':
			depth++
		case ')':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
	return -1
}
