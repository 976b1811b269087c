package dataset

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/intershap/intershap/tensor"
)

// parquetFile is one file. Decoding goes through one cursor, since what a
// column reader has buffered makes sense for one position alone. A view in which
// lists are padded has a cursor of its own and shares the rest.
type parquetFile struct {
	path    string
	handle  *file.Reader
	arrow   *pqarrow.FileReader
	columns []Column
	layouts []parquetLayout
	shapes  map[string]string // what the footer says of tensor shapes
	starts  []int             // row group g holds rows [starts[g], starts[g+1])

	mu      *sync.Mutex // guards all below, and decoding
	cursor  *parquetCursor
	views   []parquetView
	extents map[int]listExtent // of the columns that were asked for
}

// parquetLayout is how a column lies in the file.
type parquetLayout struct {
	leaves map[int]bool // the physical columns of the field
	depth  int          // how many lists are nested around the elements
	dims   []int        // the length of each of them, the same in every row
	// blank is a row of the value that fills lists up to dims[0]; the zero Tensor
	// where lists are not padded.
	blank tensor.Tensor
}

func openParquet(ctx context.Context, path string) (File, error) {
	f, err := openParquetWith(ctx, path, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// openParquetWith reads the footer, and one row if there are lists, whose
// length the footer does not tell.
func openParquetWith(ctx context.Context, path string, alloc memory.Allocator) (*parquetFile, error) {
	handle, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	f := &parquetFile{path: path, mu: &sync.Mutex{}, extents: map[int]listExtent{}}
	err = guarded(func() (err error) {
		props := parquet.NewReaderProperties(alloc)
		// Without it a whole column chunk is held in memory.
		props.BufferedStreamEnabled = true
		if f.handle, err = file.NewParquetReader(handle, file.WithReadProps(props)); err != nil {
			return err
		}
		meta := f.handle.MetaData()
		if schema := meta.KeyValueMetadata().FindValue(arrowSchemaKey); schema != nil {
			if f.shapes, err = tensorShapes(*schema); err != nil {
				return err
			}
		}
		meta.FileMetaData.KeyValueMetadata = nil // tensorShapes says why
		f.arrow, err = pqarrow.NewFileReader(f.handle, pqarrow.ArrowReadProperties{BatchSize: maxChunkRows}, alloc)
		return err
	})
	if err != nil {
		handle.Close()
		return nil, broken(path, "", err)
	}
	if err := f.describe(ctx); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// guarded turns a panic of the decoder, which damaged files can cause, into an
// error.
func guarded(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the decoder gave up: %v", p)
		}
	}()
	return do()
}

// describe fills in columns, layouts and starts.
func (f *parquetFile) describe(ctx context.Context) error {
	f.starts = []int{0}
	for g := range f.handle.NumRowGroups() {
		rows := f.handle.MetaData().RowGroups[g].GetNumRows()
		total := int64(f.starts[g]) + rows
		if rows < 0 || total < 0 || int64(int(total)) != total {
			return broken(f.path, "", fmt.Errorf("row group %d claims %d rows", g, rows))
		}
		f.starts = append(f.starts, int(total))
	}
	for i := range f.arrow.Manifest.Fields {
		field := &f.arrow.Manifest.Fields[i]
		dtype, depth, refusal := parquetType(field.Field.Type)
		c := Column{Name: field.Field.Name, DType: dtype, Flat: true, Rows: f.Len()}
		if refusal != nil {
			refusal.File, refusal.Row, refusal.Column = f.path, NoRow, c.Name
			c.Refused = refusal
		}
		layout := parquetLayout{leaves: map[int]bool{}, depth: depth, dims: make([]int, depth)}
		addLeaves(layout.leaves, field)
		if _, declared := f.shapes[c.Name]; !declared {
			c.lists = depth
		}
		c.textBytes = f.leafBytes(layout.leaves)
		f.columns = append(f.columns, c)
		f.layouts = append(f.layouts, layout)
	}
	if err := checkNames(f.path, f.columns); err != nil {
		return err
	}
	for i := range f.columns {
		if f.columns[i].Refused != nil || f.layouts[i].depth == 0 || f.Len() == 0 {
			continue
		}
		if err := f.measure(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// leafBytes returns the mean size of a row in these physical columns, as the
// footer has it. Text that repeats is stored once and counts so; a longer row
// than that only makes a larger chunk.
func (f *parquetFile) leafBytes(leaves map[int]bool) int {
	var size int64
	for _, group := range f.handle.MetaData().RowGroups {
		for leaf := range leaves {
			if leaf >= len(group.Columns) || group.Columns[leaf].MetaData == nil {
				continue
			}
			size += max(group.Columns[leaf].MetaData.TotalUncompressedSize, 0)
		}
	}
	if size <= 0 || f.Len() == 0 {
		return 0
	}
	return int(min(size/int64(f.Len()), chunkBytes))
}

func addLeaves(leaves map[int]bool, field *pqarrow.SchemaField) {
	if field.IsLeaf() {
		leaves[field.ColIndex] = true
	}
	for i := range field.Children {
		addLeaves(leaves, &field.Children[i])
	}
}

// measure finds the lengths of the lists of column i from its first row.
func (f *parquetFile) measure(ctx context.Context, i int) error {
	c, layout := &f.columns[i], &f.layouts[i]
	first := 0
	for f.starts[first+1] == 0 {
		first++
	}
	err := f.firstRow(ctx, i, first, func(arr arrow.Array) error {
		var err error
		layout.dims, err = listLengths(arr, 0, layout.depth)
		return err
	})
	if fault, ok := asParquetFault(err); ok {
		c.Refused = f.fault(fault, i, 0)
		if !fault.missing {
			return nil
		}
		// Who takes nulls takes the shape of the first list that is none.
		if err = f.measureBehind(ctx, i); err == errNoList {
			return nil
		}
	}
	if err != nil {
		return broken(f.path, c.Name, err)
	}
	c.Shape = layout.dims
	c.textBytes /= max(c.RowLen(), 1)
	text, declared := f.shapes[c.Name]
	if !declared {
		return nil
	}
	shape, refusal := parseTensorShape(text)
	if refusal != nil {
		refusal.File, refusal.Row, refusal.Column = f.path, NoRow, c.Name
		c.Refused = refusal
		return nil
	}
	if want := (Column{Shape: shape}).RowLen(); want != c.RowLen() {
		c.Refused = &Error{
			File: f.path, Row: 0, Column: c.Name,
			Expected: plural(want, "element") + " as its tensor shape says", Found: itoa(c.RowLen()),
		}
		return nil
	}
	c.Shape, c.Flat = shape, false
	return nil
}

// parquetType returns the type of the elements and how many lists are around
// them, or why the column cannot be read. Dictionaries, large lists and lists
// of fixed size are encodings of the writer: Parquet has text and lists.
func parquetType(t arrow.DataType) (dtype tensor.DType, depth int, refusal *Error) {
	for t.ID() != arrow.MAP {
		list, ok := t.(arrow.ListLikeType)
		if !ok {
			break
		}
		t = list.Elem()
		depth++
	}
	d, ok := map[arrow.Type]tensor.DType{
		arrow.FLOAT16: tensor.Float16, arrow.FLOAT32: tensor.Float32, arrow.FLOAT64: tensor.Float64,
		arrow.INT8: tensor.Int8, arrow.INT16: tensor.Int16, arrow.INT32: tensor.Int32, arrow.INT64: tensor.Int64,
		arrow.UINT8: tensor.Uint8, arrow.UINT16: tensor.Uint16, arrow.UINT32: tensor.Uint32, arrow.UINT64: tensor.Uint64,
		arrow.BOOL: tensor.Bool, arrow.STRING: tensor.String,
	}[t.ID()]
	if !ok {
		return 0, 0, refusedType(t)
	}
	return d, depth, nil
}

func refusedType(t arrow.DataType) *Error {
	e := &Error{Expected: "numbers, booleans, text or lists of them", Found: t.String()}
	switch t.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.FIXED_SIZE_BINARY:
		e.Hint = "write the column as text or as a list of uint8"
	case arrow.STRUCT, arrow.MAP:
		e.Hint = `write each field as a column of its own, named "input.field"`
	case arrow.NULL:
		e.Found, e.Hint = "no value in any row", missingHint
	default:
		e.Hint = "cast the column to a number before writing: column.cast(pyarrow.float64())"
	}
	return e
}

func (f *parquetFile) Path() string      { return f.path }
func (f *parquetFile) Columns() []Column { return f.columns }
func (f *parquetFile) Len() int          { return f.starts[len(f.starts)-1] }

func (f *parquetFile) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dropCursors()
	return guarded(f.handle.Close)
}

func (f *parquetFile) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, err
	}
	read, gaps, err := f.readAll(ctx, lo, hi, columns)
	if err == nil {
		err = refuseGaps(f, lo, columns, read, gaps, "null")
	}
	return read, err
}

