package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/engine"
	"github.com/intershap/intershap/game"
)

var (
	identity = Identity{{"model", "<abc>"}, {"seed", 1}, {"classes", []string{"a", "b"}}}
	shape    = Shape{Tiles: 5, Players: 2, Targets: 2, Blocks: 3}
)

// newTile returns a tile of two samples that fits the shape, with other numbers
// for each tile.
func newTile(t testing.TB, number int) *engine.Tile {
	t.Helper()
	const n = 2
	tile := emptyTile(number)
	value := float64(number)
	tables := func(games int) game.Tables {
		values := make([]float64, games<<shape.Players)
		for i := range values {
			value += 1. / 3
			values[i] = -value
		}
		tables, err := game.NewTables(shape.Players, values)
		if err != nil {
			t.Fatal(err)
		}
		return tables
	}
	tile.Predicted = []int{number, 1}
	tile.Columns = []int{0, 1, 0, number}
	tile.Values, tile.BlockValues = tables(n*shape.Targets), tables(shape.Blocks*n*shape.Targets)
	return tile
}

// emptyTile is a tile whose place alone is known.
func emptyTile(number int) *engine.Tile {
	return &engine.Tile{Number: number, Lo: 2 * number, Hi: 2*number + 2}
}

func open(t *testing.T, dir string) *Folder {
	t.Helper()
	f, err := Open(dir, identity, shape)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() }) // twice at worst
	return f
}

