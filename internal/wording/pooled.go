package wording

import (
	"strings"

	"github.com/intershap/intershap/result"
)

// Pooled reports whether the parts of a breakdown are means over different samples: each
// over those that have its modalities, where some samples lack one. Such parts do not add
// up to output less base. b is that of the target, or of a class or a group of it; the
// samples of a pattern all have the same, so that theirs add up.
func Pooled(ex *result.Explanation, t *result.Target, b *result.Breakdown) bool {
	return len(ex.Provenance.Missing) > 0 && !t.Complete(ex.Modalities) && !b.Complete(ex.Modalities)
}

// Lack reports whether some samples of a breakdown are known to lack a modality.
func Lack(b *result.Breakdown) bool {
	for _, n := range b.Present {
		if n != b.Samples {
			return true
		}
	}
	return false
}

// GroupName joins the values of a group's columns, escaped. Blank text would not be seen,
// and stands in quotes.
func GroupName(values []string) string {
	var shown []string
	for _, v := range values {
		if strings.TrimSpace(v) == "" {
			v = `"` + v + `"`
		}
		shown = append(shown, Escape(v))
	}
	return strings.Join(shown, ", ")
}

// Lacking names the modalities that are not among those of a pattern: "labs, notes"; ""
// where none is missing. Names are not escaped.
func Lacking(modalities, present []string) string {
	has := map[string]bool{}
	for _, name := range present {
		has[name] = true
	}
	var out []string
	for _, name := range modalities {
		if !has[name] {
			out = append(out, name)
		}
	}
	return strings.Join(out, ", ")
}
