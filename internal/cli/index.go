package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/index"
)

type indexOptions struct {
	narration
	destination
	game   string
	index  index.Index
	order  int
	given  bool // an order was given
	mean   bool
	target string
}

// defaultOrder is the order where none is given and there are players enough.
const defaultOrder = 2

func newIndex(s *streams) *cobra.Command {
	var opt indexOptions
	cmd := &cobra.Command{
		Use:   "index GAME [flags]",
		Short: "Compute interaction indices of a table of values",
		Long: `Compute an interaction index of a game: of the values v(S) that coalitions of
players have, wherever they were computed. The index says how much of it is due
to each coalition of 1 to K players, K being the order.

` + indexHelp() + `
GAME is one of
  .json           {"players": n, "values": [2^n numbers]}: bit i of the position
                  says that player i is present
  .json, .npz     a game of shapiq, as its Game.save writes it
  .npz, .jsonl    samples of explain --samples: one game for each sample

Samples are summarised in the table; the JSON has an array over samples for each
coalition, or one number with --mean. Below the values stands the spectrum, the
share of behaviour by order. docs/indices.md says more of each index.`,
		Example: `  intershap index game.json --index k-SII --order 3
  intershap index run.npz --index STII --order 2 --mean --json`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, 1 failed, also for an order above the number of players,\n  2 wrong usage",
		},
		Args: wantArgs("GAME"),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"json", "npz", "jsonl"}, cobra.ShellCompDirectiveFilterFileExt
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			opt.game = args[0]
			if err := refuseEmpty(cmd.Flags(), "out", "target"); err != nil {
				return err
			}
			_, err := readEnvironment(cmd, s.env)
			opt.given = cmd.Flags().Changed("order")
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runIndex(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &opt.index, "index", index.KSII.String(), "NAME", "one of the above", readNamed(index.Parse, index.Names()...))
	define(flags, &opt.order, "order", "", "K", "most players of a coalition, 1 to their number (default: 2, or as many as there are; 1 for SV and BV)", readCount(1))
	flags.BoolVar(&opt.mean, "mean", false, "one game, the mean over the samples")
	flags.StringVar(&opt.target, "target", "", "`NAME` of the one target, where samples have several, such as class:ward")
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the result as JSON, beside the table; -: standard output")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addCompletions(cmd)
	if err := cmd.RegisterFlagCompletionFunc("index", completeWords(index.Names()...)); err != nil {
		panic(fmt.Sprintf("cli: completion of --index: %v", err))
	}
	return cmd
}

// indexHelp has a line for each index.
func indexHelp() string {
	var b strings.Builder
	for _, c := range index.Cards() {
		title := c.Title
		if c.Efficient {
			title += ", adds up to v(all) - v({})"
		}
		fmt.Fprintf(&b, "  %-8s  %s\n", c.Name, title)
	}
	return b.String()
}

// check refuses what is wrong with the command line alone.
func (o *indexOptions) check() error {
	if o.given && o.index.Card().Single && o.order != 1 {
		fault := usagef("--order %d: %s has values of single players, order 1", o.order, o.index)
		fault.hint = "SII, k-SII, STII, FSII, BII, FBII and Moebius have higher orders"
		return fault
	}
	if o.given && o.order > game.MaxPlayers {
		return usagef("--order %d: want at most %d, the most players of a game", o.order, game.MaxPlayers)
	}
	if !slices.Contains(gameExtensions, strings.ToLower(filepath.Ext(o.game))) {
		fault := usagef("GAME %s: want a name that ends in .json, .npz or .jsonl", o.game)
		fault.hint = "intershap index --help says what each holds"
		return fault
	}
	if err := checkOut(o.out, "the table goes to standard output"); err != nil {
		return err
	}
	return checkWritable("out", o.out, o.force, o.game)
}

func runIndex(ctx context.Context, s *streams, opt *indexOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	tell := newTeller(s, opt.narration)
	games, err := readGames(ctx, opt.game, opt.target)
	if err != nil {
		return err
	}
	tell.step("%s: %s of %s", opt.game, count(int64(games.tables.Len()), "game"), count(int64(games.players), "player"))
	if opt.mean {
		if games, err = games.average(); err != nil {
			return inFile(opt.game, err)
		}
	}
	values, err := computeIndex(games, opt)
	if err != nil {
		return err
	}
	printed, err := opt.deliver(s, values.write)
	if err != nil || printed {
		return err
	}
	p := newPage(s, opt.color)
	writeIndex(p, opt.game, values)
	return p.flush()
}

