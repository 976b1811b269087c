package engine

import (
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
)

// A part with all groups of a modality has the modality's name: eight channels make
// no name.
func TestPartNameOfGroups(t *testing.T) {
	modalities := []dataset.Modality{
		{Name: "text"}, {Name: "vitals/a", Of: "vitals"}, {Name: "vitals/b", Of: "vitals"}, {Name: "vitals/c", Of: "vitals"},
		{Name: "x+/0", Of: "x+"}, {Name: "x+/1", Of: "x+"}, {Name: "labs"},
	}
	for _, tt := range []struct {
		players []int
		want    string
	}{
		{[]int{1, 2, 3}, "vitals"},
		{[]int{0, 1, 2, 3, 6}, "text+vitals+labs"},
		{[]int{1, 2}, "vitals/a+vitals/b"},
		{[]int{2, 3}, "vitals/b+vitals/c"},
		{[]int{1, 3, 4, 5}, `vitals/a+vitals/c+"x+"`},
		{[]int{1, 2, 4}, `vitals/a+vitals/b+"x+/0"`},
		{[]int{model.Nobody, 1, 2, 3, 4, 5, 6}, `fixed+vitals+"x+"+labs`},
		{[]int{3, 4, 5}, `vitals/c+"x+"`},
		{[]int{6}, "labs"},
	} {
		if got := partName(tt.players, modalities); got != tt.want {
			t.Errorf("players %v: %s, want %s", tt.players, got, tt.want)
		}
	}
}
