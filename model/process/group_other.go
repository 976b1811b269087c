//go:build !linux && !darwin

package process

import (
	"os"
	"os/exec"
)

// ownGroup does nothing: what a child starts is its own concern here, and ends
// when its pipes do.
func ownGroup(*exec.Cmd) {}

// killGroup ends a process that has not been waited for.
func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill() // who is gone already needs none
	}
}

// awaitEnd returns at once: nothing tells of an end without taking it.
func awaitEnd(int) {}

// widen does nothing.
func widen(*os.File) (room int) { return 0 }