// average returns the mean over samples as one game; one game is its own mean.
func (g *games) average() (*games, error) {
	if g.ids == nil {
		return g, nil
	}
	n := g.tables.Len()
	mean := make([]float64, 1<<g.players)
	for r := range n {
		for i, v := range g.tables.Game(r) {
			mean[i] += v / float64(n)
		}
	}
	tables, err := game.NewTables(g.players, mean)
	if err != nil {
		return nil, err
	}
	return &games{players: g.players, names: g.names, target: g.target, patterns: g.patterns, tables: tables, averaged: n}, nil
}

// indexValues are the values of an index, one game after the other, and the spectra
// of the games.
type indexValues struct {
	*games
	formula *index.Formula
	values  []float64
	// spectra are by Möbius and k-SII, the latter of the order that was asked for.
	spectra []indexSpectrum
}

type indexSpectrum struct {
	index index.Index
	order int
	index.Spectrum
}

// maxIndexNumbers bounds the numbers that are held, 2 GiB.
const maxIndexNumbers = 1 << 28

func computeIndex(g *games, opt *indexOptions) (*indexValues, error) {
	order := opt.order
	if !opt.given {
		order = min(defaultOrder, opt.index.MaxOrder(g.players))
	}
	f, err := index.New(opt.index, order, g.players)
	if err != nil {
		return nil, inFile(opt.game, err)
	}
	n := g.tables.Len()
	if n*f.Len() > maxIndexNumbers {
		return nil, &hintedError{
			err:  inFile(opt.game, fmt.Errorf("%s of %s each are more than fit", count(int64(n), "game"), count(int64(f.Len()), "value"))),
			hint: "a lower --order, or --mean",
		}
	}
	moebius := make([]float64, n<<g.players)
	index.TransformTo(moebius, g.tables)
	out := &indexValues{games: g, formula: f, values: make([]float64, n*f.Len())}
	f.AllTo(out.values, moebius, f.Scratch())
	for i, x := range out.values {
		if x-x != 0 {
			return nil, inFile(opt.game, fmt.Errorf("the values are too large: %s of coalition %s overflows", opt.index, f.Coalitions()[i%f.Len()]))
		}
		out.values[i] = x + 0 // no -0
	}
	for _, of := range []indexSpectrum{{index: index.Moebius, order: g.players}, {index: index.KSII, order: max(order, min(defaultOrder, g.players))}} {
		spectral, err := index.New(of.index, of.order, g.players)
		if err != nil {
			return nil, inFile(opt.game, err)
		}
		of.Spectrum = spectral.Spectrum(moebius)
		g.poolSpectrum(&of.Spectrum, spectral, moebius)
		out.spectra = append(out.spectra, of)
	}
	if g.ids == nil {
		g.pool(out.values, f)
	}
	return out, nil
}

// each returns the values of one coalition, over the games whose samples have all of its
// players.
func (v *indexValues) each(c placed) func(yield func(float64) bool) {
	return func(yield func(float64) bool) {
		for r := range v.tables.Len() {
			if v.lacks(r, c.coalition) {
				continue
			}
			if !yield(v.values[r*v.formula.Len()+c.position]) {
				return
			}
		}
	}
}

// A placed coalition is one that has values, at a position among those of its game.
type placed struct {
	coalition game.Coalition
	position  int
}

// ordered returns the coalitions by size, and those of one size by their players:
// {0,1}, {0,2}, {0,3}, {1,2}, as people list them.
func (v *indexValues) ordered() []placed {
	var out []placed
	for i, s := range v.formula.Coalitions() {
		out = append(out, placed{s, i})
	}
	slices.SortStableFunc(out, func(a, b placed) int {
		if a.coalition == b.coalition || a.coalition.Size() != b.coalition.Size() {
			return a.coalition.Size() - b.coalition.Size()
		}
		// The first player that one has and the other has not decides.
		different := a.coalition ^ b.coalition
		if a.coalition&different&-different != 0 {
			return -1
		}
		return 1
	})
	return out
}

// playersKey writes the players of a coalition: "", "0", "0,1".
func playersKey(s game.Coalition) string { return strings.Trim(s.String(), "{}") }
