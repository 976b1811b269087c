//go:build !linux && !darwin

package process

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: what a child starts is its own concern here, and ends
// when its pipes do.
func ownGroup(*exec.Cmd) {}

// killGroup ends a process. One that has been waited for is left alone.
func killGroup(p *os.Process) {
	_ = p.Kill() // who is gone already needs none
}

// awaitEnd returns false at once: nothing tells of an end without taking it.
func awaitEnd(int) (ended bool) { return false }

// widen does nothing.
func widen(*os.File) (room int) { return 0 }

// give writes a frame into a pipe.
func give(f *os.File, frame []byte) error {
	_, err := f.Write(frame)
	return err
}
