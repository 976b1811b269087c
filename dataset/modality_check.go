package dataset

import (
	"fmt"
	"strings"
)

// checkCovered refuses inputs of which some elements are in a modality and
// some are in none: neither choice for the rest can be guessed.
func (p *modalityParser) checkCovered() error {
	for i, in := range p.inputs {
		taken := p.taken(i)
		if p.isFixed[i] || taken == 0 || taken == len(p.owners[i]) {
			continue
		}
		rest := p.uncovered(i)
		shown := rest
		if len(shown) > maxListed {
			shown = shown[:maxListed]
		}
		hint := "add --modality rest=" + strings.Join(shown, ",")
		if len(rest) > len(shown) {
			hint += ",... (a pattern may say all of them)"
		}
		return &ModalityError{
			Reason: fmt.Sprintf("%s of input %q belong to none: %s", plural(len(p.owners[i])-taken, "element"), in.Name, list(rest)),
			Hint:   hint + fmt.Sprintf("; or name no part of %q and give --fixed %s, if it is no player at all", in.Name, in.Name),
		}
	}
	return nil
}

// uncovered names what is left of an input, in a form that a spec takes:
// columns, or slices of axis 1.
func (p *modalityParser) uncovered(input int) []string {
	var names []string
	if features := p.features[input]; features != nil {
		for e, owner := range p.owners[input] {
			if owner == nobody {
				names = append(names, features[e])
			}
		}
		return names
	}
	// Without columns only slices take parts, so what is left is slices too.
	in := p.inputs[input]
	owners := p.owners[input]
	each := len(owners) / in.Shape[1]
	for lo := 0; lo < in.Shape[1]; {
		hi := lo + 1
		for hi < in.Shape[1] && owners[hi*each] == owners[lo*each] {
			hi++
		}
		if owners[lo*each] == nobody {
			names = append(names, fmt.Sprintf("%s[%d:%d]", in.Name, lo, hi))
		}
		lo = hi
	}
	return names
}

// checkNumber refuses too few and too many modalities. The first named ones
// come from specs.
func (p *modalityParser) checkNumber(named int) error {
	fault := &ModalityError{}
	unnamed := len(p.names) - named
	propose := func() string { return noProposal }
	switch {
	case len(p.names) == 0:
		fault.Reason = "none is left, every input is fixed"
		propose = func() string { return "fix only inputs that are no players" }
	case len(p.names) < minModalities:
		fault.Reason = p.describeOne(named)
		propose = p.proposeTwo
	case unnamed > p.maxUnnamed:
		fault.Reason = fmt.Sprintf("%d inputs that no --modality names, want at most %d: M modalities have 2^M coalitions", unnamed, p.maxUnnamed)
		propose = func() string {
			return "a budget of coalitions takes each for a modality, --budget C; or " + p.proposeGroups(p.names[named:])
		}
	case len(p.names) > MaxModalities:
		fault.Reason = fmt.Sprintf("%d modalities, want at most %d", len(p.names), MaxModalities)
	default:
		return nil
	}
	if !p.onTrial {
		fault.Hint = propose()
	}
	return fault
}

// describeOne says that there is but one modality, and what swallowed the rest.
func (p *modalityParser) describeOne(named int) string {
	players, all := len(p.inputs), "every input"
	for _, fixed := range p.isFixed {
		if fixed {
			players--
			all = "every input that is not fixed"
		}
	}
	if named > 0 && players > 1 {
		return fmt.Sprintf("InterSHAP needs at least two modalities, and %q holds %s", p.names[0], all)
	}
	return fmt.Sprintf("InterSHAP needs at least two modalities, there is one: %q", p.names[0])
}
