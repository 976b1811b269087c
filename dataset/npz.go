package dataset

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/intershap/intershap/tensor"
)

const (
	// maxDeflate is the most that DEFLATE can expand: 258 bytes from 2 bits. A
	// member that claims more lies about its size.
	maxDeflate = 1032
	// maxSpool bounds the temporary copies of one file's compressed arrays.
	maxSpool = 64 << 30

	zipEncrypted = 1 // bit of zip.FileHeader.Flags
)

type npzFile struct {
	path    string
	handle  *os.File
	members []*npzMember
	columns []Column
	rows    int

	// spoolLeft is what may still be copied to temporary files.
	spoolMu   sync.Mutex
	spoolLeft int64
}

// npzMember is one array of the archive.
type npzMember struct {
	file   *zip.File
	header npyHeader

	mu    sync.Mutex
	whole bool      // the archive's checksum was compared
	array *npyArray // nil until the first read
	spool *os.File  // nil for a member that is stored as it is
}

// openNPZ reads the headers of all arrays and none of their elements.
func openNPZ(path string) (File, error) {
	handle, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	f := &npzFile{path: path, handle: handle, spoolLeft: maxSpool}
	if err := f.open(); err != nil {
		handle.Close()
		return nil, err
	}
	return f, nil
}

func (f *npzFile) open() error {
	info, err := f.handle.Stat()
	if err != nil {
		return cannotOpen(f.path, err)
	}
	archive, err := zip.NewReader(f.handle, info.Size())
	if err != nil {
		return broken(f.path, "", fmt.Errorf("no ZIP archive, which an NPZ file is: %w", err))
	}
	for _, member := range archive.File {
		name, isArray := strings.CutSuffix(member.Name, ".npy")
		if !isArray {
			continue
		}
		m := &npzMember{file: member}
		c := Column{Name: name}
		if e := m.open(info.Size()); e != nil {
			e.File, e.Column, e.Row = f.path, name, NoRow
			c.Refused = e
		} else {
			c.DType, c.Shape, c.Rows = m.header.dtype, m.header.shape[1:], m.header.shape[0]
			c.textBytes = m.header.item // with the zeros that fill it up, which are read too
		}
		f.members = append(f.members, m)
		f.columns = append(f.columns, c)
	}
	if len(f.columns) == 0 {
		return &Error{
			File: f.path, Row: NoRow, Expected: "at least one .npy array", Found: "none",
			Hint: "write the file with numpy.savez(path, name=array, ...)",
		}
	}
	f.rows = commonRows(f.columns)
	return checkNames(f.path, f.columns)
}

// commonRows returns the length that most arrays have, the first on a tie.
func commonRows(columns []Column) int {
	count := map[int]int{}
	for _, c := range columns {
		if c.Refused == nil {
			count[c.Rows]++
		}
	}
	rows := 0
	for _, c := range columns {
		if c.Refused == nil && count[c.Rows] > count[rows] {
			rows = c.Rows
		}
	}
	return rows
}

// open reads the header and holds it against what the archive says, so that no
// later step allocates or copies by a number that nothing backs.
func (m *npzMember) open(fileSize int64) *Error {
	damaged := func(err error) *Error { return broken("", "", err) }
	switch {
	case m.file.Flags&zipEncrypted != 0:
		return &Error{Expected: "a plain archive", Found: "an encrypted member", Hint: "write the file without a password"}
	case m.file.Method != zip.Store && m.file.Method != zip.Deflate:
		return &Error{
			Expected: "a member stored or deflated", Found: "ZIP method " + itoa(int(m.file.Method)),
			Hint: "write the file with numpy.savez or numpy.savez_compressed",
		}
	case m.file.CompressedSize64 > uint64(fileSize):
		return damaged(errors.New("the archive ends before it"))
	case m.file.Method == zip.Store && m.file.UncompressedSize64 != m.file.CompressedSize64,
		m.file.UncompressedSize64/maxDeflate > m.file.CompressedSize64:
		return damaged(fmt.Errorf("%d bytes cannot come from %d", m.file.UncompressedSize64, m.file.CompressedSize64))
	}
	r, err := m.file.Open()
	if err != nil {
		return damaged(err)
	}
	defer r.Close()
	h, err := readNPYHeader(r)
	if err != nil {
		return damaged(err)
	}
	m.header = h
	switch have := int64(m.file.UncompressedSize64) - h.size; {
	case h.refused != "":
		return &Error{Expected: "numbers or text", Found: h.refused, Hint: h.remedy}
	case h.bytes() > have:
		return damaged(fmt.Errorf("shape %s of %s needs %d bytes, the member has %d", tensor.FormatShape(h.shape), h.dtype, h.bytes(), have))
	case len(h.shape) == 0:
		return &Error{
			Expected: "one row a sample on axis 0", Found: "a single value",
			Hint: "repeat it for every sample: numpy.full(n, value)",
		}
	case h.shape[0] > 0 && h.rowLen() == 0:
		return &Error{Expected: "a row of at least one element", Found: "shape " + tensor.FormatShape(h.shape)}
	}
	return nil
}

func (f *npzFile) Path() string      { return f.path }
func (f *npzFile) Columns() []Column { return f.columns }
func (f *npzFile) Len() int          { return f.rows }

