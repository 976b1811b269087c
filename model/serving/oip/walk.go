package oip

import (
	"errors"
	"fmt"
)

// maxDepth is the deepest nesting that is read.
const maxDepth = 32

// unknown is the length of an axis, or the depth of elements, before it is seen.
const unknown = -1

// A walker goes through nested lists of valid JSON and hands out their elements.
type walker struct {
	data    []byte
	at      int
	element func(token []byte) error
	// shape is the length of the lists at each depth, depth that of elements.
	shape []int
	depth int
}

var errRagged = errors.New("the lists are not all of one length and depth")

// walk calls element for each number, text or word of a JSON list, in order, and
// returns the lengths of the nested lists. data must be one valid JSON value
// (encoding/json checks it where it hands it out); lists that are no array, and
// objects, are errors.
func walk(data []byte, element func(token []byte) error) (shape []int, err error) {
	w := &walker{data: data, element: element, depth: unknown}
	w.space()
	if !w.next('[') {
		return nil, fmt.Errorf("want a list, got %s", shorten(string(data)))
	}
	if err := w.list(0); err != nil {
		return nil, err
	}
	return w.shape, nil
}

// next steps over c, if it comes next.
func (w *walker) next(c byte) bool {
	if w.at < len(w.data) && w.data[w.at] == c {
		w.at++
		return true
	}
	return false
}

func (w *walker) space() {
	for w.at < len(w.data) {
		switch w.data[w.at] {
		case ' ', '\t', '\n', '\r':
			w.at++
		default:
			return
		}
	}
}

// list reads a list behind its bracket.
func (w *walker) list(depth int) error {
	if depth >= maxDepth {
		return fmt.Errorf("lists are nested deeper than %d", maxDepth)
	}
	if w.depth != unknown && depth >= w.depth {
		return errRagged
	}
	if len(w.shape) == depth {
		w.shape = append(w.shape, unknown)
	}
	n := 0
	for w.space(); !w.next(']'); w.space() {
		if w.at >= len(w.data) {
			return errors.New("the list has no end")
		}
		if n > 0 {
			w.next(',')
			w.space()
		}
		if w.next('[') {
			if err := w.list(depth + 1); err != nil {
				return err
			}
		} else if err := w.leaf(depth + 1); err != nil {
			return err
		}
		n++
	}
	if w.shape[depth] == unknown {
		w.shape[depth] = n
	}
	if w.shape[depth] != n {
		return errRagged
	}
	return nil
}

// leaf reads an element.
func (w *walker) leaf(depth int) error {
	if w.depth == unknown {
		w.depth = depth
	}
	if w.depth != depth || len(w.shape) > depth {
		return errRagged
	}
	from := w.at
	if w.next('"') {
		for w.at < len(w.data) && w.data[w.at] != '"' {
			if w.data[w.at] == '\\' {
				w.at++
			}
			w.at++
		}
		w.at++
	} else {
	word:
		for ; w.at < len(w.data); w.at++ {
			switch w.data[w.at] {
			case ',', ']', ' ', '\t', '\n', '\r':
				break word
			case '{':
				return errors.New("want numbers or texts, got an object")
			}
		}
	}
	if w.at > len(w.data) || w.at == from {
		return errors.New("an element has no end")
	}
	return w.element(w.data[from:w.at])
}
