package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/game"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/tensor"
)

// games are the value tables of a file: one, or one for each sample of a run.
type games struct {
	players int
	// names are those of the players, nil where the file has none.
	names []string
	// ids are those of the samples, nil where the file holds one game. target is the
	// one that the samples are of, "" where the file does not say.
	ids    []string
	target string
	// present are the players that each sample has, and patterns counts the samples that
	// have the same; both nil where all have all. A player that a sample lacks changes
	// nothing in its game.
	present  []game.Coalition
	patterns map[game.Coalition]int
	tables   game.Tables
	// averaged counts the samples whose mean this is, 0 for none.
	averaged int
}

// gameExtensions are those of files that may hold games. The last two are read to say
// why there are none in them.
var gameExtensions = []string{".json", ".npz", ".jsonl", ".csv", ".parquet"}

// maxGameFile bounds a JSON document: the keys and values of 2^20 coalitions take less.
const maxGameFile = 256 << 20

// readGames reads the games of a file, by its extension and what is in it. target
// chooses among the targets of samples, "" for the only one.
func readGames(ctx context.Context, path, target string) (*games, error) {
	extension := strings.ToLower(filepath.Ext(path))
	if extension == ".json" {
		return readJSONGame(path, target)
	}
	if extension == ".npz" {
		g, err := readNPZGame(ctx, path, target)
		if g != nil || err != nil {
			return g, err
		}
	}
	samples, err := result.ReadSamples(path)
	if err != nil {
		return nil, err
	}
	return sampleGames(samples, target)
}

// sampleGames returns the games of a samples file.
func sampleGames(s *result.Samples, target string) (*games, error) {
	at := -1
	for i, name := range s.Targets {
		if name == target || len(s.Targets) == 1 && (target == "" || name == "") {
			at = i
		}
	}
	if at < 0 {
		return nil, noSuchTarget(s, target)
	}
	values := s.ByTarget[at].Values
	if values == nil {
		return nil, noValues(s.Path)
	}
	tables, err := game.NewTables(len(s.Modalities), values)
	if err != nil {
		return nil, inFile(s.Path, err)
	}
	g := &games{players: len(s.Modalities), names: s.Modalities, ids: s.IDs, target: s.Targets[at], tables: tables}
	g.present, g.patterns = s.Present, patternsOf(s.Present, g.players)
	if g.patterns == nil {
		g.present = nil
	}
	return g, nil
}

// noValues says why samples have no values of coalitions: two formats never do, and the
// others do unless the run had a budget.
func noValues(path string) error {
	if extension := strings.ToLower(filepath.Ext(path)); extension == ".csv" || extension == ".parquet" {
		return &hintedError{
			err:  fmt.Errorf("%s: want the values of coalitions, got samples without them, as .csv and .parquet are", path),
			hint: "write the samples as .npz or .jsonl: explain --samples FILE",
		}
	}
	return &hintedError{
		err:  fmt.Errorf("%s: want the values of all coalitions, got samples of a run on a budget, which evaluates some of them", path),
		hint: "explain without --budget, or ask that run for the index: explain --budget C --index FSII --order 2",
	}
}

func noSuchTarget(s *result.Samples, target string) error {
	var known []string
	for _, name := range s.Targets {
		known = append(known, strconv.Quote(name))
	}
	got := "none named"
	if target != "" {
		got = strconv.Quote(target)
	}
	return &hintedError{
		err:  fmt.Errorf("%s: want one target of %s, got %s", s.Path, strings.Join(known, ", "), got),
		hint: fmt.Sprintf("choose with --target, such as --target %s", s.Targets[0]),
	}
}

// inFile puts the file in front of what is wrong with its numbers.
func inFile(path string, err error) error { return fmt.Errorf("%s: %w", path, err) }

// noTarget refuses a choice among targets where there are none.
func noTarget(path, target string) error {
	if target == "" {
		return nil
	}
	return &hintedError{
		err:  fmt.Errorf("%s: want samples of several targets for --target %s, got one game", path, target),
		hint: "leave --target out",
	}
}

