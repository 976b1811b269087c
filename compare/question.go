package compare

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/result"
	"github.com/intershap/intershap/score"
)

// A question is a comparison on its way.
type question struct {
	sides [2]Side
	opt   Options
	kind  Question

	warnings diag.List
	refused  []Reason
	hint     string
	// classes are those of the first run; nil where there are none, or where runs have
	// other numbers of them.
	classes        []string
	sameBackground bool
	// sameResult is set where two runs hold the same result.
	sameResult bool
	// undrawn is set where samples must not be drawn, see cohort.
	undrawn bool
}

// predictedTarget is the target that explains what the model itself predicts.
const predictedTarget = "predicted"

// answer decides what is compared and how, and compares it.
func (q *question) answer(ctx context.Context) (*Comparison, error) {
	q.kind = Files
	if !q.sides[0].single() || !q.sides[1].single() {
		q.kind = Replicates
	}
	q.fit()
	out := &Comparison{
		Base: q.sides[0].Label, Other: q.sides[1].Label, Question: q.kind,
		Files:          [2]int{len(q.sides[0].Runs), len(q.sides[1].Runs)},
		SameBackground: q.sameBackground,
	}
	var err error
	if q.kind == Replicates {
		err = q.replicates(out)
	} else {
		err = q.files(ctx, out)
	}
	if err != nil {
		return nil, err
	}
	if len(out.Targets) == 0 {
		return nil, fmt.Errorf("compare: %s and %s have no target in common: explain both with the same --target", out.Base, out.Other)
	}
	out.Warnings = q.warnings.All()
	return out, nil
}

// refusal returns what was noted against the comparison, nil for nothing.
func (q *question) refusal() error {
	if len(q.refused) == 0 {
		return nil
	}
	return &RefusedError{Base: q.sides[0].Label, Other: q.sides[1].Label, Reasons: q.refused, Hint: q.hint}
}

