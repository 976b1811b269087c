package fusion

import (
	"fmt"
	"strings"
)

// A Fusion says where a network joins its modalities. Widths go from the input's
// to a half, a quarter and the number of classes, rounded down and at least 1.
type Fusion uint8

const (
	// Early joins the inputs; three layers follow, the first two with ReLU.
	Early Fusion = iota + 1
	// Intermediate has one linear layer for each modality, to half its width, and
	// joins their outputs; a layer with ReLU to half of these and a last layer follow.
	Intermediate
	// Late has two layers with ReLU for each modality, to a half and a quarter of
	// its width, and joins their outputs before the last layer. Its logits are sums
	// of terms of one modality each: whatever it is trained on, it cannot interact
	// in them.
	Late
)

var fusionNames = [...]string{Early: "early", Intermediate: "intermediate", Late: "late"}

// Fusions lists all fusions, from the earliest to the latest.
var Fusions = []Fusion{Early, Intermediate, Late}

// String returns the name: "early", "intermediate" or "late".
func (f Fusion) String() string {
	if f == 0 || int(f) >= len(fusionNames) {
		return fmt.Sprintf("Fusion(%d)", uint8(f))
	}
	return fusionNames[f]
}

// ParseFusion reads a name that String writes.
func ParseFusion(name string) (Fusion, error) {
	for _, f := range Fusions {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("fusion: unknown fusion %q (want %s)", name, strings.Join(fusionNames[1:], ", "))
}

// encoderLayers is the number of layers that each modality has to itself.
var encoderLayers = [...]int{Early: 0, Intermediate: 1, Late: 2}

// allLayers is the number of layers between input and logits.
const allLayers = 3

// half is the width of the layer behind one of width n.
func half(n int) int { return max(n/2, 1) }