// oneGame returns a game; its values have been found to be finite.
func oneGame(players int, values []float64, names []string) (*games, error) {
	tables, err := game.NewTables(players, values)
	if err != nil {
		return nil, err
	}
	return &games{players: players, names: names, tables: tables}, nil
}

// checkPlayers refuses numbers of players whose values nobody could hold.
func checkPlayers(players int) error {
	if players < 1 || players > game.MaxPlayers {
		return fmt.Errorf("want 1 to %d players, got %d", game.MaxPlayers, players)
	}
	return nil
}

// A gameDocument has the keys of a JSON object. Those that nobody asks for are ignored,
// whatever they hold.
type gameDocument map[string]json.RawMessage

// text returns the text at a key, "" where there is none.
func (d gameDocument) text(key string) string {
	var text string
	if json.Unmarshal(d[key], &text) != nil {
		return ""
	}
	return text
}

// readJSONGame reads {"players": n, "values": [2^n numbers]} or a game of shapiq.
func readJSONGame(path, target string) (*games, error) {
	raw, err := readBounded(path)
	if err != nil {
		return nil, err
	}
	var doc gameDocument
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, inFile(path, jsonFault(raw, err))
	}
	var g *games
	kind := doc.text("data_type")
	switch {
	case doc["values"] != nil || doc["players"] != nil:
		g, err = readPlainGame(doc)
	case doc["data"] != nil && doc["metadata"] != nil && (kind == "" || kind == "game"):
		g, err = readShapiqGame(doc)
	case doc["data"] != nil && kind != "":
		err = &hintedError{
			err:  fmt.Errorf("want a game, the value of every coalition, got data of the type %q", kind),
			hint: "save the game itself: game.save(\"game.json\")",
		}
	case doc.text("schema") != "":
		err = &hintedError{
			err:  fmt.Errorf("want a game, the value of every coalition, got a document of the schema %q", doc.text("schema")),
			hint: "the values of coalitions are in the file that explain --samples writes: give that one",
		}
	default:
		err = &hintedError{
			err:  errors.New("want the keys \"players\" and \"values\", or a game of shapiq, got neither"),
			hint: "{\"players\": n, \"values\": [2^n numbers]}, where bit i of the position says that player i is present",
		}
	}
	if err == nil {
		if err := noTarget(path, target); err != nil {
			return nil, err
		}
		return g, nil
	}
	var hinted *hintedError
	if errors.As(err, &hinted) {
		return nil, &hintedError{err: inFile(path, hinted.err), hint: hinted.hint}
	}
	return nil, inFile(path, err)
}

// readBounded reads a file of a size that a game may have.
func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.Mode().IsRegular():
		return nil, inFile(path, errors.New("want a file, got something else"))
	case err == nil && info.Size() > maxGameFile:
		return nil, inFile(path, fmt.Errorf("want at most %d MiB, got %d", maxGameFile>>20, info.Size()>>20))
	}
	var raw []byte
	if err == nil {
		raw, err = os.ReadFile(path)
	}
	var inPath *fs.PathError
	if errors.As(err, &inPath) {
		err = inPath.Err
	}
	if err != nil {
		return nil, inFile(path, fmt.Errorf("cannot be opened: %w", err))
	}
	return raw, nil
}

// jsonFault says where a document is broken.
func jsonFault(raw []byte, err error) error {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
	)
	switch {
	case errors.As(err, &syntax) && syntax.Offset >= int64(len(raw)):
		return errors.New("the document ends too early: is the file complete?")
	case errors.As(err, &syntax):
		before := raw[:max(syntax.Offset-1, 0)]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := len(before) - bytes.LastIndexByte(before, '\n')
		return fmt.Errorf("line %d, column %d: want JSON: %w", line, column, err)
	case errors.As(err, &kind) && kind.Field == "":
		return fmt.Errorf("want a JSON object, got %s", kind.Value)
	case errors.As(err, &kind):
		return fmt.Errorf("%s: want %s, got %s", kind.Field, kind.Type, kind.Value)
	}
	return err
}

