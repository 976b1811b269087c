package process

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/model"
	"github.com/intershap/intershap/tensor"
)

// align is the multiple at which elements start in a payload, so that the other
// side can use them where they are: no type is longer.
const align = 8

// maxBatchBytes bounds a batch: ZIP needs longer fields beyond, which readers of
// a few lines do not know.
const maxBatchBytes = math.MaxInt32

// A batchFrame is the frame of a batch. Batches mostly look alike: the next of the
// same types and shapes overwrites elements and checksums alone.
type batchFrame struct {
	bytes []byte
	parts []part
	// answer is memory for the answer.
	answer []byte
}

// A part is the place of an array in an archive.
type part struct {
	name  string
	dtype tensor.DType
	shape []int
	// data and end are where the elements lie.
	data, end int
	// sums are where the checksum stands, beside the array and in the directory.
	sums [2]int
	// head is the checksum of what stands before the elements.
	head uint32
}

// checksum is that of an array whose elements lie in archive.
func (p *part) checksum(archive []byte) uint32 {
	return crc32.Update(p.head, crc32.IEEETable, archive[p.data:p.end])
}

// set makes f the frame of a batch.
func (f *batchFrame) set(batch model.Batch) error {
	if !f.fits(batch) {
		return f.encode(batch)
	}
	for i := range f.parts {
		p := &f.parts[i]
		copy(f.bytes[p.data:p.end], batch[i].Tensor.Bytes())
		for _, at := range p.sums {
			binary.LittleEndian.PutUint32(f.bytes[at:], p.checksum(f.bytes))
		}
	}
	return nil
}

// fits reports whether a batch differs from that of f by its numbers alone. Text
// is as wide as its longest word.
func (f *batchFrame) fits(batch model.Batch) bool {
	return slices.EqualFunc(f.parts, batch, func(p part, in model.Named) bool {
		return p.name == in.Name && p.dtype == in.Tensor.DType() && p.dtype != tensor.String && slices.Equal(p.shape, in.Tensor.Shape())
	})
}

// encode writes the frame of a batch anew, into the memory of the last.
func (f *batchFrame) encode(batch model.Batch) error {
	buffer := bytes.NewBuffer(appendHeader(f.bytes[:0], batchKind, 0))
	f.parts = f.parts[:0]
	archive := zip.NewWriter(buffer)
	for _, in := range batch {
		descr, data, err := elements(in.Tensor)
		if err != nil {
			return fmt.Errorf("input %q: %w", in.Name, err)
		}
		header := dataset.NPYHeader(descr, in.Tensor.Shape()...)
		if int64(buffer.Len())+int64(len(data)) > maxBatchBytes {
			return &model.InputError{Input: in.Name, Err: fmt.Errorf("a batch of %d rows takes more than %d bytes, the most that a child is sent; lower --memory, or declare max_rows", batch.Rows(), maxBatchBytes)}
		}
		size := uint64(len(header) + len(data))
		name := in.Name + ".npy"
		if err := archive.Flush(); err != nil {
			return err
		}
		p := part{name: in.Name, dtype: in.Tensor.DType(), shape: slices.Clone(in.Tensor.Shape()), head: crc32.ChecksumIEEE(header)}
		p.sums[0] = buffer.Len() + localSum
		// With the size known beforehand it stands before the elements, where a
		// reader that does not look for the directory finds it.
		w, err := archive.CreateRaw(&zip.FileHeader{
			Name: name, Method: zip.Store,
			CRC32:            crc32.Update(p.head, crc32.IEEETable, data),
			CompressedSize64: size, UncompressedSize64: size,
			Extra: padding(buffer.Len() - headerBytes + localBytes + len(name) + len(header)),
		})
		if err != nil {
			return err
		}
		for _, part := range [][]byte{header, data} {
			if _, err := w.Write(part); err != nil {
				return err
			}
		}
		if err := archive.Flush(); err != nil {
			return err
		}
		p.end = buffer.Len()
		p.data = p.end - len(data)
		f.parts = append(f.parts, p)
	}
	at := buffer.Len()
	if err := archive.Close(); err != nil {
		return err
	}
	f.bytes = buffer.Bytes()
	binary.LittleEndian.PutUint64(f.bytes[headerBytes-8:], uint64(len(f.bytes)-headerBytes))
	for i := range f.parts {
		f.parts[i].sums[1] = at + centralSum
		at += entryLen(f.bytes[at:])
	}
	return nil
}

const (
	// localBytes is the length of a member's header in a ZIP archive, without
	// name and extra field.
	localBytes = 30
	// centralBytes is that of an entry of the directory.
	centralBytes = 46
	// localSum and centralSum are where the checksum stands in both.
	localSum, centralSum = 14, 16
	// paddingID marks an extra field that is filler, as other tools that align
	// members mark it.
	paddingID = 0xd935
)

// entryLen is the length of the entry of a directory, with its name, extra field
// and comment.
func entryLen(entry []byte) int {
	n := centralBytes
	for _, at := range []int{28, 30, 32} {
		n += int(binary.LittleEndian.Uint16(entry[at:]))
	}
	return n
}

// padding returns an extra field that moves the place at to a multiple of align.
func padding(at int) []byte {
	const fixed = 4 // ID and length
	n := (align - (at+fixed)%align) % align
	field := binary.LittleEndian.AppendUint16(nil, paddingID)
	field = binary.LittleEndian.AppendUint16(field, uint16(n))
	return append(field, make([]byte, n)...)
}

