//go:build cgo

package onnx

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// loaded is the library of this process. The binding keeps one environment in
// global variables, and ONNX Runtime itself wants one for each process; it
// lives until the process ends.
var loaded struct {
	sync.Mutex
	path string // without symbolic links; "" before the first success
}

// loadRuntime loads ONNX Runtime's library unless it is loaded, and returns the
// function that opens a model with it.
func loadRuntime(explicit string) (opener, error) {
	loaded.Lock()
	defer loaded.Unlock()
	if loaded.path != "" && explicit == "" {
		return openSession, nil
	}
	lib, err := here().find(explicit)
	if err != nil {
		return nil, err
	}
	path, err := filepath.EvalSymlinks(lib.Path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	switch loaded.path {
	case path:
		return openSession, nil
	case "":
		if err := initialise(path); err != nil {
			return nil, &LibraryError{
				Err: fmt.Errorf("load %s (%s): want ONNX Runtime 1.%d or later for %s/%s, got %w",
					path, lib.Source, apiVersion, runtime.GOOS, runtime.GOARCH, err),
				Hint: here().remedy(),
			}
		}
		loaded.path = path
		return openSession, nil
	default:
		return nil, fmt.Errorf("want ONNX Runtime from %s, but this process has loaded %s; one process loads one library", path, loaded.path)
	}
}

// apiVersion is the version of the C interface that the binding asks for; it is
// the minor version of the first runtime that has it.
const apiVersion = 24

// initialise loads the library and makes the environment: silent, for the
// errors come back as errors, and without telemetry.
func initialise(path string) error {
	ort.SetSharedLibraryPath(path)
	if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
		return err
	}
	if err := ort.DisableTelemetry(); err != nil {
		return errors.Join(err, ort.DestroyEnvironment())
	}
	return nil
}

// runtimeName names the loaded library.
func runtimeName() string {
	return fmt.Sprintf("onnxruntime %s %s/%s", ort.GetVersion(), runtime.GOOS, runtime.GOARCH)
}