// kept makes a folder with some tiles and closes it.
func kept(t *testing.T, tiles ...int) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "ck")
	f := open(t, dir)
	for _, number := range tiles {
		if err := f.Save(newTile(t, number)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

func compareTiles(want, got *engine.Tile) string {
	type numbers struct {
		Predicted, Columns  []int
		Values, BlockValues []float64
	}
	of := func(t *engine.Tile) numbers {
		return numbers{t.Predicted, t.Columns, t.Values.Values(), t.BlockValues.Values()}
	}
	return cmp.Diff(of(want), of(got))
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

// wantError requires an *Error with the text, and a hint with the remedy.
func wantError(t *testing.T, err error, text, hint string) {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) || !strings.Contains(err.Error(), text) || !strings.Contains(e.Hint, hint) || e.Hint == "" {
		t.Errorf("got %v (%+v), want an error with %q and a hint with %q", err, e, text, hint)
	}
}

func TestTilesComeBack(t *testing.T) {
	dir := kept(t, 0, 3)
	want := []string{"lock", "run.json", "tile-00000000.bin", "tile-00000003.bin"}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	f := open(t, dir)
	if f.Found() != 2 || !f.Has(0) || !f.Has(3) || f.Has(1) {
		t.Errorf("found %d tiles, %v, want 0 and 3", f.Found(), f.found)
	}
	for _, number := range []int{0, 3} {
		got := emptyTile(number)
		if err := f.Load(got); err != nil {
			t.Fatal(err)
		}
		if diff := compareTiles(newTile(t, number), got); diff != "" {
			t.Errorf("tile %d (-saved +loaded):\n%s", number, diff)
		}
		if compareTiles(newTile(t, number+1), got) == "" {
			t.Errorf("tile %d is taken for another: this comparison finds nothing", number)
		}
	}
	// Without blocks there are no values by block.
	bare := Shape{Tiles: 1, Players: 2, Targets: 2}
	f, err := Open(filepath.Join(t.TempDir(), "ck"), identity, bare)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tile, got := newTile(t, 0), emptyTile(0)
	tile.BlockValues = game.Tables{}
	if err := errors.Join(f.Save(tile), f.Load(got)); err != nil {
		t.Fatal(err)
	}
	if diff := compareTiles(tile, got); diff != "" && got.BlockValues.Len() != 0 {
		t.Errorf("without blocks (-saved +loaded):\n%s", diff)
	}
}

// Tiles of listed coalitions come back as they were, and the list is a fact of the
// run: the folder of another list, or of all, is refused.
func TestTilesOfListedCoalitions(t *testing.T) {
	list := []game.Coalition{0, 1 << 29, 5, game.Grand(30)}
	chosen := Shape{Tiles: 1, Players: 30, Targets: 1, Blocks: 2, Coalitions: list}
	values := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	tables := func(list []game.Coalition, values []float64) game.Tables {
		tables, err := game.NewPartialTables(30, list, values)
		if err != nil {
			t.Fatal(err)
		}
		return tables
	}
	dir := filepath.Join(t.TempDir(), "ck")
	f, err := Open(dir, identity, chosen)
	if err != nil {
		t.Fatal(err)
	}
	tile := emptyTile(0)
	tile.Predicted, tile.Columns = []int{0, 1}, []int{0, 1}
	tile.Values, tile.BlockValues = tables(list, values), tables(list, append(values, values...))
	got := emptyTile(0)
	if err := errors.Join(f.Save(tile), f.Load(got)); err != nil {
		t.Fatal(err)
	}
	if diff := compareTiles(tile, got); diff != "" || !slices.Equal(got.Values.Coalitions(), list) || !slices.Equal(got.BlockValues.Coalitions(), list) {
		t.Errorf("coalitions %v, want %v (-saved +loaded):\n%s", got.Values.Coalitions(), list, diff)
	}
	other := []game.Coalition{0, 1 << 29, 6, game.Grand(30)}
	tile.Values = tables(other, values)
	if err := f.Save(tile); err == nil || !strings.Contains(err.Error(), "other coalitions") {
		t.Errorf("a tile of another list: got %v, want an error", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	// The digest is Python's: sha256(struct.pack("<4Q", 0, 1<<29, 5, (1<<30)-1)).
	const spelled = `"4, 5ae5443d4902864c6eab7b77e4e73182701caf8bdfa73af437c4c8c3d83288f3"`
	for _, test := range []struct {
		name, reason string
		coalitions   []game.Coalition
		want         string
	}{
		{"another list", "a table would have another coalition's value", other, "coalitions was " + spelled + " there, is \"4, "},
		{"another order", "a table would have them in other places", []game.Coalition{0, 5, 1 << 29, game.Grand(30)}, "coalitions was " + spelled},
		{"all", "a table would have others too", nil, "coalitions was " + spelled + " there, is not said here"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Open(dir, identity, Shape{Tiles: 1, Players: 30, Targets: 1, Blocks: 2, Coalitions: test.coalitions})
			if wantError(t, err, test.want, "name another folder"); t.Failed() {
				t.Logf("(%s)", test.reason)
			}
		})
	}
	if len(identity) != 3 {
		t.Errorf("the caller's facts are %v, want them unchanged", identity)
	}
	if f, err = Open(dir, identity, chosen); err != nil || !f.Has(0) {
		t.Fatalf("opened again: %v, want its tile", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A tile that does not fit the folder's shape would be a file that nobody can
// read again.
func TestSaveRefusesAnotherShape(t *testing.T) {
	f := open(t, kept(t))
	tile := newTile(t, 0)
	tile.Columns = tile.Columns[1:]
	if err := f.Save(tile); err == nil || !strings.Contains(err.Error(), "3 columns, want 4") {
		t.Errorf("got %v, want an error that counts", err)
	}
}

func TestRunFile(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(kept(t), runName))
	if err != nil {
		t.Fatal(err)
	}
	want := `{
  "schema": "intershap/checkpoint/v1",
  "run": {
    "model": "<abc>",
    "seed": 1,
    "classes": ["a","b"]
  }
}
`
	if diff := cmp.Diff(want, string(raw)); diff != "" {
		t.Errorf("run.json (-want +got):\n%s", diff)
	}
}

func TestOpenRefusesOtherRuns(t *testing.T) {
	long := make([]string, 1000)
	for i := range long {
		long[i] = fmt.Sprint("class ", i)
	}
	other := slices.Clone(long)
	other[700] = "another"
	for _, test := range []struct {
		name        string
		first, then Identity
		want        string
		reason      string
	}{
		{"another seed", Identity{{"a", "x"}, {"seed", 1}, {"z", 1}}, Identity{{"a", "x"}, {"seed", 2}, {"z", 2}},
			"holds another run: seed was 1 there, is 2 here", "the first difference is told, old and new"},
		{"new fact", Identity{{"a", "x"}}, Identity{{"a", "x"}, {"cut", "7"}}, `cut is not said there, "7" here`, "an older run may differ in it"},
		{"fact gone", Identity{{"a", "x"}, {"cut", "7"}}, Identity{{"a", "x"}}, `cut was "7" there, is not said here`, "so may a newer one"},
		{"long value", Identity{{"classes", long}}, Identity{{"classes", other}}, `"class 700"`, "the difference is shown, not all of it"},
		{"kind of value", Identity{{"a", 1}}, Identity{{"a", "1"}}, `a was 1 there, is "1" here`, "a text is no number"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ck")
			for range 2 { // the same run twice is no other
				f, err := Open(dir, test.first, shape)
				if err != nil {
					t.Fatal(err)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
			}
			before := names(t, dir)
			_, err := Open(dir, test.then, shape)
			wantError(t, err, test.want, "another folder")
			if err != nil && len(err.Error()) > 400+len(dir) {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if diff := cmp.Diff(before, names(t, dir)); diff != "" {
				t.Errorf("files changed (-before +after):\n%s", diff)
			}
			// The refusal let go of the lock.
			f, err := Open(dir, test.first, shape)
			if err != nil {
				t.Fatalf("the folder's own run, after that: %v", err)
			}
			_ = f.Close()
		})
	}
}

func TestOpenRefusesFolders(t *testing.T) {
	write := func(name, text string) func(dir string) error {
		return func(dir string) error {
			return errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		}
	}
	for _, test := range []struct {
		name, reason string
		prepare      func(dir string) error
		want, hint   string
		early        bool // seen without the identity
	}{
		{"other files", "they are not ours to mix with", write("thesis.tex", "x"), `holds "thesis.tex" and no run.json`, "empty", true},
		{"tiles alone", "nobody knows whose they are", write("tile-00000000.bin", "x"), "no run.json", "empty", true},
		{"a file", "a folder is wanted", func(dir string) error { return os.WriteFile(dir, nil, 0o600) }, "got a file", "empty", true},
		{"no folder above", "a slip of the pen makes no tree", func(dir string) error { return os.Remove(filepath.Dir(dir)) }, "there is no folder", "make", true},
		{"run.json damaged", "what is not understood is not used", write(runName, `{"schema`), "does not say what run this is", "another folder", false},
		{"run.json of another version", "its tiles may have another layout", write(runName, `{"schema": "intershap/checkpoint/v9"}`), `"intershap/checkpoint/v9"`, "another folder", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "above", "ck")
			if err := errors.Join(os.Mkdir(filepath.Dir(dir), 0o700), test.prepare(dir)); err != nil {
				t.Fatal(err)
			}
			_, err := Open(dir, identity, shape)
			wantError(t, err, test.want, test.hint)
			if early := Check(dir); (early != nil) != test.early {
				t.Errorf("Check says %v (%s)", early, test.reason)
			}
		})
	}
	if err := Check(t.TempDir()); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
	if err := Check(kept(t, 1)); err != nil {
		t.Errorf("a checkpoint: %v", err)
	}
}

// Files of others in a folder that is ours are left alone; what a killed run was
// writing goes.
func TestOpenCleans(t *testing.T) {
	dir := kept(t, 1)
	for _, name := range []string{"notes.txt", ".tile-00000002.bin.partial", ".run.json.partial", ".notes.partial", "tile-2.bin", "tile-00000099.bin", "tile-00000001.bin.old"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := open(t, dir)
	want := []string{".notes.partial", "lock", "notes.txt", "run.json", "tile-00000001.bin", "tile-00000001.bin.old", "tile-00000099.bin", "tile-2.bin"}
	if diff := cmp.Diff(want, names(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if f.Found() != 1 {
		t.Errorf("found %v, want tile 1 alone", f.found)
	}
	// A run that was killed at its very start left a folder that serves.
	young := t.TempDir()
	if err := errors.Join(os.WriteFile(filepath.Join(young, lockName), nil, 0o600), os.WriteFile(filepath.Join(young, ".run.json.partial"), []byte("{"), 0o600)); err != nil {
		t.Fatal(err)
	}
	open(t, young)
}

func TestOneRunAtATime(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ck")
	first := open(t, dir)
	_, err := Open(dir, identity, shape)
	wantError(t, err, "in use by another run", "wait")
	if !errors.Is(err, errLocked) {
		t.Errorf("got %v, want errLocked", err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// A damaged file is an error that names it, whatever is wrong; the others serve,
// and without it the folder is whole again.
func TestDamage(t *testing.T) {
	whole := func(number int, id Identity) []byte {
		digest, err := id.digest()
		if err != nil {
			t.Fatal(err)
		}
		tile := newTile(t, number)
		raw, err := encode(header{digest, number, tile.Lo, tile.Hi, shape}, tile)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	flip := func(at int) func([]byte) []byte {
		return func(raw []byte) []byte {
			raw[(at+len(raw))%len(raw)] ^= 0x10
			return raw
		}
	}
	for _, test := range []struct {
		name, reason string
		spoil        func(raw []byte) []byte
		want         string
	}{
		{"empty", "a power cut may leave a name alone", func([]byte) []byte { return nil }, "it has 0 bytes"},
		{"truncated", "a copy that was stopped", func(raw []byte) []byte { return raw[:len(raw)-1] }, "it has 687 bytes, want 688"},
		{"longer", "two files in one", func(raw []byte) []byte { return append(raw, 0) }, "it has 689 bytes"},
		{"another kind", "not ours at all", flip(0), "no tile file of this version"},
		{"another version", "another layout", flip(len(magic) - 1), "no tile file of this version"},
		{"bit in the header", "a place that is another", flip(headerBytes - 1), "SHA-256"},
		{"bit in a value", "a number that is another", flip(headerBytes + 100), "SHA-256"},
		{"bit in the digest", "the digest is no less part of it", flip(-1), "SHA-256"},
		{"another tile", "copied over", func([]byte) []byte { return whole(2, identity) }, "another run or place"},
		{"another run", "copied from elsewhere", func([]byte) []byte { return whole(1, Identity{{"seed", 2}}) }, "another run or place"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := kept(t, 0, 1)
			path := filepath.Join(dir, tileName(1))
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, test.spoil(raw), 0o600); err != nil {
				t.Fatal(err)
			}
			f := open(t, dir)
			got := emptyTile(1)
			err = f.Load(got)
			wantError(t, err, test.want, "delete this file")
			if !strings.Contains(err.Error(), path) {
				t.Errorf("%v does not name %s", err, path)
			}
			if got.Predicted != nil || got.Values.Len() != 0 {
				t.Errorf("the tile was filled all the same (%s)", test.reason)
			}
			if err := f.Load(emptyTile(0)); err != nil {
				t.Errorf("the other tile: %v", err)
			}
			if err := errors.Join(f.Close(), os.Remove(path)); err != nil {
				t.Fatal(err)
			}
			if again := open(t, dir); again.Found() != 1 {
				t.Errorf("without the file %d tiles are found, want 1", again.Found())
			}
		})
	}
}

// failing is a file on a disk that is full after some bytes, or fails late.
type failing struct {
	file
	left        int
	sync, close error
}

func (f *failing) Write(p []byte) (int, error) {
	if len(p) > f.left {
		n, _ := f.file.Write(p[:f.left])
		return n, &fs.PathError{Op: "write", Path: "a name that nobody knows", Err: syscall.ENOSPC}
	}
	return f.file.Write(p)
}
func (f *failing) Sync() error  { return errors.Join(f.sync, f.file.Sync()) }
func (f *failing) Close() error { return errors.Join(f.file.Close(), f.close) }

// A disk that is full stops the run and costs nothing that was kept; with room
// the folder serves as before.
func TestFullDisk(t *testing.T) {
	const plenty = 1 << 20
	for name, disk := range map[string]failing{
		"on write": {left: 100},
		"on flush": {left: plenty, sync: syscall.ENOSPC},
		"on close": {left: plenty, close: syscall.ENOSPC},
	} {
		t.Run(name, func(t *testing.T) {
			dir := kept(t, 0)
			f := open(t, dir)
			f.create = func(path string) (file, error) {
				to, err := create(path)
				disk := disk
				disk.file = to
				return &disk, err
			}
			err := f.Save(newTile(t, 1))
			wantError(t, err, "tile-00000001.bin: "+syscall.ENOSPC.Error(), "stay good")
			if !errors.Is(err, syscall.ENOSPC) {
				t.Errorf("got %v, want what the system said", err)
			}
			if diff := cmp.Diff([]string{"lock", "run.json", "tile-00000000.bin"}, names(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			f.create = create
			if err := errors.Join(f.Save(newTile(t, 1)), f.Close()); err != nil {
				t.Fatal(err)
			}
			again := open(t, dir)
			for _, number := range []int{0, 1} {
				got := emptyTile(number)
				if err := again.Load(got); err != nil || compareTiles(newTile(t, number), got) != "" {
					t.Errorf("tile %d after the disk had room: %v", number, err)
				}
			}
		})
	}
	t.Run("no file at all", func(t *testing.T) {
		f := open(t, kept(t))
		f.create = func(path string) (file, error) {
			return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EDQUOT}
		}
		wantError(t, f.Save(newTile(t, 1)), "tile-00000001.bin", "mend")
	})
}
