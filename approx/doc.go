// Package approx estimates interaction indices of games that are too large to play out.
// Of the 2^n coalitions of n players it names as many as a budget pays for; from their
// values it makes estimates, and says how far these scatter.
//
//	d, err := approx.Draw(approx.Regression, 2, 24, 2000, seed)
//	for i, s := range d.Coalitions() {
//		values[i] = v(s)
//	}
//	e, err := d.Estimator(index.SII, 2)
//	e.To(estimates, draws, values, e.Scratch())
//
// Three methods stand side by side, [Cards] says what they are and docs/approximation.md
// what they are good for. All have this in common:
//
//	J1  A design is drawn once, by seed, before any value is known. It holds for every
//	    sample and target (common random numbers), and is the same on every machine.
//	J2  Estimates are linear in the values, so those of a mean game are the mean of the
//	    estimates, draw by draw.
//	J3  Estimates are unbiased: over all seeds their mean is the index itself.
//	J4  An estimate is the mean of its draws, and its standard error their standard
//	    deviation over the root of their number, with one degree of freedom less than
//	    there are draws. Where all coalitions are played there is no draw and no error.
//	J5  Efficient indices stay so: estimates add up to v(all) − v({}), and so do those of
//	    each draw. No correction is needed for that; see [Estimator.To].
//
// The package plays no games and knows no models. Reading order: method.go; weights.go;
// strata.go; design.go; estimator.go; sampled.go; regression.go, with fit.go
// and batch.go; permutation.go.
package approx
