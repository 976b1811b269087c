package dataset

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/intershap/intershap/tensor"
)

// numpyTypes are the arrays of the files that testdata/make.py writes.
var numpyTypes = []string{"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1", "U3", "S3"}

// numpyArray is what make.py puts into an array of a type.
func numpyArray(name string) tensor.Tensor {
	const rows, n = 5, 30
	shape := []int{rows, 2, 3}
	number := func(i int) int { return i % 7 }
	switch name {
	case "f2":
		return fill(n, shape, func(i int) tensor.Float16Bits {
			return tensor.Float16Bits(float16.New(float32(number(i)-3) / 4).Uint16())
		})
	case "f4":
		return fill(n, shape, func(i int) float32 { return float32(number(i)-3) / 4 })
	case "f8":
		return fill(n, shape, func(i int) float64 { return float64(number(i)-3) / 4 })
	case "i1":
		return fill(n, shape, func(i int) int8 { return int8(number(i) - 3) })
	case "i2":
		return fill(n, shape, func(i int) int16 { return int16(number(i) - 3) })
	case "i4":
		return fill(n, shape, func(i int) int32 { return int32(number(i) - 3) })
	case "i8":
		return fill(n, shape, func(i int) int64 { return int64(number(i) - 3) })
	case "u1":
		return fill(n, shape, func(i int) uint8 { return uint8(number(i)) })
	case "u2":
		return fill(n, shape, func(i int) uint16 { return uint16(number(i)) })
	case "u4":
		return fill(n, shape, func(i int) uint32 { return uint32(number(i)) })
	case "u8":
		return fill(n, shape, func(i int) uint64 { return uint64(number(i)) })
	case "b1":
		return fill(n, shape, func(i int) bool { return number(i)%2 == 1 })
	case "U3":
		return fill(n, shape, func(i int) string { return fmt.Sprintf("é%d", number(i)) })
	default:
		return fill(n, shape, func(i int) string { return fmt.Sprintf("e%d", number(i)) })
	}
}

func fill[T tensor.Element](n int, shape []int, value func(int) T) tensor.Tensor {
	values := make([]T, n)
	for i := range values {
		values[i] = value(i)
	}
	return tensor.Of(values, shape...)
}

func TestNPZReadsWhatNumPyWrites(t *testing.T) {
	for _, tt := range []struct{ file, reason string }{
		{"types.npz", "stored, read in place"},
		{"types_deflated.npz", "compressed, read from a temporary copy"},
		{"types_big_endian.npz", "bytes the other way round"},
		{"types_fortran.npz", "first axis fastest, transposed while reading"},
	} {
		t.Run(tt.file, func(t *testing.T) {
			f := open(t, filepath.Join("testdata", tt.file))
			for _, name := range numpyTypes {
				want := numpyArray(name)
				if diff := diffTensors(want, readColumn(t, f, name, 0, 5)); diff != "" {
					t.Errorf("%s, all rows (%s): (-want +got)\n%s", name, tt.reason, diff)
				}
				if diff := diffTensors(want.Slice(1, 4), readColumn(t, f, name, 1, 4)); diff != "" {
					t.Errorf("%s, rows 1 to 4 (%s): (-want +got)\n%s", name, tt.reason, diff)
				}
				if got := readColumn(t, f, name, 2, 2).Rows(); got != 0 {
					t.Errorf("%s: an empty range has %d rows", name, got)
				}
			}
		})
	}
	for _, file := range []string{"version2.npz", "version3.npz"} {
		f := open(t, filepath.Join("testdata", file))
		if diff := diffTensors(numpyArray("f4"), readColumn(t, f, "x", 0, 5)); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", file, diff)
		}
	}
}

func TestNPZRefusesArraysOnlyWhenNeeded(t *testing.T) {
	path := filepath.Join("testdata", "odd.npz")
	f := open(t, path)
	if f.Len() != 5 {
		t.Errorf("want the length that most arrays have, 5, got %d", f.Len())
	}
	s := bind(t, f, spec("x", tensor.Float32, 2, 3))
	if s.Len() != 5 {
		t.Errorf("want 5 samples, got %d", s.Len())
	}
	for _, tt := range []struct{ name, want, hint string }{
		{"objects", "want numbers or text, got an object array (Python pickles, which are not read: they can run code)", "array.astype("},
		{"structured", "want numbers or text, got a structured array", "each field"},
		{"times", `want numbers or text, got dtype "<M8[s]"`, "astype(\"int64\")"},
		{"complexes", `want numbers or text, got dtype "<c8"`, "real and imaginary"},
		{"single", "want one row a sample on axis 0, got a single value", "numpy.full"},
	} {
		_, err := Bind(t.Context(), f, []tensor.Spec{spec(tt.name, tensor.Float32)}, BindOptions{})
		wantError(t, err, fmt.Sprintf("dataset: %s: column %q: %s", path, tt.name, tt.want), tt.hint)
	}
	_, err := Bind(t.Context(), f, []tensor.Spec{spec("x", tensor.Float32, 2, 3), spec("longer", tensor.Int64)}, BindOptions{})
	wantError(t, err, `dataset: `+path+`: column "longer": want 5 rows as "x" has, got 6 rows`, "axis 0")
	_, err = Bind(t.Context(), f, []tensor.Spec{spec("empty_rows", tensor.Float64, 0)}, BindOptions{})
	wantError(t, err, `dataset: `+path+`: column "empty_rows": want a row of at least one element, got shape [5,0]`, "")
}

