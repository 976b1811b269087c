//go:build !unix

package result

// unlinksOpenFiles says whether an open file can lose its name and live on.
const unlinksOpenFiles = false
