//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package checkpoint

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

// lock refuses: here is no lock that dies with its process, and two runs in one
// folder would spoil it.
func lock(string) (io.Closer, error) {
	return nil, fmt.Errorf("cannot be locked on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}