// TestNPZRefusesLies feeds headers and archives that claim what is not there.
func TestNPZRefusesLies(t *testing.T) {
	data := littleEndian([]float32{1, 2, 3, 4})
	for _, tt := range []struct {
		name  string
		array []byte
		want  string
	}{
		{"a shape above the member's size", npy("'<f4'", "False", "(5,)", data), "shape [5] of float32 needs 20 bytes, the member has 16"},
		{"a shape whose product overflows", npy("'<f4'", "False", "(2147483647, 2147483647, 4)", data), "NPY header: shape [2147483647 2147483647 4] is impossibly large"},
		{"a negative length", npy("'<f4'", "False", "(-4,)", data), `NPY header: "-4" is no length of an axis`},
		{"a length above int64", npy("'<f4'", "False", "(99999999999999999999,)", data), `NPY header: "99999999999999999999" is no length of an axis`},
		{"no magic", append([]byte("NOTNUMPY"), data...), "it is no NPY array: the magic bytes are missing"},
		{"an unknown version", append([]byte("\x93NUMPY\x09\x00"), data...), "NPY version 9 is unknown, want 1, 2 or 3"},
		{"a header that never ends", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff"), "the NPY header claims 4294967295 bytes, want at most 1048576"},
		{"a header cut short", npy("'<f4'", "False", "(4,)", nil)[:40], "it ends inside the NPY header"},
		{"nothing at all", nil, "it ends inside the NPY header"},
		{"a missing key", append([]byte("\x93NUMPY\x01\x00\x12\x00"), "{'descr': '<f4', }"...), `NPY header: key "fortran_order" is missing`},
		{"a wrong flag", npy("'<f4'", "Maybe", "(4,)", data), `NPY header: fortran_order is "Maybe"`},
		{"an open word", npy("'<f4", "False", "(4,)", nil)[:64], `it ends inside the NPY header`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := writeNPZ(t, zip.Store, member{"x.npy", tt.array})
			_, err := Bind(t.Context(), open(t, path), []tensor.Spec{spec("x", tensor.Float32)}, BindOptions{})
			wantError(t, err, `dataset: `+path+`: column "x": cannot be read: `+tt.want, "damaged")
		})
	}
}

func TestNPZRefusesDamagedArchives(t *testing.T) {
	good := npyFloats("(1000,)", make([]float32, 1000))
	t.Run("a flipped byte of a compressed array", func(t *testing.T) {
		noise := make([]float32, 1000)
		for i := range noise {
			noise[i] = float32(i*i%977) / 7
		}
		path := writeNPZ(t, zip.Deflate, member{"x.npy", npyFloats("(1000,)", noise)})
		b, err := os.ReadFile(path)
		check(t, err)
		b[len(b)/2] ^= 0x40
		check(t, os.WriteFile(path, b, 0o600))
		_, err = open(t, path).Read(context.Background(), 0, 1000, []int{0})
		if err == nil || !strings.Contains(err.Error(), `column "x": cannot be read: `) {
			t.Errorf("want the damage told, got %v", err)
		}
	})
	t.Run("a size that DEFLATE cannot reach", func(t *testing.T) {
		path := writeNPZ(t, zip.Deflate, member{"x.npy", good})
		b, err := os.ReadFile(path)
		check(t, err)
		// The uncompressed size stands 24 bytes into the central directory's entry.
		at := bytes.LastIndex(b, []byte("PK\x01\x02")) + 24
		binary.LittleEndian.PutUint32(b[at:], 1<<31)
		check(t, os.WriteFile(path, b, 0o600))
		c := open(t, path).Columns()[0]
		if c.Refused == nil || !strings.Contains(c.Refused.Error(), "2147483648 bytes cannot come from") {
			t.Errorf("want the size refused, got %v", c.Refused)
		}
	})
	t.Run("no archive", func(t *testing.T) {
		path := writeFile(t, "x.npz", []byte("plain text"))
		_, err := Open(context.Background(), path)
		wantError(t, err, "dataset: "+path+": cannot be read: no ZIP archive, which an NPZ file is: zip: not a valid zip file", "damaged")
	})
	t.Run("no array", func(t *testing.T) {
		path := writeNPZ(t, zip.Store, member{"readme.txt", []byte("hello")})
		_, err := Open(context.Background(), path)
		wantError(t, err, "dataset: "+path+": want at least one .npy array, got none", "numpy.savez")
	})
	t.Run("a name twice", func(t *testing.T) {
		path := writeNPZ(t, zip.Store, member{"x.npy", good}, member{"x.npy", good})
		_, err := Open(context.Background(), path)
		wantError(t, err, `dataset: `+path+`: column "x": want one column of this name, got another`, "rename")
	})
}

