package checkpoint

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// sharingViolation is the system's ERROR_SHARING_VIOLATION.
const sharingViolation = syscall.Errno(32)

// lock takes the lock of the file path, which is made if need be, until it is
// closed: an open file that is shared with nobody.
func lock(path string) (io.Closer, error) {
	name, err := syscall.UTF16PtrFromString(path)
	if err != nil {
		return nil, err
	}
	const shareNothing = 0
	handle, err := syscall.CreateFile(name, syscall.GENERIC_READ|syscall.GENERIC_WRITE,
		shareNothing, nil, syscall.OPEN_ALWAYS, syscall.FILE_ATTRIBUTE_NORMAL, 0)
	if errors.Is(err, sharingViolation) {
		return nil, errLocked
	}
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(handle), path), nil
}
