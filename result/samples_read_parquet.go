package result

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/intershap/intershap/score"
)

const (
	// parquetExpansion is the most that a file may grow by in memory. Snappy, which we
	// write, writes 64 bytes as 3; a number that repeats takes no room at all under
	// other encodings, so that a few bytes could claim all memory.
	parquetExpansion = 64
	// parquetFloor is what a file may claim however short it is: a file of one row is
	// nearly all footer, whose pages have their own least size.
	parquetFloor = 1 << 20
	// parquetBatch is how many numbers are decoded at once, and parquetTexts how many
	// texts, which some encodings make of a few bytes each.
	parquetBatch = 8192
	parquetTexts = 64
)

// parquetRead is a samples file in Parquet under way.
type parquetRead struct {
	file   *file.Reader
	layout *samplesLayout
	// limit is how many bytes may come out of the file, left what is still to come.
	limit, left int64
}

func readParquetSamples(source *samplesSource) (s *Samples, err error) {
	// The decoder panics on some damaged files.
	defer func() {
		if fault := recover(); fault != nil {
			s, err = nil, fmt.Errorf("the decoder gave up (%v): is the file complete?", fault)
		}
	}()
	r := &parquetRead{limit: parquetFloor + parquetExpansion*source.size}
	r.left = r.limit
	props := parquet.NewReaderProperties(memory.NewGoAllocator())
	props.BufferedStreamEnabled = true // without it the size that a column claims is allocated
	props.MaxUncompressedPageSize = min(r.limit, parquet.DefaultMaxUncompressedPageSize)
	if r.file, err = file.NewParquetReader(source.file, file.WithReadProps(props)); err != nil {
		return nil, fmt.Errorf("no Parquet file, or one without its end (%w): is the file complete?", err)
	}
	found := ""
	if v := r.file.MetaData().KeyValueMetadata().FindValue(SamplesSchemaKey); v != nil {
		found = *v
	}
	if err := checkSchema(found); err != nil {
		return nil, err
	}
	if r.layout, err = newSamplesLayout(r.names()); err != nil {
		return nil, err
	}
	if err := errors.Join(r.checkTypes(), r.checkRows(source.size)); err != nil {
		return nil, err
	}
	table, err := newSamplesTable(r.layout)
	if err != nil {
		return nil, err
	}
	for g := range r.file.NumRowGroups() {
		if err := r.readGroup(g, table); err != nil {
			return nil, err
		}
	}
	return table.finish()
}

// names returns the columns, those of nested ones under a name that none of ours has.
func (r *parquetRead) names() []string {
	columns := r.file.MetaData().Schema
	names := make([]string, columns.NumColumns())
	for i := range names {
		c := columns.Column(i)
		names[i] = c.Name()
		if len(c.ColumnPath()) != 1 || c.MaxRepetitionLevel() > 0 || c.MaxDefinitionLevel() > 1 {
			names[i] = fmt.Sprintf("nested %d", i)
		}
	}
	return names
}

// checkTypes refuses columns of another type than the format says.
func (r *parquetRead) checkTypes() error {
	l := r.layout
	check := func(at int, types ...parquet.Type) error {
		if at < 0 {
			return nil
		}
		c := r.column(at)
		for _, t := range types {
			if c.PhysicalType() == t {
				return nil
			}
		}
		return fmt.Errorf("column %q: want type %s, got %s", c.Name(), types[0], c.PhysicalType())
	}
	faults := []error{
		check(l.target, parquet.Types.ByteArray),
		check(l.id, parquet.Types.Int64, parquet.Types.ByteArray),
		check(l.predicted, parquet.Types.Int64),
		check(l.present, parquet.Types.ByteArray),
	}
	for _, at := range append([]int{l.base, l.output, l.local, l.se, l.corrected}, l.cells...) {
		faults = append(faults, check(at, parquet.Types.Double))
	}
	return errors.Join(faults...)
}

func (r *parquetRead) column(at int) *schema.Column { return r.file.MetaData().Schema.Column(at) }

// checkRows holds the rows that the footer claims against the size of the file, before
// any memory is taken for them.
func (r *parquetRead) checkRows(size int64) error {
	const scalars = 6 // columns beside phi's that every file has, but for the target
	width := int64(scalars+len(r.layout.cells)) * cellBytes
	var rows int64
	for g := range r.file.NumRowGroups() {
		n := r.file.MetaData().RowGroups[g].GetNumRows()
		if n < 0 || n > r.limit/width-rows {
			return fmt.Errorf("%d bytes cannot hold the %d rows of %d columns that the footer claims: is the file damaged?",
				size, n, scalars+len(r.layout.cells))
		}
		rows += n
	}
	return nil
}