func (f *npzFile) Read(ctx context.Context, lo, hi int, columns []int) ([]tensor.Tensor, error) {
	if err := checkRead(f, lo, hi, columns); err != nil {
		return nil, err
	}
	out := make([]tensor.Tensor, len(columns))
	for i, c := range columns {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		array, err := f.array(ctx, c)
		if err == nil {
			out[i], err = array.read(lo, hi)
		}
		var text *textError
		var spool *spoolError
		switch {
		case errors.As(err, &spool):
			return nil, f.noRoom(c, spool)
		case errors.As(err, &text):
			return nil, &Error{File: f.path, Row: text.row, Column: f.columns[c].Name, Expected: "text", Found: text.reason, Err: err}
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, broken(f.path, f.columns[c].Name, err)
		}
	}
	return out, nil
}

// array returns the elements of a member, ready for reading at any place.
//
// A stored member lies in the file as it is. A deflated one can only be read
// from its start on, so it is copied once to a temporary file: samples are
// read in tiles by several workers, and some columns twice, which would
// otherwise decompress everything before a tile each time.
func (f *npzFile) array(ctx context.Context, column int) (*npyArray, error) {
	m := f.members[column]
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.array != nil {
		return m.array, nil
	}
	if m.file.Method == zip.Store {
		offset, err := m.file.DataOffset()
		if err != nil {
			return nil, err
		}
		m.array = &npyArray{m.header, io.NewSectionReader(f.handle, offset+m.header.size, m.header.bytes())}
		return m.array, nil
	}
	size := int64(m.file.UncompressedSize64)
	f.spoolMu.Lock()
	enough := size <= f.spoolLeft
	if enough {
		f.spoolLeft -= size
	}
	f.spoolMu.Unlock()
	if !enough {
		return nil, fmt.Errorf("its compressed arrays need more than %d bytes of temporary files; write it with numpy.savez, uncompressed", int64(maxSpool))
	}
	spool, err := m.copyOut(ctx, size)
	if err != nil {
		f.spoolMu.Lock()
		f.spoolLeft += size
		f.spoolMu.Unlock()
		return nil, err
	}
	m.spool = spool
	m.array = &npyArray{m.header, io.NewSectionReader(spool, m.header.size, m.header.bytes())}
	return m.array, nil
}

// verify compares the checksums of the arrays at these columns with those of the
// archive, once. Stored arrays need it, since reading them in place passes over
// the checksum; compressed ones were compared when they were copied out.
func (f *npzFile) verify(ctx context.Context, columns []int) error {
	for _, c := range columns {
		if err := f.members[c].verify(ctx); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return broken(f.path, f.columns[c].Name, err)
		}
	}
	return nil
}

func (m *npzMember) verify(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.whole || m.file.Method != zip.Store {
		return nil
	}
	r, err := m.file.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	// The reader compares at its end.
	if _, err := io.Copy(io.Discard, untilDone{ctx, r}); err != nil {
		return err
	}
	m.whole = true
	return nil
}

// copyOut decompresses the member into a temporary file. The archive's
// checksum is checked on the way, and no more is written than it declares.
func (m *npzMember) copyOut(ctx context.Context, size int64) (spool *os.File, err error) {
	r, err := m.file.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	spool, err = createSpool()
	if err != nil {
		return nil, &spoolError{err}
	}
	defer func() {
		if err != nil {
			discard(spool)
		}
	}()
	// One byte more than declared, so that the reader comes to its end, where
	// it compares size and checksum.
	n, err := io.Copy(spoolWriter{spool}, io.LimitReader(untilDone{ctx, r}, size+1))
	if err == nil && n != size {
		err = fmt.Errorf("%d bytes, the archive declares %d", n, size)
	}
	return spool, err
}

// A spoolError is a failure of the temporary folder, not of the data.
type spoolError struct{ err error }

func (e *spoolError) Error() string { return e.err.Error() }
func (e *spoolError) Unwrap() error { return e.err }

// A spoolWriter tells a copy that fails for lack of room from one that fails
// for the archive.
type spoolWriter struct{ file *os.File }

func (w spoolWriter) Write(p []byte) (int, error) {
	n, err := w.file.Write(p)
	if err != nil {
		err = &spoolError{err}
	}
	return n, err
}

// noRoom is the fault of a temporary folder that cannot hold a column.
func (f *npzFile) noRoom(column int, cause *spoolError) *Error {
	reason := cause.err
	// The system's own text names a file that the user never heard of.
	var pathErr *fs.PathError
	if errors.As(reason, &pathErr) {
		reason = pathErr.Err
	}
	return &Error{
		File: os.TempDir(), Row: NoRow, Err: cause,
		Expected: fmt.Sprintf("a temporary folder with room for %d bytes, the compressed array %q of %s",
			f.members[column].file.UncompressedSize64, f.columns[column].Name, f.path),
		Found: reason.Error(),
		Hint:  "set the environment variable TMPDIR to such a folder, or write the data with numpy.savez, which needs none",
	}
}

// Close removes the temporary files too.
func (f *npzFile) Close() error {
	errs := []error{f.handle.Close()}
	for _, m := range f.members {
		m.mu.Lock()
		if m.spool != nil {
			errs = append(errs, discard(m.spool))
			m.spool, m.array = nil, nil
		}
		m.mu.Unlock()
	}
	return errors.Join(errs...)
}
