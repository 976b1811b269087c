package cli

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/intershap/intershap/dataset"
)

// runIndexIn runs the command on a file with these contents.
func runIndexIn(t *testing.T, name string, contents []byte, args ...string) (code int, out, errs string) {
	t.Helper()
	if contents != nil {
		if err := os.WriteFile(name, contents, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, stdout, stderr := fakeStreams(false, 0)
	code = run(t.Context(), append([]string{"index", name}, args...), s)
	return code, stdout.String(), stderr.String()
}

const cookingGame = `{"players": 3, "values": [10, 4, 3, 9, 2, 8, 7, 15], "note": "ignored", "schema": 5}`

// npz returns an archive of arrays, each a type, a shape and bytes.
func npz(t *testing.T, arrays map[string]npzArray) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, a := range arrays {
		f, err := w.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(append([]byte(dataset.NPYHeader(a.descr, a.shape...)), a.data...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

type npzArray struct {
	descr string
	shape []int
	data  []byte
}

func float64Bytes(values ...float64) []byte {
	var out []byte
	for _, x := range values {
		bits := math.Float64bits(x)
		for i := range 8 {
			out = append(out, byte(bits>>(8*i)))
		}
	}
	return out
}

// The same game in every form gives the same document, but for names.
func TestIndexForms(t *testing.T) {
	t.Chdir(t.TempDir())
	code, want, errs := runIndexIn(t, "game.json", []byte(cookingGame), "--json", "--index", "k-SII")
	if code != exitDone || errs != "" {
		t.Fatalf("code %d: %s", code, errs)
	}
	// By size, as shapiq stores them: {}, 0, 1, 2, 01, 02, 12, 012.
	values := []float64{10, 4, 3, 2, 9, 8, 7, 15}
	present := []byte{0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1}
	shapiq := `{"object_name": "Game", "data_type": "game", "metadata": {"n_players": 3, "normalization_value": 10, "player_names": null},
		"data": {"0,1,2": 15, "Empty": 10, "0": 4, "1": 3.0, "2": 2e0, "0,1": 9, "2,0": 8, "1, 2": 7}}`
	for name, contents := range map[string][]byte{
		"shapiq.json": []byte(shapiq),
		"shapiq.npz": npz(t, map[string]npzArray{
			"values": {"<f8", []int{8}, float64Bytes(values...)}, "coalitions": {"|b1", []int{8, 3}, present},
			"n_players": {"<i8", nil, make([]byte, 8)}, "normalization_value": {"<f8", nil, float64Bytes(10)},
		}),
		"integers.npz": npz(t, map[string]npzArray{
			"values": {"|i1", []int{8}, []byte{10, 4, 3, 2, 9, 8, 7, 15}}, "coalitions": {"|u1", []int{8, 3}, present},
		}),
	} {
		if code, got, errs := runIndexIn(t, name, contents, "--json"); code != exitDone || got != want {
			t.Errorf("%s: code %d, %s\n%s\nwant\n%s", name, code, errs, got, want)
		}
	}
	var doc struct {
		Index  string
		Order  int
		Values map[string]float64
	}
	if err := json.Unmarshal([]byte(want), &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Index != "k-SII" || doc.Order != 2 || len(doc.Values) != 7 {
		t.Errorf("got %+v", doc)
	}
	for key, x := range map[string]float64{"": 10, "0": -13. / 3, "1": -16. / 3, "2": -19. / 3, "0,1": 7, "0,2": 7, "1,2": 7} {
		if got, found := doc.Values[key]; !found || math.Abs(got-x) > 1e-14 {
			t.Errorf("values[%q]: want %v, got %v", key, x, got)
		}
	}
	// In the order of a list: by size, then by players.
	if a, b, c := strings.Index(want, `"0":`), strings.Index(want, `"0,2":`), strings.Index(want, `"1,2":`); a > b || b > c {
		t.Errorf("the keys are out of order:\n%s", want)
	}
}

// Every index with every order it has, by the default order and at the bounds.
func TestIndexOrders(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, tt := range []struct {
		args, want string
		code       int
	}{
		{"--index SV", "\"order\": 1,", exitDone},
		{"--index BV --order 1", "\"0\": 3.5,", exitDone},
		{"--index Moebius --order 3", "\"0,1,2\": -10\n", exitDone},
		{"--index STII", "\"0,1\": 8.666666666666", exitDone},
		{"--index FSII", "\"0,1\": ", exitDone},
		{"--index FBII", "\"\": 8.75,", exitDone},
		{"--index SII --order 1", "\"values\": {\n    \"0\"", exitDone}, // no empty coalition
		{"--index SV --order 2", "SV has values of single players, order 1", exitUsage},
		{"--order 4", "game.json: index: want an order of 1 to 3, the number of players, got 4", exitFailed},
		{"--order 21", "want at most 20", exitUsage},
		{"--order 0", "want a whole number of at least 1", exitUsage},
		{"--index k-sii", "did you mean \"k-SII\"?", exitUsage},
		{"--target x", "want samples of several targets for --target x, got one game", exitFailed},
		{"--mean", "\"samples\": null", exitDone},
		{"--out result.txt", "want a name that ends in .json", exitUsage},
		{"--out game.json --force", "the run reads this file", exitUsage},
	} {
		code, out, errs := runIndexIn(t, "game.json", []byte(cookingGame), append([]string{"--json"}, strings.Fields(tt.args)...)...)
		if code != tt.code || !strings.Contains(out+errs, tt.want) {
			t.Errorf("%s: want code %d and %q, got %d\n%s%s", tt.args, tt.code, tt.want, code, out, errs)
		}
		if code != exitDone && out != "" {
			t.Errorf("%s: failed with output %q", tt.args, out)
		}
	}
	// One player has no pair, and no reference.
	code, out, errs := runIndexIn(t, "one.json", []byte(`{"players": 1, "values": [1, 3]}`), "--index", "BII")
	if code != exitDone || !strings.Contains(out, "0\t2.000") || strings.Contains(out, "parity") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	// A constant game has nothing to share; -0 is shown nowhere.
	code, out, errs = runIndexIn(t, "flat.json", []byte(`{"players": 2, "values": [-1, -1, -1, -1]}`), "--json")
	if code != exitDone || !strings.Contains(out, `"global": null, "local": null, "undefined": 1`) || strings.Contains(out, "-0") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
	code, out, errs = runIndexIn(t, "flat.json", nil)
	if code != exitDone || !strings.Contains(out, "one player\tundefined\tundefined") {
		t.Errorf("code %d: %s%s", code, out, errs)
	}
}

// Files that are no games: an error that names file and place, and no output.
func TestIndexRefuses(t *testing.T) {
	t.Chdir(t.TempDir())
	game := func(metadata, data string) string {
		return fmt.Sprintf(`{"data_type": "game", "metadata": %s, "data": %s}`, metadata, data)
	}
	one := []byte{0, 1}
	for _, tt := range []struct{ name, contents, want string }{
		{"a.json", `{"players": 2, "values": [1,2,3]}`, "a.json: values: want 4 numbers, one for each coalition of 2 players, got 3"},
		{"a.json", `{"players": 2, "values": [1,2,3,null]}`, "a.json: values[3], coalition {0,1}: want a finite number, got null"},
		{"a.json", `{"players": 2, "values": [1,2,"3",4]}`, `values[2], coalition {1}: want a finite number, got "3"`},
		{"a.json", `{"players": 2, "values": [1,2,1e999,4]}`, "values[2], coalition {1}: want a finite number, got 1e999"},
		{"a.json", "{\"players\": 2,\n \"values\": [1,2,NaN,4]}", "a.json: line 2, column 17: want JSON: invalid character 'N'"},
		{"a.json", `{"players": 2, "values": [1,2,`, "a.json: the document ends too early"},
		{"a.json", "", "the document ends too early"},
		{"a.json", `{"players": 21, "values": [1]}`, "players: want 1 to 20 players, got 21"},
		{"a.json", `{"players": 0, "values": [1]}`, "players: want 1 to 20 players, got 0"},
		{"a.json", `{"players": -1, "values": [1]}`, "players: want 1 to 20 players, got -1"},
		{"a.json", `{"players": 1.5, "values": [1]}`, "players: want a whole number, got 1.5"},
		{"a.json", `{"players": null, "values": [1]}`, "players: want a whole number, got null"},
		{"a.json", `{"values": [1]}`, "players: want a whole number, got none"},
		{"a.json", `{"players": 2}`, "values: want a list of numbers, got none"},
		{"a.json", `{"players": 2, "values": {"a": 1}}`, `values: want a list of numbers, got {"a": 1}`},
		{"a.json", `{"players": 2, "values": "` + strings.Repeat("x", 90) + `"}`, `xxx...`},
		{"a.json", `[1]`, "want a JSON object, got array"},
		{"a.json", `{}`, `want the keys "players" and "values", or a game of shapiq, got neither`},
		{"a.json", `{"players": 2, "values": [1e308,-1e308,1e308,-1e308]}`, "the values are too large: k-SII of coalition {0} overflows"},
		{"a.json", `{"schema": "intershap/explanation/v1"}`, "explain --samples writes"},
		{"a.json", `{"data_type": "interaction_values", "metadata": {}, "data": {}}`, `got data of the type "interaction_values"`},
		{"a.json", game(`{"n_players": 1}`, `{"Empty": 1}`), "data: want the values of all 2 coalitions, got 1: {0} is missing"},
		{"a.json", game(`{"n_players": 1}`, `{"Empty": 1, "0": 1, "0": 2}`), `data["0"]: coalition {0} is there twice`},
		{"a.json", game(`{"n_players": 2}`, `{"0,1": 1, "1,0": 2}`), `data["1,0"]: coalition {0,1} is there twice`},
		{"a.json", game(`{"n_players": 1}`, `{"Empty": 1, "1": 1}`), `data["1"]: want a coalition`},
		{"a.json", game(`{"n_players": 2}`, `{"1,1": 1}`), `data["1,1"]: want a coalition`},
		{"a.json", game(`{"n_players": 1}`, `{"\u001b[2J": 1}`), `data["\x1b[2J"]: want a coalition`},
		{"a.json", game(`{"n_players": 1}`, `{"Empty": "x"}`), `data["Empty"]: want a finite number, got "x"`},
		{"a.json", game(`{"n_players": 1}`, `[1]`), "data: want an object, got [1]"},
		{"a.json", game(`{"n_players": "1"}`, `{}`), `metadata.n_players: want a whole number, got "1"`},
		{"a.json", game(`{"n_players": 99}`, `{}`), `metadata.n_players: want 1 to 20 players, got 99`},
		{"a.json", game(`7`, `{}`), `metadata: want an object, got 7`},
		{"a.json", game(`{"n_players": 1, "player_names": ["a", "b"]}`, `{}`), `metadata.player_names: want 1 names or null, got ["a", "b"]`},
		{"a.npz", "no archive", "a.npz"},
		{"a.npz", string(npz(t, map[string]npzArray{"x": {"|b1", []int{2}, one}})), "a.npz: want a samples file"},
		{"a.npz", string(npz(t, map[string]npzArray{"coalitions": {"|b1", []int{2, 1}, one}})), `want an array "values" beside "coalitions", got none`},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{2}, float64Bytes(1, math.NaN())}, "coalitions": {"|b1", []int{2, 1}, one},
		})), "a.npz: values: row 1: want a finite number, got NaN"},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{2}, float64Bytes(1, 2)}, "coalitions": {"|b1", []int{2, 1}, []byte{1, 1}},
		})), "a.npz: coalitions: row 1: coalition {0} is there twice"},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{2}, float64Bytes(1, 2)}, "coalitions": {"|u1", []int{2, 1}, []byte{0, 2}},
		})), "a.npz: coalitions: "},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{3}, float64Bytes(1, 2, 3)}, "coalitions": {"|b1", []int{3, 2}, make([]byte, 6)},
		})), "want the values of all 4 coalitions of 2 players, got 3 values and 3 coalitions"},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{1, 2}, float64Bytes(1, 2)}, "coalitions": {"|b1", []int{2, 1}, one},
		})), "a.npz: values: want a list of numbers"},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{2}, float64Bytes(1, 2)}, "coalitions": {"|b1", []int{2}, one},
		})), "a.npz: coalitions: want a row of true and false"},
		{"a.npz", string(npz(t, map[string]npzArray{
			"values": {"<f8", []int{2}, float64Bytes(1, 2)}, "coalitions": {"|b1", []int{2, 21}, make([]byte, 42)},
		})), "a.npz: coalitions: want 1 to 20 players, got 21"},
		{"a.csv", "id\n1\n", "a.csv"},
	} {
		code, out, errs := runIndexIn(t, tt.name, []byte(tt.contents))
		if code != exitFailed || out != "" || !strings.Contains(errs, tt.want) || strings.Contains(errs, "\x1b") {
			t.Errorf("%.80q: want code 1 and %q, got %d, %q and %s", tt.contents, tt.want, code, out, errs)
		}
	}
	if code, _, errs := runIndexIn(t, "none.json", nil); code != exitFailed || !strings.Contains(errs, "none.json: cannot be opened") {
		t.Errorf("code %d: %s", code, errs)
	}
	if err := os.Mkdir("folder.json", 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runIndexIn(t, "folder.json", nil); code != exitFailed || !strings.Contains(errs, "folder.json: want a file") {
		t.Errorf("code %d: %s", code, errs)
	}
	if code, _, errs := runIndexIn(t, "game.txt", nil); code != exitUsage || !strings.Contains(errs, "want a name that ends in .json, .npz or .jsonl") {
		t.Errorf("code %d: %s", code, errs)
	}
}

