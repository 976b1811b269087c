//go:build unix

package process

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
)

// TestGive writes frames of many lengths, several after one another, through a pipe
// that holds few of them.
func TestGive(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var frames [][]byte
	for i, n := range []int{0, 1, 100, 4095, 16<<10 - 1, 16 << 10, 16<<10 + 1, 100_000, 64 << 10, 3 << 20} {
		frame := make([]byte, n+i)[i:] // off the start of a page
		for j := range frame {
			frame[j] = byte(j*7 + j/251 + i)
		}
		frames = append(frames, frame)
	}
	failed := make(chan error, 1)
	go func() {
		defer w.Close()
		for _, frame := range frames {
			if err := give(w, frame); err != nil {
				failed <- err
				return
			}
		}
		failed <- nil
	}()
	got, err := io.ReadAll(r)
	if err := errors.Join(err, <-failed); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(bytes.Join(frames, nil), got) {
		t.Errorf("want the %d bytes of all frames, got others or %d", len(bytes.Join(frames, nil)), len(got))
	}
}

// A pipe that nobody reads, or that is closed while it is full, ends the writing.
func TestGiveEnds(t *testing.T) {
	for _, n := range []int{100, 3 << 20} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		if err := give(w, make([]byte, n)); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%d bytes that nobody reads: want a broken pipe, got %v", n, err)
		}
		w.Close()
		if err := give(w, make([]byte, n)); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%d bytes into a closed pipe: want that said, got %v", n, err)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	failed := make(chan error, 1)
	go func() { failed <- give(w, make([]byte, 3<<20)) }()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil { // it is at it
		t.Fatal(err)
	}
	w.Close()
	if err := <-failed; !errors.Is(err, os.ErrClosed) {
		t.Errorf("want the end of the pipe, got %v", err)
	}
}
