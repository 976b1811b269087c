package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// jsonKeysMain is a program for scripts: jsonkeys FILE PATH... requires that
// FILE is one JSON document and has every path of keys, such as
// targets.0.global.pairs. A path may end in =VALUE, compared as JSON.
func jsonKeysMain(args []string, stderr io.Writer) int {
	if err := checkKeys(args); err != nil {
		fmt.Fprintln(stderr, "jsonkeys:", err)
		return 1
	}
	return 0
}

func checkKeys(args []string) error {
	if len(args) < 2 {
		return fmt.Errorf("usage: jsonkeys FILE PATH...")
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		return fmt.Errorf("%s: %w", args[0], err)
	}
	for _, arg := range args[1:] {
		path, want, compare := strings.Cut(arg, "=")
		value, err := follow(document, strings.Split(path, "."))
		if err != nil {
			return fmt.Errorf("%s: %s: %w", args[0], path, err)
		}
		got, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if compare && string(got) != want {
			return fmt.Errorf("%s: %s: want %s, got %s", args[0], path, want, got)
		}
	}
	return nil
}

func follow(at any, path []string) (any, error) {
	for _, key := range path {
		var found bool
		switch node := at.(type) {
		case map[string]any:
			at, found = node[key]
		case []any:
			var i int
			if _, err := fmt.Sscanf(key, "%d", &i); err == nil && i < len(node) {
				at, found = node[i], true
			}
		}
		if !found {
			return nil, fmt.Errorf("no %q", key)
		}
	}
	return at, nil
}