// The table on a terminal, with names from a file.
func TestIndexTable(t *testing.T) {
	t.Chdir(t.TempDir())
	named := `{"data_type": "game", "metadata": {"n_players": 2, "player_names": ["image", "\u001b[31mecg"]},
		"data": {"Empty": 0, "0": 1, "1": 1, "0,1": 1}}`
	if err := os.WriteFile("game.json", []byte(named), 0o600); err != nil {
		t.Fatal(err)
	}
	s, out, errs := fakeStreams(true, 0)
	if code := run(t.Context(), []string{"index", "game.json"}, s); code != exitDone {
		t.Fatalf("code %d: %s", code, errs)
	}
	got := out.String()
	if strings.Contains(got, "\x1b") {
		t.Errorf("a name of the file reaches the terminal: %q", got)
	}
	for _, want := range []string{"k-SII, order 2: k-Shapley values", "to v(all) - v({}) = 1.000", "image × ", "-1.000", "33.3 %", "scores 100.0 %"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing:\n%s", want, got)
		}
	}
	// Of many coalitions the largest are shown.
	values := make([]string, 64)
	for i := range values {
		values[i] = fmt.Sprint(i * i % 17)
	}
	code, table, fault := runIndexIn(t, "many.json", []byte(fmt.Sprintf(`{"players": 6, "values": [%s]}`, strings.Join(values, ","))), "--order", "3")
	if code != exitDone || !strings.Contains(table, "The 15 largest of each size are shown; --json has 5 more.") {
		t.Errorf("code %d: %s%s", code, table, fault)
	}
}

// Whatever a document holds, it is a game with all its values, or an error.
func FuzzReadJSONGame(f *testing.F) {
	f.Add([]byte(cookingGame))
	f.Add([]byte(`{"data_type": "game", "metadata": {"n_players": 1, "player_names": ["a"]}, "data": {"Empty": 1, "0": 2}}`))
	f.Add([]byte(`{"players": 2, "values": [1, 2, NaN`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		path := t.TempDir() + "/game.json"
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		g, err := readGames(t.Context(), path, "")
		switch {
		case err != nil && (g != nil || !strings.Contains(err.Error(), "game.json: ")):
			t.Errorf("got %v and %v", g, err)
		case err == nil && (g.tables.Len() != 1 || g.tables.Players() != g.players || g.names != nil && len(g.names) != g.players):
			t.Errorf("got %+v", g)
		}
	})
}
