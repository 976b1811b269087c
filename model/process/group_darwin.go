package process

import "os"

const waitNoWait = 0x20 // WNOWAIT

// widen does nothing: pipes grow by themselves, and nobody says how far.
func widen(*os.File) (room int) { return 0 }
