package dataset

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Digest returns the SHA-256 of a file in hexadecimal; of a folder, that of
// the lines "NAME DIGEST" of its Parquet parts in the order of reading.
func Digest(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", cannotOpen(path, err)
	}
	if !info.IsDir() {
		return digestFile(ctx, path)
	}
	parts, err := parquetParts(path)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	for _, part := range parts {
		digest, err := digestFile(ctx, part)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(h, "%s %s\n", filepath.Base(part), digest)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func digestFile(ctx context.Context, path string) (digest string, err error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, untilDone{ctx, f}); err != nil {
		return "", fmt.Errorf("dataset: %s: digest: %w", path, err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// untilDone is a reader that ends with its context, so that a copy of a large
// file can be interrupted.
type untilDone struct {
	ctx context.Context
	r   io.Reader
}

func (u untilDone) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
