package onnx

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// InstallLibrary copies ONNX Runtime's library into dir, "" for [DataDir],
// under the name by which [FindLibrary] finds it there, and returns it with its
// digest.
//
// from is a file, an http or https URL of the bare library (not of an archive),
// or "" for the pinned Go module of this platform: taken from the module cache,
// or fetched there by the go command, and refused when its SHA-256 is not the
// one in this package's source. For a file or a URL the caller judges the
// digest. The file appears in dir whole or not at all.
func InstallLibrary(ctx context.Context, from, dir string) (Library, error) {
	lib, err := here().install(ctx, from, dir)
	if err != nil {
		return Library{}, fmt.Errorf("onnx: install ONNX Runtime: %w", err)
	}
	return lib, nil
}

func (p place) install(ctx context.Context, from, dir string) (Library, error) {
	if dir == "" {
		if dir = p.dataDir(); dir == "" {
			return Library{}, errors.New("no user data folder; name a folder")
		}
	}
	source, want, remedy := from, "", ""
	var body io.ReadCloser
	var err error
	switch {
	case from == "":
		var b build
		if b, err = pinned(p.goos, p.goarch); err != nil {
			return Library{}, err
		}
		source, want = b.query(), b.sha256
		body, err = p.openPinned(ctx, b)
		if f, ok := body.(*os.File); ok {
			// The go command fetches a module whole or not at all.
			remedy = fmt.Sprintf("%s was changed: remove the folder %s and run setup again",
				f.Name(), strings.TrimSuffix(f.Name(), string(filepath.Separator)+filepath.FromSlash(b.file)))
		}
	case strings.HasPrefix(from, "http://") || strings.HasPrefix(from, "https://"):
		body, err = fetch(ctx, from)
	default:
		body, err = os.Open(from)
	}
	if err != nil {
		return Library{}, err
	}
	defer body.Close() // read only: nothing to lose
	lib := Library{Path: filepath.Join(dir, libraryNames(p.goos)[0]), Source: source}
	if lib.SHA256, err = p.write(lib.Path, body, want); err != nil {
		var other *digestError
		if errors.As(err, &other) && remedy != "" {
			err = fmt.Errorf("%w; %s", err, remedy)
		}
		return Library{}, fmt.Errorf("%s: %w", source, err)
	}
	return lib, nil
}

// openPinned opens the library of the pinned module, which it downloads if need
// be.
func (p place) openPinned(ctx context.Context, b build) (io.ReadCloser, error) {
	if cache := p.moduleCache(); cache != "" {
		if f, err := os.Open(b.in(cache)); err == nil {
			return f, nil
		}
	}
	dir, err := download(ctx, b.query())
	if err != nil {
		return nil, fmt.Errorf("%w; without a go command or network, pass --from with a file or URL of %s", err, libraryNames(p.goos)[0])
	}
	return os.Open(filepath.Join(dir, filepath.FromSlash(b.file)))
}

// download has the go command fetch a module, checked against the checksum
// database, and returns its folder.
func download(ctx context.Context, query string) (dir string, err error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", query)
	// Outside any module, so that a go.mod nearby cannot replace the module.
	cmd.Dir = os.TempDir()
	cmd.Env = append(os.Environ(), "GO111MODULE=on", "GOWORK=off", "GOFLAGS=")
	out, err := cmd.Output()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("%s is not in the module cache, and there is no go command to fetch it", query)
	}
	// With -json the go command reports its errors in the document.
	var report struct{ Dir, Error string }
	if decodeErr := json.Unmarshal(out, &report); decodeErr != nil {
		return "", fmt.Errorf("go mod download %s: %w", query, errors.Join(err, decodeErr))
	}
	if report.Error != "" || report.Dir == "" {
		return "", fmt.Errorf("go mod download %s: %s", query, report.Error)
	}
	return report.Dir, nil
}

// fetch opens the body behind a URL.
func fetch(ctx context.Context, url string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		resp.Body.Close() // the status is the error
		return nil, fmt.Errorf("%s: want 200 OK, got %s", url, resp.Status)
	}
	return resp.Body, nil
}

// A digestError says that a library is not the one that is pinned.
type digestError struct{ want, got string }

func (e *digestError) Error() string { return fmt.Sprintf("want SHA-256 %s, got %s", e.want, e.got) }

// write copies body to path by way of a temporary file in the same folder, and
// returns the digest. want is the digest that body must have, "" for any.
func (p place) write(path string, body io.Reader, want string) (digest string, err error) {
	start := bufio.NewReader(body)
	if err := p.checkNative(start); err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".tmp-*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp.Name()))
		}
	}()
	h := sha256.New()
	_, err = io.Copy(io.MultiWriter(tmp, h), start)
	// A temporary file is private; the library is for all users of the folder.
	if err = errors.Join(err, tmp.Chmod(0o755), tmp.Close()); err != nil {
		return "", err
	}
	digest = hex.EncodeToString(h.Sum(nil))
	if want != "" && digest != want {
		return "", &digestError{want, digest}
	}
	return digest, os.Rename(tmp.Name(), path)
}

// nativeMagic has the first bytes of a shared library of each system.
var nativeMagic = map[string][]string{
	"linux":   {"\x7fELF"},
	"darwin":  {"\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"},
	"windows": {"MZ"},
}

// checkNative reports whether what r holds is no shared library, without
// consuming it.
func (p place) checkNative(r *bufio.Reader) error {
	magics, known := nativeMagic[p.goos]
	if !known {
		return nil
	}
	for _, m := range magics {
		if head, err := r.Peek(len(m)); err == nil && string(head) == m {
			return nil
		}
	}
	return fmt.Errorf("want a shared library for %s (%s), got another kind of file; unpack an archive first", p.goos, libraryNames(p.goos)[0])
}
