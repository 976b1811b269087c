package approx_test

import (
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

var update = flag.Bool("update", false, "rewrite the table of docs/approximation.md")

// A tableGame is a game of the page's table.
type tableGame struct {
	name    string
	n       int
	budgets []int
	seeds   int
	value   func(game.Coalition) float64
	truth   []float64
}

func unanimityGame(name string, n, count, most, seeds int, budgets ...int) tableGame {
	u := randomSum(n, count, 1, most, rand.New(rand.NewPCG(20, uint64(n))))
	var of []game.Coalition
	for s := 1; s <= 2; s++ {
		for j := range n {
			if s == 1 {
				of = append(of, 1<<j)
			}
			for i := range j {
				if s == 2 {
					of = append(of, 1<<i|1<<j)
				}
			}
		}
	}
	return tableGame{name, n, budgets, seeds, u.value, u.truth(index.SII, 2, of)}
}

func oracleGame(t *testing.T, name, file string, seeds int, budgets ...int) tableGame {
	values := oracle(t, file)
	v := func(s game.Coalition) float64 { return values[s] }
	return tableGame{name, 8, budgets, seeds, v, exact(t, index.SII, 2, 8, v)}
}

// row returns the row of a budget: for each method the mean squared error over all
// values and seeds, and how many intervals hold the truth.
func (g tableGame) row(t *testing.T, budget int) string {
	out := fmt.Sprintf("| %s | %d |", g.name, budget)
	for _, m := range methods() {
		if budget < approx.Minimum(m, 2, g.n) {
			out += " |"
			continue
		}
		squares, held := 0.0, 0
		for seed := range g.seeds {
			d := draw(t, m, 2, g.n, budget, uint64(seed))
			e := estimator(t, d, index.SII, 2)
			got := estimateOf(d, e, g.value)
			held += got.holds(g.truth, 1)
			for i, want := range g.truth {
				squares += (got.mean[i] - want) * (got.mean[i] - want)
			}
		}
		all := float64(g.seeds * len(g.truth))
		out += fmt.Sprintf(" %.1e, %.0f %% |", squares/all, 100*float64(held)/all)
	}
	return out
}

const (
	tablePage  = "../docs/approximation.md"
	tableBegin = "<!-- table: go test ./approx -run TestTable -update -->\n"
	tableEnd   = "<!-- end of table -->"
)

// The page's table is what the methods do. Two rows of its first game are made again
// every time, all with -update alone.
func TestTable(t *testing.T) {
	games := []tableGame{unanimityGame("unanimity, 12 players", 12, 40, 10, 50, 300, 600, 1200, 2400)}
	raw, err := os.ReadFile(tablePage)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(raw), tableBegin)
	table, after, found := strings.Cut(rest, tableEnd)
	if !ok || !found {
		t.Fatalf("%s has no table between %q and %q", tablePage, tableBegin, tableEnd)
	}
	if *update {
		if os.Getenv("INTERSHAP_SHARED") == "" {
			t.Fatal("INTERSHAP_SHARED is not set: the table has oracle games")
		}
		games = append(games,
			oracleGame(t, "oracle a, 8 players", "game8_a.json", 200, 64, 96, 128, 192),
			oracleGame(t, "oracle b, 8 players", "game8_b.json", 200, 64, 96, 128, 192),
			unanimityGame("unanimity, 16 players", 16, 60, 10, 30, 500, 1000, 2000, 4000, 8000),
			unanimityGame("unanimity, 30 players", 30, 100, 8, 10, 1000, 2000, 4000, 8000))
		table = "| game | budget | permutation | shap-iq | regression |\n|---|---|---|---|---|\n"
		for _, g := range games {
			for _, budget := range g.budgets {
				table += g.row(t, budget) + "\n"
			}
		}
		if err := os.WriteFile(tablePage, []byte(before+tableBegin+table+tableEnd+after), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, budget := range []int{300, 1200} {
		want := games[0].row(t, budget)
		if !sameRow(table, want) {
			t.Errorf("%s has no row like %s; make it again: go test ./approx -run TestTable -update", tablePage, want)
		}
	}
	if sameRow(table, strings.Replace(games[0].row(t, 1200), "e-", "e-1", 1)) {
		t.Error("a wrong row passes")
	}
}

var number = regexp.MustCompile(`[0-9.]+(e-?[0-9]+)?`)

// sameRow reports whether a table has a row with the same words, and numbers that agree
// as far as other processors round.
func sameRow(table, want string) bool {
	numbers := func(row string) []float64 {
		var out []float64
		for _, text := range number.FindAllString(row, -1) {
			x, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return nil
			}
			out = append(out, x)
		}
		return out
	}
	for row := range strings.Lines(table) {
		row = strings.TrimSpace(row)
		if number.ReplaceAllString(row, "") != number.ReplaceAllString(want, "") {
			continue
		}
		same := true
		got := numbers(row)
		for i, x := range numbers(want) {
			same = same && math.Abs(got[i]-x) <= 0.05*x
		}
		if same {
			return true
		}
	}
	return false
}
