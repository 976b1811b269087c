package result

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

const (
	// partialSuffix ends the names of files that are not complete.
	partialSuffix = ".partial"
	// partialTries bounds the search for a name that is free; with 32 random
	// bits the second try is rare already.
	partialTries = 100
	// fileBuffer is what goes to the file at once: large beside a system call.
	fileBuffer = 256 << 10
)

// WriteFile writes a file that is there complete or not at all: write fills it
// under another name in the same folder, and it gets its own name at the end.
// What stood under that name is replaced then, and kept if anything fails. A
// symbolic link stays one: what it points to is replaced. Devices and pipes,
// such as /dev/stdout, are written as they are.
func WriteFile(path string, write func(io.Writer) error) error {
	info, err := os.Stat(path)
	if err == nil && !info.IsDir() && !info.Mode().IsRegular() {
		return writeDevice(path, write)
	}
	p, err := newPartial(path)
	if err != nil {
		return err
	}
	if err := write(p); err != nil {
		return errors.Join(err, p.discard())
	}
	return p.commit()
}

func writeDevice(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fileError(path, err)
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Close())
	}
	return fileError(path, f.Close())
}

// fileError says which file could not be written, and why. The system's errors
// name the temporary file, which means nothing to whoever asked for path.
func fileError(path string, err error) error {
	if err == nil {
		return nil
	}
	var inPath *fs.PathError
	var inLink *os.LinkError
	switch {
	case errors.As(err, &inPath):
		err = inPath.Err
	case errors.As(err, &inLink):
		err = inLink.Err
	}
	return fmt.Errorf("result: %s: cannot be written: %w", path, err)
}

// createBeside creates an empty file in the folder of path, where a rename to
// path stays within one file system. os.CreateTemp is of no use here: its files
// are closed to other users, and stay so under their new name.
func createBeside(path string) (*os.File, error) {
	dir, base := filepath.Split(path)
	var err error
	for range partialTries {
		var f *os.File
		name := fmt.Sprintf("%s.%s.%08x%s", dir, base, rand.Uint32(), partialSuffix)
		if f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, err
}

// A partial is a file on its way to its name. Its errors name that path.
type partial struct {
	path   string // as the user wrote it, for errors
	target string // with symbolic links followed
	file   *os.File
	buffer *bufio.Writer
	// err is the first failure to write, which libraries above may disguise.
	err  error
	done bool
}

func newPartial(path string) (*partial, error) {
	target, err := followLinks(path)
	if err != nil {
		return nil, fileError(path, err)
	}
	if info, err := os.Stat(target); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("result: %s: want the name of a file, got a %s", path, fileKind(info))
	}
	f, err := createBeside(target)
	if err != nil {
		return nil, fileError(path, err)
	}
	return &partial{path: path, target: target, file: f, buffer: bufio.NewWriterSize(f, fileBuffer)}, nil
}

// maxLinks bounds the links that lead to a file, as systems do.
const maxLinks = 40

// followLinks returns what path names once links are followed, also where
// nothing stands there yet.
func followLinks(path string) (string, error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		if err != nil || info.Mode()&fs.ModeSymlink == 0 {
			return path, nil // writing tells what is wrong, if anything is
		}
		next, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(next) {
			// The link counts from where it really lies.
			dir, err := filepath.EvalSymlinks(filepath.Dir(path))
			if err != nil {
				return "", err
			}
			next = filepath.Join(dir, next)
		}
		path = next
	}
	return "", errors.New("too many symbolic links")
}

func fileKind(info fs.FileInfo) string {
	if info.IsDir() {
		return "folder"
	}
	return "device or pipe"
}

// Write implements [io.Writer]. After a failure it fails again.
func (p *partial) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	n, err := p.buffer.Write(b)
	p.err = fileError(p.path, err)
	return n, p.err
}

// commit gives the complete file its name. If it cannot, nothing is left.
func (p *partial) commit() error {
	if p.err == nil {
		p.err = fileError(p.path, p.buffer.Flush())
	}
	if p.err != nil {
		return errors.Join(p.err, p.discard())
	}
	p.done = true
	err := p.file.Close()
	if err == nil {
		err = os.Rename(p.file.Name(), p.target)
	}
	if err != nil {
		return errors.Join(fileError(p.path, err), os.Remove(p.file.Name()))
	}
	return nil
}

// discard removes the file; after commit it does nothing.
func (p *partial) discard() error {
	if p.done {
		return nil
	}
	p.done = true
	return removeOpen(p.file)
}

// removeOpen closes and removes a temporary file. Closing comes first: Windows
// does not remove open files. Its own error does not matter, the file is going.
func removeOpen(f *os.File) error {
	f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return fmt.Errorf("result: temporary file is left: %w", err)
	}
	return nil
}
