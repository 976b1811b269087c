package rival

import (
	"math"
	"os"
	"strings"
	"testing"
)

func TestPredicted(t *testing.T) {
	got := Predicted(Matrix{3, 3, []float64{1, 2, 3, 5, 5, 0, -1, -1, -1}}, 0)
	for i, want := range []int{2, 0, 0} {
		if got[i] != want {
			t.Errorf("row %d: class %d, want %d", i, got[i], want)
		}
	}
	got = Predicted(Matrix{3, 1, []float64{0.4, 0.5, 0.6}}, 0.5)
	for i, want := range []int{0, 0, 1} {
		if got[i] != want {
			t.Errorf("single column, row %d: class %d, want %d", i, got[i], want)
		}
	}
}

// Macro F1 worked by hand.
func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		name              string
		predicted, labels []int
		accuracy, f1      float64
	}{
		{"all right", []int{0, 1, 2}, []int{0, 1, 2}, 1, 1},
		// Class 0: 2·1/(2+1+0), class 1: 2·1/(2+0+1).
		{"one wrong", []int{0, 0, 1}, []int{0, 1, 1}, 2. / 3, 2. / 3},
		// Class 0: 2·3/(6+1), class 1 is never named: 0.
		{"majority", []int{0, 0, 0, 0}, []int{0, 0, 0, 1}, 0.75, 3. / 7},
		// Class 7 is named and no label: it counts with 0.
		{"foreign class", []int{0, 7}, []int{0, 0}, 0.5, 1. / 3},
		// Numbers between the classes do not count.
		{"gaps", []int{5, 1 << 30}, []int{5, 1 << 30}, 1, 1},
		{"all wrong", []int{1, 0}, []int{0, 1}, 0, 0},
	} {
		got, err := Measure(c.predicted, c.labels)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		near(t, c.name+": accuracy", got.Accuracy, c.accuracy, 1e-15)
		near(t, c.name+": macro F1", got.MacroF1, c.f1, 1e-15)
	}
	for _, c := range []struct {
		predicted, labels []int
		want              string
	}{
		{nil, nil, "at least one, got 0 and 0"},
		{[]int{1}, []int{1, 2}, "got 1 and 2"},
		{[]int{0, -1}, []int{0, 1}, "sample 1: want classes from 0 on, got label 1 and prediction -1"},
	} {
		if _, err := Measure(c.predicted, c.labels); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one that says %q", err, c.want)
		}
	}
}

func TestNewMatrixRefuses(t *testing.T) {
	for _, c := range []struct {
		rows, cols int
		data       []float64
		want       string
	}{
		{2, 2, []float64{1, 2, 3}, "got 3 for 2×2"},
		{0, 0, nil, "at least one column"},
		{-1, 1, nil, "for -1×1"},
		{1, 2, []float64{1, math.NaN()}, "row 0, column 1: want a finite number, got NaN"},
	} {
		if _, err := NewMatrix(c.rows, c.cols, c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("got error %v, want one that says %q", err, c.want)
		}
	}
}

// Every score says what it is, and the page about the scores has a section on it.
func TestCards(t *testing.T) {
	page, err := os.ReadFile("../docs/rivals.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range Cards() {
		for field, text := range map[string]string{
			"Name": c.Name, "Title": c.Title, "Source": c.Source, "Says": c.Says, "Unit": c.Unit, "Range": c.Range, "Reads": c.Reads, "Beyond": c.Beyond,
		} {
			if text == "" || strings.HasSuffix(text, ".") {
				t.Errorf("card %q: %s is %q, want words without a full stop", c.Name, field, text)
			}
		}
		if seen[c.Name] {
			t.Errorf("two cards are called %q", c.Name)
		}
		seen[c.Name] = true
		if !strings.Contains(string(page), "(`"+c.Name+"`)") {
			t.Errorf("docs/rivals.md: want a section headed with (`%s`)", c.Name)
		}
	}
	if len(seen) != 7 {
		t.Errorf("%d cards, want 7", len(seen))
	}
}
