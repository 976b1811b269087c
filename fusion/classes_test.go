//go:build cgo

package fusion

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/dataset"
)

// wards writes a folder of samples whose class is the modality that has the larger
// numbers, names[0] for the first. There are enough of them that some unit of the
// network is not off for good.
func wards(t *testing.T, names [2]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	var b strings.Builder
	const width = 6
	for _, modality := range []string{"a", "b"} {
		for i := range width {
			fmt.Fprintf(&b, "%s.%d,", modality, i)
		}
	}
	b.WriteString("label\n")
	high, low := strings.Repeat("1.5,", width), strings.Repeat("-0.5,", width)
	for range 20 {
		b.WriteString(high + low + names[0] + "\n" + low + high + names[1] + "\n")
	}
	if err := os.WriteFile(filepath.Join(dir, "train.csv"), []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestFileStatesClasses trains on named labels and explains the file with nobody
// telling the names again. The target label finds the classes by them: without
// names, labels that are numbers would be taken for columns, and 1 be the second.
func TestFileStatesClasses(t *testing.T) {
	for _, c := range []struct {
		reason string
		labels [2]string // a name for the first modality and one for the second
		want   []string  // in the order of the columns
	}{
		{"names are sorted by their bytes", [2]string{"ward", "home"}, []string{"home", "ward"}},
		{"numbers need not count from 0", [2]string{"1", "2"}, []string{"1", "2"}},
	} {
		t.Run(strings.Join(c.want, "+"), func(t *testing.T) {
			dir := wards(t, c.labels)
			f, err := ReadFolder(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			n, err := Train(t.Context(), Early, f.Train.Data, Data{}, Options{Epochs: 200, LearningRate: 1e-2, Batch: 10, Seed: 1, Classes: f.Classes})
			if err != nil {
				t.Fatal(err)
			}
			m := open(t, n)
			for _, output := range []string{Logits, Probabilities} {
				if got := m.Classes(output); !slices.Equal(c.want, got) {
					t.Errorf("%s: want the file to state %q for %s, got %q", c.reason, c.want, output, got)
				}
			}
			explain := func(opt intershap.Options) *intershap.Explanation {
				t.Helper()
				data, err := dataset.Open(t.Context(), filepath.Join(dir, "train.csv"))
				if err != nil {
					t.Fatal(err)
				}
				defer data.Close() // read only: nothing to lose
				opt.Workers = 1
				ex, err := intershap.Explain(t.Context(), m, data, nil, opt)
				if err != nil {
					t.Fatal(err)
				}
				return ex
			}
			byClass := func(ex *intershap.Explanation) (names []string) {
				for _, class := range ex.ByClass() {
					names = append(names, class.Class)
				}
				return names
			}
			ex := explain(intershap.Options{Target: "label"})
			if got := byClass(ex); !slices.Equal(c.want, ex.Classes) || !slices.Equal(c.want, got) {
				t.Errorf("%s: want the classes %q, got %q, by class %q", c.reason, c.want, ex.Classes, got)
			}
			// The samples are as good as trained by heart.
			if output := ex.Targets[0].Output; output < 0.9 {
				t.Errorf("%s: want labels to be those that were trained, got the probability %v of them", c.reason, output)
			}
			given := []string{"left", "right"}
			if got := byClass(explain(intershap.Options{Classes: given})); !slices.Equal(given, got) {
				t.Errorf("want names that were given to win, got %q", got)
			}
		})
	}
}
