package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/intershap/intershap/result"
)

// Write writes the page of an explanation: its verdict, how to read it, the
// breakdown of the data set, by class and by pair, and what it was made from. With
// samples of the same run it has their distribution and the explorer, and without
// them, samples being nil, it says how to get them.
//
// Samples of another run are an error that says why. The page is UTF-8, and the same
// for the same input. Memory grows with the number of samples, by about twice what
// they take themselves.
func Write(w io.Writer, ex *result.Explanation, samples *result.Samples) error {
	if len(ex.Targets) == 0 || len(ex.Modalities) == 0 {
		return errors.New("report: the explanation has no targets or no modalities: there is nothing to tell")
	}
	if samples != nil {
		if err := checkLengths(samples); err != nil {
			return err
		}
		if err := samples.Belongs(ex); err != nil {
			return fmt.Errorf("report: %w", err)
		}
	}
	p, err := newPage(ex, samples)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(w, 256<<10)
	if err := pageTemplate.Execute(buffered, p); err != nil {
		return fmt.Errorf("report: %w", err)
	}
	return buffered.Flush()
}
