package report

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/result"
)

//go:embed page/*
var files embed.FS

var (
	pageTemplate = template.Must(template.New("page.html").Funcs(template.FuncMap{"row": row}).ParseFS(files, "page/*.html"))
	style        = asset("page/page.css")
	program      = asset("page/page.js")
	// policy forbids every request and every program but those of the page, and to
	// make elements from text.
	policy = strings.Join([]string{
		"default-src 'none'", "img-src data:", "style-src " + digest(style), "script-src " + digest(program),
		"base-uri 'none'", "form-action 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'",
	}, "; ")
)

func asset(name string) string {
	raw, err := files.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(raw)
}

// digest names a style or program in a content security policy.
func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// ticked is a row of a table with the axis that its picture lies on.
type ticked struct {
	Ticks []tick
	Row   any
}

// row is known to the templates, which hand on one value at a time.
func row(ticks []tick, r any) ticked { return ticked{ticks, r} }

// A page is what page.html lays out, from top to bottom.
type page struct {
	Policy string
	CSS    template.CSS
	JS     template.JS

	Model, Data string
	Modalities  []modality
	// MoreModalities is how many have no place in the head.
	MoreModalities int
	// Budget says how a run with a budget chose its coalitions; nil where it had them
	// all.
	Budget   *budget
	Contents []entry
	Targets  []target
	Reading  reading
	Additive bool
	Residual string
	// Choices is the headline under other choices; nil where nobody asked.
	Choices  *choiceSection
	Explorer *explorer
	// Samples says how to get what the page does not have.
	Samples  howTo
	Warnings []warning
	Facts    []fact
	Command  string
	Version  string
}

// An entry of the contents.
type entry struct{ Anchor, Text string }

// A modality of the head; Groups counts those that it is made of, 0 where it is whole.
type modality struct {
	Name   string
	Groups int
}

// A budget is how many coalitions of the players were evaluated, and by which estimator.
type budget struct {
	Coalitions string
	Players    int
	Estimator  string
}

// reading has what the section on reading says of this run.
type reading struct {
	// Players are what comes and goes: modalities, or groups inside them.
	Players string
	Groups  bool
	// Orders is the address of the section with the orders, empty for none; Triples is
	// set where orders above two stand in it.
	Orders     string
	Triples    bool
	Background string
	SinglePair bool
	Level      string
	Follows    bool
	// Pooled is set where samples lack modalities.
	Pooled bool
}

// howTo says how to get the samples: File is one that the run has written, Command
// the one that would write one; either may be empty.
type howTo struct{ File, Command string }

// A warning with what to do about it.
type warning struct {
	Number            int
	ID, Subject, Text string
	Remedy            string
}

// A fact of the provenance. Code is set in letters of one width.
type fact struct {
	Term, Text, Code string
}

func newPage(ex *result.Explanation, samples *result.Samples) (*page, error) {
	from := &ex.Provenance
	p := &page{
		Policy: policy, CSS: template.CSS(style), JS: template.JS(program),
		Model: sourceName(from.Model.Source, "the model"),
		Data:  sourceName(from.Data.Source.Source, "the data") + ", " + wording.Count(int64(from.Data.Samples), "sample"),
		Reading: reading{
			Background: backgroundText(from),
			SinglePair: from.Convention == "single-pair",
			Level:      wording.Level(from.Level),
			Follows:    ex.Targets[0].Headline == result.Global,
			Pooled:     wording.Pooled(ex, &ex.Targets[0], &ex.Targets[0].Breakdown),
		},
		Budget:   newBudget(ex),
		Choices:  newChoiceSection(ex),
		Additive: from.Additive,
		Residual: residual(ex.Targets),
		Facts:    facts(ex),
		Command:  wording.Escape(from.Command),
		Version:  wording.Escape(from.Version),
	}
	p.Modalities, p.MoreModalities = headModalities(ex)
	for i := range ex.Targets {
		p.Targets = append(p.Targets, newTarget(ex, i, samples))
	}
	p.Reading.Players, p.Reading.Groups = wording.Players(ex), ex.Groups != nil
	p.Reading.Orders, p.Reading.Triples = higherOrders(ex)
	if samples != nil {
		var err error
		if p.Explorer, err = newExplorer(ex, samples, mostBytes); err != nil {
			return nil, err
		}
	} else {
		p.Samples = howToGetSamples(ex)
	}
	for i, w := range ex.Warnings {
		p.Warnings = append(p.Warnings, warning{
			Number: i + 1, ID: wording.Escape(w.ID), Subject: wording.Escape(w.Subject),
			Text: sentence(wording.Escape(w.Text)), Remedy: Remedy(w.ID),
		})
	}
	p.Contents = p.contents()
	return p, nil
}

// contents lists the sections that are there.
func (p *page) contents() []entry {
	out := []entry{{"verdict", "Verdict"}, {"reading", "How to read it"}}
	if len(p.Targets) > 1 {
		out = append(out, entry{"targets", "The explained numbers"})
	} else {
		t := &p.Targets[0]
		out = append(out, entry{t.ID + "-whole", "The data set"})
		if t.Across != nil {
			out = append(out, entry{t.ID + "-across", "By modality"})
		}
		if t.Classes != nil {
			out = append(out, entry{t.ID + "-classes", "By predicted class"})
		}
		if t.By != nil {
			out = append(out, entry{t.ID + "-by", "Groups of samples"})
		}
		if t.Patterns != nil {
			out = append(out, entry{t.ID + "-patterns", "By modalities present"})
		}
		if t.Pairs != nil {
			out = append(out, entry{t.ID + "-pairs", "Pairs"})
		}
		if t.Orders != nil {
			out = append(out, entry{t.ID + "-orders", "By order"})
		}
		if t.Spread != nil {
			out = append(out, entry{t.ID + "-spread", "Over samples"})
		}
	}
	if p.Choices != nil {
		out = append(out, entry{"choices", "Does it depend on choices?"})
	}
	out = append(out, entry{"samples", "Samples"})
	if len(p.Warnings) > 0 {
		out = append(out, entry{"warnings", "Warnings"})
	}
	return append(out, entry{"provenance", "Provenance"})
}

