package process

import (
	"path/filepath"
	"slices"
	"strings"
)

// masked stands for a value that may be a secret.
const masked = "***"

// Shown returns a command as results and messages write it: the values of
// variables that it sets are replaced by ***, since a token may be one. Those are
// NAME=VALUE at its start and behind the program env, and behind -e and --env of
// docker and podman. Other words stay: what sh -c runs, and options.
func Shown(command string) string {
	command = strings.TrimSpace(command)
	words, err := Split(command)
	if err != nil {
		words = strings.Fields(command)
	}
	container := len(words) > 0 && slices.Contains([]string{"docker", "podman"}, filepath.Base(words[0]))
	out := slices.Clone(words)
	setting := true // NAME=VALUE sets a variable here
	for i, w := range words {
		before := ""
		if i > 0 {
			before = words[i-1]
		}
		name, value, found := strings.Cut(w, "=")
		switch {
		case found && (setting && isVariable(name) || container && (before == "-e" || before == "--env")):
			out[i] = name + "=" + masked
		case container && name == "--env" && strings.Contains(value, "="):
			variable, _, _ := strings.Cut(value, "=")
			out[i] = name + "=" + variable + "=" + masked
		case filepath.Base(w) == "env":
			setting = true
		case setting && strings.HasPrefix(w, "-"): // an option of env
		case setting && slices.Contains([]string{"-u", "--unset", "-C", "--chdir"}, before): // its argument
		default:
			setting = false
		}
		if err != nil && out[i] != w {
			// Where the value ends cannot be said.
			return strings.Join(out[:i+1], " ") + " ..."
		}
	}
	if slices.Equal(words, out) {
		return command
	}
	for i, w := range out {
		out[i] = quote(w)
	}
	return strings.Join(out, " ")
}

// isVariable reports whether a word before = is the name of a variable.
func isVariable(name string) bool {
	return name != "" && name[0] != '-' && !strings.Contains(name, "/")
}

// quote writes a word so that Split reads it as it is.
func quote(word string) string {
	if word != "" && !strings.ContainsAny(word, " \t\r\n'\"\\|&;<>()$`") && word[0] != '~' && word[0] != '#' {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
