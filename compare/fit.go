package compare

import (
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/result"
)

// A Reason is one thing that makes a comparison meaningless.
type Reason struct {
	// ID is stable and kebab-case; under Options.Force it is that of the warning.
	ID string
	// Text says what differs.
	Text string
}

// A RefusedError says why two sides are not compared, and what would help.
// Options.Force compares them nevertheless.
type RefusedError struct {
	Base, Other string
	Reasons     []Reason
	// Hint is the remedy beside Options.Force; it may be empty.
	Hint string
}

// Error lists the reasons.
func (e *RefusedError) Error() string {
	var texts []string
	for _, r := range e.Reasons {
		texts = append(texts, r.Text)
	}
	return fmt.Sprintf("compare: %s and %s cannot be compared: %s", e.Base, e.Other, strings.Join(texts, "; "))
}

// An AgreementError says that two models explain different classes for most samples.
type AgreementError struct {
	Base, Other    string
	Agreed, Shared int
}

// Error tells the share of samples.
func (e *AgreementError) Error() string {
	return fmt.Sprintf("compare: %s and %s predict the same class for %d of %d samples (%.1f %%), want at least %.0f %%: elsewhere each explains another number",
		e.Base, e.Other, e.Agreed, e.Shared, 100*float64(e.Agreed)/float64(e.Shared), 100*LeastAgreement)
}

// fact is something of a result that both sides should have in common.
type fact struct {
	id, what string
	of       func(e *result.Explanation) string
	// refused facts make a comparison meaningless where they differ.
	refused bool
	// why says in a warning what the difference does, hint what would mend it.
	why, hint string
}

var facts = []fact{
	{"modalities-differ", "modalities", modalitiesOf, true, "only what both have is compared", "explain both with the same --modality"},
	{"targets-differ", "targets", targetsOf, true, "those that both have are compared, or single ones of different names", "explain both with the same --target"},
	{"convention-differs", "conventions", func(e *result.Explanation) string { return e.Provenance.Convention }, true, "scores of different conventions are different scores", "explain both with the same --convention"},
	{"transform-differs", "transforms", func(e *result.Explanation) string { return e.Provenance.Transform }, true, "a transform makes and hides interaction by itself", "explain both with the same --transform"},
	{"index-differs", "interaction indices", func(e *result.Explanation) string {
		return fmt.Sprintf("%s of order %d", e.Provenance.Index, e.Provenance.Order)
	}, true, "scores of different indices are different scores", ""},
	{"task-differs", "tasks", func(e *result.Explanation) string { return e.Provenance.Task }, false, "the explained numbers mean different things", ""},
	{"output-differs", "outputs", func(e *result.Explanation) string { return e.Provenance.Output }, false, "if they have different units, a part of the difference is theirs", ""},
	{"mask-differs", "masks", func(e *result.Explanation) string { return e.Provenance.Background.Mask }, false, "absent modalities are filled by different rules, and a part of the difference is theirs", ""},
	{"weight-differs", "columns of weights", func(e *result.Explanation) string { return orNone(e.Provenance.Weight) }, false, "samples count differently in means, and a part of the difference is theirs", ""},
	{"missing-differs", "modalities that samples may lack", func(e *result.Explanation) string { return orNone(e.Provenance.Missing...) }, false, "what one takes for missing the other takes for data, and a part of the difference is theirs", ""},
	{"pad-differs", "values that fill lists", func(e *result.Explanation) string { return orNone(e.Provenance.Pad...) }, false, "the models see different inputs, and a part of the difference is theirs", ""},
	{"cluster-differs", "columns of clusters", func(e *result.Explanation) string { return orNone(e.Provenance.Cluster) }, false, "intervals take different samples to depend on each other", ""},
}

// orNone lists settings that a run may be without.
func orNone(settings ...string) string {
	if text := strings.Join(settings, ", "); text != "" {
		return text
	}
	return "none"
}

func modalitiesOf(e *result.Explanation) string {
	return strings.Join(slices.Sorted(slices.Values(e.Modalities)), ", ")
}

