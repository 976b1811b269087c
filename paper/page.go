package paper

import (
	"fmt"

	"gonum.org/v1/gonum/stat"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/synth"
)

// A Unit is that of a line's numbers.
type Unit string

// The units: percent as in the paper, and information in nats.
const (
	Percent Unit = "%"
	Nats    Unit = "nats"
)

// A Page is the tables of a run.
type Page struct {
	Setup Setup `json:"setup"`
	// Quick says that the numbers are not to be held against the paper's.
	Quick  bool    `json:"quick"`
	Tables []Table `json:"tables"`
	// Real holds the data sets of [Options.Data].
	Real []RealTable `json:"real"`
}

// A Table is a table of the paper, a line to a cell.
type Table struct {
	Number int    `json:"number"`
	Title  string `json:"title"`
	Lines  []Line `json:"lines"`
	// Notes say what numbers mean and why ours may differ.
	Notes []string `json:"notes"`
}

// A Line is one cell of a table: the published number and ours.
type Line struct {
	Row    string `json:"row"`
	Column string `json:"column"`
	Unit   Unit   `json:"unit"`
	// Published is nil where the paper has no such number.
	Published *Published `json:"published"`
	// Ours is the mean over seeds.
	Ours score.Share `json:"ours"`
	// Spread is the standard deviation over the networks' seeds. Of local scores it is
	// that over samples, a mean over networks, and of a single PID that over seeds of
	// k-means. Undefined for any other single number.
	Spread score.Share `json:"spread"`
	// Difference is ours less the published, undefined without either.
	Difference score.Share `json:"difference"`
	// Seeds is the number of networks.
	Seeds int `json:"seeds"`
}

// newPage makes the tables of scores.
func newPage(tables []int, setup Setup, scores Scores, quick bool) *Page {
	p := &Page{Setup: setup, Quick: quick, Tables: []Table{}, Real: []RealTable{}}
	b := builder{setup, scores}
	for _, n := range tables {
		t := Table{Number: n, Title: titles[n], Notes: notes(n, quick)}
		switch n {
		case 2:
			t.Lines = b.table2()
		case 3:
			t.Lines = b.table3()
		case 9:
			t.Lines = b.table9()
		case 10:
			t.Lines = b.byFusion(interSHAP, table10, hdxorSettings[:3])
		case 11:
			t.Lines = b.byFusion(f1, table11, table11Settings)
		}
		p.Tables = append(p.Tables, t)
	}
	return p
}

var titles = map[int]string{
	2:  "HD-XOR, two modalities, early fusion",
	3:  "HD-XOR, two to four modalities, early fusion",
	9:  "SUM, early fusion",
	10: "HD-XOR, two modalities, InterSHAP by fusion",
	11: "HD-XOR, two modalities, macro F1 by fusion",
}

// A builder makes lines of scores.
type builder struct {
	setup  Setup
	scores Scores
}

func (b builder) table2() []Line {
	var out []Line
	for _, row := range table2 {
		for i, c := range table2Columns {
			source := hdxor(2, c.setting)
			m, units, heading := row.measure, b.seeds(source, c.network), settingHeadings[c.setting]+" FCNN"
			if c.network == xor {
				heading = settingHeadings[c.setting] + " XOR"
				if m.name == modelPID.name {
					// The published number is of the features and the true labels: the
					// data's own, which every network's run has.
					m, units = dataPID, b.seeds(source, early)[:1]
				}
			}
			out = append(out, b.line(m, row.name, heading, units, row.published[i]))
		}
	}
	return out
}

func (b builder) table3() []Line {
	var out []Line
	for i, published := range table3 {
		m := least + i
		row := fmt.Sprintf("M = %d", m)
		for k, s := range hdxorSettings[:3] {
			out = append(out, b.line(interSHAP, row, settingHeadings[s], b.seeds(hdxor(m, s), early), published[k]))
		}
		out = append(out, b.line(f1, row, "F1 on synergy", b.seeds(hdxor(m, synth.Synergy), early), table3F1[i]))
	}
	return out
}

func (b builder) table9() []Line {
	var out []Line
	for _, row := range table9 {
		for i, s := range synth.SUMSettings() {
			out = append(out, b.line(row.measure, row.name, string(s), b.seeds(sum(s), early), row.published[i]))
		}
	}
	return out
}

// byFusion makes a line for each network and setting.
func (b builder) byFusion(m measure, rows []fusionRow, settings []synth.Setting) []Line {
	var out []Line
	for _, row := range rows {
		for i, s := range settings {
			var published *Published
			if row.published != nil {
				published = row.published[i]
			}
			out = append(out, b.line(m, row.heading, settingHeadings[s], b.seeds(hdxor(2, s), row.network), published))
		}
	}
	return out
}

// seeds lists the units of a network, one a seed.
func (b builder) seeds(s Source, n Network) []unit { return b.setup.units(s, n) }

// line makes a line of a measure over units.
func (b builder) line(m measure, row, column string, units []unit, published *Published) Line {
	l := Line{Row: row, Column: column, Unit: m.unit, Published: published, Seeds: len(units)}
	scale := 1.0
	if m.unit == Percent {
		scale = 100
	}
	var values, own []float64
	for _, u := range units {
		got := m.of(b.scores[u.name()])
		v, ok := got.value.Value()
		if !ok {
			return l // a mean over some of the seeds would pass for that of all
		}
		values = append(values, scale*v)
		if v, ok := got.spread.Value(); ok {
			own = append(own, scale*v)
		}
	}
	l.Ours = score.Defined(stat.Mean(values, nil))
	switch {
	case len(own) == len(values) && (m.overSamples || len(values) == 1):
		l.Spread = score.Defined(stat.Mean(own, nil))
	case len(values) > 1:
		l.Spread = score.Defined(stat.StdDev(values, nil))
	}
	if published != nil {
		l.Difference = score.Defined(l.Ours.Or(0) - published.Value)
	}
	return l
}