// readPlainGame reads the form of our own.
func readPlainGame(doc gameDocument) (*games, error) {
	players, err := readPlayers(doc["players"])
	if err != nil {
		return nil, fmt.Errorf("players: %w", err)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(doc["values"], &elements); err != nil {
		return nil, fmt.Errorf("values: want a list of numbers, got %s", excerpt(doc["values"]))
	}
	if len(elements) != 1<<players {
		return nil, fmt.Errorf("values: want %d numbers, one for each coalition of %d players, got %d", 1<<players, players, len(elements))
	}
	values := make([]float64, len(elements))
	for i, e := range elements {
		x, err := readFinite(e)
		if err != nil {
			return nil, fmt.Errorf("values[%d], coalition %s: %w", i, game.Coalition(i), err)
		}
		values[i] = x
	}
	return oneGame(players, values, nil)
}

// readPlayers reads the number of players.
func readPlayers(raw json.RawMessage) (int, error) {
	var players *int
	if err := json.Unmarshal(raw, &players); err != nil || players == nil {
		return 0, fmt.Errorf("want a whole number, got %s", excerpt(raw))
	}
	return *players, checkPlayers(*players)
}

// readFinite reads a number.
func readFinite(raw json.RawMessage) (float64, error) {
	x, err := strconv.ParseFloat(string(raw), 64)
	if err != nil { // out of range, or no number
		return 0, fmt.Errorf("want a finite number, got %s", excerpt(raw))
	}
	return x, nil
}

// excerpt shortens what is shown of a document.
func excerpt(raw json.RawMessage) string {
	const most = 40
	switch {
	case len(raw) == 0:
		return "none"
	case len(raw) > most:
		return string(bytes.ToValidUTF8(raw[:most], nil)) + "..."
	}
	return string(raw)
}

// shapiqEmpty is shapiq's name of the coalition of nobody.
const shapiqEmpty = "Empty"

// readShapiqGame reads the form that shapiq's Game.save writes as JSON: a value for
// each "Empty", "0", "0,1". The values are taken as they are stored, without the
// normalisation that shapiq takes off when it plays the game.
func readShapiqGame(doc gameDocument) (*games, error) {
	var metadata struct {
		Players json.RawMessage `json:"n_players"`
		Names   json.RawMessage `json:"player_names"`
	}
	if err := json.Unmarshal(doc["metadata"], &metadata); err != nil {
		return nil, fmt.Errorf("metadata: want an object, got %s", excerpt(doc["metadata"]))
	}
	players, err := readPlayers(metadata.Players)
	if err != nil {
		return nil, fmt.Errorf("metadata.n_players: %w", err)
	}
	var names []string
	if metadata.Names != nil {
		if err := json.Unmarshal(metadata.Names, &names); err != nil || names != nil && len(names) != players {
			return nil, fmt.Errorf("metadata.player_names: want %d names or null, got %s", players, excerpt(metadata.Names))
		}
	}
	filler := newTableFiller(players)
	// Token by token: a map would hide a coalition that stands there twice.
	dec := json.NewDecoder(bytes.NewReader(doc["data"]))
	if open, err := dec.Token(); err != nil || open != json.Delim('{') {
		return nil, fmt.Errorf("data: want an object, got %s", excerpt(doc["data"]))
	}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		key := token.(string) // the document was valid, and here a key stands
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, fmt.Errorf("data: %w", err)
		}
		s, err := readCoalition(key, players)
		if err == nil {
			var x float64
			if x, err = readFinite(raw); err == nil {
				err = filler.set(s, x)
			}
		}
		if err != nil {
			return nil, fmt.Errorf("data[%q]: %w", key, err)
		}
	}
	if err := filler.complete(); err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	return oneGame(players, filler.values, names)
}

// readCoalition reads "Empty", "0" or "0,2".
func readCoalition(key string, players int) (game.Coalition, error) {
	var s game.Coalition
	if key == shapiqEmpty {
		return 0, nil
	}
	for text := range strings.SplitSeq(key, ",") {
		i, err := strconv.Atoi(strings.TrimSpace(text))
		if err != nil || i < 0 || i >= players || s.Has(i) {
			return 0, fmt.Errorf("want a coalition such as %q, \"0\" or \"0,1\", of players 0 to %d", shapiqEmpty, players-1)
		}
		s = s.With(i)
	}
	return s, nil
}