// parquetParts returns the Parquet files of a folder, sorted by name. Files in
// folders below it would be part of the data to the programs that write such
// trees, so they are refused rather than left out.
func parquetParts(folder string) ([]string, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, cannotOpen(folder, err)
	}
	var parts []string
	for _, e := range entries {
		path := filepath.Join(folder, e.Name())
		if e.IsDir() {
			if below := parquetBelow(path); below != "" {
				return nil, &Error{
					File: folder, Row: NoRow, Expected: "all .parquet files in the folder itself", Found: below,
					Hint: "put the files side by side into one folder, or join them into one file; name a folder below to read it alone",
				}
			}
		} else if isParquet(e.Name()) {
			parts = append(parts, path)
		}
	}
	if len(parts) == 0 {
		return nil, &Error{
			File: folder, Row: NoRow, Expected: "a folder with .parquet files in it", Found: "none",
			Hint: "other formats are single files: name the .npz, .csv or .parquet file itself",
		}
	}
	sort.Strings(parts)
	return parts, nil
}

// isParquet reports whether a file is a Parquet file by its name.
func isParquet(name string) bool { return strings.EqualFold(filepath.Ext(name), ".parquet") }

// parquetBelow returns a Parquet file in a tree of folders, "" for none. What
// the system does not let it look into, such as lost+found, has none.
func parquetBelow(folder string) (found string) {
	_ = filepath.WalkDir(folder, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return fs.SkipDir
		}
		if !e.IsDir() && isParquet(path) {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	return found
}
