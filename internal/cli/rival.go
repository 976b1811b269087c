package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/intershap/intershap"
	"github.com/intershap/intershap/diag"
	"github.com/intershap/intershap/rival"
)

type rivalOptions struct {
	question
	narration
	destination
	scores          []string
	emapSamples     int
	draws           int
	fromEnvironment []string
}

// scoreNames are the scores that --scores takes, in the order of the table.
var scoreNames = namesOfScores()

func namesOfScores() []string {
	var out []string
	for _, card := range rival.Cards() {
		out = append(out, card.Name)
	}
	return out
}

func newRival(s *streams) *cobra.Command {
	var opt rivalOptions
	cmd := &cobra.Command{
		Use:   "rival MODEL DATA [flags]",
		Short: "Compute the scores that InterSHAP is compared with",
		Long: `Compute the scores that InterSHAP is compared with, for the same model, samples
and target, and print them in one table with it.

  emap        what a sum of one part for each modality loses of the model
  shape       what modalities reach together that they do not reach alone
  pid         how what they tell of labels or predictions is spread over them
  sri         synergy, redundancy, independence of each pair's effects
  share       each modality's part of all attributions
  perceptual  what accuracy is lost when a modality is shuffled
  effects     what a modality adds to nothing, and to all others

MODEL and DATA are those of explain. --background and --mask are for InterSHAP,
sri, share and effects: emap takes the samples, and shape zeros. Labels are
needed by perceptual and by a part of emap, shape and pid. What the data do not
allow is a footnote with the reason, and the rest is computed. What the numbers
mean: intershap help scores.`,
		Example: `  intershap rival model.onnx test.npz --background train.npz
  intershap rival model.onnx test.npz --scores emap,perceptual --draws 50 \
      -o rivals.json`,
		Annotations: map[string]string{
			ExitCodesNote: "0 done, with footnotes too, 1 failed, 2 wrong usage,\n  129 to 131 and 143 interrupted",
		},
		Args:              wantArgs("MODEL", "DATA"),
		ValidArgsFunction: completeQuestion,
		PreRunE: func(cmd *cobra.Command, args []string) (err error) {
			opt.model, opt.data = args[0], args[1]
			if err := refuseEmpty(cmd.Flags(), "background", "out"); err != nil {
				return err
			}
			opt.fromEnvironment, err = readEnvironment(cmd, s.env)
			return err
		},
		RunE: offerHelp(func(ctx context.Context) error { return runRival(ctx, s, &opt) }),
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	define(flags, &opt.scores, "scores", "", "a,b,...", "of the above, may be repeated (default: all)", readMoreScores(&opt.scores))
	define(flags, &opt.emapSamples, "emap-samples", strconv.Itoa(intershap.DefaultEMAPSamples), "N",
		"the most samples of two modalities of which emap runs all pairs, drawn where there are more", readBetween(2, intershap.MaxEMAPSamples))
	define(flags, &opt.draws, "draws", strconv.Itoa(intershap.DefaultDraws), "N", "how often perceptual shuffles each modality", readBetween(1, intershap.MaxDraws))
	addQuestion(flags, &opt.question)
	define(flags, &opt.options.Level, "level", "0.95", "L", "confidence level of InterSHAP's interval", readLevel)
	flags.StringVarP(&opt.out, "out", "o", "", "`FILE` for the result as JSON, beside the table; -: standard output")
	flags.BoolVar(&opt.json, "json", false, "print JSON instead of the table")
	flags.BoolVar(&opt.force, "force", false, "overwrite a file that exists")
	addNarration(flags, &opt.narration)
	addProgress(flags, &opt.narration)
	addCompletions(cmd)
	if err := cmd.RegisterFlagCompletionFunc("scores", completeScores); err != nil {
		panic(fmt.Sprintf("cli: completion of --scores: %v", err))
	}
	return cmd
}

// readBetween reads a whole number of least to most.
func readBetween(least, most int) func(string) (int, error) {
	return func(text string) (int, error) {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > most {
			return 0, fmt.Errorf("want a whole number of %d to %s, got %q", least, grouped(int64(most)), text)
		}
		return n, nil
	}
}

// readMoreScores returns a function that reads names of scores beside those that are
// there: a flag given twice asks for both.
func readMoreScores(there *[]string) func(string) ([]string, error) {
	return func(text string) ([]string, error) {
		return readScores(strings.Join(slices.Concat(*there, []string{text}), ","))
	}
}

// readScores reads names of scores, and returns them in the order of the table.
func readScores(text string) ([]string, error) {
	asked := map[string]bool{}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimSpace(name)
		switch {
		case !slices.Contains(scoreNames, name):
			return nil, &wordError{got: name, valid: scoreNames}
		case asked[name]:
			return nil, fmt.Errorf("want every name once, got %q twice", name)
		}
		asked[name] = true
	}
	var out []string
	for _, name := range scoreNames {
		if asked[name] {
			out = append(out, name)
		}
	}
	return out, nil
}

