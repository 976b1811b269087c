package process

import (
	"os"
	"syscall"
	"unsafe"
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

// sharedBytes is the length from which a frame goes into a pipe as the pages that
// hold it: below, copying costs less than asking.
const sharedBytes = 16 << 10

// give writes a frame into a pipe. The pages of a long one are shared with the
// pipe and not copied into pages of its own, which takes longer than to copy: the
// frame must stay as it is until the other side has read it, and until then an
// error leaves it the pipe's.
func give(f *os.File, frame []byte) error {
	const notWaiting = 2 // SPLICE_F_NONBLOCK: the runtime waits, and Close ends that
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	for len(frame) >= sharedBytes {
		var (
			n     uintptr
			errno syscall.Errno
		)
		err := raw.Write(func(fd uintptr) (done bool) {
			for {
				piece := syscall.Iovec{Base: unsafe.SliceData(frame)}
				piece.SetLen(len(frame))
				n, _, errno = syscall.Syscall6(syscall.SYS_VMSPLICE, fd, uintptr(unsafe.Pointer(&piece)), 1, notWaiting, 0, 0)
				if errno != syscall.EINTR {
					return errno != syscall.EAGAIN
				}
			}
		})
		switch {
		case err != nil: // Close was called, of which raw has another word
			return &os.PathError{Op: "write", Path: f.Name(), Err: os.ErrClosed}
		case errno == syscall.EPIPE:
			return &os.PathError{Op: "write", Path: f.Name(), Err: errno}
		case errno != 0:
			// A sandbox may not know the call.
			_, err := f.Write(frame)
			return err
		}
		frame = frame[n:]
	}
	_, err = f.Write(frame)
	return err
}
