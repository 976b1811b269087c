package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/intershap/intershap/engine/checkpoint"
)

// checkCheckpoint refuses, before the run is paid for, a folder that cannot be a
// checkpoint. Whether it is one of this run depends on what the run reads.
func checkCheckpoint(dir string) error {
	if dir == "" {
		return nil
	}
	err := checkpoint.Check(dir)
	var folder *checkpoint.Error
	if errors.As(err, &folder) {
		fault := usagef("--checkpoint %s: %w", folder.Path, folder.Err)
		fault.hint = folder.Hint
		return fault
	}
	return err
}

// checkRounds is checkCheckpoint for a run in rounds, each of which has a folder of its
// own in dir.
func checkRounds(dir string) error {
	entries, err := os.ReadDir(dir)
	if dir == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return usagef("--checkpoint %s: %w", dir, err)
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "round-") {
			fault := usagef("--checkpoint %s: holds %q, so it is no checkpoint of a run with --until", dir, entry.Name())
			fault.hint = "name a folder that is empty or not there yet"
			return fault
		}
		if err := checkCheckpoint(filepath.Join(dir, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// checkOutside refuses a file of results among those of the checkpoint, which it
// could replace.
func checkOutside(flag, path, dir string) error {
	if path == "" || path == standardOutput || dir == "" {
		return nil
	}
	// A folder that is not there yet is told by its name.
	if spoils(path, dir) || filepath.Dir(path) == filepath.Clean(dir) {
		fault := usagef("--%s %s: the folder %s is for the checkpoint alone", flag, path, dir)
		fault.hint = "write it to another folder"
		return fault
	}
	return nil
}

// resumed tells that a run goes on: what it says of rows and time is about those
// that are left.
func (t teller) resumed(found, tiles int, dir string) {
	if !t.quiet {
		_, _ = fmt.Fprintf(t.s.err, "%s: %s\n", program, escapef("%s of %s found in %s",
			grouped(int64(found)), count(int64(tiles), "tile"), dir))
	}
}

// kept adds to a signal that ended a run where the run can go on from.
func kept(ctx context.Context, err error, dir string) error {
	var signal *interruption
	if dir == "" || !errors.As(context.Cause(ctx), &signal) {
		return err
	}
	return &interruption{signal: signal.signal, checkpoint: dir}
}