// completeScores proposes, behind the last comma, the scores that are not there
// yet.
func completeScores(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	at := strings.LastIndexByte(typed, ',') + 1
	before, begun := typed[:at], typed[at:]
	var fit []string
	for _, name := range scoreNames {
		if strings.HasPrefix(name, begun) && !slices.Contains(strings.Split(before, ","), name) {
			fit = append(fit, before+name)
		}
	}
	return fit, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder | cobra.ShellCompDirectiveNoSpace
}

// check refuses what is wrong with the command line alone.
func (o *rivalOptions) check() error {
	if err := o.question.check(); err != nil {
		return err
	}
	if o.options.Target == targetAll {
		fault := usagef("--target %s: the scores are compared for one target", targetAll)
		fault.hint = "leave it out for the predicted class, or give label or class:NAME"
		return fault
	}
	if err := checkOut(o.out, "the table goes to standard output"); err != nil {
		return err
	}
	return checkWritable("out", o.out, o.force, o.inputs()...)
}

func runRival(ctx context.Context, s *streams, opt *rivalOptions) error {
	if err := opt.check(); err != nil {
		return err
	}
	scores, err := opt.compute(ctx, s)
	if err != nil {
		return err
	}
	document, err := reportRivals(scores, opt)
	if err != nil {
		return err
	}
	printed, err := opt.deliver(s, document.write)
	if err != nil {
		return err
	}
	if printed {
		return opt.warn(s, slices.Concat(scores.Explanation.Warnings, doubts(scores.Unfit)))
	}
	p := newPage(s, opt.color)
	writeRivals(p, scores, opt.options.Task == intershap.Guess)
	return p.flush()
}

// causes brings together what is missing for the same reason, in the order in which
// reasons come first.
func causes(unfit []*rival.Unfit) [][]*rival.Unfit {
	var out [][]*rival.Unfit
	for _, u := range unfit {
		at := slices.IndexFunc(out, func(c []*rival.Unfit) bool { return c[0].Reason == u.Reason })
		if at < 0 {
			at, out = len(out), append(out, nil)
		}
		out[at] = append(out[at], u)
	}
	return out
}

// doubts returns the reasons why scores are missing as warnings, one for each cause.
func doubts(unfit []*rival.Unfit) []diag.Warning {
	var out []diag.Warning
	for _, cause := range causes(unfit) {
		var missing []string
		for _, u := range cause {
			missing = append(missing, u.What())
		}
		out = append(out, diag.Warning{ID: strings.Join(missing, ", "), Text: cause[0].Reason})
	}
	return out
}

// compute computes the scores.
func (o *rivalOptions) compute(ctx context.Context, s *streams) (scores *intershap.RivalScores, err error) {
	tell := newTeller(s, o.narration)
	o.hushed = o.quiet
	m, err := o.openModel(ctx, s, o.chooseOutput)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, m.Close()) }()
	tell.step("model %s: %s", shownModel(o.model), m.Runtime())
	files, err := o.openData(ctx, m)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, files.close()) }()

	opt := intershap.RivalOptions{Options: o.options, Scores: o.scores, EMAPSamples: o.emapSamples, Draws: o.draws}
	if opt.Workers == 0 {
		opt.Workers = workersOf(m)
	}
	defer leaveRoom(opt.Workers)()
	bar := newRivalProgress(s, o.narration)
	opt.Progress = bar.tell
	opt.PID.Progress = bar.tellSteps
	opt.Begin = func(score string, rows int64) {
		bar.finish()
		tell.step("%s", beginning(score, rows))
		bar.begin(score, rows)
	}
	scores, err = intershap.Rivals(ctx, files.model, files.data, files.background, opt)
	bar.finish()
	if err != nil {
		return nil, err
	}
	o.sign(scores.Explanation, commandLine(o.fromEnvironment, s.typed))
	return scores, nil
}

// beginning says which score comes next, and how many rows it runs.
func beginning(score string, rows int64) string {
	if rows == 0 {
		return score
	}
	return score + ": " + count(rows, "row")
}