// TestNPZStoredDamage flips one bit of a stored array, which reading in place
// does not see.
func TestNPZStoredDamage(t *testing.T) {
	path := writeNPZ(t, zip.Store,
		member{"x.npy", npyFloats("(1000,)", make([]float32, 1000))}, member{"y.npy", npyFloats("(1000,)", make([]float32, 1000))})
	check(t, bind(t, open(t, path), spec("x", tensor.Float32)).Check(t.Context(), nil))
	b, err := os.ReadFile(path)
	check(t, err)
	b[2000] ^= 1 // in the elements of x, which begin behind some 200 bytes
	check(t, os.WriteFile(path, b, 0o600))
	f := open(t, path)
	err = bind(t, f, spec("x", tensor.Float32)).Check(t.Context(), nil)
	wantError(t, err, `dataset: `+path+`: column "x": cannot be read: zip: checksum error`, "damaged")
	if err := bind(t, f, spec("y", tensor.Float32)).Check(t.Context(), nil); err != nil {
		t.Errorf("an array that is sound, beside a damaged one that nobody needs: want no error, got %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := bind(t, f, spec("x", tensor.Float32)).Check(ended, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("want the end of the context told, got %v", err)
	}
}

func TestNPZTextThatIsNone(t *testing.T) {
	for _, tt := range []struct {
		name, descr string
		data        []byte
		want        string
	}{
		{"a surrogate", "'<U1'", []byte{'a', 0, 0, 0, 0, 0xd8, 0, 0}, "want text, got code point 0xd800, which is no letter"},
		{"above Unicode", "'<U1'", []byte{'a', 0, 0, 0, 0, 0, 0xff, 0}, "want text, got code point 0xff0000, which is no letter"},
		{"no UTF-8", "'|S1'", []byte{'a', 0xff}, `want text, got bytes "\xff", which are no UTF-8`},
	} {
		path := writeNPZ(t, zip.Store, member{"x.npy", npy(tt.descr, "False", "(2,)", tt.data)})
		_, err := bind(t, open(t, path), spec("x", tensor.String)).Read(context.Background(), 0, 2)
		wantError(t, err, `dataset: `+path+`: row 1: column "x": `+tt.want, "")
	}
}

// TestNPZSpoolGoes holds temporary files against the life of the File.
func TestNPZSpoolGoes(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Setenv("TMP", folder) // what Windows asks first
	f, err := Open(context.Background(), filepath.Join("testdata", "types_deflated.npz"))
	check(t, err)
	count := func() int {
		entries, err := os.ReadDir(folder)
		check(t, err)
		return len(entries)
	}
	if n := count(); n != 0 {
		t.Errorf("%d temporary files before the first read, want 0", n)
	}
	for range 3 {
		readColumn(t, f, "f4", 0, 5)
		readColumn(t, f, "i8", 0, 5)
	}
	want := 2
	if unlinksOpenFiles {
		want = 0 // nothing is left even if the process is killed now
	}
	if n := count(); n != want {
		t.Errorf("%d temporary files for two arrays read three times, want %d", n, want)
	}
	check(t, f.Close())
	if n := count(); n != 0 {
		t.Errorf("%d temporary files after Close, want 0", n)
	}
}

func TestNPZSpoolIsBounded(t *testing.T) {
	f := open(t, filepath.Join("testdata", "types_deflated.npz"))
	f.(*npzFile).spoolLeft = 100
	_, err := f.Read(context.Background(), 0, 5, []int{column(t, f, "f8")})
	if err == nil || !strings.Contains(err.Error(), "temporary files") {
		t.Errorf("want the copy refused, got %v", err)
	}
}

// TestNPZBlamesTheTemporaryFolder takes the temporary folder away: the data are
// sound, and the message says so by naming the folder.
func TestNPZBlamesTheTemporaryFolder(t *testing.T) {
	path := filepath.Join("testdata", "types_deflated.npz")
	folder := filepath.Join(t.TempDir(), "none")
	t.Setenv("TMPDIR", folder)
	t.Setenv("TMP", folder)
	f := open(t, path)
	_, err := f.Read(context.Background(), 0, 5, []int{column(t, f, "f4")})
	var fault *Error
	if !errors.As(err, &fault) || !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("want an Error for a folder that does not exist, got %v", err)
	}
	size := f.(*npzFile).members[column(t, f, "f4")].file.UncompressedSize64
	wantError(t, err, fmt.Sprintf("dataset: %s: want a temporary folder with room for %d bytes, the compressed array %q of %s, got no such file or directory",
		folder, size, "f4", path), "TMPDIR")
}

// TestSpoolWriterMarksItsFaults checks that a full folder is told from a
// damaged archive.
func TestSpoolWriterMarksItsFaults(t *testing.T) {
	file, err := os.CreateTemp(t.TempDir(), "")
	check(t, err)
	_, err = spoolWriter{file}.Write([]byte("x"))
	check(t, err)
	check(t, file.Close())
	var spool *spoolError
	if _, err = (spoolWriter{file}).Write([]byte("x")); !errors.As(err, &spool) {
		t.Errorf("want a spoolError, got %v", err)
	}
}
