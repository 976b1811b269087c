package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap/tensor"
)

// TestReadNPZ reads in memory what Open reads of the same files.
func TestReadNPZ(t *testing.T) {
	for _, path := range []string{"testdata/types.npz", "testdata/types_big_endian.npz"} {
		raw, err := os.ReadFile(path)
		check(t, err)
		f := open(t, path)
		arrays, err := ReadNPZ("memory", raw)
		check(t, err)
		if len(arrays) != len(f.Columns()) || len(arrays) < 5 {
			t.Fatalf("%s: want %d arrays, got %d", path, len(f.Columns()), len(arrays))
		}
		for i, c := range f.Columns() {
			want, err := f.Read(t.Context(), 0, c.Rows, []int{i})
			check(t, err)
			got := arrays[i]
			if got.Name != c.Name || got.Tensor.DType() != c.DType || !slices.Equal(got.Tensor.Shape(), want[0].Shape()) {
				t.Errorf("%s: want %s %s %v, got %s %s %v", path, c.Name, c.DType, want[0].Shape(), got.Name, got.Tensor.DType(), got.Tensor.Shape())
				continue
			}
			if c.DType == tensor.String {
				if !slices.Equal(tensor.Values[string](want[0]), tensor.Values[string](got.Tensor)) {
					t.Errorf("%s: %s differs", path, c.Name)
				}
			} else if !bytes.Equal(want[0].Bytes(), got.Tensor.Bytes()) {
				t.Errorf("%s: %s differs", path, c.Name)
			}
		}
	}
}

func TestReadNPZRefuses(t *testing.T) {
	array := npy("'<f4'", "False", "(2,)", make([]byte, 8))
	raw := func(method uint16, members ...member) []byte {
		b, err := os.ReadFile(writeNPZ(t, method, members...))
		check(t, err)
		return b
	}
	good := raw(zip.Store, member{"x.npy", array})
	changed := bytes.Clone(good)
	changed[bytes.Index(changed, []byte("NUMPY"))+len(array)-7] ^= 1 // inside the elements
	for _, c := range []struct {
		name    string
		archive []byte
		want    string
	}{
		{"nothing", nil, "no ZIP archive"},
		{"cut off", good[:len(good)-30], "no ZIP archive"},
		{"a changed byte", changed, `answer: column "x": cannot be read: zip: checksum error`},
		{"compressed", raw(zip.Deflate, member{"x.npy", array}), `column "x": want an array stored as it is, got a compressed one`},
		{"compressed, and long", raw(zip.Deflate, member{"x.npy", npy("'<f4'", "False", "(1048576,)", make([]byte, 4<<20))}), "got a compressed one"},
		{"objects", raw(zip.Store, member{"x.npy", npy("'|O'", "False", "(2,)", make([]byte, 16))}), "an object array"},
		{"a single value", raw(zip.Store, member{"x.npy", npy("'<f4'", "False", "()", make([]byte, 4))}), "got a single value"},
		{"too short", raw(zip.Store, member{"x.npy", npy("'<f4'", "False", "(3,)", make([]byte, 8))}), "shape [3] of float32 needs 12 bytes, the member has 8"},
		{"no text", raw(zip.Store, member{"x.npy", npy("'|S2'", "False", "(1,)", []byte{0xff, 0xfe})}), "which are no UTF-8"},
		{"twice", raw(zip.Store, member{"x.npy", array}, member{"x.npy", array}), "one column of this name"},
	} {
		_, err := ReadNPZ("answer", c.archive)
		var fault *Error
		if !errors.As(err, &fault) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an Error with %q, got %v", c.name, c.want, err)
		}
	}
	if arrays, err := ReadNPZ("answer", raw(zip.Store, member{"x.txt", nil})); err != nil || len(arrays) != 0 {
		t.Errorf("an archive without arrays: got %v, %v", arrays, err)
	}
}

// FuzzReadNPZ holds that no archive makes it panic, or allocate more than it is long.
func FuzzReadNPZ(f *testing.F) {
	for _, path := range []string{"testdata/types.npz", "testdata/types_fortran.npz", "testdata/odd.npz"} {
		raw, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		arrays, err := ReadNPZ("answer", archive)
		if err != nil {
			return
		}
		total := 0
		for _, a := range arrays {
			total += len(a.Tensor.Bytes())
		}
		if total > len(archive) {
			t.Errorf("%d bytes of elements from %d", total, len(archive))
		}
	})
}
