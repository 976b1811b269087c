package process

import (
	"os"
	"syscall"
)

const waitNoWait = 0x01000000 // WNOWAIT

// widen gives a pipe room for a batch, so that writing it does not wait for the
// other side piece by piece, and returns how much it has for sure, 0 if unknown.
func widen(f *os.File) (room int) {
	const (
		setPipeSize = 1031 // F_SETPIPE_SZ
		wanted      = 1 << 20
	)
	raw, err := f.SyscallConn()
	if err != nil {
		return 0
	}
	err = raw.Control(func(fd uintptr) {
		// A system that allows less leaves the pipe as it is.
		if size, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, setPipeSize, wanted); errno == 0 {
			room = int(size)
		}
	})
	if err != nil {
		return 0
	}
	return room
}