// common returns the positions of the targets that all runs have, in the order of the
// first: at[run] over the runs of both sides, base first. Under Options.Force single
// targets of different names are held against each other.
func (q *question) common() (names []string, at [][]int) {
	runs := slices.Concat(q.sides[0].Runs, q.sides[1].Runs)
	if q.opt.Force && !slices.ContainsFunc(runs, func(r Run) bool { return len(r.Result.Targets) != 1 }) {
		for _, r := range runs {
			if name := r.Result.Targets[0].Target; !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
		return []string{strings.Join(names, ", ")}, [][]int{make([]int, len(runs))}
	}
	for _, t := range runs[0].Result.Targets {
		var places []int
		for _, r := range runs {
			i := slices.IndexFunc(r.Result.Targets, func(o result.Target) bool { return o.Target == t.Target })
			if i < 0 {
				break
			}
			places = append(places, i)
		}
		if len(places) == len(runs) {
			names = append(names, t.Target)
			at = append(at, places)
		}
	}
	return names, at
}

// files compares two runs.
func (q *question) files(ctx context.Context, out *Comparison) error {
	a, b := &q.sides[0].Runs[0], &q.sides[1].Runs[0]
	q.cohort()
	p := q.pairSamples(a, b, out)
	names, _ := q.common()
	var agree []bool
	if p != nil && len(q.classes) > 0 {
		agree = q.agreement(a, b, p, out)
	}
	if err := q.refusal(); err != nil {
		return err
	}
	if slices.Contains(names, predictedTarget) {
		if err := q.fitPredicted(p, agree, out); err != nil {
			return err
		}
	}
	if a.Samples == nil || b.Samples == nil || q.undrawn {
		out.Method, out.Holds = Carried, []string{"samples", "background"}
		q.carry(a, b, out)
		return nil
	}
	out.Method, out.Holds, out.Draws = UnpairedBootstrap, []string{"samples"}, q.opt.Draws
	if p != nil {
		out.Method = PairedBootstrap
	}
	return q.resample(ctx, a, b, p, agree, out)
}

// pairSamples matches the samples of two runs; nil where they are not the same ones, or
// not known to be.
func (q *question) pairSamples(a, b *Run, out *Comparison) *pairing {
	da, db := a.Result.Provenance.Data, b.Result.Provenance.Data
	sameData := da.SHA256 != "" && da.SHA256 == db.SHA256
	differ := da.SHA256 != "" && db.SHA256 != "" && !sameData
	difference := fmt.Sprintf("the data differ: %s (%s), %s (%s)", shortened(da.Source), q.sides[0].Label, shortened(db.Source), q.sides[1].Label)
	const why = "a part of the difference is that of the data"
	if a.Samples == nil || b.Samples == nil {
		switch {
		case differ:
			q.refuse("data-differ", difference+", and without files of samples nothing tells whether they have samples in common", why,
				"write files of samples with explain --samples, with a column id in the data")
		case !sameData:
			q.warnings.Add("data-unknown", "", "a result does not say which data were explained: a part of the difference may be that of the data")
		}
		return nil
	}
	na, nb := a.Samples.Len(), b.Samples.Len()
	out.Samples = &Samples{Base: na, Other: nb}
	if !sameData && (Positional(a.Samples.IDs) || Positional(b.Samples.IDs)) {
		if differ {
			q.refuse("data-differ", difference+", and ids that are positions name no sample", why, "explain both on the same file, or give the data a column id")
			return nil
		}
		q.warnings.Add("data-unknown", "", "a result does not say which data were explained, and ids that are positions name no sample: samples are not paired")
		return nil
	}
	p := pair(a.Samples.IDs, b.Samples.IDs)
	shared, most := len(p.unit), max(na, nb)
	if float64(shared) < LeastAgreement*float64(most) || shared == 0 {
		text := fmt.Sprintf("they share %d of %d samples by id", shared, most)
		if differ {
			q.refuse("data-differ", difference+", and "+text, why, "explain both on the same samples")
		} else {
			q.warnings.Add("samples-not-shared", "", "%s: samples are not paired", text)
		}
		return nil
	}
	switch {
	case shared < most && q.undrawn:
		q.warnings.Add("samples-not-shared", "", "they share %d samples by id, and each side is of all that it has: %s has %d, %s has %d", shared, q.sides[0].Label, na, q.sides[1].Label, nb)
	case shared < most:
		q.warnings.Add("samples-not-shared", "", "only the %d samples that both have by id are compared: %s has %d, %s has %d", shared, q.sides[0].Label, na, q.sides[1].Label, nb)
	}
	if differ {
		q.warnings.Add("data-differ", "", "%s: samples were paired by id, and their inputs may differ", difference)
	}
	out.Samples.Shared = shared
	if !q.undrawn {
		out.Samples.Used, out.Samples.Independent = shared, p.units
	}
	return p
}

// cohort decides whether samples may be drawn. A bootstrap over samples draws them by
// their ids, and counts each once: files of samples say neither which belong to one
// cluster nor what a sample weighs, and means over those that have a modality are other
// means. Then the intervals that the results carry are right, and those of a bootstrap
// are not.
func (q *question) cohort() {
	var parts [2]string
	for k, s := range q.sides {
		if s.Runs[0].Samples == nil {
			return // they are not drawn anyway
		}
		from, what := &s.Runs[0].Result.Provenance, []string{}
		if from.Cluster != "" {
			what = append(what, "clusters by "+from.Cluster)
		}
		if from.Weight != "" {
			what = append(what, "weights by "+from.Weight)
		}
		if len(from.Missing) > 0 {
			what = append(what, "samples that may lack "+strings.Join(from.Missing, ", "))
		}
		parts[k] = strings.Join(what, ", ")
	}
	var said string
	switch a, b := &q.sides[0], &q.sides[1]; {
	case parts[0] == "" && parts[1] == "":
		return
	case parts[0] == parts[1]:
		said = fmt.Sprintf("both have %s", parts[0])
	case parts[1] == "":
		said = fmt.Sprintf("%s has %s", a.Label, parts[0])
	case parts[0] == "":
		said = fmt.Sprintf("%s has %s", b.Label, parts[1])
	default:
		said = fmt.Sprintf("%s has %s; %s has %s", a.Label, parts[0], b.Label, parts[1])
	}
	q.undrawn = true
	text := "a bootstrap over samples takes no account of that, and intervals are made from those that the results carry, too wide where both have the same samples"
	if q.sides[0].Runs[0].Right != nil || q.sides[1].Runs[0].Right != nil {
		text += "; accuracy counts each sample once, and has no interval"
	}
	q.warnings.Add("samples-not-drawn", "", "%s: %s", said, text)
}

// agreement says of each pair of samples whether both runs predict the same class.
func (q *question) agreement(a, b *Run, p *pairing, out *Comparison) []bool {
	of := [2][]int{q.classMap(a), q.classMap(b)}
	agree, n := make([]bool, len(p.unit)), 0
	for k := range agree {
		agree[k] = of[0][a.Samples.Predicted[p.rows[0][k]]] == of[1][b.Samples.Predicted[p.rows[1][k]]]
		if agree[k] {
			n++
		}
	}
	out.Samples.Agreed = &n
	return agree
}

// classMap returns the position of each class of a run among q.classes.
func (q *question) classMap(r *Run) []int {
	c, _ := matchClasses(q.classes, r.Result.Classes)
	return c.of[1]
}

// fitPredicted makes sure that both explain the same class, where each explains the one
// that it predicts.
func (q *question) fitPredicted(p *pairing, agree []bool, out *Comparison) error {
	if p == nil || agree == nil {
		remedy := "explain both with --target label"
		if out.Samples == nil { // else the files of samples are there, and pair nothing
			remedy += ", or with --samples,"
		}
		q.warnings.Add("own-predictions", predictedTarget, "each explains the class that it predicts itself, and for some samples these may differ: %s to compare the same classes", remedy)
		return nil
	}
	agreed := *out.Samples.Agreed
	if float64(agreed) < LeastAgreement*float64(len(agree)) {
		err := &AgreementError{Base: q.sides[0].Label, Other: q.sides[1].Label, Agreed: agreed, Shared: len(agree)}
		if agreed == 0 || !q.opt.Force {
			return err
		}
	}
	switch {
	case agreed < len(agree) && q.undrawn:
		q.warnings.Add("own-predictions", predictedTarget, "each explains the class that it predicts itself, and for %d of %d samples these differ: explain both with --target label to compare the same classes", len(agree)-agreed, len(agree))
	case agreed < len(agree):
		q.warnings.Add("predictions-differ", predictedTarget, "scores are those of the %d of %d samples (%.1f %%) for which both predict the same class: elsewhere each explains another number; explain both with --target label to compare them on all",
			agreed, len(agree), 100*float64(agreed)/float64(len(agree)))
	}
	return nil
}

// resample compares two runs by a bootstrap, paired where p is there.
func (q *question) resample(ctx context.Context, a, b *Run, p *pairing, agree []bool, out *Comparison) error {
	names, at := q.common()
	for t, name := range names {
		var restrict []bool
		if name == predictedTarget && agree != nil {
			restrict = agree
			out.Samples.Used, out.Samples.Independent = used(p, agree)
		}
		var tables [2]*table
		for k, r := range []*Run{a, b} {
			var err error
			if tables[k], err = q.table(r, k, at[t][k], p, restrict); err != nil {
				return err
			}
		}
		stats := statistics(tables, p != nil, [2][]string{a.Result.Modalities, b.Result.Modalities}, q.classes)
		estimates, err := bootstrap(ctx, tables, p != nil, stats, q.opt)
		if err != nil {
			return err
		}
		target := Target{Target: name, Headline: a.Result.Targets[at[t][0]].Headline}
		for i := range stats {
			target.Rows = append(target.Rows, stats[i].row(estimates[i]))
		}
		target.By = q.groups(at[t])
		out.Targets = append(out.Targets, target)
		if n := stats[0].independent; n < FewSamples {
			q.warnings.Add("few-samples", "", "need at least %d samples for a trustworthy interval, have %d", FewSamples, n)
		}
	}
	return nil
}

// used counts the pairs that agree, and the units among them.
func used(p *pairing, agree []bool) (pairs, units int) {
	met := map[int]bool{}
	for k, ok := range agree {
		if ok {
			pairs++
			met[p.unit[k]] = true
		}
	}
	return pairs, len(met)
}

// table takes the samples of a run for one target: those of the pairing in its order,
// or all of them. Samples that restrict leaves out count for accuracy alone.
func (q *question) table(r *Run, side, target int, p *pairing, restrict []bool) (*table, error) {
	convention, err := score.ParseConvention(r.Result.Provenance.Convention)
	if err != nil {
		return nil, fmt.Errorf("compare: %s: %w", r.Path, err)
	}
	m := len(r.Result.Modalities)
	t := &table{m: m, classes: max(1, len(q.classes)), convention: convention, level: q.opt.Level}
	rows := make([]int, r.Samples.Len())
	for i := range rows {
		rows[i] = i
	}
	var unit []int
	if p != nil {
		rows, unit, t.units = p.rows[side], p.unit, p.units
	} else {
		unit, t.units = alone(r.Samples.IDs)
	}
	order := make([]int, len(rows))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(x, y int) int { return unit[x] - unit[y] })
	var of []int
	if len(q.classes) > 0 {
		of = q.classMap(r)
	}
	values := &r.Samples.ByTarget[target]
	for _, k := range order {
		i := rows[k]
		class := 0
		if of != nil {
			class = of[r.Samples.Predicted[i]]
		}
		if restrict != nil && !restrict[k] {
			class = outside
		}
		t.unit, t.class, t.local = append(t.unit, unit[k]), append(t.class, class), append(t.local, values.InterSHAP[i])
		phi := values.Matrix(i, m)
		for x := range m {
			t.phi = append(t.phi, phi[x*m+x:(x+1)*m]...)
		}
		if r.Right != nil {
			t.right = append(t.right, r.Right[i])
		}
	}
	return t, nil
}

