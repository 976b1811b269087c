package cli

import (
	"math"

	"github.com/intershap/intershap/internal/wording"
	"github.com/intershap/intershap/score"
)

// The words for numbers are those of every page, see package wording.

// undefined is what stands for a share of no behaviour.
const undefined = wording.Undefined

func points(x float64) string      { return wording.Points(x) }
func percent(x float64) string     { return wording.Percent(x) }
func significant(x float64) string { return wording.Significant(x) }
func grouped(n int64) string       { return wording.Grouped(n) }
func seconds(s float64) string     { return wording.Seconds(s) }
func level(x float64) string       { return wording.Level(x) }

func roundTo(x float64, digits int) float64 { return wording.RoundTo(x, digits) }

func count(n int64, noun string) string { return wording.Count(n, noun) }

// An interval is a share with its bounds.
type interval struct{ share, low, high score.Share }

// cell writes the interval.
func (v interval) cell() cell {
	head, tail := wording.Interval{Share: v.share, Low: v.low, High: v.high}.Parts()
	return cell{head: head, tail: tail}
}

// rate writes the rows of one second with three digits.
func rate(rows int64, s float64) string {
	if s <= 0 {
		return "-"
	}
	return grouped(int64(math.Round(roundTo(float64(rows)/s, 3))))
}
