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
	for i, want := range []int{0, 1, 1} {
		if got[i] != want {
			t.Errorf("single column, row %d: class %d, want %d", i, got[i], want)
		}
	}
}

// What the numbers are is tested where they are made, in package metric; this one
// has two that differ, so that neither stands for the other.
func TestMeasure(t *testing.T) {
	// Class 0: 2·3/(6+1), class 1 is never named: 0.
	got, err := Measure([]int{0, 0, 0, 0}, []int{0, 0, 0, 1})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "accuracy", got.Accuracy, 0.75, 1e-15)
	near(t, "macro F1", got.MacroF1, 3./7, 1e-15)
	for _, c := range []struct {
		predicted, labels []int
		want              string
	}{
		{nil, nil, "rival: metric: want at least one sample"},
		{[]int{1}, []int{1, 2}, "a prediction for each of 2 labels, got 1"},
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
