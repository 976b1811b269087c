package result

import (
	"errors"
	"fmt"
)

// SamplesMemory keeps the samples of a run in memory, with values, as [ReadSamples]
// would give them from a file. The zero value is ready to be a run's sink.
type SamplesMemory struct {
	header SamplesHeader
	table  *samplesTable
	line   samplesLine
}

// memoryPath is the path of samples that were never a file.
const memoryPath = "memory"

// Begin starts the samples of a run.
func (s *SamplesMemory) Begin(header SamplesHeader) error {
	if err := header.validate(); err != nil {
		return fmt.Errorf("result: samples: %w", err)
	}
	layout := &samplesLayout{target: -1, corrected: 0, present: -1, modalities: header.Modalities}
	if header.HasPresent {
		layout.present = 0
	}
	if header.hasTargets() {
		layout.target = 0
	}
	var err error
	s.header = header
	if s.table, err = newSamplesTable(layout); err != nil {
		return fmt.Errorf("result: samples: %w", err)
	}
	return nil
}

// Write adds one row, which it copies.
func (s *SamplesMemory) Write(row SampleRow) error {
	if s.table == nil {
		return errors.New("result: samples: want Begin before the first row")
	}
	check := samplesFile{header: s.header, rows: s.table.rows}
	check.row.ID, check.row.Predicted, check.row.Present = s.line.id, int(s.line.predicted), s.line.present
	if err := check.check(&row); err != nil {
		return fmt.Errorf("result: samples: %w", err)
	}
	s.line = samplesLine{
		id: row.ID, predicted: int64(row.Predicted), present: row.Present, base: row.Base, output: row.Output,
		local: row.InterSHAP, se: row.SE, corrected: fraction(row.Corrected), phi: row.Phi, values: row.Values,
	}
	if s.header.hasTargets() {
		s.line.target = s.header.Targets[row.Target]
	}
	if err := s.table.add(&s.line); err != nil {
		return fmt.Errorf("result: samples: sample %d: %w", row.Sample, err)
	}
	return nil
}

// Samples returns what was written.
func (s *SamplesMemory) Samples() (*Samples, error) {
	if s.table == nil {
		return nil, fmt.Errorf("result: samples: %w", errNoSamples)
	}
	all, err := s.table.finish()
	if err != nil {
		return nil, fmt.Errorf("result: samples: %w", err)
	}
	if want := s.header.Samples; all.Len() != want {
		return nil, fmt.Errorf("result: samples: want %d samples, got %d", want, all.Len())
	}
	all.Path = memoryPath
	return all, nil
}
