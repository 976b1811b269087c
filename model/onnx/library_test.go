package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// machine is a place below a temporary folder, with nothing on it.
func machine(t *testing.T, env map[string]string) (p place, root string) {
	t.Helper()
	root = t.TempDir()
	return place{
		goos: "linux", goarch: "amd64",
		getenv:     func(key string) string { return env[key] },
		executable: filepath.Join(root, "bin", "intershap"),
		home:       filepath.Join(root, "home"),
		system:     []string{filepath.Join(root, "usr", "lib")},
	}, root
}

func put(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestFindOrder puts a library everywhere and takes away the best place, one
// after the other.
func TestFindOrder(t *testing.T) {
	env := map[string]string{}
	p, root := machine(t, env)
	b, err := pinned(p.goos, p.goarch)
	if err != nil {
		t.Fatal(err)
	}
	const name = "libonnxruntime.so"
	given := put(t, filepath.Join(root, "given.so"), "")
	variable := put(t, filepath.Join(root, "variable", name), "")
	env[LibraryVariable] = filepath.Dir(variable) // a folder will do

	want := []struct{ path, source string }{
		{given, "given"},
		{variable, "environment variable INTERSHAP_ONNXRUNTIME"},
		{put(t, filepath.Join(root, "bin", name), ""), "beside the program"},
		{put(t, filepath.Join(p.home, ".local", "share", "intershap", name), ""), "user data folder"},
		{put(t, b.in(filepath.Join(p.home, "go", "pkg", "mod")), ""), "Go module cache"},
		{put(t, filepath.Join(root, "usr", "lib", "libonnxruntime.so.1"), ""), "system library folder"},
	}
	explicit := given
	for _, w := range want {
		got, err := p.find(explicit)
		if err != nil {
			t.Fatalf("%s: %v", w.source, err)
		}
		if got.Path != w.path || got.Source != w.source {
			t.Errorf("want %s (%s), got %s (%s)", w.path, w.source, got.Path, got.Source)
		}
		explicit = ""
		if w.path == variable {
			delete(env, LibraryVariable)
		}
		if err := os.Remove(w.path); err != nil {
			t.Fatal(err)
		}
	}
	_, err = p.find("")
	if !errors.Is(err, ErrNoLibrary) {
		t.Fatalf("nowhere: want ErrNoLibrary, got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, p.system[0]) || strings.Contains(text, "setup") {
		t.Errorf("want the places and not the remedy, got %v", err)
	}
	for _, part := range []string{"intershap setup", "go mod download github.com/k2-fsa/sherpa-onnx-go-linux@v1.13.8", "--onnxruntime PATH"} {
		if hint := hintOf(err); !strings.Contains(hint, part) {
			t.Errorf("want the remedy as a hint, with %q, got %q", part, hint)
		}
	}
}

// hintOf returns the remedy of an error, "" without one.
func hintOf(err error) string {
	var library *LibraryError
	if errors.As(err, &library) {
		return library.Hint
	}
	return ""
}

// TestFindNamed holds that a path that a person gave is the only one tried.
func TestFindNamed(t *testing.T) {
	env := map[string]string{}
	p, root := machine(t, env)
	put(t, filepath.Join(root, "bin", "libonnxruntime.so"), "")
	none, empty := filepath.Join(root, "none.so"), filepath.Join(root, "usr")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, explicit, variable, want string }{
		{"explicit", none, "", "none.so (given): no such file"},
		{"variable", "", none, "none.so (environment variable INTERSHAP_ONNXRUNTIME): no such file"},
		{"empty folder", empty, "", "the folder holds no libonnxruntime.so"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			env[LibraryVariable] = tt.variable
			_, err := p.find(tt.explicit)
			if !errors.Is(err, ErrNoLibrary) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("want ErrNoLibrary with %q, got %v", tt.want, err)
			}
			if got := hintOf(err); got != pathHint {
				t.Errorf("want the hint %q, got %q", pathHint, got)
			}
		})
	}
}

func TestDataDir(t *testing.T) {
	tests := []struct {
		name, goos, home string
		env              map[string]string
		want             string
	}{
		{"linux", "linux", "/home/ada", nil, "/home/ada/.local/share/intershap"},
		{"xdg", "linux", "/home/ada", map[string]string{"XDG_DATA_HOME": "/data"}, "/data/intershap"},
		{"mac", "darwin", "/Users/ada", nil, "/Users/ada/Library/Application Support/intershap"},
		{"mac has no xdg", "darwin", "/Users/ada", map[string]string{"XDG_DATA_HOME": "/data"}, "/Users/ada/Library/Application Support/intershap"},
		{"windows", "windows", "/x", map[string]string{"LocalAppData": "/l"}, "/l/intershap"},
		{"unknown", "linux", "", nil, ""},
	}
	for _, tt := range tests {
		p := place{goos: tt.goos, home: tt.home, getenv: func(key string) string { return tt.env[key] }}
		if got := filepath.ToSlash(p.dataDir()); got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.name, tt.want, got)
		}
	}
}

func TestModuleCache(t *testing.T) {
	tests := []struct {
		name, home string
		env        map[string]string
		want       string
	}{
		{"default", "/home/ada", nil, "/home/ada/go/pkg/mod"},
		{"GOPATH", "/home/ada", map[string]string{"GOPATH": "/g" + string(filepath.ListSeparator) + "/h"}, "/g/pkg/mod"},
		{"GOMODCACHE", "/home/ada", map[string]string{"GOPATH": "/g", "GOMODCACHE": "/c"}, "/c"},
		{"unknown", "", nil, ""},
	}
	for _, tt := range tests {
		p := place{home: tt.home, getenv: func(key string) string { return tt.env[key] }}
		if got := filepath.ToSlash(p.moduleCache()); got != tt.want {
			t.Errorf("%s: want %q, got %q", tt.name, tt.want, got)
		}
	}
}

func TestPinned(t *testing.T) {
	for platform, b := range builds {
		if len(b.sha256) != 64 || !strings.HasPrefix(b.file, "lib/") {
			t.Errorf("%s: want a file below lib and 64 digits of SHA-256, got %q, %q", platform, b.file, b.sha256)
		}
	}
	if _, err := pinned("plan9", "mips"); err == nil || !strings.Contains(err.Error(), "there are darwin/amd64, darwin/arm64, linux/amd64") {
		t.Errorf("want an error that lists the platforms, got %v", err)
	}
	p := place{goos: "plan9", goarch: "mips"}
	if got := p.remedy(); strings.Contains(got, "setup") {
		t.Errorf("want no remedy that cannot work on plan9, got %q", got)
	}
}

// TestPinnedVersion holds moduleVersion to go.mod, which the go command checks
// against the checksum database.
func TestPinnedVersion(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	for _, module := range []string{linuxModule, macosModule, windowsModule} {
		if want := module + " " + moduleVersion; !strings.Contains(string(mod), want) {
			t.Errorf("go.mod: want %s", want)
		}
	}
}

func TestFindLibraryFails(t *testing.T) {
	_, err := FindLibrary(filepath.Join(t.TempDir(), "none"))
	if !errors.Is(err, ErrNoLibrary) || !strings.HasPrefix(err.Error(), "onnx: ") {
		t.Errorf("want ErrNoLibrary from onnx, got %v", err)
	}
}