// headModalities lists the modalities for the head, up to a dozen.
func headModalities(ex *result.Explanation) (shown []modality, more int) {
	for _, g := range ex.Groups {
		m := modality{Name: wording.Escape(g.Modality)}
		if n := len(g.Players); n > 1 {
			m.Groups = n
		}
		shown = append(shown, m)
	}
	if ex.Groups == nil {
		for _, name := range ex.Modalities {
			shown = append(shown, modality{Name: wording.Escape(name)})
		}
	}
	const most = 12
	if len(shown) > most+1 {
		return shown[:most], len(shown) - most
	}
	return shown, 0
}

func newBudget(ex *result.Explanation) *budget {
	s := ex.Provenance.Sampling
	if s == nil {
		return nil
	}
	return &budget{Coalitions: wording.Grouped(int64(s.Coalitions)), Players: len(ex.Modalities), Estimator: wording.Escape(s.Estimator)}
}

// higherOrders returns the address of the first section by order, and whether orders
// above that of the score stand in it.
func higherOrders(ex *result.Explanation) (address string, triples bool) {
	for i := range ex.Targets {
		t := &ex.Targets[i]
		if t.Spectrum == nil && t.Interactions == nil {
			continue
		}
		address = fmt.Sprintf("t%d-orders", i+1)
		if x := t.Interactions; x != nil && x.Order > scoreOrder {
			return address, true
		}
		if sp := t.Spectrum; sp != nil && (sp.Moebius != nil || sp.KSII != nil && sp.KSII.Order > scoreOrder) {
			return address, true
		}
		return address, false
	}
	return "", false
}

// sourceName is the last part of a path, which fits a heading.
func sourceName(path, otherwise string) string {
	if path == "" {
		return otherwise
	}
	return wording.Escape(filepath.Base(path))
}

func backgroundText(from *result.Provenance) string {
	return fmt.Sprintf("%s, %s, mask %s", sourceName(from.Background.Source.Source, "the background"),
		wording.Count(int64(from.Background.Rows), "row"), wording.Escape(from.Background.Mask))
}

// residual says whether the samples add up, and to what.
func residual(targets []result.Target) string {
	const what = "adds up to f(x) \u2212 v({}), its output less its base value"
	largest, tolerance := wording.WorstResidual(targets)
	verdict := "Every sample " + what
	if largest > tolerance {
		verdict = "Not every sample " + what
	}
	return fmt.Sprintf("%s: largest residual %s, tolerance %s.", verdict, wording.Digits(largest, 2), wording.Digits(tolerance, 2))
}

// sentence begins with a capital letter and ends with a full stop.
func sentence(text string) string {
	if text == "" {
		return ""
	}
	text = strings.ToUpper(text[:1]) + text[1:]
	if !strings.HasSuffix(text, ".") {
		text += "."
	}
	return text
}

func howToGetSamples(ex *result.Explanation) howTo {
	if ex.SamplesFile != nil {
		return howTo{File: wording.Escape(*ex.SamplesFile)}
	}
	if ex.Provenance.Command == "" {
		return howTo{}
	}
	return howTo{Command: wording.Escape(ex.Provenance.Command) + " \\\n    --samples run.npz --force"}
}

// facts is the provenance in full.
func facts(ex *result.Explanation) []fact {
	from := &ex.Provenance
	var out []fact
	add := func(term, text string) {
		if text != "" {
			out = append(out, fact{Term: term, Text: wording.Escape(text)})
		}
	}
	source := func(term string, s result.Source, more string) {
		text := s.Source
		if text == "" {
			text = "in memory"
		}
		out = append(out, fact{Term: term, Text: wording.Escape(text + more), Code: wording.Escape(s.SHA256)})
	}
	source("model", from.Model, "")
	source("data", from.Data.Source, ", "+wording.Count(int64(from.Data.Samples), "sample"))
	cohortFacts(ex, add)
	source("background", from.Background.Source, ", "+wording.Count(int64(from.Background.Rows), "row"))
	add("mask", from.Background.Mask)
	add("output", from.Output)
	add("task", from.Task)
	add("transform", from.Transform)
	add("index", fmt.Sprintf("%s, order %d", from.Index, from.Order))
	add("convention", from.Convention)
	if s := from.Sampling; s != nil {
		add("coalitions", fmt.Sprintf("%s, by a budget of %s, estimator %s, %s for the error",
			wording.Coalitions(s, len(ex.Modalities)), wording.Grouped(int64(s.Budget)), s.Estimator, wording.Count(int64(s.Draws), "draw")))
	}
	plan := from.Plan
	if from.Additive {
		plan += ", additive by construction"
	}
	add("plan", plan)
	add("runtime", from.Runtime)
	add("seed", strconv.FormatUint(from.Seed, 10))
	add("intervals", wording.Level(from.Level)+" %")
	var rows int64
	for _, n := range ex.Cost.Rows {
		rows += n
	}
	unit := "model row"
	if from.Plan != "full" {
		unit = "row" // of parts
	}
	add("cost", fmt.Sprintf("%s in %s; the plain way takes %s", wording.Count(rows, unit), wording.Seconds(ex.Cost.Seconds), wording.Count(ex.Cost.RowsNaive, "model row")))
	add("intershap", from.Version)
	return out
}
