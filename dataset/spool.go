package dataset

import (
	"errors"
	"os"
)

// createSpool makes a temporary file for reading what was written. Where the
// system keeps a file without a name for as long as it is open, its name goes
// at once, so that a process that is killed leaves nothing.
func createSpool() (*os.File, error) {
	f, err := os.CreateTemp("", "intershap-*.npy")
	if err != nil {
		return nil, err
	}
	if unlinksOpenFiles {
		if err := os.Remove(f.Name()); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// discard closes a temporary file and removes it.
func discard(f *os.File) error {
	err := f.Close()
	if !unlinksOpenFiles {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
