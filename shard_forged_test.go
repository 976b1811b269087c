package intershap

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/intershap/intershap/approx"
	"github.com/intershap/intershap/index"
)

// forgeable are options whose shards hold everything that a shard can.
func forgeable() map[string]Options {
	return map[string]Options{
		"plain":   {By: [][]string{{"sex"}}, Index: index.SII, Order: 2, Weight: "w", Cluster: "patient", Fixed: []string{"w", "has_b", "c"}},
		"missing": {Missing: []string{"b=has_b"}, By: [][]string{{"sex", "patient"}}, Fixed: []string{"w", "has_b", "c"}},
		"groups":  {Groups: []string{"c=each"}, Fixed: []string{"w", "has_b", "a", "b"}},
		"budget": {
			Modalities: []string{"m0=c.0", "m1=c.1", "m2=c.2", "m3=c.3", "m4=c.4", "m5=c.5", "m6=a", "m7=b"}, Fixed: []string{"w", "has_b"},
			Budget: 240, Estimator: approx.Permutation, BackgroundSize: 2,
		},
	}
}

// places returns all places in a document, less the sums.
func places(at []string, of any) (out [][]string) {
	out = append(out, at)
	next := func(name string, x any) {
		if name == "sums" || name == "sha256" {
			return
		}
		out = append(out, places(append(append([]string{}, at...), name), x)...)
	}
	switch of := of.(type) {
	case map[string]any:
		for name, x := range of {
			next(name, x)
		}
	case []any:
		for i, x := range of {
			next(strconv.Itoa(i), x)
		}
	}
	return out
}

// forged returns a document with another value at a place.
func forged(t *testing.T, d shardDocument, at []string, value func(old any) any) (shardDocument, bool) {
	t.Helper()
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
	return out, json.Unmarshal(raw, &out) == nil
}

// Whatever value stands wherever in a shard, with the digest that it should have: an
// error or an explanation, and no panic.
func TestForgedShards(t *testing.T) {
	for name, opt := range forgeable() {
		t.Run(name, func(t *testing.T) {
			d := shardDocumentsOf(t, 1, opt)[0]
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
					if list, ok := old.([]any); ok {
						return append(append([]any{}, list...), list...)
					}
					return old
				},
				"one less": func(old any) any {
					if list, ok := old.([]any); ok && len(list) > 0 {
						return list[1:]
					}
					return old
				},
				"the other": func(old any) any {
					if set, ok := old.(bool); ok {
						return !set
					}
					return old
				},
				"one more": func(old any) any {
					if n, ok := old.(float64); ok {
						return n + 1
					}
					return old
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
	for name, opt := range forgeable() {
		t.Run(name, func(t *testing.T) {
			d := shardDocumentsOf(t, 1, opt)[0]
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
			for i := range 300 {
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

// forgeRows are the samples of forgeable.
func forgeRows() string {
	var b strings.Builder
	b.WriteString("a,b,has_b,sex,w,patient,c.0,c.1,c.2,c.3,c.4,c.5\n")
	for r := range 40 {
		has := 1
		if r%5 == 3 {
			has = 0
		}
		fmt.Fprintf(&b, "%d,%d,%d,%s,%d,p%d", r%7-3, r%5-2, has, []string{"f", "m"}[r%2], r%3, r%9)
		for k := range 6 {
			fmt.Fprintf(&b, ",%d", (r*(k+2))%11-5)
		}
		b.WriteString("\n")
	}
	return b.String()
}
