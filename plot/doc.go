// Package plot draws what an explanation says: figures for people who would rather
// look than read JSON. It computes no score. What it shows are numbers of
// package result, and their sums.
//
// # What there is
//
//	waterfall  from the base value by each effect to the output, a row an effect
//	force      the same as one band: what raises the output against what lowers it
//	matrix     phi with values and shares
//	network    modalities as nodes, interactions as edges
//	beeswarm   local scores and each phi over samples
//	bars       contributions and interaction of each predicted class, to 100 %
//	spectrum   effects of single modalities against those of pairs
//
// An effect is a modality alone, a cell of phi's diagonal, or a pair, the sum of both
// its cells. Effects sum to output − base whatever the convention; shares follow the
// convention. A figure is about the data set, the samples with one predicted class,
// or one sample: see [Choice].
//
// # Conventions
//
// Texts never overlap: names are broken or lose their middle, the smallest effects
// become one row "N more", labels of an axis thin out. The file has names in full, as
// titles of their group. Meaning is never in colour alone: signs are written, and
// classes have shapes. Nothing undefined is drawn as a number. The same result gives
// the same bytes.
//
// Read plot.go for the way in, subject.go for what is drawn, table.go for the layout
// that most figures share, and a file for each kind. The drawing itself is in
// plot/scene.
package plot
