package result

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/score"
	"github.com/intershap/intershap/tensor"
)

const (
	// rowGroupRows and rowGroupBytes bound a row group, which is held in
	// memory until it is written: readers like groups that are large.
	rowGroupRows  = 64 << 10
	rowGroupBytes = 32 << 20
	cellBytes     = 8
)

// parquetSamples writes row groups compressed by Snappy: measured numbers hardly
// shrink, Zstandard gains 8 % on them for twice the time and memory. The
// builder's memory is Go's own and needs no release.
type parquetSamples struct {
	file    *partial
	header  SamplesHeader
	writer  *pqarrow.FileWriter
	builder *array.RecordBuilder
	limit   int // rows in a group
	rows    int // rows of the group under way
	cells   []float64
	present *presentTexts // nil without that column
}

func createParquet(path string, header SamplesHeader) (samplesFormat, error) {
	columns, err := phiColumns(path, header.Modalities)
	if err != nil {
		return nil, err
	}
	present, err := newPresentTexts(path, header)
	if err != nil {
		return nil, err
	}
	schema := parquetSchema(header, columns)
	file, err := newPartial(path)
	if err != nil {
		return nil, err
	}
	f := &parquetSamples{
		file: file, header: header, cells: make([]float64, len(columns)), present: present,
		builder: array.NewRecordBuilder(memory.NewGoAllocator(), schema),
		limit:   max(min(rowGroupRows, rowGroupBytes/(cellBytes*schema.NumFields())), 1),
	}
	// Numbers hardly repeat: a dictionary of them would only be thrown away.
	// Targets, classes and what samples have repeat all the time.
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy),
		parquet.WithDictionaryDefault(false),
		parquet.WithDictionaryFor(columnTarget, true),
		parquet.WithDictionaryFor(columnPredicted, true),
		parquet.WithDictionaryFor(columnPresent, true),
		parquet.WithMaxRowGroupLength(int64(f.limit)),
	)
	err = f.guarded(func() error {
		f.writer, err = pqarrow.NewFileWriter(schema, file, props, pqarrow.DefaultWriterProps())
		if err != nil {
			return err
		}
		return f.writer.AppendKeyValueMetadata(SamplesSchemaKey, SamplesSchema)
	})
	if err != nil {
		return nil, errors.Join(err, file.discard())
	}
	return f, nil
}

func parquetSchema(header SamplesHeader, columns []string) *arrow.Schema {
	var fields []arrow.Field
	add := func(name string, t arrow.DataType, nullable bool) {
		fields = append(fields, arrow.Field{Name: name, Type: t, Nullable: nullable})
	}
	if header.hasTargets() {
		add(columnTarget, arrow.BinaryTypes.String, false)
	}
	if header.IDs == tensor.Int64 {
		add(columnID, arrow.PrimitiveTypes.Int64, false)
	} else {
		add(columnID, arrow.BinaryTypes.String, false)
	}
	add(columnPredicted, arrow.PrimitiveTypes.Int64, false)
	add(columnBase, arrow.PrimitiveTypes.Float64, false)
	add(columnOutput, arrow.PrimitiveTypes.Float64, false)
	add(columnInterSHAP, arrow.PrimitiveTypes.Float64, true)
	add(columnSE, arrow.PrimitiveTypes.Float64, true)
	for _, name := range columns {
		add(name, arrow.PrimitiveTypes.Float64, false)
	}
	add(columnCorrected, arrow.PrimitiveTypes.Float64, true)
	if header.HasPresent {
		add(columnPresent, arrow.BinaryTypes.String, false)
	}
	return arrow.NewSchema(fields, nil)
}

func (f *parquetSamples) write(row *checkedRow) error {
	at := 0
	next := func() array.Builder {
		at++
		return f.builder.Field(at - 1)
	}
	number := func(x float64) { next().(*array.Float64Builder).Append(x) }
	share := func(s score.Share) {
		v, ok := s.Value()
		next().(*array.Float64Builder).AppendValues([]float64{v}, []bool{ok})
	}
	if f.header.hasTargets() {
		next().(*array.StringBuilder).Append(f.header.Targets[row.Target])
	}
	if f.header.IDs == tensor.Int64 {
		next().(*array.Int64Builder).Append(row.number)
	} else {
		next().(*array.StringBuilder).Append(row.ID)
	}
	next().(*array.Int64Builder).Append(int64(row.Predicted))
	number(row.Base)
	number(row.Output)
	share(row.InterSHAP)
	share(row.SE)
	phiCellsTo(f.cells, row.Phi, len(f.header.Modalities))
	for _, v := range f.cells {
		number(v)
	}
	share(row.Corrected)
	if f.present != nil {
		next().(*array.StringBuilder).Append(f.present.text(row.Present))
	}
	if f.rows++; f.rows < f.limit {
		return nil
	}
	return f.flush()
}

// flush writes the row group under way.
func (f *parquetSamples) flush() error {
	return f.guarded(func() error {
		record := f.builder.NewRecordBatch()
		defer record.Release()
		f.rows = 0
		return f.writer.Write(record)
	})
}

func (f *parquetSamples) finish() error {
	if f.rows > 0 {
		if err := f.flush(); err != nil {
			return err
		}
	}
	if err := f.guarded(f.writer.Close); err != nil {
		return err
	}
	return f.file.commit()
}

func (f *parquetSamples) discard() error { return f.file.discard() }

// guarded calls the encoder, which panics where its sink fails in the wrong
// moment. The sink's own error says more than what comes out above.
func (f *parquetSamples) guarded(call func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
		switch {
		case f.file.err != nil:
			err = f.file.err
		case err != nil:
			err = fmt.Errorf("result: samples file %s: %w", f.file.path, err)
		}
	}()
	return call()
}
