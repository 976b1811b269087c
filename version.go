package intershap

import "runtime/debug"

// release is the version of this source.
const release = "0.1.0"

// Version returns the version of the module, with the revision it was built
// from where the build recorded one.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return release
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return release + "+" + s.Value[:12]
		}
	}
	return release
}
