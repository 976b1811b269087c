// Package report makes one page of an explanation: a single HTML file that tells
// the finding in order, draws it, and lets its samples be looked through.
//
// The page is self-contained. Style and program are inside it and admitted by
// their digests in a content security policy that forbids everything else, so that
// it makes no request and a name that holds markup is shown, not run. All but the
// explorer of samples is there without a program: [Write] lays it out here, with
// html/template, and the browser adds nothing to it.
//
// Pictures are rows of tables with a small SVG in each. Positions in them are
// percentages of the column's width, so that they fit any screen without scaling
// text; the numbers stand beside them, so that nobody needs to see them.
//
// The package computes no score. It reads a [result.Explanation] and, for the
// distribution and the explorer, [result.Samples]. Equal input gives equal bytes.
//
// Reading order: report.go (the way in), page.go (the page from top to bottom),
// target.go (what is said of one explained number), waterfall.go, ranges.go and
// axis.go (the pictures), distribution.go (over samples), samples.go (what the
// explorer is given), remedy.go (what to do about warnings); then page/page.html,
// page/target.html, page/page.css and page/page.js. The explorer's waterfall is
// drawn by page.js to the rules of waterfall.go; a test holds one against the other
// in a browser.
package report
