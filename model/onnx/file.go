package onnx

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// A file is an ONNX file as it lies on disk.
type file struct {
	path   string // as given
	name   string // base name, for messages
	digest string
	// looksLike says what the bytes look like instead of ONNX, or is empty.
	looksLike string
	content
}

// readFile reads, digests and scans the file at path. Errors do not repeat the
// path.
func readFile(path string) (file, error) {
	if err := checkRegular(path); err != nil {
		return file{}, bare(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return file{}, bare(err)
	}
	if len(data) == 0 {
		return file{}, errors.New("want an ONNX model, got an empty file")
	}
	f := file{path: path, name: filepath.Base(path), looksLike: foreign(data)}
	if f.content, err = scan(data); err != nil {
		return file{}, fmt.Errorf("not an ONNX model, or cut short: %w%s", err, f.looksLike)
	}
	sum := sha256.Sum256(data)
	f.digest = hex.EncodeToString(sum[:])
	if len(f.external) > 0 {
		if f.digest, err = digestAll(f, filepath.Dir(path)); err != nil {
			return file{}, err
		}
	}
	return f, nil
}

// checkRegular refuses what is no regular file before it is opened: opening a
// pipe waits for whoever writes to it, and the runtime reads the file again.
func checkRegular(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return nil
	case mode.IsDir():
		return errors.New("want a file, got a folder")
	case mode&fs.ModeNamedPipe != 0:
		return errors.New("want a file, got a pipe")
	case mode&fs.ModeSocket != 0:
		return errors.New("want a file, got a socket")
	}
	return errors.New("want a file, got a device")
}

// digestAll returns the digest of the lines that sha256sum prints for the
// model and its external data.
func digestAll(f file, dir string) (string, error) {
	all := sha256.New()
	fmt.Fprintf(all, "%s  %s\n", f.digest, f.name)
	for _, name := range f.external {
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return "", fmt.Errorf("external data %q lies outside the model's folder; move it there and export again", name)
		}
		sum, err := digestFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return "", fmt.Errorf("external data %q, wanted beside the model: %w", name, bare(err))
		}
		fmt.Fprintf(all, "%s  %s\n", sum, name)
	}
	return hex.EncodeToString(all.Sum(nil)), nil
}

// digestFile returns the SHA-256 of a file in hexadecimal.
func digestFile(path string) (string, error) {
	if err := checkRegular(path); err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() // read only: nothing to lose
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// bare drops the operation and path that os puts before an error, where our
// own message has them already.
func bare(err error) error {
	var at *fs.PathError
	if errors.As(err, &at) {
		return at.Err
	}
	return err
}

// kinds lists how files start that people take for ONNX models.
var kinds = []struct {
	offset int
	magic  string
	what   string
}{
	{0, "PK\x03\x04", "a zip archive: a PyTorch checkpoint or NPZ; write the model with torch.onnx.export"},
	{0, "\x80\x02", "a pickle; convert the model to ONNX (torch.onnx.export, skl2onnx)"},
	{0, "\x80\x03", "a pickle; convert the model to ONNX (torch.onnx.export, skl2onnx)"},
	{0, "\x80\x04", "a pickle; convert the model to ONNX (torch.onnx.export, skl2onnx)"},
	{0, "\x80\x05", "a pickle; convert the model to ONNX (torch.onnx.export, skl2onnx)"},
	{0, "\x89HDF", "HDF5: a Keras model; convert it with tf2onnx"},
	{4, "TFL3", "a TensorFlow Lite model; convert it with tf2onnx"},
	{4, "ORTM", "a model in ONNX Runtime's own format; use the .onnx file it was made from"},
	{0, "{", "JSON text"},
	{0, "<", "HTML or XML text: a failed download?"},
	{0, "version https://git-lfs", "a Git LFS pointer; run git lfs pull"},
}

// foreign says what data looks like instead of ONNX, "" if it looks like nothing
// known.
func foreign(data []byte) string {
	for _, k := range kinds {
		if len(data) > k.offset && bytes.HasPrefix(data[k.offset:], []byte(k.magic)) {
			return "; this looks like " + k.what
		}
	}
	return ""
}
