package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
)

// An Error is a folder or a file in it that cannot serve.
type Error struct {
	// Path is the folder or file.
	Path string
	// Err says what is wrong.
	Err error
	// Hint is the remedy, a line of its own.
	Hint string
}

// Error names the folder or file and says what is wrong.
func (e *Error) Error() string { return fmt.Sprintf("checkpoint: %s: %v", e.Path, e.Err) }

// Unwrap returns what is wrong, such as a full disk.
func (e *Error) Unwrap() error { return e.Err }

// The remedies.
const (
	hintElsewhere = "name a folder that is empty or not there yet"
	hintOtherRun  = "name another folder, or remove this one to start anew"
	hintDamaged   = "delete this file, and the run computes it again; nothing else is lost"
	hintWrite     = "mend this and run the same command again: the tiles kept so far stay good"
	hintRead      = "see that the folder and its files can be read"
	hintLocked    = "wait for the other run to end, or name another folder"
)

// withoutPath returns what the system says is wrong, without the path that
// [Error] has, which may be that of a temporary file.
func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
