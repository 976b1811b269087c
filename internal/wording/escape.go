package wording

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Names come from files that a stranger may have written. A terminal obeys what it
// is sent: sequences that start with ESC move the cursor and set titles, and line
// ends forge lines. On a terminal and on a page alike, marks of direction reorder
// what is read.

// Escape returns text with everything in it that acts instead of being shown, line
// ends and tabs among it, written as a Go string literal has it: \x1b, \n, \u202e.
func Escape(text string) string {
	if strings.IndexFunc(text, acts) < 0 && utf8.ValidString(text) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		_, size := utf8.DecodeRuneInString(text[i:])
		switch {
		case r == utf8.RuneError && size == 1: // no UTF-8: some terminals take it for C1
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case acts(r) && r < utf8.RuneSelf:
			fmt.Fprintf(&b, `\x%02x`, r)
		case acts(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// acts reports whether a reader gets something at r other than a letter: the
// control characters C0, DEL and C1, the ends of lines and paragraphs of Unicode,
// and its marks of direction.
func acts(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029:
		return true
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}