// carry compares two runs by the intervals that their results carry.
func (q *question) carry(a, b *Run, out *Comparison) {
	names, at := q.common()
	levels := [2]float64{a.Result.Provenance.Level, b.Result.Provenance.Level}
	list := quantities([2][]string{a.Result.Modalities, b.Result.Modalities}, q.classes)
	for t, name := range names {
		target := Target{Target: name, Headline: a.Result.Targets[at[t][0]].Headline}
		for _, quantity := range list {
			var from [2]reading
			for k, r := range []*Run{a, b} {
				from[k] = read(&r.Result.Targets[at[t][k]], q.inNamesOf(r, quantity), levels[k])
			}
			if from[0].n+from[1].n == 0 && !quantity.overall() {
				continue // a class that neither predicts, modalities that neither has
			}
			row := carriedRow(quantity, from, levels, q.opt.Level)
			if q.sameResult {
				row.settle(estimate{})
			}
			target.Rows = append(target.Rows, row)
		}
		if row, ok := q.replicateAccuracy(); ok && q.undrawn {
			row.Base.N, row.Other.N = a.Samples.Len(), b.Samples.Len()
			row.Reason = "samples not drawn"
			target.Rows = append(target.Rows, row)
		}
		target.By = q.groups(at[t])
		out.Targets = append(out.Targets, target)
		if n := min(independent(&a.Result.Targets[at[t][0]].Breakdown), independent(&b.Result.Targets[at[t][1]].Breakdown)); n < FewSamples {
			q.warnings.Add("few-samples", "", "need at least %d independent samples for a trustworthy interval, have %.0f", FewSamples, n)
		}
	}
}

