//go:build unix

package dataset

// unlinksOpenFiles says whether an open file can lose its name and live on.
const unlinksOpenFiles = true
