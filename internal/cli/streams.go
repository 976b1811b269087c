package cli

import (
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/term"
)

// streams is all that a command knows of the world outside its files.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      environment
	// typed is the command line, without the program's name.
	typed []string
	// outTerminal and errTerminal are set when a person looks at the stream.
	outTerminal, errTerminal bool
	// width is the number of columns of the terminal.
	width int
	now   func() time.Time
	// unsaid is what a model said under --quiet, nil without. An error needs it.
	unsaid *modelLines
	// helpFault is why help could not be written.
	helpFault error
}

// defaultWidth is the width of terminals that do not tell theirs.
const defaultWidth = 80

func newStreams(stdin io.Reader, stdout, stderr io.Writer, env []string) *streams {
	s := &streams{in: stdin, out: stdout, err: stderr, env: env, width: defaultWidth, now: time.Now}
	var outWidth, errWidth int
	s.outTerminal, outWidth = terminal(stdout)
	s.errTerminal, errWidth = terminal(stderr)
	if w := max(outWidth, errWidth); w > 0 {
		s.width = w
	}
	return s
}

// terminal reports whether w is a terminal, and how wide it is, 0 if unknown.
func terminal(w io.Writer) (is bool, width int) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return false, 0
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		return true, 0
	}
	return true, width
}

// environment is a list of NAME=value, as os.Environ gives it.
type environment []string

// lookup returns the value of a variable; of several the last wins, as in exec.
func (e environment) lookup(name string) (value string, found bool) {
	for _, entry := range e {
		if n, v, ok := strings.Cut(entry, "="); ok && n == name {
			value, found = v, true
		}
	}
	return value, found
}

// The values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// colored reports whether a stream gets colour. The flag wins, then
// CLICOLOR_FORCE, then NO_COLOR (no-color.org: present and not empty), then
// whether a person looks at the stream on a terminal that knows colour.
func (s *streams) colored(choice string, isTerminal bool) bool {
	switch choice {
	case colorAlways:
		return true
	case colorNever:
		return false
	}
	if force, _ := s.env.lookup("CLICOLOR_FORCE"); force != "" && force != "0" {
		return true
	}
	if no, _ := s.env.lookup("NO_COLOR"); no != "" {
		return false
	}
	kind, _ := s.env.lookup("TERM")
	return isTerminal && kind != "dumb"
}

// utf8 reports whether the locale says that the terminal shows UTF-8: by the first
// variable that is set, as the C library reads them. Windows' own terminal has no
// locale and shows it.
func (s *streams) utf8() bool {
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale, _ := s.env.lookup(name); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	session, _ := s.env.lookup("WT_SESSION")
	return session != ""
}
