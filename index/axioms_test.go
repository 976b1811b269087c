package index_test

import (
	"fmt"
	"testing"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/game/gametest"
	"github.com/intershap/intershap/index"
)

// byCoalition returns what a formula says of a table.
func byCoalition(x index.Index, order int) func(table []float64, m int) map[game.Coalition]float64 {
	return func(table []float64, m int) map[game.Coalition]float64 {
		f, err := index.New(x, order, m)
		if err != nil {
			panic(err)
		}
		dst := make([]float64, f.Len())
		f.To(dst, moebius(table), f.Scratch())
		out := map[game.Coalition]float64{}
		for i, s := range f.Coalitions() {
			out[s] = dst[i]
		}
		return out
	}
}

// definitions are those of the literature, none of which knows the Möbius transform.
var definitions = map[index.Index]func(order int) gametest.Definition{
	index.SV:      func(int) gametest.Definition { return gametest.Derivatives(1, gametest.ShapleyWeight) },
	index.BV:      func(int) gametest.Definition { return gametest.Derivatives(1, gametest.BanzhafWeight) },
	index.SII:     func(k int) gametest.Definition { return gametest.Derivatives(k, gametest.ShapleyWeight) },
	index.BII:     func(k int) gametest.Definition { return gametest.Derivatives(k, gametest.BanzhafWeight) },
	index.KSII:    gametest.KSIIDefinition,
	index.STII:    gametest.STIIDefinition,
	index.FSII:    gametest.FSIIDefinition,
	index.FBII:    gametest.FBIIDefinition,
	index.Moebius: gametest.MoebiusDefinition,
}

func TestAxiomsOfEveryIndex(t *testing.T) {
	for _, x := range index.Indices() {
		for order := 1; order <= x.MaxOrder(6); order++ {
			t.Run(fmt.Sprintf("%s/order=%d", x, order), func(t *testing.T) {
				gametest.Axioms(t, gametest.Index{
					Name: fmt.Sprintf("%s of order %d", x, order), Values: byCoalition(x, order), Efficient: x.Card().Efficient,
					Definition: definitions[x](order), MinPlayers: order,
				})
			})
		}
	}
}