// inNamesOf returns a quantity with the class as a run calls it.
func (q *question) inNamesOf(r *Run, quantity Quantity) Quantity {
	if quantity.Class == nil {
		return quantity
	}
	where := slices.Index(q.classes, *quantity.Class)
	for i, k := range q.classMap(r) {
		if k == where {
			quantity.Class = &r.Result.Classes[i]
		}
	}
	return quantity
}

// replicates compares two groups of runs.
func (q *question) replicates(out *Comparison) error {
	q.fitReplicates()
	if err := q.refusal(); err != nil {
		return err
	}
	out.Method, out.Holds = Welch, []string{"replicates"}
	names, at := q.common()
	modalities := [2][]string{q.sides[0].Runs[0].Result.Modalities, q.sides[1].Runs[0].Result.Modalities}
	if slices.Contains(names, predictedTarget) {
		q.warnings.Add("own-predictions", predictedTarget, "each replicate explains the class that it predicts itself; explain all with --target label to compare the same classes")
	}
	for t, name := range names {
		target := Target{Target: name, Headline: q.sides[0].Runs[0].Result.Targets[at[t][0]].Headline}
		for _, quantity := range quantities(modalities, q.classes) {
			var from [2][]score.Share
			met, run := 0, 0
			for k, s := range q.sides {
				for i := range s.Runs {
					r := &s.Runs[i]
					x := read(&r.Result.Targets[at[t][run]], q.inNamesOf(r, quantity), r.Result.Provenance.Level)
					from[k] = append(from[k], x.share)
					met, run = met+x.n, run+1
				}
			}
			if met == 0 && !quantity.overall() {
				continue // a class that none predicts, modalities that none has
			}
			row := replicateRow(quantity, from, q.opt.Level)
			q.warnUndefined(name, &row)
			target.Rows = append(target.Rows, row)
		}
		if row, ok := q.replicateAccuracy(); ok {
			target.Rows = append(target.Rows, row)
		}
		target.By = q.groups(at[t])
		out.Targets = append(out.Targets, target)
	}
	return nil
}

