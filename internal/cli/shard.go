package cli

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/intershap/intershap"
)

// addShard adds the flag of a part of a run.
func addShard(flags *pflag.FlagSet, q *question) {
	define(flags, &q.options.Shard, "shard", "", "K/N",
		"do part K of N of the run, from 1, and write it with -o in place of a result; intershap merge makes the result of all parts", readShard)
}

// readShard reads which part of a run is done: 1/8 is the first of eight.
func readShard(text string) (intershap.Shard, error) {
	part, of, found := strings.Cut(text, "/")
	k, err := strconv.Atoi(part)
	n, err2 := strconv.Atoi(of)
	if !found || err != nil || err2 != nil || k < 1 || k > n {
		return intershap.Shard{}, fmt.Errorf("want K/N with K from 1 to N, such as 1/8, got %q", text)
	}
	return intershap.Shard{Index: k - 1, Of: n}, nil
}

// sharded reports whether a part of the run is asked for.
func (o *explainOptions) sharded() bool { return o.options.Shard != intershap.Shard{} }

// checkShard refuses what a part of a run cannot do.
func (o *explainOptions) checkShard(terminal bool) error {
	if !o.sharded() {
		return nil
	}
	const result = "a shard has no result of its own; "
	for _, f := range []struct {
		flag   string
		set    bool
		remedy string
	}{
		{"until", o.options.Until > 0, result + "find the background rows that are enough on some of the samples, and give them to every shard as --background-size"},
		{"sensitivity", o.sensitivity, result + "ask for it of a run without --shard, on some of the samples"},
		{"at-least", o.atLeast.set, result + "give it to intershap merge"},
		{"fail-above", o.failAbove.set, result + "give it to intershap merge"},
		{"fail-below", o.failBelow.set, result + "give it to intershap merge"},
		{"strict", o.strict, result + "give it to intershap merge"},
	} {
		if f.set {
			fault := usagef("--shard with --%s", f.flag)
			fault.hint = f.remedy
			return fault
		}
	}
	fault := usagef("--shard writes a file for intershap merge")
	fault.hint = fmt.Sprintf("name it: -o shard-%d.json", o.options.Shard.Index+1)
	printed := o.json || o.out == standardOutput
	if o.out == "" && !printed || printed && terminal {
		return fault
	}
	return nil
}

// explainShard does a part of a run and writes it.
func explainShard(ctx context.Context, s *streams, opt *explainOptions) error {
	var part *intershap.Partial
	_, err := opt.evaluate(ctx, s, func(ctx context.Context, e *evaluation) (err error) {
		part, err = e.files.partial(ctx, e.options, e.tell, e.bar)
		return err
	})
	if err != nil {
		return err
	}
	opt.signSource(part.Provenance())
	if _, err := opt.deliver(s, part.Write); err != nil {
		return err
	}
	if opt.quiet {
		return nil
	}
	where := ""
	if opt.out != "" && opt.out != standardOutput {
		where = " in " + opt.out
	}
	lo, hi := part.Samples()
	return told(fmt.Fprintf(s.err, "%s: %s\n", program, escapef("shard %s: samples %s to %s of %s%s",
		opt.options.Shard.String(), grouped(int64(lo)), grouped(int64(hi-1)), grouped(int64(part.Provenance().Data.Samples)), where)))
}

// told drops the number of letters.
func told(_ int, err error) error { return err }

// partial makes one plan and runs its shard.
func (o *opened) partial(ctx context.Context, opt intershap.Options, tell teller, bar *progress) (*intershap.Partial, error) {
	plan, err := o.prepared(ctx, opt, tell)
	if err != nil {
		return nil, err
	}
	bar.start()
	defer bar.finish()
	return plan.Partial(ctx)
}
