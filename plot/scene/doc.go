// Package scene is a picture as a list of things to draw: boxes, lines, circles,
// marks and texts, with their places. It writes them as SVG, PNG and PDF. It knows
// nothing of what a picture is about; package plot does.
//
// Texts are measured with the metrics of the font that draws them, Liberation Sans
// (as wide as Arial and Helvetica), before anything is drawn: so a layout can be
// checked for texts that overlap without looking ([Scene.Faults]), and that is the
// same check for all three formats.
//
// # Conventions
//
// Lengths are CSS pixels, 1/96 inch; x goes to the right and y down from the upper
// left corner. A text stands on its baseline. Files depend on the scene alone: they
// hold no date, no name of a machine, and nothing that changes from run to run.
//
// Read scene.go for what there is to draw, text.go for measuring, and svg.go, png.go
// and pdf.go for the formats.
package scene