var descrs = map[tensor.DType]string{
	tensor.Float16: "<f2", tensor.Float32: "<f4", tensor.Float64: "<f8",
	tensor.Int8: "|i1", tensor.Int16: "<i2", tensor.Int32: "<i4", tensor.Int64: "<i8",
	tensor.Uint8: "|u1", tensor.Uint16: "<u2", tensor.Uint32: "<u4", tensor.Uint64: "<u8",
	tensor.Bool: "|b1",
}

// elements returns NumPy's name of a tensor's type and the bytes of its elements,
// which it shares but for text.
func elements(t tensor.Tensor) (descr string, data []byte, err error) {
	if t.DType() != tensor.String {
		return descrs[t.DType()], t.Bytes(), nil
	}
	texts := tensor.Values[string](t)
	longest := 1 // NumPy knows no text of no letters
	for i, s := range texts {
		if !utf8.ValidString(s) || strings.HasSuffix(s, "\x00") {
			return "", nil, fmt.Errorf("row %d: the text %q is no UTF-8 or ends in a zero byte, which NumPy cannot hold", i/t.RowLen(), s)
		}
		longest = max(longest, utf8.RuneCountInString(s))
	}
	const letter = 4
	if len(texts) > maxBatchBytes/letter/longest {
		return "", nil, fmt.Errorf("%d texts of up to %d letters take more than %d bytes", len(texts), longest, maxBatchBytes)
	}
	data = make([]byte, letter*longest*len(texts))
	for i, s := range texts {
		at := letter * longest * i
		for _, r := range s {
			binary.LittleEndian.PutUint32(data[at:], uint32(r))
			at += letter
		}
	}
	return fmt.Sprintf("<U%d", longest), data, nil
}

// answerName stands for the path of an answer in errors of package dataset.
const answerName = "answer"

const hintOutputs = "the outputs must be as the model declares them, a row for each row of the inputs: see intershap help python"

// decodeOutputs reads the payload of an answer to a batch of so many rows, of which
// it keeps nothing, and returns the outputs of sig in their order. Others are left out.
func decodeOutputs(payload []byte, sig model.Signature, rows int) (model.Batch, error) {
	arrays, err := dataset.ReadNPZ(answerName, payload)
	if err != nil {
		hint := ""
		var fault *dataset.Error
		if errors.As(err, &fault) && fault.Expected != "" { // other hints are for files
			hint = fault.Hint
		}
		return nil, breachf(hint, "its outputs cannot be read: %s", strings.TrimPrefix(err.Error(), "dataset: "))
	}
	out := make(model.Batch, len(sig.Outputs))
	for i, want := range sig.Outputs {
		at := slices.IndexFunc(arrays, func(a dataset.Array) bool { return a.Name == want.Name })
		if at < 0 {
			var have []string
			for _, a := range arrays {
				have = append(have, a.Name)
			}
			return nil, breachf(hintOutputs, "it gave no output %q (got %s)", want.Name, strings.Join(have, ", "))
		}
		got := arrays[at].Tensor
		wanted := slices.Clone(want.Shape)
		wanted[0] = rows
		if got.DType() != want.DType || !fits(wanted, got.Shape()) {
			return nil, breachf(hintFor(want, wanted, got.Shape()), "output %q is %s%s for %d rows, want %s%s", want.Name, got.DType(), tensor.FormatShape(got.Shape()), rows, want.DType, tensor.FormatShape(wanted))
		}
		out[i] = model.Named{Name: want.Name, Tensor: got}
	}
	return out, nil
}

// hintFor is the remedy for an output of another shape: [N,1] and [N] are easily
// mistaken for each other.
func hintFor(declared tensor.Spec, want, got []int) string {
	dtype, shape := declared.DType, declared.Shape
	switch n := len(shape); {
	case len(got) == n+1 && got[n] == 1 && fits(want, got[:n]):
		return fmt.Sprintf("declare the output as %s%s, or leave its last axis out: y[..., 0] in Python", dtype, tensor.FormatShape(append(slices.Clone(shape), 1)))
	case len(got) == n-1 && shape[n-1] == 1 && fits(want[:n-1], got):
		return fmt.Sprintf("declare the output as %s%s, or give it a last axis: y[..., None] in Python", dtype, tensor.FormatShape(shape[:n-1]))
	}
	return hintOutputs
}

// fits reports whether got has the lengths of want, where -1 is any.
func fits(want, got []int) bool {
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] >= 0 && want[i] != got[i] {
			return false
		}
	}
	return true
}

const (
	// answerSlack is what an answer may have beside its elements, and how much
	// wider than declared they may be: so that another type or one axis too many
	// is told as that, and not as too many bytes.
	answerSlack = 1 << 20
	answerWider = 64
	// maxAnswer bounds answers whose length the signature leaves open.
	maxAnswer = 1 << 32
)

// answerLimit returns the most bytes that the answer to so many rows may take.
func answerLimit(outputs []tensor.Spec, rows int) int64 {
	need := int64(answerSlack)
	for _, s := range outputs {
		width := s.RowLen()
		if width < 0 || s.DType == tensor.String || int64(width) > maxAnswer/int64(rows)/answerWider {
			return maxAnswer
		}
		need += int64(rows) * int64(width) * answerWider
	}
	return min(need, maxAnswer)
}
