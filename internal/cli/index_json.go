package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
)

// write writes the document:
//
//	{"index": "k-SII", "order": 2, "values": {"": 2.06, "0": -0.25, "0,1": 0.01}, ...}
//
// with an array over samples for each coalition where the games are those of samples.
// Where samples lack players, "having" counts those that have all of a coalition, and a
// value of a sample that lacks one is null.
// Numbers are the shortest that read back the same. It goes line by line, since a
// coalition of many samples has many numbers.
func (v *indexValues) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	marshal := func(x any) []byte {
		text, err := json.Marshal(x)
		if err != nil { // numbers are finite, and the rest are texts
			panic(fmt.Sprintf("cli: index: %v", err))
		}
		return text
	}
	fmt.Fprintf(out, "{\n  \"index\": %s,\n  \"order\": %d,\n  \"values\": {", marshal(v.formula.Index().String()), v.formula.Order())
	for i, c := range v.ordered() {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "\n    %s: ", marshal(playersKey(c.coalition)))
		if v.ids == nil {
			out.Write(marshal(v.valueOrNull(0, c)))
			continue
		}
		separator := byte('[')
		for r := range v.tables.Len() {
			out.WriteByte(separator)
			out.Write(marshal(v.valueOrNull(r, c)))
			separator = ','
		}
		out.WriteByte(']')
	}
	out.WriteString("\n  },")
	if v.patterns != nil {
		out.WriteString("\n  \"having\": {")
		for i, c := range v.ordered() {
			if i > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(out, "\n    %s: %d", marshal(playersKey(c.coalition)), v.having(c.coalition))
		}
		out.WriteString("\n  },")
	}
	fmt.Fprintf(out, "\n  \"players\": %d,\n  \"player_names\": %s,\n  \"target\": %s,\n  \"samples\": %s,\n  \"id\": %s,\n  \"spectrum\": {",
		v.players, marshal(v.names), marshal(orNull(v.target)), marshal(v.samples()), marshal(v.ids))
	for i, s := range v.spectra {
		if i > 0 {
			out.WriteByte(',')
		}
		fmt.Fprintf(out, "\n    %s: {\"order\": %d, \"global\": %s, \"local\": %s, \"undefined\": %d}",
			marshal(s.index.String()), s.order, marshal(s.Global), marshal(s.Local), s.Undefined)
	}
	fmt.Fprintf(out, "\n  },\n  \"parity_reference\": %s\n}\n", marshal(parityReference(v.players)))
	return out.Flush()
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// samples returns the number of samples that the values come from, nil for a game that
// is none of samples.
func (v *indexValues) samples() *int {
	n := v.averaged
	if v.ids != nil {
		n = len(v.ids)
	}
	if n == 0 {
		return nil
	}
	return &n
}
