// Package export writes a result in the shapes of other tools, for their plots and
// methods: the fields of shap.Explanation as NumPy arrays, shapiq's InteractionValues,
// and shapiq's games. pandas, Polars, DuckDB and R need nothing of it, since they read
// samples files as they are.
//
// [New] takes a result and its samples; [Export.Shap], [Export.InteractionValues],
// [Export.Game] and [Export.GameNPZ] write. Nothing is computed but sums: the Shapley
// value of a modality is its row of phi added up, and the k-SII of order two is what the
// cells of phi are, pairs added up.
//
//	Shapley value of i       Σ_j phi_ij
//	k-SII of {i}             phi_ii
//	k-SII of {i, j}          phi_ij + phi_ji
//
// The last two follow from phi_ij = SII_ij/2 and from k-SII of order two,
// SII_i − ½·Σ_j SII_ij for one player and SII_ij for two (Bordt and von Luxburg, 2023).
//
// docs/format/export.md says what stands in each file, docs/recipes.md how to open it.
//
// Reading order: export.go, shap.go, shapiq.go, then npz.go and json.go beneath them.
package export
