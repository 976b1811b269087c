package dataset

import (
	"io/fs"
	"os"
)

// openRegular opens a file for reading at any place. What is no regular file is
// refused before it is opened: opening a pipe waits for whoever writes to it.
func openRegular(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	if fault := checkRegular(path, info); fault != nil {
		return nil, fault
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, cannotOpen(path, err)
	}
	return f, nil
}

// checkRegular returns why info is not that of a file which can be read at any
// place, nil if it is.
func checkRegular(path string, info fs.FileInfo) *Error {
	if info.Mode().IsRegular() {
		return nil
	}
	e := &Error{File: path, Row: NoRow, Expected: "a file", Hint: "the data is read at any place and more than once: write it to a file first"}
	switch mode := info.Mode(); {
	case mode.IsDir():
		e.Found, e.Hint = "a folder", "name the file in it"
	case mode&fs.ModeNamedPipe != 0:
		e.Found = "a pipe"
	case mode&fs.ModeSocket != 0:
		e.Found = "a socket"
	default:
		e.Found = "a device"
	}
	return e
}
