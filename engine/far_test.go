package engine

import (
	"testing"

	"github.com/intershap/intershap/model"
)

// Calls that cost more than their rows have more of them, within what a model wishes.
func TestCallBytes(t *testing.T) {
	for _, tt := range []struct{ width, call, want int }{
		{8, 0, 256}, {8, model.FarCallBytes, 1024}, {512, 0, 64}, {512, model.FarCallBytes, 256}, {1 << 20, model.FarCallBytes, 32},
	} {
		p := &Plan{wishBytes: tt.call}
		if got := p.callRowsOf(tt.width * 4); got != tt.want {
			t.Errorf("%d numbers a row, calls of %d bytes: %d rows, want %d", tt.width, tt.call, got, tt.want)
		}
	}
}