// A tableFiller takes the values of coalitions in any order.
type tableFiller struct {
	values []float64
	there  []bool
	count  int
}

func newTableFiller(players int) *tableFiller {
	return &tableFiller{values: make([]float64, 1<<players), there: make([]bool, 1<<players)}
}

func (f *tableFiller) set(s game.Coalition, x float64) error {
	if f.there[s] {
		return fmt.Errorf("coalition %s is there twice", s)
	}
	f.values[s], f.there[s] = x, true
	f.count++
	return nil
}

// complete refuses a table with gaps.
func (f *tableFiller) complete() error {
	for s, there := range f.there {
		if !there {
			return fmt.Errorf("want the values of all %d coalitions, got %d: %s is missing", len(f.there), f.count, game.Coalition(s))
		}
	}
	return nil
}

// readNPZGame reads the form that shapiq's Game.save writes as NPZ: values [n] and
// coalitions [n, players]. It returns nil for a file that has no coalitions, which is
// not one.
func readNPZGame(ctx context.Context, path, target string) (g *games, err error) {
	file, err := dataset.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	positions := []int{-1, -1}
	for i, c := range file.Columns() {
		switch c.Name {
		case "values":
			positions[0] = i
		case "coalitions":
			positions[1] = i
		}
	}
	if positions[1] < 0 {
		return nil, nil
	}
	if positions[0] < 0 {
		return nil, inFile(path, errors.New("want an array \"values\" beside \"coalitions\", got none"))
	}
	values, coalitions := file.Columns()[positions[0]], file.Columns()[positions[1]]
	for _, c := range []dataset.Column{values, coalitions} {
		if c.Refused != nil {
			return nil, c.Refused
		}
	}
	switch {
	case !values.DType.IsFloat() && !values.DType.IsInteger() || len(values.Shape) > 0:
		return nil, inFile(path, fmt.Errorf("values: want a list of numbers, got %s of shape %s a row", values.DType, tensor.FormatShape(values.Shape)))
	case coalitions.DType != tensor.Bool && !coalitions.DType.IsInteger() || len(coalitions.Shape) != 1:
		return nil, inFile(path, fmt.Errorf("coalitions: want a row of true and false a coalition, got %s of shape %s a row", coalitions.DType, tensor.FormatShape(coalitions.Shape)))
	}
	players := coalitions.Shape[0]
	if err := checkPlayers(players); err != nil {
		return nil, inFile(path, fmt.Errorf("coalitions: %w", err))
	}
	if n := 1 << players; values.Rows != n || coalitions.Rows != n {
		return nil, inFile(path, fmt.Errorf("want the values of all %d coalitions of %d players, got %d values and %d coalitions", n, players, values.Rows, coalitions.Rows))
	}
	columns, err := file.Read(ctx, 0, 1<<players, positions)
	if err != nil {
		return nil, err
	}
	if row, _, found := columns[0].NonFinite(); found {
		return nil, inFile(path, fmt.Errorf("values: row %d: want a finite number, got %s", row, columns[0].Format(row)))
	}
	numbers := make([]float64, 1<<players)
	columns[0].Float64s(numbers)
	cast, err := tensor.Cast(columns[1], tensor.Bool)
	if err != nil {
		return nil, inFile(path, fmt.Errorf("coalitions: %w", err))
	}
	present := tensor.Values[bool](cast)
	filler := newTableFiller(players)
	for row, x := range numbers {
		var s game.Coalition
		for i, p := range present[row*players : (row+1)*players] {
			if p {
				s = s.With(i)
			}
		}
		if err := filler.set(s, x); err != nil {
			return nil, inFile(path, fmt.Errorf("coalitions: row %d: %w", row, err))
		}
	}
	if err := noTarget(path, target); err != nil {
		return nil, err
	}
	return oneGame(players, filler.values, nil)
}
