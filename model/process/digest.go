package process

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// digest returns the SHA-256 of the words as JSON, in a line, and then of the
// lines of sha256sum for every word, or what stands behind its first "=", that
// names a file, and of the model's own digest.
func digest(words []string, own string) (string, error) {
	all := sha256.New()
	list, err := json.Marshal(words)
	if err != nil {
		return "", err
	}
	fmt.Fprintf(all, "%s\n", list)
	for i, word := range words {
		// A program without a folder is found in PATH, not here.
		if i == 0 && !strings.ContainsAny(word, `/\`) {
			continue
		}
		for _, path := range []string{word, behindEqual(word)} {
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			sum, err := fileDigest(path)
			if err != nil {
				return "", err
			}
			fmt.Fprintf(all, "%s  %s\n", sum, path)
			break
		}
	}
	if own != "" {
		fmt.Fprintf(all, "%s  hello\n", own)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// behindEqual returns the value of a flag such as --weights=w.pt.
func behindEqual(word string) string {
	_, value, _ := strings.Cut(word, "=")
	return value
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("its file cannot be read: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", fmt.Errorf("its file cannot be read: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
