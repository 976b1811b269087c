package checkpoint

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
)

// The names of the files in a folder.
const (
	runName       = "run.json"
	lockName      = "lock"
	tilePattern   = "tile-%08d.bin"
	partialPrefix = "."
	partialSuffix = ".partial"
)

const (
	folderMode = 0o777 // less what the user's mask takes away
	fileMode   = 0o666
)

// A Shape is what the size of tiles depends on beside their samples.
type Shape struct {
	// Tiles is the number of tiles of the run.
	Tiles int
	// Players, Targets and Blocks count modalities, explained numbers of a
	// sample, and blocks of background rows, 0 where there are none.
	Players, Targets, Blocks int
	// Coalitions lists those that tiles have values of; nil means all 2^Players. The
	// list is a fact of the run, which [Open] adds to the others.
	Coalitions []game.Coalition
}

// width is the number of values of a table.
func (s Shape) width() int {
	if s.Coalitions == nil {
		return 1 << s.Players
	}
	return len(s.Coalitions)
}

// A Folder keeps the tiles of one run. It is safe for concurrent use, by one
// process at a time.
type Folder struct {
	dir      string
	identity [sha256.Size]byte
	shape    Shape
	lock     io.Closer
	// found holds the tiles that were there when the folder was opened.
	found map[int]bool
	// create makes a file that is to be filled.
	create func(path string) (file, error)
}

// A file is what a tile is written to.
type file interface {
	io.WriteCloser
	Sync() error
}

func create(path string) (file, error) {
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
}

// Check says whether dir could serve as a checkpoint of some run, and changes
// nothing: a folder that is not there yet in one that is, an empty one, or one
// that holds a checkpoint.
func Check(dir string) error {
	_, err := list(dir)
	return err
}

// list returns the entries of a folder that could serve; there are none when the
// folder is not there yet.
func list(dir string) ([]fs.DirEntry, error) {
	info, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		above := filepath.Dir(filepath.Clean(dir))
		if info, err := os.Stat(above); err != nil || !info.IsDir() {
			return nil, &Error{Path: dir, Err: fmt.Errorf("there is no folder %s", above), Hint: "make that folder first"}
		}
		return nil, nil
	}
	if err != nil {
		return nil, &Error{Path: dir, Err: withoutPath(err), Hint: hintRead}
	}
	if !info.IsDir() {
		return nil, &Error{Path: dir, Err: errors.New("want a folder, got a file"), Hint: hintElsewhere}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, &Error{Path: dir, Err: withoutPath(err), Hint: hintRead}
	}
	foreign := ""
	for _, e := range entries {
		switch name := e.Name(); name {
		case runName:
			return entries, nil
		case lockName, partialOf(runName): // of a run that was stopped at its start
		default:
			foreign = name
		}
	}
	if foreign != "" {
		return nil, &Error{Path: dir, Err: fmt.Errorf("holds %q and no %s, so it is no checkpoint", foreign, runName), Hint: hintElsewhere}
	}
	return entries, nil
}

// Open opens the checkpoint of a run, which is made where dir is empty or not
// there. It refuses the folder of another run, one that another process uses, and
// one with files that are not ours.
func Open(dir string, id Identity, shape Shape) (*Folder, error) {
	if shape.Coalitions != nil {
		id = append(slices.Clip(id), Fact{coalitionsFact, spell(shape.Coalitions)})
	}
	identity, err := id.digest()
	if err != nil {
		return nil, err
	}
	if err := Check(dir); err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, &Error{Path: dir, Err: withoutPath(err), Hint: "name a folder in one that you may write to"}
	}
	f := &Folder{dir: dir, identity: identity, shape: shape, found: map[int]bool{}, create: create}
	if f.lock, err = lock(filepath.Join(dir, lockName)); err != nil {
		hint := hintWrite
		if errors.Is(err, errLocked) {
			hint = hintLocked
		}
		return nil, &Error{Path: dir, Err: err, Hint: hint}
	}
	if err := f.start(id); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// start makes the folder this run's, or sees that it is, and looks what is there.
