package onnx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const elf = "\x7fELF and so on" // enough for the check of the first bytes

func digestOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// entries lists a folder; none when it does not exist.
func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestInstallFromFile(t *testing.T) {
	p, root := machine(t, nil)
	from := put(t, filepath.Join(root, "download", "any-name.so.1.28"), elf)
	for range 2 { // the second time over the first
		got, err := p.install(t.Context(), from, "")
		if err != nil {
			t.Fatal(err)
		}
		want := Library{Path: filepath.Join(p.dataDir(), "libonnxruntime.so"), Source: from, SHA256: digestOf(elf)}
		if got != want {
			t.Errorf("want %+v, got %+v", want, got)
		}
	}
	if names := entries(t, p.dataDir()); len(names) != 1 {
		t.Errorf("want the library alone, got %v", names)
	}
	found, err := p.find("")
	if err != nil || found.Source != "user data folder" {
		t.Errorf("want the installed library found in the user data folder, got %+v, %v", found, err)
	}
	if content, err := os.ReadFile(found.Path); err != nil || string(content) != elf {
		t.Errorf("want the same bytes, got %q, %v", content, err)
	}
}

func TestInstallFromURL(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/lib.so":
			w.Write([]byte(elf))
		case "/short.so":
			w.Header().Set("Content-Length", "1000")
			w.Write([]byte(elf))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	p, root := machine(t, nil)
	dir := filepath.Join(root, "to")

	for _, tt := range []struct{ path, want string }{
		{"/none.so", "want 200 OK, got 404"},
		{"/short.so", "unexpected EOF"},
	} {
		if _, err := p.install(t.Context(), server.URL+tt.path, dir); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: want an error with %q, got %v", tt.path, tt.want, err)
		}
		if names := entries(t, dir); len(names) != 0 {
			t.Errorf("%s: want nothing left behind, got %v", tt.path, names)
		}
	}
	got, err := p.install(t.Context(), server.URL+"/lib.so", dir)
	if err != nil || got.SHA256 != digestOf(elf) || got.Path != filepath.Join(dir, "libonnxruntime.so") {
		t.Errorf("want libonnxruntime.so with its digest, got %+v, %v", got, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.install(ended, server.URL+"/lib.so", dir); !errors.Is(err, context.Canceled) {
		t.Errorf("want %v, got %v", context.Canceled, err)
	}
}

func TestInstallErrors(t *testing.T) {
	p, root := machine(t, map[string]string{"GOMODCACHE": filepath.Join(t.TempDir(), "mod")})
	b, err := pinned(p.goos, p.goarch)
	if err != nil {
		t.Fatal(err)
	}
	put(t, b.in(p.moduleCache()), elf) // not the pinned bytes
	tests := []struct{ name, reason, from, want string }{
		{"archive", "people pass the release archive", put(t, filepath.Join(root, "ort.tgz"), "\x1f\x8b\x08..."), "unpack an archive first"},
		{"empty", "a failed download", put(t, filepath.Join(root, "empty.so"), ""), "want a shared library for linux"},
		{"other system", "a DLL on Linux", put(t, filepath.Join(root, "ort.dll"), "MZ.."), "want a shared library for linux"},
		{"missing", "a typing error", filepath.Join(root, "none.so"), "no such file"},
		{"changed", "the module cache was tampered with", "", "want SHA-256 " + b.sha256},
		{"remedy", "what to remove must be named", "", b.in(p.moduleCache()) + " was changed: remove the folder " + filepath.Join(p.moduleCache(), filepath.FromSlash(b.query())) + " and run setup again"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "to")
			_, err := p.install(t.Context(), tt.from, dir)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: want an error with %q, got %v", tt.reason, tt.want, err)
			}
			if names := entries(t, dir); len(names) != 0 {
				t.Errorf("want nothing left behind, got %v", names)
			}
		})
	}
	p.goos = "plan9"
	if _, err := p.install(t.Context(), "", t.TempDir()); err == nil || !strings.Contains(err.Error(), "no pinned build of ONNX Runtime for plan9/amd64") {
		t.Errorf("want an error that names the platform, got %v", err)
	}
	p.home, p.goos = "", "darwin"
	if _, err := p.install(t.Context(), "x", ""); err == nil || !strings.Contains(err.Error(), "no user data folder") {
		t.Errorf("want an error that asks for a folder, got %v", err)
	}
}

// TestInstallPinned installs the pinned build of this platform, from the module
// cache that the tests use anyway.
func TestInstallPinned(t *testing.T) {
	dir := t.TempDir()
	got, err := InstallLibrary(t.Context(), "", dir)
	if err != nil {
		t.Fatal(err)
	}
	p := here()
	b, err := pinned(p.goos, p.goarch)
	if err != nil {
		t.Fatal(err)
	}
	sum, err := digestFile(got.Path)
	if err != nil {
		t.Fatal(err)
	}
	if got.SHA256 != b.sha256 || sum != b.sha256 || got.Source != b.query() {
		t.Errorf("want %s of %s, got %+v, on disk %s", b.sha256, b.query(), got, sum)
	}
}
