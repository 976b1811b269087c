package intershap

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// sameRun says how the facts of two shards are those of two runs.
func sameRun(name string, mine []trait, other string, others []trait) error {
	for _, t := range slices.Concat(mine, others) {
		if a, b := valueOf(mine, t.name), valueOf(others, t.name); a != b {
			return fmt.Errorf("intershap: merge: %s and %s are of two runs: %s is %s in the first and %s in the second; give the shards of one run",
				name, other, t.name, brief(a), brief(b))
		}
	}
	return nil
}

// A trait is a fact of the run as JSON.
type trait struct{ name, value string }

// absentTrait is what messages call the value of a fact that a run does not have.
const absentTrait = "not there"

// valueOf returns the value of a trait.
func valueOf(traits []trait, name string) string {
	if at := slices.IndexFunc(traits, func(t trait) bool { return t.name == name }); at >= 0 {
		return traits[at].value
	}
	return absentTrait
}

// brief cuts a long value for a message.
func brief(text string) string {
	const most = 80
	if letters := []rune(text); len(letters) > most {
		return string(letters[:most]) + "..."
	}
	return text
}

// traits are all that shards of one run have in common.
func (x *Partial) traits() ([]trait, error) {
	var out []trait
	add := func(name string, value any) error {
		text, err := json.Marshal(value)
		out = append(out, trait{name, string(text)})
		return err
	}
	for _, fact := range x.identity {
		if err := add(fact.Name, fact.Value); err != nil {
			return nil, err
		}
	}
	provenance := x.provenance
	provenance.Command = ""
	// The digests count: another machine may have the files in another folder.
	provenance.Model.Source, provenance.Data.Source.Source, provenance.Background.Source.Source = "", "", ""
	for _, of := range []any{provenance, x.facts} {
		raw, err := json.Marshal(of)
		if err != nil {
			return nil, err
		}
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal(raw, &fields); err != nil {
			return nil, err
		}
		for _, name := range slices.Sorted(maps.Keys(fields)) {
			if slices.ContainsFunc(out, func(t trait) bool { return t.name == name }) {
				continue // by both, and the same
			}
			if err := add(name, fields[name]); err != nil {
				return nil, err
			}
		}
	}
	return out, add("tiles", x.tiles.Of)
}
