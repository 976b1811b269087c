package cli

import (
	"errors"
	"fmt"
	"os"
	"runtime/pprof"
	"runtime/trace"
)

// profile starts a CPU profile and an execution trace, each into its file if it
// has a name, and returns the function that ends them.
func profile(cpu, traced string) (stop func() error, err error) {
	var stops []func() error
	stop = func() error {
		var faults []error
		for _, f := range stops {
			faults = append(faults, f())
		}
		return errors.Join(faults...)
	}
	begin := func(path string, start func(*os.File) error, end func()) error {
		if path == "" {
			return nil
		}
		f, err := os.Create(path)
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		if err := start(f); err != nil {
			return errors.Join(fmt.Errorf("profile: %w", err), f.Close())
		}
		stops = append(stops, func() error {
			end()
			return f.Close()
		})
		return nil
	}
	startCPU := func(f *os.File) error { return pprof.StartCPUProfile(f) }
	startTrace := func(f *os.File) error { return trace.Start(f) }
	if err := begin(cpu, startCPU, pprof.StopCPUProfile); err != nil {
		return nil, err
	}
	if err := begin(traced, startTrace, trace.Stop); err != nil {
		return nil, errors.Join(err, stop())
	}
	return stop, nil
}