// warnUndefined says that replicates are left out of the mean of a score.
func (q *question) warnUndefined(target string, row *Row) {
	if row.Kind != InterSHAP || row.Class != nil {
		return
	}
	for k, v := range []Value{row.Base, row.Other} {
		s := &q.sides[k]
		if missing := len(s.Runs) - v.N; missing > 0 {
			q.warnings.Add("replicate-undefined", s.Label, "the score is undefined for %d of %d results of target %s, which are left out of means", missing, len(s.Runs), target)
		}
	}
}

// replicateAccuracy compares accuracies where every run knows labels.
func (q *question) replicateAccuracy() (Row, bool) {
	var from [2][]score.Share
	for k, s := range q.sides {
		for _, r := range s.Runs {
			if len(r.Right) == 0 {
				return Row{}, false
			}
			right := 0.0
			for _, ok := range r.Right {
				right += boolean(ok)
			}
			from[k] = append(from[k], score.Defined(right/float64(len(r.Right))))
		}
	}
	return replicateRow(Quantity{Kind: Accuracy, Aggregation: Count, Modalities: []string{}}, from, q.opt.Level), true
}

// fitReplicates looks at the data of groups, and at groups of one.
func (q *question) fitReplicates() {
	var digests [2][]string
	known := true
	for k, s := range q.sides {
		for _, r := range s.Runs {
			d := r.Result.Provenance.Data.SHA256
			known = known && d != ""
			digests[k] = append(digests[k], d)
		}
		q.fitModels(&s)
		slices.Sort(digests[k])
		digests[k] = slices.Compact(digests[k])
		if s.single() {
			q.warnings.Add("single-replicate", s.Label, "one result has no spread: need 2 or more replicates for an interval")
		}
	}
	switch {
	case !known:
		q.warnings.Add("data-unknown", "", "a result does not say which data were explained: a part of the difference may be that of the data")
	case !slices.Equal(digests[0], digests[1]):
		data := func(e *result.Explanation) string { return shortened(e.Provenance.Data.Source) }
		q.refuse("data-differ", "the data differ: "+q.differing(data), "a part of the difference is that of the data", "explain all on the same data")
	case len(digests[0]) > 1:
		q.warnings.Add("data-vary", "", "replicates are of %d different data sets, the same ones on both sides: the interval does not pair them", len(digests[0]))
	}
}

// fitModels looks for replicates of one model: what differs between them are draws of
// background rows and samples.
func (q *question) fitModels(s *Side) {
	met := map[string]int{}
	for _, r := range s.Runs {
		if d := r.Result.Provenance.Model.SHA256; d != "" {
			met[d]++
		}
	}
	known := 0
	for _, n := range met {
		known += n
	}
	if known > len(met) {
		q.warnings.Add("replicates-same-model", s.Label, "%d results are of %d different models: their spread is that of draws, not of training, and an interval that counts them one by one is too narrow for other models", known, len(met))
	}
}
