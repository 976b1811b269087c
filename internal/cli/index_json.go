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
			out.Write(marshal(v.values[c.position]))
			continue
		}
		separator := byte('[')
		for x := range v.each(c.position) {
			out.WriteByte(separator)
			out.Write(marshal(x))
			separator = ','
		}
		out.WriteByte(']')
	}
	fmt.Fprintf(out, "\n  },\n  \"players\": %d,\n  \"player_names\": %s,\n  \"target\": %s,\n  \"samples\": %s,\n  \"id\": %s,\n  \"spectrum\": {",
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
