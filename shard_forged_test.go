package intershap

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/index"
	"github.com/intershap/intershap/model"
)

// A forgery is a small run whose shards are to be forged.
type forgery struct {
	columns []string
	opt     Options
}

// forgeable are runs whose shards hold, together, everything that a shard can.
func forgeable() map[string]forgery {
	return map[string]forgery{
		"plain":   {[]string{"a", "b", "sex", "w", "patient"}, Options{By: [][]string{{"sex"}}, Index: index.SII, Order: 2, Weight: "w", Cluster: "patient"}},
		"missing": {[]string{"a", "b", "c.0", "c.1", "has_b", "sex"}, Options{Missing: []string{"b=has_b"}, By: [][]string{{"sex"}}}},
		"groups":  {[]string{"a", "c.0", "c.1", "c.2"}, Options{Groups: []string{"c=each"}}},
		"budget": {[]string{"a", "b", "c.0", "c.1", "c.2", "c.3", "c.4", "c.5"}, Options{
			Modalities: []string{"m0=c.0", "m1=c.1", "m2=c.2", "m3=c.3", "m4=c.4", "m5=c.5", "m6=a", "m7=b"},
			Budget:     200, Estimator: approx.Permutation, BackgroundSize: 2,
		}},
	}
}

// places returns all places in a document, less the sums, all but the first of a
// list, and what goes into the explanation as it is.
func places(at []string, of any) (out [][]string) {
	out = append(out, at)
	next := func(name string, x any) {
		switch name {
		case "sums", "sha256", "identity", "cost", "model", "background", "command":
			return // of which nothing is read but by another shard's
		}
		out = append(out, places(append(append([]string{}, at...), name), x)...)
	}
	switch of := of.(type) {
	case map[string]any:
		for name, x := range of {
			next(name, x)
		}
	case []any:
		if len(of) > 0 {
			next("0", of[0])
		}
	}
	return out
}

// forged returns a document with another value at a place.
func forged(t *testing.T, d shardDocument, at []string, value func(old any) any) (shardDocument, bool) {
	t.Helper()
	sums := [][]byte{d.Sums}
	d.Sums, d.Families = nil, slices.Clone(d.Families) // most of the bytes, and none of the places
	for i := range d.Families {
		sums = append(sums, d.Families[i].Sums)
		d.Families[i].Sums = nil
	}
	raw, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	var document any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	var change func(of any, at []string) any
	change = func(of any, at []string) any {
		if len(at) == 0 {
			return value(of)
		}
		switch of := of.(type) {
		case map[string]any:
			of[at[0]] = change(of[at[0]], at[1:])
		case []any:
			i, err := strconv.Atoi(at[0])
			if err != nil {
				t.Fatal(err)
			}
			of[i] = change(of[i], at[1:])
		}
		return of
	}
	if raw, err = json.Marshal(change(document, at)); err != nil {
		t.Fatal(err)
	}
	var out shardDocument
	if err := json.Unmarshal(raw, &out); err != nil {
		return out, false
	}
	out.Sums = sums[0]
	for i := range out.Families {
		out.Families[i].Sums = sums[(1+i)%len(sums)]
	}
	_, err = out.digest() // of what no document can say there is none
	return out, err == nil
}