// readGroup reads one row group column by column.
func (r *parquetRead) readGroup(g int, table *samplesTable) error {
	group := r.file.RowGroup(g)
	rows, l := int(group.NumRows()), r.layout
	c := parquetColumns{read: r, group: group, rows: rows}
	var targets []string
	if l.target >= 0 {
		targets = c.texts(l.target)
	}
	ids := c.ids(l.id)
	predicted := c.integers(l.predicted)
	base, output := c.floats(l.base), c.floats(l.output)
	local, se := c.nullable(l.local), c.nullable(l.se)
	var corrected []score.Share
	if l.corrected >= 0 {
		corrected = c.nullable(l.corrected)
	}
	var present []string
	if l.present >= 0 {
		present = c.texts(l.present)
	}
	cells := make([][]float64, len(l.cells))
	for i, at := range l.cells {
		cells[i] = c.floats(at)
	}
	if c.err != nil {
		return c.err
	}
	line := samplesLine{cells: make([]float64, len(cells))}
	for i := range rows {
		if targets != nil {
			line.target = targets[i]
		}
		line.id, line.predicted = ids[i], predicted[i]
		line.base, line.output, line.local, line.se = base[i], output[i], local[i], se[i]
		if corrected != nil {
			line.corrected = corrected[i]
		}
		if present != nil {
			var err error
			if line.present, err = parsePresent(l.modalities, present[i]); err != nil {
				return fmt.Errorf("row %d: %w", table.rows, err)
			}
		}
		for at, column := range cells {
			line.cells[at] = column[i]
		}
		if err := table.add(&line); err != nil {
			return fmt.Errorf("row %d: %w", table.rows-1, err)
		}
	}
	return nil
}

// parquetColumns reads columns of a row group; after a fault all are empty and err
// says the first.
type parquetColumns struct {
	read  *parquetRead
	group *file.RowGroupReader
	rows  int
	err   error
}

func (c *parquetColumns) texts(at int) []string {
	return readChunk(c, at, parquetTexts, noNull[string], func(b parquet.ByteArray) (string, error) {
		// A text that repeats stands in the file once.
		if c.read.left -= int64(len(b)); c.read.left < 0 {
			return "", fmt.Errorf("more than %d bytes of text: is the file damaged?", c.read.limit)
		}
		return string(b), checkUTF8(b)
	})
}

func (c *parquetColumns) integers(at int) []int64 {
	return readChunk(c, at, parquetBatch, noNull[int64], func(n int64) (int64, error) { return n, nil })
}

func (c *parquetColumns) floats(at int) []float64 {
	return readChunk(c, at, parquetBatch, noNull[float64], func(x float64) (float64, error) { return x, nil })
}

func (c *parquetColumns) nullable(at int) []score.Share {
	undefined := func() (score.Share, error) { return score.Share{}, nil }
	return readChunk(c, at, parquetBatch, undefined, func(x float64) (score.Share, error) { return score.Defined(x), nil })
}

func (c *parquetColumns) ids(at int) []string {
	if c.read.column(at).PhysicalType() == parquet.Types.ByteArray {
		return c.texts(at)
	}
	return readChunk(c, at, parquetBatch, noNull[string], func(n int64) (string, error) { return strconv.FormatInt(n, 10), nil })
}

// noNull refuses what is missing.
func noNull[V any]() (none V, err error) { return none, errors.New("want a value, got null") }

// readChunk reads a column in batches, which end with a page: across pages the decoder
// copies texts, however often one repeats. Within them it takes the memory of texts
// again, so that they are converted at once.
func readChunk[P, V any](c *parquetColumns, at, batch int, null func() (V, error), convert func(P) (V, error)) []V {
	if c.err != nil {
		return nil
	}
	fail := func(err error) []V {
		c.err = fmt.Errorf("column %q: %w", c.read.column(at).Name(), err)
		return nil
	}
	chunk, err := c.group.Column(at)
	if err != nil {
		return fail(err)
	}
	reader, ok := chunk.(interface {
		ReadBatchInPage(rows int64, values []P, definition, repetition []int16) (total int64, read int, err error)
	})
	if !ok {
		return fail(errors.New("another type than the footer says: is the file damaged?"))
	}
	optional := c.read.column(at).MaxDefinitionLevel() > 0
	out := make([]V, 0, c.rows)
	values, levels := make([]P, batch), make([]int16, batch)
	for len(out) < c.rows {
		total, read, err := reader.ReadBatchInPage(int64(min(batch, c.rows-len(out))), values, levels, nil)
		if err == nil && total == 0 {
			err = fmt.Errorf("want %d rows, got %d: is the file complete?", c.rows, len(out))
		}
		if err != nil {
			return fail(err)
		}
		next := 0
		for i := range total {
			var v V
			switch {
			case optional && levels[i] == 0:
				v, err = null()
			case next == read:
				err = errors.New("fewer values than it says: is the file damaged?")
			default:
				v, err = convert(values[next])
				next++
			}
			if err != nil {
				return fail(err)
			}
			out = append(out, v)
		}
	}
	return out
}
