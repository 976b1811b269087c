package onnx

import (
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/intershap/intershap/model/onnx/onnxpb"
)

// metadata has the values under the key of class names, among other entries.
func metadata(values ...string) []*onnxpb.StringStringEntryProto {
	entry := func(key, value string) *onnxpb.StringStringEntryProto {
		return &onnxpb.StringStringEntryProto{Key: proto.String(key), Value: proto.String(value)}
	}
	list := []*onnxpb.StringStringEntryProto{entry("author", `["x","y"]`), {}}
	for _, v := range values {
		list = append(list, entry(metadataClasses, v))
	}
	return list
}

func TestScanClasses(t *testing.T) {
	for _, c := range []struct {
		name, reason string
		values       []string
		want         []string
	}{
		{"names", "as they stand, in their order", []string{`["home", "ward", "ICU \u00e4"]`}, []string{"home", "ward", "ICU ä"}},
		{"none", "other entries name no classes", nil, nil},
		{"empty", "no names", []string{`[]`}, nil},
		{"null", "no list", []string{`null`}, nil},
		{"twice", "one name for two columns", []string{`["a","b","a"]`}, nil},
		{"empty name", "nobody could ask for it", []string{`["a",""]`}, nil},
		{"null name", "the same", []string{`["a",null]`}, nil},
		{"numbers", "not of ours", []string{`[0,1]`}, nil},
		{"names by number", "the form of other tools", []string{`{"0":"a","1":"b"}`}, nil},
		{"cut short", "damaged", []string{`["a","b`}, nil},
		{"more behind", "damaged", []string{`["a","b"] x`}, nil},
		{"text", "no JSON", []string{`a,b`}, nil},
		{"nothing", "no JSON", []string{``}, nil},
		{"no UTF-8", "a letter is lost", []string{"[\"a\",\"b\xff\"]"}, nil},
		{"two entries", "which of them?", []string{`["a","b"]`, `["c","d"]`}, nil},
	} {
		got, err := scan(marshal(t, &onnxpb.ModelProto{Graph: &onnxpb.GraphProto{}, MetadataProps: metadata(c.values...)}))
		if err != nil || len(got.classes) != len(c.want) || !slices.Equal(c.want, got.classes) {
			t.Errorf("%s (%s): want classes %q and no error, got %q, %v", c.name, c.reason, c.want, got.classes, err)
		}
	}
}
