package dataset

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/intershap/intershap/tensor"
)

// ward has a series of 8 channels by 3 times, two texts of 5 tokens, labs by column,
// a picture of 2 channels, 4 by 6, and a number.
func ward() (inputs []tensor.Spec, features [][]string) {
	inputs = []tensor.Spec{
		spec("vitals", tensor.Float32, 8, 3), spec("input_ids", tensor.Int64, 5), spec("attention_mask", tensor.Int64, 5),
		spec("labs", tensor.Float32, 5), spec("image", tensor.Float32, 2, 4, 6), spec("age", tensor.Float32),
	}
	features = make([][]string, 6)
	features[3] = []string{"labs.ast", "labs.alt", "labs.bili", "labs.crea", "labs.urea"}
	return inputs, features
}

// wardModalities are the modalities of a ward; "upper" and "lower" share its labs.
func wardModalities(t testing.TB, specs ...string) []Modality {
	t.Helper()
	inputs, features := ward()
	all, err := ParseModalities(append([]string{"text=input_ids,attention_mask"}, specs...), nil, inputs, features, MaxUnnamed)
	check(t, err)
	return all
}

// groupsOf writes the players of the modality that the spec divides.
func groupsOf(t testing.TB, players []Modality, modality string) string {
	t.Helper()
	var own []Modality
	for _, p := range players {
		if p.Of != modality {
			continue
		}
		name, ok := strings.CutPrefix(p.Name, modality+groupSign)
		if !ok {
			t.Errorf("the group %q of %q is not called after it", p.Name, modality)
		}
		p.Name = name
		own = append(own, p)
	}
	return format(own)
}

