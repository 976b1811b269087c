package plot

import (
	"strings"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/plot/scene"
)

// drawGroups draws contributions and interaction of the data set and of each group of
// its samples, stacked to 100 %: groups by columns of the data, then those that have the
// same modalities.
func drawGroups(s *Subject, opt Options) (*scene.Scene, error) {
	switch {
	case s.single || s.only >= 0:
		return nil, unfitf("groups compare the groups of the data set, not a class or a sample alone")
	case len(s.target.By) == 0 && len(s.target.Patterns) == 0:
		return nil, unfitf("the result has no groups: explain with --by COLUMN, or with --missing MODALITY")
	}
	var sections []stackSection
	for i := range s.target.By {
		p := &s.target.By[i]
		var columns []string
		for _, c := range p.Columns {
			columns = append(columns, wording.Escape(c))
		}
		section := stackSection{heading: "by " + strings.Join(columns, ", "), class: "group", one: "group", many: "groups"}
		for j := range p.Groups {
			g := &p.Groups[j]
			section.stacks = append(section.stacks, stacked{name{wording.GroupName(g.Values)}, &g.Breakdown})
		}
		sections = append(sections, section)
	}
	if len(s.target.Patterns) > 0 {
		section := stackSection{heading: "by what is present", class: "pattern", one: "group", many: "groups"}
		for i := range s.target.Patterns {
			p := &s.target.Patterns[i]
			section.stacks = append(section.stacks, stacked{name{wording.Escape(wording.PatternName(p.Present))}, &p.Breakdown})
		}
		sections = append(sections, section)
	}
	return s.drawStacks(opt, "Contributions and interaction by group of samples", sections)
}
