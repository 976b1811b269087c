package cli

import "strings"

// quoteShell writes a word so that a POSIX shell reads it as it is.
func quoteShell(word string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=,+@%", r)
	}
	if word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// commandLine writes what was typed, the variables that set flags first. Secrets in
// the name of a model are masked.
func commandLine(variables, args []string) string {
	var words []string
	for _, v := range variables {
		name, value, _ := strings.Cut(v, "=")
		words = append(words, name+"="+quoteShell(value))
	}
	words = append(words, program)
	for _, a := range args {
		words = append(words, quoteShell(shownModel(a)))
	}
	return strings.Join(words, " ")
}
