package plot

import (
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
		sections = append(sections, stackSection{heading: "by " + wording.PartitionName(p), class: "group", one: "group", many: "groups", stacks: wording.Groups(p)})
	}
	if len(s.target.Patterns) > 0 {
		sections = append(sections, stackSection{heading: "by " + wording.PatternsBy, class: "pattern", one: "group", many: "groups", stacks: wording.Patterns(s.target)})
	}
	return s.drawStacks(opt, "Contributions and interaction by group of samples", sections)
}
