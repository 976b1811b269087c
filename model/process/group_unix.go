//go:build linux || darwin

package process

import (
	"os"
	"os/exec"
	"syscall"
	"unsafe"
)

// ownGroup makes cmd the leader of a group of processes: what it starts itself
// ends with it, and keys that a person presses, such as Ctrl-C, are ours alone.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// killGroup ends a process and those that it started, in its group. The process
// must not have been waited for: until then nobody else has its number.
func killGroup(p *os.Process) {
	_ = syscall.Kill(-p.Pid, syscall.SIGKILL) // who is gone already needs none
}

// awaitEnd returns true when a process has ended and leaves it to be waited for,
// so that its number stays its own. It returns false at once where the system does
// not allow that, as a sandbox may not.
func awaitEnd(pid int) (ended bool) {
	const (
		byPid     = 1 // P_PID
		exited    = 4 // WEXITED
		infoWords = 16
	)
	noWait := waitNoWait
	var info [infoWords]uint64 // a siginfo_t, of 128 bytes at most
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, byPid, uintptr(pid), uintptr(unsafe.Pointer(&info)), uintptr(exited|noWait), 0, 0)
		if errno != syscall.EINTR {
			return errno == 0
		}
	}
}