func targetsOf(e *result.Explanation) string {
	var names []string
	for _, t := range e.Targets {
		names = append(names, t.Target)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// differing returns "paper (early), single-pair (late)" where runs say different
// things, "" where all say the same.
func (q *question) differing(of func(e *result.Explanation) string) string {
	var values []string
	labels := map[string][]string{}
	for _, s := range q.sides {
		for _, r := range s.Runs {
			v := of(r.Result)
			if _, met := labels[v]; !met {
				values = append(values, v)
			}
			if !slices.Contains(labels[v], s.Label) {
				labels[v] = append(labels[v], s.Label)
			}
		}
	}
	if len(values) < 2 {
		return ""
	}
	var parts []string
	for _, v := range values {
		shown := v
		if v == "" {
			shown = "unknown"
		}
		parts = append(parts, fmt.Sprintf("%s (%s)", shown, strings.Join(labels[v], ", ")))
	}
	return strings.Join(parts, ", ")
}

// refuse notes a reason not to compare: a warning under Options.Force.
func (q *question) refuse(id, text, why, hint string) {
	if q.opt.Force {
		q.warnings.Add(id, "", "%s: %s", text, why)
		return
	}
	q.refused = append(q.refused, Reason{id, text})
	if q.hint == "" {
		q.hint = hint
	}
}

// fit looks at what both sides should have in common.
func (q *question) fit() {
	for _, f := range facts {
		found := q.differing(f.of)
		if found == "" {
			continue
		}
		text := fmt.Sprintf("the %s differ: %s", f.what, found)
		if f.refused {
			q.refuse(f.id, text, f.why, f.hint)
		} else {
			q.warnings.Add(f.id, "", "%s: %s", text, f.why)
		}
	}
	q.fitClasses()
	q.fitBackground()
	q.fitContent()
	q.fitDoubts()
}

// fitClasses matches the classes of all runs with those of the first.
func (q *question) fitClasses() {
	first := q.sides[0].Runs[0].Result.Classes
	for _, s := range q.sides {
		for _, r := range s.Runs {
			c, ok := matchClasses(first, r.Result.Classes)
			switch {
			case !ok:
				q.refuse("classes-differ", fmt.Sprintf("the numbers of classes differ: %d (%s), %d (%s)", len(first), q.sides[0].Label, len(r.Result.Classes), s.Label),
					"classes are not compared", "")
				q.classes = nil
				return
			case c.byPosition:
				q.warnings.Add("classes-differ", "", "the names of classes differ (%s, %s): they are taken to be the same by position", listed(first), listed(r.Result.Classes))
			}
		}
	}
	q.classes = first
}

// listed joins a few names.
func listed(names []string) string {
	const most = 4
	if len(names) > most {
		return strings.Join(names[:most], ", ") + ", ..."
	}
	return strings.Join(names, ", ")
}

// fitBackground says whether absent modalities were filled from the same rows.
func (q *question) fitBackground() {
	rows := func(e *result.Explanation) string {
		b := e.Provenance.Background
		return fmt.Sprintf("%s, %d rows", shortened(b.Source), b.Rows)
	}
	known := true
	for _, s := range q.sides {
		for _, r := range s.Runs {
			known = known && r.Result.Provenance.Background.SHA256 != ""
		}
	}
	files := q.differing(rows)
	seeds := q.differing(func(e *result.Explanation) string { return fmt.Sprintf("seed %d", e.Provenance.Seed) })
	masks := q.differing(func(e *result.Explanation) string { return e.Provenance.Background.Mask })
	q.sameBackground = known && files == "" && seeds == "" && masks == ""
	switch {
	case files != "":
		q.warnings.Add("background-differs", "", "the backgrounds differ: %s: a part of the difference may be theirs", files)
	case seeds != "" && q.kind == Files:
		q.warnings.Add("background-differs", "", "the seeds differ: %s: unless all rows were taken, other rows fill absent modalities, and a part of the difference may be theirs", seeds)
	case !known:
		q.warnings.Add("background-unknown", "", "a result does not say which rows filled absent modalities: a part of the difference may be theirs")
	}
}

// shortened names a file by its base name and the start of its digest, which tells
// files of one name apart.
func shortened(s result.Source) string {
	name := s.Source[strings.LastIndexAny(s.Source, `/\`)+1:]
	const digits = 8
	switch {
	case s.SHA256 == "":
		return name
	case name == "":
		return s.SHA256[:min(digits, len(s.SHA256))]
	}
	return name + " " + s.SHA256[:min(digits, len(s.SHA256))]
}

// fitContent finds results that are the same one: in a group they would be counted
// twice.
func (q *question) fitContent() {
	type place struct {
		side int
		path string
	}
	met := map[string]place{}
	for k, s := range q.sides {
		for _, r := range s.Runs {
			key := contentOf(r.Result)
			before, twice := met[key]
			met[key] = place{k, r.Path}
			switch {
			case !twice:
			case before.side == k:
				q.refuse("same-result", fmt.Sprintf("%s and %s hold the same result, and %s would count it twice", before.path, r.Path, s.Label),
					"the spread of replicates is too small", "a replicate is a run of its own, of a model trained with another seed")
			default:
				q.sameResult = q.kind == Files
				q.warnings.Add("same-result", "", "%s and %s hold the same result", before.path, r.Path)
			}
		}
	}
}

// contentOf returns the numbers of a result, which no two runs have in common.
func contentOf(e *result.Explanation) string {
	var b strings.Builder
	for _, t := range e.Targets {
		fmt.Fprintln(&b, t.Target, t.Samples, t.Base, t.Output, t.Global.Phi, t.MeanAbsolute.Behaviour, t.MeanAbsolute.Interactions)
	}
	return b.String()
}

// fitDoubts repeats which warnings the results carry.
func (q *question) fitDoubts() {
	for _, s := range q.sides {
		var ids []string
		runs := map[string]int{}
		for _, r := range s.Runs {
			met := map[string]bool{}
			for _, w := range r.Result.Warnings {
				if !met[w.ID] {
					met[w.ID] = true
					runs[w.ID]++
				}
				if !slices.Contains(ids, w.ID) {
					ids = append(ids, w.ID)
				}
			}
		}
		if len(ids) == 0 {
			continue
		}
		for i, id := range ids {
			if len(s.Runs) > 1 {
				ids[i] = fmt.Sprintf("%s (%d of %d)", id, runs[id], len(s.Runs))
			}
		}
		what := "the result carries warnings of its own"
		if len(s.Runs) > 1 {
			what = "results carry warnings of their own"
		}
		q.warnings.Add("result-has-warnings", s.Label, "%s: %s", what, strings.Join(ids, ", "))
	}
}
