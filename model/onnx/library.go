package onnx

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// LibraryVariable is the environment variable that gives the library's path.
const LibraryVariable = "INTERSHAP_ONNXRUNTIME"

// dataFolder is our folder inside the user's data folder.
const dataFolder = "intershap"

// A LibraryError says why there is no ONNX Runtime, and what would help. It
// wraps [ErrNoLibrary] where none was found.
type LibraryError struct {
	// Err is what is wrong.
	Err error
	// Hint is the remedy, for a line of its own.
	Hint string
}

// Error returns what is wrong, without the hint.
func (e *LibraryError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *LibraryError) Unwrap() error { return e.Err }

// A Library is a file that holds ONNX Runtime.
type Library struct {
	// Path is the absolute path of the file.
	Path string
	// Source says how it was found: "given", "environment variable
	// INTERSHAP_ONNXRUNTIME", "beside the program", "user data folder",
	// "Go module cache", "system library folder", or what [InstallLibrary]
	// copied it from.
	Source string
	// SHA256 is the digest of the file in hexadecimal; only [InstallLibrary]
	// fills it.
	SHA256 string
}

// FindLibrary returns ONNX Runtime's library. It looks in this order and takes
// the first that is there: explicit, the variable [LibraryVariable], the folder
// of the running program, the folder of [DataDir], the Go module cache, the
// system's library folders. A path in explicit or in the variable may be a
// folder; where it leads nowhere, that is the error, not the next place. An error
// for want of a library wraps a [LibraryError]. It does not load the library.
func FindLibrary(explicit string) (Library, error) {
	lib, err := here().find(explicit)
	if err != nil {
		return Library{}, fmt.Errorf("onnx: %w", err)
	}
	return lib, nil
}

// DataDir returns the folder in which [InstallLibrary] puts the library:
// "intershap" in the user's data folder, which is XDG_DATA_HOME or
// ~/.local/share, on macOS ~/Library/Application Support, on Windows
// %LocalAppData%.
func DataDir() (string, error) {
	dir := here().dataDir()
	if dir == "" {
		return "", fmt.Errorf("onnx: no user data folder: neither a home folder nor XDG_DATA_HOME is set; name a folder")
	}
	return dir, nil
}

// A place is a machine as far as the search is concerned; tests make their own.
type place struct {
	goos, goarch string
	getenv       func(string) string
	executable   string // path of the running program, "" if unknown
	home         string // "" if unknown
	system       []string
}

// here is the place where the program runs.
func here() place {
	p := place{goos: runtime.GOOS, goarch: runtime.GOARCH, getenv: os.Getenv, system: systemFolders(runtime.GOOS, runtime.GOARCH)}
	// Both may be unknown; the search then leaves those folders out.
	p.home, _ = os.UserHomeDir()
	if exe, err := os.Executable(); err == nil {
		p.executable = exe
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			p.executable = real
		}
	}
	return p
}

func (p place) find(explicit string) (Library, error) {
	if explicit != "" {
		return p.named(explicit, "given")
	}
	if path := p.getenv(LibraryVariable); path != "" {
		return p.named(path, "environment variable "+LibraryVariable)
	}
	type folder struct{ dir, source string }
	var folders []folder
	if p.executable != "" {
		folders = append(folders, folder{filepath.Dir(p.executable), "beside the program"})
	}
	if dir := p.dataDir(); dir != "" {
		folders = append(folders, folder{dir, "user data folder"})
	}
	if b, err := pinned(p.goos, p.goarch); err == nil {
		if cache := p.moduleCache(); cache != "" {
			folders = append(folders, folder{filepath.Dir(b.in(cache)), "Go module cache"})
		}
	}
	for _, dir := range p.system {
		folders = append(folders, folder{dir, "system library folder"})
	}
	var looked []string
	for _, f := range folders {
		if path, found := p.in(f.dir); found {
			return Library{Path: path, Source: f.source}, nil
		}
		looked = append(looked, f.dir)
	}
	return Library{}, &LibraryError{Err: fmt.Errorf("%w in %s", ErrNoLibrary, strings.Join(looked, ", ")), Hint: p.remedy()}
}

// remedy says how to get the library on this platform.
func (p place) remedy() string {
	own := "pass --onnxruntime PATH or set " + LibraryVariable
	b, err := pinned(p.goos, p.goarch)
	if err != nil {
		return own
	}
	return "run `intershap setup` or `go mod download " + b.query() + "`, or " + own
}

// pathHint is the remedy for a path that leads nowhere.
const pathHint = "name the library or its folder; without a path it is looked for in the usual places"

// named returns the library at a path that a person gave.
func (p place) named(path, source string) (Library, error) {
	missing := func(err error) (Library, error) {
		return Library{}, &LibraryError{Err: fmt.Errorf("%w: %s (%s): %w", ErrNoLibrary, path, source, err), Hint: pathHint}
	}
	info, err := os.Stat(path)
	if err != nil {
		return missing(bare(err))
	}
	if info.IsDir() {
		inside, found := p.in(path)
		if !found {
			return missing(fmt.Errorf("the folder holds no %s", libraryNames(p.goos)[0]))
		}
		path = inside
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return Library{}, fmt.Errorf("%s: %w", path, err)
	}
	return Library{Path: abs, Source: source}, nil
}

// in returns the library inside a folder.
func (p place) in(dir string) (path string, found bool) {
	for _, name := range libraryNames(p.goos) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeType == 0 {
			return path, true
		}
	}
	return "", false
}

// dataDir returns our folder in the user's data folder, or "".
func (p place) dataDir() string {
	base := ""
	switch {
	case p.goos == "windows":
		base = p.getenv("LocalAppData")
	case p.goos == "darwin" && p.home != "":
		base = filepath.Join(p.home, "Library", "Application Support")
	case p.goos != "darwin":
		base = p.getenv("XDG_DATA_HOME")
		if base == "" && p.home != "" {
			base = filepath.Join(p.home, ".local", "share")
		}
	}
	if base == "" {
		return ""
	}
	return filepath.Join(base, dataFolder)
}

// moduleCache returns the folder of the Go module cache, or "". It follows the
// environment; settings of `go env -w` are left to [InstallLibrary], which asks
// the go command.
func (p place) moduleCache() string {
	if dir := p.getenv("GOMODCACHE"); dir != "" {
		return dir
	}
	if paths := filepath.SplitList(p.getenv("GOPATH")); len(paths) > 0 && paths[0] != "" {
		return filepath.Join(paths[0], "pkg", "mod")
	}
	if p.home == "" {
		return ""
	}
	return filepath.Join(p.home, "go", "pkg", "mod")
}