func (f *Folder) start(id Identity) error {
	known, err := readIdentity(f.dir, id)
	if err != nil {
		return err
	}
	entries, err := list(f.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := e.Name()
		if number, ok := f.tileNumber(name); ok {
			f.found[number] = true
			continue
		}
		// What a killed run was writing; nobody else writes while we hold the lock.
		whole, partial := strings.CutSuffix(strings.TrimPrefix(name, partialPrefix), partialSuffix)
		if _, isTile := f.tileNumber(whole); partial && partialOf(whole) == name && (isTile || whole == runName) {
			if err := os.Remove(filepath.Join(f.dir, name)); err != nil {
				return &Error{Path: filepath.Join(f.dir, name), Err: withoutPath(err), Hint: "remove this leftover of a stopped run"}
			}
		}
	}
	if known {
		return nil
	}
	document, err := id.document()
	if err != nil {
		return err
	}
	return f.write(runName, document)
}

// tileNumber reads the number of a tile of this run from the name of its file.
func (f *Folder) tileNumber(name string) (number int, ok bool) {
	if _, err := fmt.Sscanf(name, tilePattern, &number); err != nil {
		return 0, false
	}
	return number, tileName(number) == name && number >= 0 && number < f.shape.Tiles
}

func tileName(number int) string     { return fmt.Sprintf(tilePattern, number) }
func partialOf(name string) string   { return partialPrefix + name + partialSuffix }
func (f *Folder) at(n string) string { return filepath.Join(f.dir, n) }

// Close lets another process have the folder. Its files stay.
func (f *Folder) Close() error { return f.lock.Close() }

// Found returns the number of tiles that were there when the folder was opened.
func (f *Folder) Found() int { return len(f.found) }

// Has reports whether a tile was there when the folder was opened.
func (f *Folder) Has(number int) bool { return f.found[number] }

func (f *Folder) header(t *engine.Tile) header {
	return header{identity: f.identity, number: t.Number, lo: t.Lo, hi: t.Hi, shape: f.shape}
}

// Load reads a tile. The error for a damaged file names it; nothing is deleted.
func (f *Folder) Load(t *engine.Tile) error {
	path := f.at(tileName(t.Number))
	h := f.header(t)
	raw, err := readAtMost(path, h.fileBytes())
	if err != nil {
		return &Error{Path: path, Err: withoutPath(err), Hint: hintRead}
	}
	if err := decode(t, raw, h); err != nil {
		return &Error{Path: path, Err: err, Hint: hintDamaged}
	}
	return nil
}

// readAtMost reads a file, and of a longer one a byte more than size: enough to
// see that it is longer.
func readAtMost(path string, size int) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	raw := make([]byte, size+1)
	n, err := io.ReadFull(f, raw)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // too short is told by the length
	}
	return raw[:n], errors.Join(err, f.Close())
}

// Save writes the file of a tile. Where it fails, tiles written before stay good.
func (f *Folder) Save(t *engine.Tile) error {
	raw, err := encode(f.header(t), t)
	if err != nil {
		return err
	}
	return f.write(tileName(t.Number), raw)
}

// write makes a file that is there whole or not at all. It is flushed to the disk
// before it gets its name: without that a power cut could leave the name and not
// the contents, and a late error of a full disk or a network would go unseen. The
// folder is not flushed: a name that is lost costs one tile.
func (f *Folder) write(name string, raw []byte) error {
	partial := f.at(partialOf(name))
	err := f.fill(partial, raw)
	if err == nil {
		err = os.Rename(partial, f.at(name))
	}
	if err != nil {
		// What remains of it is removed by the next run, if not now.
		_ = os.Remove(partial)
		return &Error{Path: f.at(name), Err: withoutPath(err), Hint: hintWrite}
	}
	return nil
}

func (f *Folder) fill(path string, raw []byte) error {
	to, err := f.create(path)
	if err != nil {
		return err
	}
	_, err = to.Write(raw)
	if err == nil {
		err = to.Sync()
	}
	return errors.Join(err, to.Close())
}
