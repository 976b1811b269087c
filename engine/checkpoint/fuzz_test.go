package checkpoint

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/intershap/intershap/engine"
)

func tileFile(t testing.TB, number int) (header, []byte) {
	t.Helper()
	digest, err := identity.digest()
	if err != nil {
		t.Fatal(err)
	}
	tile := newTile(t, number)
	h := header{digest, number, tile.Lo, tile.Hi, shape}
	raw, err := encode(h, tile)
	if err != nil {
		t.Fatal(err)
	}
	return h, raw
}

// FuzzDecode feeds any bytes to the reader. It must not panic, and what it takes
// for a tile must be written back to the same bytes: nothing in a file is passed
// over. Half of the inputs get a digest that fits, so that what comes after it is
// tried as well.
func FuzzDecode(f *testing.F) {
	h, raw := tileFile(f, 1)
	_, other := tileFile(f, 2)
	for _, seed := range [][]byte{raw, raw[:len(raw)-1], other, nil, []byte(magic)} {
		f.Add(seed, false)
		f.Add(seed, true)
	}
	f.Fuzz(func(t *testing.T, data []byte, seal bool) {
		if seal && len(data) >= sha256.Size {
			body := data[:len(data)-sha256.Size]
			digest := sha256.Sum256(body)
			data = append(bytes.Clone(body), digest[:]...)
		}
		var tile engine.Tile
		if err := decode(&tile, data, h); err != nil {
			if tile.Predicted != nil || tile.Values.Len() > 0 {
				t.Errorf("refused with %v, and filled all the same", err)
			}
			return
		}
		back, err := encode(h, &tile)
		if err != nil {
			t.Fatalf("accepted and not written back: %v", err)
		}
		if !bytes.Equal(back, data) {
			t.Error("accepted, and written back to other bytes")
		}
	})
}

// FuzzChange changes bytes of a good file. The reader must refuse every change.
func FuzzChange(f *testing.F) {
	h, raw := tileFile(f, 1)
	for _, at := range []int{0, len(magic), headerBytes, len(raw) / 2, len(raw) - 1} {
		f.Add(at, byte(1))
		f.Add(at, byte(0x80))
	}
	f.Fuzz(func(t *testing.T, at int, change byte) {
		if change == 0 {
			return
		}
		spoiled := bytes.Clone(raw)
		spoiled[uint(at)%uint(len(raw))] ^= change
		var tile engine.Tile
		if err := decode(&tile, spoiled, h); err == nil {
			t.Errorf("accepted with byte %d changed by %#x", uint(at)%uint(len(raw)), change)
		}
	})
}
