package report

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/intershap/intershap/diag"
)

// TestShots writes pictures of pages for a person to look at: every fixture at the
// width of a telephone, a tablet and a desk, light and dark, and printed.
//
//	go test ./report -run Shots -shots /tmp/shots
func TestShots(t *testing.T) {
	if *shots == "" {
		t.Skip("wants -shots FOLDER")
	}
	pages := map[string][]byte{"three": nil, "twelve": nil, "targets": nil, "bare": nil, "six": nil, "groups": nil, "forty": nil}
	three := newFixture(t, 200, []string{"image", "ecg", "labs"}, []string{"home", "ward", "theatre", "isolate"})
	three.ex.Warnings = []diag.Warning{
		{ID: "few-samples", Text: "need at least 30 samples for a trustworthy interval, have 12"},
		{ID: "background-too-small", Subject: "predicted", Text: "the headline's standard error from the background is 2.1 points with 100 rows; about 460 rows would do"},
	}
	pages["three"] = three.withOrders(t, 0).page(t)
	pages["six"] = newFixture(t, 50, []string{"image", "ecg", "labs", "notes", "genes measured at admission", "codes"}, nil).withOrders(t, 4).page(t)
	pages["groups"] = newGrouped(t, 18).page(t)
	pages["forty"] = newGrouped(t, 40).page(t)
	var names, classes []string
	for i := range 12 {
		names = append(names, fmt.Sprintf("modality number %d with a long name", i))
	}
	for i := range 30 {
		classes = append(classes, fmt.Sprintf("class %d", i))
	}
	pages["twelve"] = newFixture(t, 1000, names, classes).page(t)
	three.samples = nil
	pages["bare"] = three.page(t)
	pages["cohort"], pages["cohorts"] = newCohort(t, 300).page(t), severalCohorts(t).page(t)
	pages["targets"] = severalTargets(t).withChoices().page(t)
	for name, text := range pages {
		t.Run(name, func(t *testing.T) {
			for _, width := range []int64{360, 768, 1440} {
				for _, scheme := range []string{"light", "dark"} {
					tb := openTab(t)
					tb.size(width, 900, scheme)
					tb.open(text)
					shoot(tb, fmt.Sprintf("%s-%d-%s.jpg", name, width, scheme))
				}
			}
			tb := openTab(t)
			tb.do(chromedp.EmulateViewport(794, 1123)) // A4 at 96 dots an inch
			if _, err := chromedp.Call(tb, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
				t.Fatal(err)
			}
			tb.open(text)
			shoot(tb, name+"-print.jpg")
			write(t, name+".html", text)
		})
	}
}

func shoot(tb *tab, name string) {
	tb.t.Helper()
	picture, err := chromedp.Run(tb, chromedp.FullScreenshot(90))
	if err != nil {
		tb.t.Fatal(err)
	}
	write(tb.t, name, picture)
}

func write(t testing.TB, name string, content []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(*shots, name), content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// severalTargets has a target for each of three classes.
func severalTargets(t testing.TB) fixture {
	f := newFixture(t, 60, []string{"image", "text"}, []string{"cat", "dog", "bird"})
	one, part := f.ex.Targets[0], f.samples.ByTarget[0]
	one.ByClass = nil
	one.Headline = "mean_absolute"
	f.ex.Targets, f.samples.ByTarget, f.samples.Targets = nil, nil, nil
	for _, name := range f.ex.Classes {
		one.Target = "class:" + name
		f.ex.Targets = append(f.ex.Targets, one)
		f.samples.Targets = append(f.samples.Targets, one.Target)
		f.samples.ByTarget = append(f.samples.ByTarget, part)
	}
	return f
}
