package onnx

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// moduleVersion pins the Go modules that carry ONNX Runtime's library. A later
// version may carry another runtime: change the digests with it.
const moduleVersion = "v1.13.8"

// A build is a build of ONNX Runtime that a Go module carries.
type build struct {
	module string // path of the Go module
	file   string // the library inside the module, slash-separated
	sha256 string
}

const (
	linuxModule   = "github.com/k2-fsa/sherpa-onnx-go-linux"
	macosModule   = "github.com/k2-fsa/sherpa-onnx-go-macos"
	windowsModule = "github.com/k2-fsa/sherpa-onnx-go-windows"
)

// builds has the pinned build of each platform, "GOOS/GOARCH".
var builds = map[string]build{
	"linux/amd64": {linuxModule, "lib/x86_64-unknown-linux-gnu/libonnxruntime.so",
		"4b3607aebd1784b26b6f9b20e4bd974c7ab8287043e4d095cb7d2cb40b5e566e"},
	"linux/arm64": {linuxModule, "lib/aarch64-unknown-linux-gnu/libonnxruntime.so",
		"cfc800d4438f15e8d9017521326776ca7117d8783cb847ccccc2fc61ac4d540f"},
	"darwin/amd64": {macosModule, "lib/x86_64-apple-darwin/libonnxruntime.dylib",
		"2bf27180c09e6fd3f407c9ab25205ebf1ff95f2d53bfa35e35409b5849e0ac70"},
	"darwin/arm64": {macosModule, "lib/aarch64-apple-darwin/libonnxruntime.dylib",
		"b0613d0ae53199a83b05fa48e169211498e9d40d54beaa372068ebe5ec5b0929"},
	"windows/amd64": {windowsModule, "lib/x86_64-pc-windows-gnu/onnxruntime.dll",
		"7f66f939a881baf4f46a2216496798edf4a1429878b646d12674aa62f27d8a25"},
	"windows/arm64": {windowsModule, "lib/aarch64-pc-windows-gnu/onnxruntime.dll",
		"968d081836cad9af537105f59e34d4997bca2ce6d78ff39d3e47660620e8a642"},
}

// pinned returns the pinned build of a platform.
func pinned(goos, goarch string) (build, error) {
	b, found := builds[goos+"/"+goarch]
	if !found {
		var known []string
		for platform := range builds {
			known = append(known, platform)
		}
		slices.Sort(known)
		return build{}, fmt.Errorf("no pinned build of ONNX Runtime for %s/%s (there are %s); pass a library of your own",
			goos, goarch, strings.Join(known, ", "))
	}
	return b, nil
}

// query is the module with its version, as the go command takes it.
func (b build) query() string { return b.module + "@" + moduleVersion }

// in returns the path of the library below the folder of a module cache.
func (b build) in(cache string) string {
	return filepath.Join(cache, filepath.FromSlash(b.query()), filepath.FromSlash(b.file))
}

// libraryNames lists the names under which the library lies in a folder, the
// preferred name first.
func libraryNames(goos string) []string {
	switch goos {
	case "windows":
		return []string{"onnxruntime.dll"}
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.1.dylib"}
	default:
		return []string{"libonnxruntime.so", "libonnxruntime.so.1"}
	}
}

// systemFolders lists where the platform keeps shared libraries.
func systemFolders(goos, goarch string) []string {
	switch goos {
	case "windows":
		return nil // C:\Windows carries an old onnxruntime.dll of its own
	case "darwin":
		return []string{"/opt/homebrew/lib", "/usr/local/lib"}
	default:
		triplet := map[string]string{"amd64": "x86_64-linux-gnu", "arm64": "aarch64-linux-gnu"}[goarch]
		return []string{"/usr/local/lib", filepath.Join("/usr/lib", triplet), "/usr/lib64", "/usr/lib"}
	}
}
