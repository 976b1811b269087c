package intershap

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/result"
)

// product multiplies two inputs; it has a digest, as a file has.
type product struct{ model.Model }

func (product) Digest() string { return "ab" }

// shardDocuments returns the documents of all shards of a small run.
func shardDocuments(t testing.TB, of int) []shardDocument {
	t.Helper()
	return shardDocumentsOf(t, of, forgery{[]string{"a", "b", "sex"}, Options{By: [][]string{{"sex"}}, Index: index.SII, Order: 2, Memory: 1 << 20}})
}

// shardDocumentsOf returns those of another small run.
func shardDocumentsOf(t testing.TB, of int, run forgery) []shardDocument {
	t.Helper()
	path := filepath.Join(t.TempDir(), "data.csv")
	if err := os.WriteFile(path, []byte(forgeRows(run.columns)), 0o600); err != nil {
		t.Fatal(err)
	}
	opt := run.opt
	opt.Sink = Discard
	if opt.BackgroundSize == 0 {
		opt.BackgroundSize = 20
	}
	var out []shardDocument
	for i := range of {
		f, err := dataset.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		opt.Shard = Shard{i, of}
		p, err := NewPlan(t.Context(), forgeModel(run.columns), f, nil, opt)
		if err != nil {
			t.Fatal(err)
		}
		part, err := p.Partial(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := part.Write(&b); err != nil {
			t.Fatal(err)
		}
		var d shardDocument
		if err := json.Unmarshal(b.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// sealed returns a document with the digest that it should have.
func sealed(t testing.TB, d shardDocument) []byte {
	t.Helper()
	var err error
	if d.SHA256, err = d.digest(); err != nil {
		t.Fatal(err)
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What contradicts itself is refused, whatever its digest says: what reads a shard takes
// its parts to fit.
func TestShardsThatContradictThemselves(t *testing.T) {
	docs := shardDocuments(t, 2)
	for _, d := range docs {
		if _, err := parsePartial(sealed(t, d)); err != nil {
			t.Fatalf("a good document: %v", err)
		}
	}
	for name, test := range map[string]struct {
		spoil func(d *shardDocument)
		want  string
	}{
		"tiles that are none":   {func(d *shardDocument) { d.Tiles.To = d.Tiles.From }, "its range of tiles is none"},
		"tiles below none":      {func(d *shardDocument) { d.Tiles.From = -1 }, "its range of tiles is none"},
		"more tiles than there": {func(d *shardDocument) { d.Tiles.To = d.Tiles.Of + 1 }, "its range of tiles is none"},
		"another number":        {func(d *shardDocument) { d.Shard.Number = 2 }, "its tiles are not those of its number"},
		"no number":             {func(d *shardDocument) { d.Shard = shardNumber{} }, "its tiles are not those of its number"},
		"a number of -1":        {func(d *shardDocument) { d.Shard.Of = -1 }, "its tiles are not those of its number"},
		"other samples":         {func(d *shardDocument) { d.Provenance.Data.Samples *= 2 }, "its tiles are not those of its samples"},
		"no samples":            {func(d *shardDocument) { d.Provenance.Data.Samples = 0 }, "its tiles are not those of its samples"},
		"tiles of no samples":   {func(d *shardDocument) { d.Tiles.Samples = 0 }, "its range of tiles is none"},
		"sums of another shard": {func(d *shardDocument) { d.Sums = docs[1].Sums }, "the sums of the matrices are of other tiles"},
		"interactions of another shard": {func(d *shardDocument) {
			d.Families = docs[1].Families
		}, "the sums of SII to order 2 are of other tiles"},
		"half of the sums":       {func(d *shardDocument) { d.Sums = d.Sums[:len(d.Sums)/2] }, "score: "},
		"no sums":                {func(d *shardDocument) { d.Sums = nil }, "damaged"},
		"one modality more":      {func(d *shardDocument) { d.Facts.Modalities = []string{"a", "b", "c"} }, "the sums of the matrices are of another shape"},
		"no modality":            {func(d *shardDocument) { d.Facts.Modalities = nil }, "it has no modality"},
		"one target more":        {func(d *shardDocument) { d.Facts.Targets = []string{"y", "z"} }, "its residuals are not those of its targets"},
		"another level":          {func(d *shardDocument) { d.Facts.Level = 1 }, "its level lies not between 0 and 1"},
		"another group":          {func(d *shardDocument) { d.Facts.By[0].Values = [][]string{{"f"}} }, "the sums of the matrices are of another shape"},
		"no groups":              {func(d *shardDocument) { d.Facts.By = nil }, "the sums of the matrices are of another shape"},
		"patterns":               {func(d *shardDocument) { d.Facts.Patterns = []pattern{{Present: 1, Samples: 40}} }, "are of another shape"},
		"patterns of few":        {func(d *shardDocument) { d.Facts.Patterns = []pattern{{Present: 1, Samples: 3}} }, "its patterns are not those of its samples"},
		"a pattern twice":        {func(d *shardDocument) { d.Facts.Patterns = []pattern{{1, 20}, {1, 20}} }, "its patterns are not those of its modalities"},
		"patterns of others":     {func(d *shardDocument) { d.Facts.Patterns = []pattern{{Present: 4, Samples: 40}} }, "its patterns are not those of its modalities"},
		"groups without players": {func(d *shardDocument) { d.Facts.Groups = []result.Grouping{{Modality: "x"}} }, "has no players"},
		"groups of others":       {func(d *shardDocument) { d.Facts.Groups = []result.Grouping{{Modality: "x", Players: []int{0, 1, 2}}} }, "its groups are not those of its players"},
		"groups of some":         {func(d *shardDocument) { d.Facts.Groups = []result.Grouping{{Modality: "x", Players: []int{0}}} }, "its groups are not those of its players"},
		"a modality twice":       {func(d *shardDocument) { d.Facts.Modalities = []string{"a", "a"} }, "it has a modality twice"},
		"a budget":               {func(d *shardDocument) { d.Facts.Sampling = &result.Sampling{Estimator: "regression", Draws: 4} }, "its draws are not those of its sums"},
		"no such estimator":      {func(d *shardDocument) { d.Facts.Sampling = &result.Sampling{Estimator: "guess"} }, "got \"guess\""},
		"a value more": {func(d *shardDocument) {
			d.Facts.By[0].Values[0] = []string{"f", "g"}
		}, "the values of a group by [\"sex\"] are not those of its columns"},
		"a group twice":       {func(d *shardDocument) { d.Facts.By[0].Values[0] = d.Facts.By[0].Values[1] }, "it has a group by [\"sex\"] twice"},
		"a column twice":      {func(d *shardDocument) { d.Facts.By[0].Columns = []string{"sex", "sex"} }, "by one twice"},
		"a partition twice":   {func(d *shardDocument) { d.Facts.By = append(d.Facts.By, d.Facts.By[0]) }, "the same columns twice"},
		"a background":        {func(d *shardDocument) { d.Facts.Background.WithBlocks = false }, "its background is not that of its sums"},
		"clusters":            {func(d *shardDocument) { d.Facts.Clustered = true }, "are of another shape"},
		"interactions of one": {func(d *shardDocument) { d.Facts.Families[0].Order, d.Families[0].Order, d.Facts.Order = 1, 1, 1 }, "of other coalitions"},
		"a million samples a tile": {func(d *shardDocument) {
			d.Tiles.Samples, d.Provenance.Data.Samples = 1<<62, 1<<62+1
		}, "its tiles are not those of its samples"},
		"weights":                {func(d *shardDocument) { d.Facts.Weighted = true }, "are of another shape"},
		"by class without any":   {func(d *shardDocument) { d.Facts.ByClass = true }, "it is by class and has no classes"},
		"no interactions":        {func(d *shardDocument) { d.Families = nil }, "it has not the interactions that it names"},
		"other interactions":     {func(d *shardDocument) { d.Facts.Order = 1 }, "it lacks the interactions that were asked for"},
		"no identity":            {func(d *shardDocument) { d.Identity = nil }, "it does not say of which run it is"},
		"another convention":     {func(d *shardDocument) { d.Provenance.Convention = "single-pair" }, "its provenance is not that of its sums"},
		"residuals of no target": {func(d *shardDocument) { d.Residual = nil }, "its residuals are not those of its targets"},
	} {
		d := copied(t, docs[0])
		test.spoil(&d)
		if _, err := parsePartial(sealed(t, d)); err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: want %q, got %v", name, test.want, err)
		}
		// Without a new seal nothing passes.
		raw, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePartial(raw); err == nil || !strings.Contains(err.Error(), "digest") {
			t.Errorf("%s: want a word on the digest, got %v", name, err)
		}
	}
}

// What is not there is not taken for granted: a document without a field, with the
// digest that it should have.
func TestShardsThatLackAField(t *testing.T) {
	d := shardDocuments(t, 1)[0]
	var document map[string]json.RawMessage
	if err := json.Unmarshal(sealed(t, d), &document); err != nil {
		t.Fatal(err)
	}
	may := map[string]string{"warnings": "", "task_guessed": "", "cost": ""} // the result says less
	for field := range document {
		lacking := maps.Clone(document)
		delete(lacking, field)
		raw, err := json.Marshal(lacking)
		if err != nil {
			t.Fatal(err)
		}
		var part shardDocument
		if err := json.Unmarshal(raw, &part); err != nil {
			t.Fatal(err)
		}
		if field != "sha256" {
			if part.SHA256, err = part.digest(); err != nil {
				continue // nothing to seal: facts without a convention are none
			}
		}
		if raw, err = json.Marshal(part); err != nil {
			t.Fatal(err)
		}
		_, err = parsePartial(raw)
		if _, ok := may[field]; ok != (err == nil) {
			t.Errorf("without %s: %v", field, err)
		}
		if err != nil && field != "sha256" && strings.Contains(err.Error(), "digest") {
			t.Errorf("without %s it is not sealed: %v", field, err)
		}
	}
	if len(document) != 14 {
		t.Errorf("%d fields, want 14: say what becomes of a document without the new one", len(document))
	}
}

// Every fact of a run's identity is in docs/format/checkpoint.md, which shard.md names.
func TestIdentityIsWrittenDown(t *testing.T) {
	source, err := os.ReadFile("checkpoint.go")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile("docs/format/checkpoint.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`\{Name: "([a-z0-9_]+)"`).FindAllSubmatch(source, -1)
	if len(names) < 20 {
		t.Fatalf("found %d facts in checkpoint.go, want more than 20", len(names))
	}
	for _, name := range names {
		if !bytes.Contains(doc, append(append([]byte("`"), name[1]...), '`')) {
			t.Errorf("docs/format/checkpoint.md does not name %s", name[1])
		}
	}
}

// Columns that break samples down are named once.
func TestByIsNamedOnce(t *testing.T) {
	for _, by := range [][][]string{{{}}, {{""}}, {{"a", "a"}}, {{"a"}, {"b"}, {"a"}}} {
		if err := (Options{By: by}).withDefaults().validate(); err == nil || !strings.Contains(err.Error(), "by: ") {
			t.Errorf("by %q: %v", by, err)
		}
	}
	for _, by := range [][][]string{nil, {{"a"}, {"b"}}, {{"a", "b"}, {"b", "a"}, {"a"}}} {
		if err := (Options{By: by}).withDefaults().validate(); err != nil {
			t.Errorf("by %q: %v", by, err)
		}
	}
}

// copied returns a copy that shares nothing.
func copied(t testing.TB, d shardDocument) shardDocument {
	t.Helper()
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var out shardDocument
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// A document that is indented anew is the same shard; one with another number is not.
func TestShardDigest(t *testing.T) {
	d := shardDocuments(t, 1)[0]
	raw := sealed(t, d)
	var anew bytes.Buffer
	if err := json.Indent(&anew, raw, "  ", "\t"); err != nil {
		t.Fatal(err)
	}
	if _, err := parsePartial(anew.Bytes()); err != nil {
		t.Errorf("indented anew: %v", err)
	}
	other := d
	other.Sums = bytes.Clone(d.Sums)
	other.Sums[len(other.Sums)-1] ^= 1 // the last bit of a sum
	a, err := d.digest()
	if err != nil {
		t.Fatal(err)
	}
	b, err := other.digest()
	if err != nil {
		t.Fatal(err)
	}
	if a == b || len(a) != 64 {
		t.Errorf("digests %q and %q of two documents", a, b)
	}
}

// FuzzShard reads documents of any kind, with the digest that they should have, and
// merges what passes: an error or an explanation, and no panic.
func FuzzShard(f *testing.F) {
	for _, d := range shardDocuments(f, 1) {
		f.Add(sealed(f, d))
		d.Facts.By = nil
		f.Add(sealed(f, d))
	}
	for _, run := range forgeable() {
		f.Add(sealed(f, shardDocumentsOf(f, 1, run)[0]))
	}
	f.Add([]byte(`{"schema": "intershap/shard/v1", "tiles": {"from": 0, "to": 1, "of": 1, "samples": 1}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		_, _ = parsePartial(raw)
		var d shardDocument
		if json.Unmarshal(raw, &d) != nil {
			return
		}
		digest, err := d.digest()
		if err != nil {
			return
		}
		d.SHA256 = digest
		if raw, err = json.Marshal(d); err != nil {
			return
		}
		if part, err := parsePartial(raw); err == nil {
			_, _ = Merge(part)
		}
	})
}