// Whatever value stands wherever in a shard, with the digest that it should have: an
// error or an explanation, and no panic.
func TestForgedShards(t *testing.T) {
	for name, f := range forgeable() {
		t.Run(name, func(t *testing.T) {
			d := shardDocumentsOf(t, 1, f)[0]
			raw, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			var document any
			if err := json.Unmarshal(raw, &document); err != nil {
				t.Fatal(err)
			}
			forgeries := map[string]func(any) any{
				"null": func(any) any { return nil }, "a list": func(any) any { return []any{} }, "an object": func(any) any { return map[string]any{} },
				"an empty object in a list": func(any) any { return []any{map[string]any{}} },
				"a text":                    func(any) any { return "x" },
				"a negative number":         func(any) any { return -3 }, "zero": func(any) any { return 0 }, "a large number": func(any) any { return 1 << 40 },
				"twice": func(old any) any {
					list, _ := old.([]any)
					return append(slices.Clone(list), list...)
				},
				"one less": func(old any) any {
					list, _ := old.([]any)
					return slices.Clone(list)[min(1, len(list)):]
				},
				"the other": func(old any) any { return old != true },
				"one more": func(old any) any {
					n, _ := old.(float64)
					return n + 1
				},
			}
			panics, merged := 0, 0
			for _, at := range places(nil, document) {
				for what, value := range forgeries {
					got, ok := forged(t, d, at, value)
					if !ok || panics > 20 {
						continue
					}
					func() {
						defer func() {
							if r := recover(); r != nil {
								panics++
								t.Errorf("%s as %s: panic: %v", strings.Join(at, "."), what, r)
							}
						}()
						part, err := parsePartial(sealed(t, got))
						if err != nil {
							return
						}
						if _, err := Merge(part); err == nil {
							merged++
						}
					}()
				}
			}
			if merged == 0 {
				t.Error("nothing merges, so that nothing is tested")
			}
		})
	}
}

// The same of the sums, whose checksum is right too.
func TestForgedSums(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 12))
	numbers := []float64{0, 1, 2, -1, .5, 1e300, -1e300, 1e-300, math.MaxFloat64, 1 << 40}
	for name, f := range forgeable() {
		t.Run(name, func(t *testing.T) {
			d := shardDocumentsOf(t, 1, f)[0]
			forge := func(raw []byte) []byte {
				out := append([]byte{}, raw...)
				body := out[:len(out)-4]
				for range 1 + rng.IntN(3) {
					switch rng.IntN(3) {
					case 0: // of the layout
						at := min(len(body)-1, 16+rng.IntN(40))
						body[at] ^= 1 << rng.IntN(8)
					case 1: // the head of the first section, or what is near
						at := min(len(body)-8, 24+rng.IntN(200))
						binary.LittleEndian.PutUint64(body[at:], math.Float64bits(numbers[rng.IntN(len(numbers))]))
					default:
						at := rng.IntN(len(body) - 8)
						binary.LittleEndian.PutUint64(body[at:], math.Float64bits(numbers[rng.IntN(len(numbers))]))
					}
				}
				binary.LittleEndian.PutUint32(out[len(out)-4:], crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)))
				return out
			}
			panics := 0
			for i := range 100 {
				got := copied(t, d)
				got.Sums = forge(got.Sums)
				for k := range got.Families {
					if rng.IntN(2) == 0 {
						got.Families[k].Sums = forge(got.Families[k].Sums)
					}
				}
				func() {
					defer func() {
						if r := recover(); r != nil && panics < 5 {
							panics++
							t.Errorf("forgery %d: panic: %v", i, r)
						}
					}()
					if part, err := parsePartial(sealed(t, got)); err == nil {
						_, _ = Merge(part)
					}
				}()
			}
		})
	}
}

// forgeRows are 40 samples with some columns.
func forgeRows(columns []string) string {
	var b strings.Builder
	b.WriteString(strings.Join(columns, ",") + "\n")
	for r := range 40 {
		for i, name := range columns {
			value := fmt.Sprint((r*(i+2))%11 - 5)
			switch name {
			case "has_b":
				value = strconv.Itoa(min(1, r%5))
			case "sex":
				value = "fm"[r%2 : r%2+1]
			case "w":
				value = strconv.Itoa(r % 3)
			case "patient":
				value = fmt.Sprintf("p%d", r%9)
			}
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(value)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// forgeModel multiplies all numbers that it sees, and adds the last.
func forgeModel(columns []string) model.Model {
	var inputs []string
	for _, name := range columns {
		if name, _, _ = strings.Cut(name, "."); !slices.Contains([]string{"has_b", "sex", "w", "patient"}, name) && !slices.Contains(inputs, name) {
			inputs = append(inputs, name)
		}
	}
	return product{model.RowFunc("y", func(x model.Row) []float64 {
		y, last := 1., 0.
		for _, name := range inputs {
			for _, v := range x(name) {
				y, last = y*v, v
			}
		}
		return []float64{y + last}
	})}
}
