package cli

import (
	"errors"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/intershap/intershap/dataset"
)

// cohortFlags are the flags that say what the samples are: which depend on each other,
// what each counts for, into which groups they fall, and what they lack.
var cohortFlags = []string{"cluster", "weight", "by", "missing", "pad"}

// addCohort adds them.
func addCohort(flags *pflag.FlagSet, q *question) {
	o := &q.options
	flags.StringVar(&o.Cluster, "cluster", "", "`COLUMN` whose equal values are samples that depend on each other, such as the visits of a patient: intervals are those of independent ones (default: id)")
	flags.StringVar(&o.Weight, "weight", "", "`COLUMN` of what each sample counts for in every mean, a number of at least 0 (default: each for one)")
	flags.StringArrayVar(&q.by, "by", nil, "`COLUMN` whose values break samples down, a row of the table for each; A,B crosses two; may be repeated")
	flags.StringArrayVar(&o.Missing, "missing", nil,
		"`MODALITY` that samples may lack: where the column MODALITY_available is 0, or without one where all its values are missing; MODALITY=COLUMN names the column; may be repeated")
	flags.StringArrayVar(&o.Pad, "pad", nil, "`INPUT=V` fills lists of different lengths with V behind their end; may be repeated")
	flags.StringArrayVar(&q.encode, encodeFlag, nil, "`COLUMN=HOW`: not built, encode inside the model")
	flags.Lookup(encodeFlag).Hidden = true
	q.hasCohort = true
}

// encodeFlag is a flag that other tools have, and that is refused with a recipe.
const encodeFlag = "encode"

// refuseEmptyCohort refuses a column without a name, as a script gives it whose variable
// is not set: the result would be another than was asked for.
func refuseEmptyCohort(cmd *cobra.Command) error {
	return refuseEmpty(cmd.Flags(), "cluster", "weight")
}

// checkCohort refuses what is wrong with the flags alone. Whether there are such columns
// and modalities depends on the data.
func (q *question) checkCohort() error {
	if len(q.encode) > 0 {
		fault := usagef("--%s %s: categories are encoded in the model, so that what is explained is what is used", encodeFlag, q.encode[0])
		fault.hint = "put the encoder and the model into one pipeline and export it to ONNX (skl2onnx), or serve it with exec:'python3 model.py', see intershap help python; text of the data reaches either as it is"
		return fault
	}
	if err := q.readBy(); err != nil {
		return err
	}
	for _, spec := range q.options.Missing {
		name, column, named := strings.Cut(spec, "=")
		if strings.TrimSpace(name) == "" || named && strings.TrimSpace(column) == "" {
			fault := usagef("--missing: want MODALITY or MODALITY=COLUMN, got %q", spec)
			fault.hint = "for example --missing labs, or --missing labs=has_labs"
			return fault
		}
	}
	if _, err := dataset.ParsePad(q.options.Pad); err != nil {
		fault := usagef("--pad: %w", err)
		if pad := (*dataset.PadError)(nil); errors.As(err, &pad) {
			fault = usagef("--pad %s: %s", quoteShell(pad.Spec), pad.Reason)
		}
		fault.hint = hintOf(err)
		return fault
	}
	if len(q.options.Missing) > 0 {
		switch {
		case q.options.Budget > 0:
			fault := usagef("--missing and --budget do not go together: the coalitions of a budget are those of all modalities")
			fault.hint = "leave --budget out, with at most 20 modalities; --modality makes fewer of many inputs"
			return fault
		case len(q.options.Groups) > 0:
			fault := usagef("--missing and --group do not go together: modalities that samples lack are not divided")
			fault.hint = "leave --group out, or explain the samples that have all modalities"
			return fault
		}
		for _, spec := range q.options.Mask {
			if _, rule := splitMask(spec); strings.HasPrefix(rule, "nearest:") {
				fault := usagef("--missing and --mask %s do not go together: nothing is nearest to a sample that lacks a modality", spec)
				fault.hint = "take another mask, such as marginal"
				return fault
			}
		}
		return nil
	}
	for _, spec := range q.options.Mask {
		if _, rule := splitMask(spec); rule == absentRule {
			fault := usagef("--mask %s: no sample was said to lack a modality", spec)
			fault.hint = "it is for samples that lack modalities: intershap explain --missing MODALITY"
			if q.hasCohort {
				fault.hint = "add --missing MODALITY, with the column that says which samples have it"
			}
			return fault
		}
	}
	return nil
}

// readBy reads the columns of --by. Each flag has its own rows.
func (q *question) readBy() error {
	for i, list := range q.by {
		var columns []string
		for name := range strings.SplitSeq(list, ",") {
			name = strings.TrimSpace(name)
			switch {
			case name == "":
				fault := usagef("--by: want names of columns, got %q with an empty one", list)
				fault.hint = "write --by sex, or --by sex,site for their combinations"
				return fault
			case slices.Contains(columns, name):
				return usagef("--by %s: column %s stands there twice", list, name)
			}
			columns = append(columns, name)
		}
		for _, other := range q.options.By {
			if slices.Equal(other, columns) {
				return usagef("--by %s was given twice", q.by[i])
			}
		}
		q.options.By = append(q.options.By, columns)
	}
	return nil
}