func TestParseGroups(t *testing.T) {
	for _, tt := range []struct {
		name, modalities, spec, want string
	}{
		{"ranges have both ends", "", "vitals=heart:0-3,breath:4-7", "heart(0:0-12)breath(0:12-24)"},
		{"ranges of one group, and single places", "", "vitals=heart:0-1+3+7,breath:2+4-6", "heart(0:0-6 0:9-12 0:21-24)breath(0:6-9 0:12-21)"},
		{"a place twice in one group", "", "vitals=heart:0-3+2,breath:4-7", "heart(0:0-12)breath(0:12-24)"},
		{"slices as in --modality", "", "vitals=heart:vitals[:4],breath:vitals[4:]", "heart(0:0-12)breath(0:12-24)"},
		{"every place", "", "vitals=each", "0(0:0-3)1(0:3-6)2(0:6-9)3(0:9-12)4(0:12-15)5(0:15-18)6(0:18-21)7(0:21-24)"},
		{"runs, the last one shorter", "", "vitals=each:3", "0-2(0:0-9)3-5(0:9-18)6-7(0:18-24)"},
		{"a last run of one place", "", "vitals=each:7", "0-6(0:0-21)7(0:21-24)"},
		{"each is the name of a group beside another", "", "vitals=each:0-3,rest:4-7", "each(0:0-12)rest(0:12-24)"},
		{"columns by name and pattern", "", "labs=liver:ast+alt+bili*,kidney:crea+urea", "liver(3:0-3)kidney(3:3-5)"},
		{"full names of columns", "", "labs=liver:labs.a*+labs.bili,kidney:crea+urea", "liver(3:0-3)kidney(3:3-5)"},
		{"columns by their places", "", "labs=liver:0-2,kidney:3-4", "liver(3:0-3)kidney(3:3-5)"},
		{"every column by its name", "", "labs=each", "ast(3:0-1)alt(3:1-2)bili(3:2-3)crea(3:3-4)urea(3:4-5)"},
		{"runs of columns by their places", "", "labs=each:3", "0-2(3:0-3)3-4(3:3-5)"},
		{"inputs by name", "", "text=ids:input_ids,mask:attention_mask", "ids(1:0-5)mask(2:0-5)"},
		{"inputs by pattern", "", "text=ids:*_ids,mask:*_mask", "ids(1:0-5)mask(2:0-5)"},
		{"slices of several inputs", "", "text=begin:input_ids[:2]+attention_mask[:2],end:input_ids[2:]+attention_mask[2:]", "begin(1:0-2 2:0-2)end(1:2-5 2:2-5)"},
		{"patches of every channel", "", "image=grid:2x1", "r0c0(4:0-12 4:24-36)r1c0(4:12-24 4:36-48)"},
		{"rows of patches that differ by one", "", "image=grid:3x1", "r0c0(4:0-6 4:24-30)r1c0(4:6-12 4:30-36)r2c0(4:12-24 4:36-48)"},
		{"patches of sizes that differ by one", "", "image=grid:1x4",
			"r0c0(4:0-1 4:6-7 4:12-13 4:18-19 4:24-25 4:30-31 4:36-37 4:42-43)" +
				"r0c1(4:1-3 4:7-9 4:13-15 4:19-21 4:25-27 4:31-33 4:37-39 4:43-45)" +
				"r0c2(4:3-4 4:9-10 4:15-16 4:21-22 4:27-28 4:33-34 4:39-40 4:45-46)" +
				"r0c3(4:4-6 4:10-12 4:16-18 4:22-24 4:28-30 4:34-36 4:40-42 4:46-48)"},
		{"places are those of the input", "upper=vitals[:4];lower=vitals[4:]", "lower=a:4-5,b:6-7", "a(0:12-18)b(0:18-24)"},
		{"each place that the modality has", "upper=vitals[:4];lower=vitals[4:]", "lower=each:2", "4-5(0:12-18)6-7(0:18-24)"},
		{"a pattern takes the modality's columns alone", "liver=ast,alt,bili;kidney=crea,urea", "liver=a:a*,b:*", "fails: column"},
		{"an input stands for what the modality has of it", "mix=ast,age;other=alt,bili,crea,urea", "mix=blood:labs,years:age", "blood(3:0-1)years(5:0-1)"},
		{"blanks", "", " vitals = heart : 0-3 , breath : 4-5 + 6-7 ", "heart(0:0-12)breath(0:12-24)"},
		{"any text is a name", "", "vitals=é/2:0-3,+:4-7", "é/2(0:0-12)+(0:12-24)"},
	} {
		inputs, features := ward()
		var specs []string
		if tt.modalities != "" {
			specs = strings.Split(tt.modalities, ";")
		}
		whole := wardModalities(t, specs...)
		got, err := ParseGroups([]string{tt.spec}, whole, inputs, features)
		if why, ok := strings.CutPrefix(tt.want, "fails: "); ok {
			if err == nil || !strings.Contains(err.Error(), why) {
				t.Errorf("%s: error %v, want %q", tt.name, err, why)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		modality, _, _ := strings.Cut(tt.spec, "=")
		if diff := cmp.Diff(tt.want, groupsOf(t, got, strings.TrimSpace(modality))); diff != "" {
			t.Errorf("%s: %s", tt.name, diff)
		}
		var names []string
		for _, p := range got {
			if name := cmpOr(p.Of, p.Name); len(names) == 0 || names[len(names)-1] != name {
				names = append(names, name)
			}
		}
		var want []string
		for _, m := range whole {
			want = append(want, m.Name)
		}
		if diff := cmp.Diff(want, names); diff != "" {
			t.Errorf("%s: groups stand in the place of their modality: %s", tt.name, diff)
		}
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// Without a spec the modalities are the players, as they are.
func TestParseGroupsNone(t *testing.T) {
	inputs, features := ward()
	whole := wardModalities(t)
	got, err := ParseGroups(nil, whole, inputs, features)
	check(t, err)
	if diff := cmp.Diff(whole, got); diff != "" {
		t.Error(diff)
	}
}

// Two modalities with groups, and a modality whose name has the sign that joins a
// group to its modality.
func TestParseGroupsSeveral(t *testing.T) {
	inputs, features := ward()
	whole := wardModalities(t, "labs/heart=labs")
	got, err := ParseGroups([]string{"labs/heart=a:0-2,b:3-4", "vitals=x:0-3,y:4-7"}, whole, inputs, features)
	check(t, err)
	var names [][2]string
	for _, p := range got {
		names = append(names, [2]string{p.Of, p.Name})
	}
	want := [][2]string{
		{"", "text"}, {"labs/heart", "labs/heart/a"}, {"labs/heart", "labs/heart/b"},
		{"vitals", "vitals/x"}, {"vitals", "vitals/y"}, {"", "image"}, {"", "age"},
	}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Error(diff)
	}
}

func TestParseGroupsFaults(t *testing.T) {
	for _, tt := range []struct {
		name, specs, modalities, want, hint string
	}{
		{"no name", "heart:0-3", "", `group "heart:0-3": want MODALITY=GROUP:item+item,GROUP:item`, "for example vitals="},
		{"no modality", "=a:0", "", `group "=a:0": want MODALITY=GROUP:item+item,GROUP:item`, "for example vitals="},
		{"an unknown modality", "vital=a:0-3,b:4-7", "", `group "vital=a:0-3,b:4-7": there is no modality "vital"`, `did you mean "vitals"?`},
		{"an input inside a modality is none", "input_ids=each", "", `group "input_ids=each": there is no modality "input_ids"`, "the modalities are text, vitals"},
		{"one modality twice", "vitals=a:0-3,b:4-7;vitals=each", "", `group "vitals=each": another --group divides modality "vitals" already`, "all groups of a modality at once"},
		{"nothing", "vitals=", "", `group "vitals=": want GROUP:item+item, got ""`, "for example"},
		{"no item", "vitals=a:,b:0-7", "", `group "vitals=a:,b:0-7": group "a" has an empty item`, "for example"},
		{"no colon", "vitals=0-3,4-7", "", `group "vitals=0-3,4-7": want GROUP:item+item, got "0-3"`, "for example"},
		{"one group", "vitals=a:0-7", "", `group "vitals=a:0-7": one group of modality "vitals" divides nothing`, "two groups or more"},
		{"one run", "vitals=each:8", "", `group "vitals=each:8": one group of modality "vitals" divides nothing`, "two groups or more"},
		{"one patch", "image=grid:1x1", "", `group "image=grid:1x1": one group of modality "image" divides nothing`, "two groups or more"},
		{"two groups of one name", "vitals=a:0-3,a:4-7", "", `group "vitals=a:0-3,a:4-7": two groups are called "a"`, "a:0-3+8"},
		{"an overlap", "vitals=a:0-4,b:4-7", "", `group "vitals=a:0-4,b:4-7": place 4 of input "vitals" is in group "a" and in group "b"`, "out of one of the two"},
		{"an overlap of columns", "labs=a:a*+crea,b:bili+crea+urea", "", `group "labs=a:a*+crea,b:bili+crea+urea": column "labs.crea" is in group "a" and in group "b"`, "out of one of the two"},
		{"a gap", "vitals=a:0-2,b:4-5", "", `group "vitals=a:0-2,b:4-5": 9 elements of modality "vitals" in no group: 3, 6-7`, "vitals=a:0-2,b:4-5,rest:3+6-7"},
		{"a gap of columns", "labs=a:a*,rest:crea", "", `group "labs=a:a*,rest:crea": 2 elements of modality "labs" in no group: labs.bili, labs.urea`, "labs=a:a*,rest:crea,rest2:labs.bili+labs.urea"},
		{"a gap in several inputs", "text=a:input_ids[:2],b:attention_mask", "", `group "text=a:input_ids[:2],b:attention_mask": 3 elements of modality "text" in no group: input_ids[2:5]`, "rest:input_ids[2:5]"},
		{"a whole input left", "text=a:input_ids[:2],b:input_ids[2:]", "", `group "text=a:input_ids[:2],b:input_ids[2:]": 5 elements of modality "text" in no group: attention_mask`, "rest:attention_mask"},
		{"a place too far", "vitals=a:0-3,b:4-8", "", `group "vitals=a:0-3,b:4-8": 4-8: want places a-b with a <= b <= 7, the last place on axis 1 of vitals float32[N,8,3]`, "count from 0"},
		{"ends that change places", "vitals=a:3-0,b:4-7", "", `group "vitals=a:3-0,b:4-7": 3-0: want places a-b with a <= b <= 7, the last place on axis 1 of vitals float32[N,8,3]`, "both its ends"},
		{"no number", "vitals=a:0-99999999999999999999,b:1", "", `group "vitals=a:0-99999999999999999999,b:1": 0-99999999999999999999: want places a-b with a <= b <= 7, the last place on axis 1 of vitals float32[N,8,3]`, "both its ends"},
		{"a bad slice", "vitals=a:vitals[3:2],b:4-7", "", `group "vitals=a:vitals[3:2],b:4-7": vitals[3:2]: want 0 <= a < b <= 8, the length of axis 1 of vitals float32[N,8,3]`, "ends before b"},
		{"places of two inputs", "text=a:0-2,b:3-4", "", `group "text=a:0-2,b:3-4": "0-2" counts places of one input, and modality "text" has 2: input_ids, attention_mask`, "INPUT[a:b]"},
		{"each of two inputs", "text=each", "", `group "text=each": "each" counts places of one input, and modality "text" has 2: input_ids, attention_mask`, "INPUT[a:b]"},
		{"no axis 1", "age=a:0,b:1", "", `group "age=a:0,b:1": "0" counts places on axis 1, which input age float32[N] does not have`, "whole"},
		{"no axis to slice", "age=a:age[0:1],b:1", "", `group "age=a:age[0:1],b:1": age[0:1]: input age float32[N] has no axis 1 to slice`, "name the input"},
		{"another modality's place", "lower=a:3-5,b:6-7", "upper=vitals[:4];lower=vitals[4:]", `group "lower=a:3-5,b:6-7": place 3 of input "vitals" is not of modality "lower"`, `modality "lower" has 4-7`},
		{"another modality's column", "kidney=a:ast,b:urea", "liver=ast,alt,bili;kidney=crea,urea", `group "kidney=a:ast,b:urea": "ast" is no input, column or place of modality "kidney"`, "labs.crea, labs.urea"},
		{"nothing of this name", "labs=a:as,b:*", "", `group "labs=a:as,b:*": "as" is no input, column or place of modality "labs"`, "labs.ast"},
		{"no pattern", "labs=a:[,b:*", "", `group "labs=a:[,b:*": "[" is no pattern`, "patterns have"},
		{"runs of nothing", "vitals=each:0", "", `group "vitals=each:0": want runs of at least one place, got "0"`, "each:4"},
		{"runs of fewer than nothing", "labs=each:-1", "", `group "labs=each:-1": want each, or each:N with N places a run, got "each:-1"`, "each:4"},
		{"runs from a place to another", "vitals=each:0-3", "", `group "vitals=each:0-3": want each, or each:N with N places a run, got "each:0-3"`, "each:4"},
		{"a grid of one number", "image=grid:4", "", `group "image=grid:4": want grid:RxC with R rows of C patches, got "grid:4"`, "grid:4x8"},
		{"a grid of no number", "image=grid", "", `group "image=grid": want grid:RxC with R rows of C patches, got "grid"`, "grid:4x8"},
		{"a grid of one axis", "vitals=grid:2x9", "", `group "vitals=grid:2x9": grid:2x9: want 1x1 to 8x3, the last two axes of vitals float32[N,8,3]`, "R rows of C patches"},
		{"a grid of nothing", "image=grid:0x3", "", `group "image=grid:0x3": grid:0x3: want 1x1 to 4x6, the last two axes of image float32[N,2,4,6]`, "R rows of C patches"},
		{"a grid of labs", "labs=grid:2x2", "", `group "labs=grid:2x2": a grid cuts the last two axes, and rows of input labs float32[N,5] have 1`, "each:N"},
		{"a patch of another modality", "first=grid:2x2", "first=vitals[:2];second=vitals[2:]", `group "first=grid:2x2": patch r1c0 has nothing of modality "first"`, "fewer patches"},
		{"one name twice", "vitals=heart:0-3,breath:4-7", "vitals/heart=labs", `groups: "vitals/heart" is the name of a group and of a modality`, "rename"},
		{"one name twice, of two divided modalities", "vitals=heart:0-3,breath:4-7;vitals/heart=each", "vitals/heart=labs", `groups: "vitals/heart" is the name of a group and of a modality`, "rename"},
		{"too many", "image=grid:4x6;vitals=grid:8x3;labs=each;input_ids=each;attention_mask=each", "input_ids=input_ids;attention_mask=attention_mask", `groups: 64 players, want at most 62`, "fewer groups"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			inputs, features := ward()
			var specs []string
			if tt.modalities != "" {
				specs = strings.Split(tt.modalities, ";")
			}
			var whole []Modality
			if tt.name == "too many" {
				var err error
				whole, err = ParseModalities(specs, nil, inputs, features, MaxUnnamed)
				check(t, err)
			} else {
				whole = wardModalities(t, specs...)
			}
			_, err := ParseGroups(strings.Split(tt.specs, ";"), whole, inputs, features)
			wantError(t, err, "dataset: "+tt.want, tt.hint)
		})
	}
}

// A place and a column of the same name are not taken for one another.
func TestParseGroupsPlaceOrColumn(t *testing.T) {
	inputs := []tensor.Spec{spec("x", tensor.Float32, 4), spec("y", tensor.Float32)}
	whole, err := ParseModalities(nil, nil, inputs, nil, MaxUnnamed)
	check(t, err)
	year := [][]string{{"x.1", "x.2", "x.3", "x.4"}, nil}
	_, err = ParseGroups([]string{"x=a:1-2,b:3-4"}, whole, inputs, year)
	wantError(t, err, `dataset: group "x=a:1-2,b:3-4": 3-4: want places a-b with a <= b <= 3, the last place on axis 1 of x float32[N,4]`, "count from 0")
	_, err = ParseGroups([]string{"x=a:1,b:2+3"}, whole, inputs, year)
	wantError(t, err, `dataset: group "x=a:1,b:2+3": 1 is a place, and the name of column "x.1", which is place 0`, "write the column as x.1")
	got, err := ParseGroups([]string{"x=a:x.1,b:x.[23],c:x.4"}, whole, inputs, year)
	check(t, err)
	if want := "a(0:0-1)b(0:1-3)c(0:3-4)"; groupsOf(t, got, "x") != want {
		t.Errorf("groups %s, want %s", groupsOf(t, got, "x"), want)
	}
	counted := [][]string{{"x.0", "x.1", "x.2", "x.3"}, nil}
	got, err = ParseGroups([]string{"x=a:0,b:1+2-3"}, whole, inputs, counted)
	check(t, err)
	if want := "a(0:0-1)b(0:1-4)"; groupsOf(t, got, "x") != want {
		t.Errorf("groups %s, want %s", groupsOf(t, got, "x"), want)
	}
}

// A file of columns may hold a series: what is left of it are places where they are
// whole, else columns.
func TestParseGroupsSeriesOfColumns(t *testing.T) {
	inputs := []tensor.Spec{spec("x", tensor.Float32, 3, 2), spec("y", tensor.Float32)}
	features := [][]string{{"x.hr0", "x.hr1", "x.bp0", "x.bp1", "x.gcs0", "x.gcs1"}, nil}
	whole, err := ParseModalities(nil, nil, inputs, features, MaxUnnamed)
	check(t, err)
	_, err = ParseGroups([]string{"x=a:hr*,b:1"}, whole, inputs, features)
	wantError(t, err, `dataset: group "x=a:hr*,b:1": 2 elements of modality "x" in no group: 2`, "x=a:hr*,b:1,rest:2")
	_, err = ParseGroups([]string{"x=a:hr*+gcs1,b:1"}, whole, inputs, features)
	wantError(t, err, `dataset: group "x=a:hr*+gcs1,b:1": 1 element of modality "x" in no group: x.gcs0`, "rest:x.gcs0")
	got, err := ParseGroups([]string{"x=each"}, whole, inputs, features)
	check(t, err)
	if want := "0(0:0-2)1(0:2-4)2(0:4-6)"; groupsOf(t, got, "x") != want {
		t.Errorf("groups %s, want %s", groupsOf(t, got, "x"), want)
	}
}

// Whatever is typed, groups divide the modality: each of its elements is in one
// group, nothing else is in any, and what a message proposes is accepted.
func FuzzParseGroups(f *testing.F) {
	for _, spec := range []string{
		"vitals=heart:0-3,breath:4-7", "labs=liver:a*+bili,kidney:crea+urea", "image=grid:2x3", "vitals=each:3", "text=a:input_ids[1:],b:*",
		"vitals=a:0-2,b:4-5", "labs=a:3", "=", "vitals=:", "labs=a:[,b:]", "image=a:0,b:1",
	} {
		f.Add(spec)
	}
	f.Fuzz(func(t *testing.T, spec string) {
		inputs, features := ward()
		whole := wardModalities(t)
		got, err := ParseGroups([]string{spec}, whole, inputs, features)
		if err != nil {
			var fault *GroupError
			if !errors.As(err, &fault) {
				t.Fatalf("want a *GroupError, got %v", err)
			}
			mended, ok := strings.CutPrefix(fault.Hint, "add a group for what is left: ")
			if !ok || strings.HasSuffix(mended, ")") {
				return
			}
			if got, err = ParseGroups([]string{mended}, whole, inputs, features); err != nil {
				t.Fatalf("the proposal %q is refused: %v", mended, err)
			}
		}
		owners := func(all []Modality, of func(Modality) string) map[[2]int]string {
			out := map[[2]int]string{}
			for _, m := range all {
				for _, part := range m.Parts {
					for e := part.Lo; e < part.Hi; e++ {
						at := [2]int{part.Input, e}
						if other, twice := out[at]; twice {
							t.Fatalf("element %v is in %q and %q", at, other, m.Name)
						}
						out[at] = of(m)
					}
				}
			}
			return out
		}
		before := owners(whole, func(m Modality) string { return m.Name })
		after := owners(got, func(m Modality) string { return cmpOr(m.Of, m.Name) })
		if diff := cmp.Diff(before, after); diff != "" {
			t.Errorf("groups move elements: %s", diff)
		}
		if len(got) <= len(whole) {
			t.Errorf("%d modalities became %d players", len(whole), len(got))
		}
		for _, p := range got {
			if len(p.Parts) == 0 {
				t.Errorf("player %q has no element", p.Name)
			}
		}
	})
}
