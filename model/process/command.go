package process

import (
	"fmt"
	"strings"
)

// hintShell is the remedy for what only a shell understands.
const hintShell = "no shell is run: quote the character, or run one: exec:sh -c '...'"

// A CommandError says why a command cannot be split into words.
type CommandError struct {
	// Reason names the character and its place.
	Reason string
	// Hint is the remedy, a sentence for a line of its own.
	Hint string
}

// Error returns the reason.
func (e *CommandError) Error() string { return e.Reason }

// Split splits a command into words as a POSIX shell does: at blanks, with single
// quotes, double quotes and backslashes (inside double quotes a backslash counts
// before $, `, ", \ and a line end alone). Nothing is expanded, and what a shell
// would act upon, unquoted, is an error: variables, pipes, redirections, lists,
// comments and a ~ at the start of a word. Patterns such as *.pt stay as they are.
func Split(command string) ([]string, error) {
	s := splitter{rest: command}
	for s.rest != "" {
		if err := s.next(); err != nil {
			return nil, err
		}
	}
	s.finish()
	if len(s.words) == 0 {
		return nil, &CommandError{"no program is named", "write exec:COMMAND, such as exec:python3 model.py"}
	}
	return s.words, nil
}

type splitter struct {
	rest  string
	words []string
	word  strings.Builder
	open  bool // a word has begun; it may be empty, as in ''
}

// next takes one character, or a quoted piece, off the rest.
func (s *splitter) next() error {
	c := s.rest[0]
	s.rest = s.rest[1:]
	switch {
	case strings.IndexByte(" \t\r\n", c) >= 0:
		s.finish()
		return nil
	case c == '\'':
		inside, after, closed := strings.Cut(s.rest, "'")
		if !closed {
			return unclosed(c)
		}
		s.word.WriteString(inside)
		s.rest = after
	case c == '"':
		if err := s.double(); err != nil {
			return err
		}
	case c == '\\':
		if s.rest == "" {
			return &CommandError{"it ends in a backslash", "quote the backslash: '\\'"}
		}
		s.word.WriteByte(s.rest[0])
		s.rest = s.rest[1:]
	case strings.IndexByte("|&;<>()$`", c) >= 0, !s.open && (c == '~' || c == '#'):
		return &CommandError{fmt.Sprintf("the character %c means something to a shell alone", c), hintShell}
	default:
		s.word.WriteByte(c)
	}
	s.open = true
	return nil
}

// double takes what is between double quotes.
func (s *splitter) double() error {
	for i := 0; i < len(s.rest); i++ {
		switch c := s.rest[i]; {
		case c == '"':
			s.rest = s.rest[i+1:]
			return nil
		case c == '\\' && i+1 < len(s.rest) && strings.IndexByte("$`\"\\\n", s.rest[i+1]) >= 0:
			i++
			if s.rest[i] != '\n' {
				s.word.WriteByte(s.rest[i])
			}
		case c == '$' || c == '`':
			return &CommandError{fmt.Sprintf("the character %c means something to a shell alone", c), hintShell}
		default:
			s.word.WriteByte(c)
		}
	}
	return unclosed('"')
}

func (s *splitter) finish() {
	if s.open {
		s.words = append(s.words, s.word.String())
		s.word.Reset()
		s.open = false
	}
}

func unclosed(quote byte) *CommandError {
	return &CommandError{fmt.Sprintf("the quote %c is not closed", quote), "close the quote, or put a backslash before it"}
}
