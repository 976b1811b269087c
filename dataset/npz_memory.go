package dataset

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"

	"github.com/intershap/intershap/tensor"
)

// ReadNPZ reads all arrays of an NPZ archive that lies in memory, in its order.
// The tensors are copies. It takes what Open takes of a file, but for compressed
// arrays; name stands for the path in errors, which are of type [Error]. What it
// allocates is bounded by the length of the archive.
func ReadNPZ(name string, archive []byte) ([]Array, error) {
	whole, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		return nil, broken(name, "", fmt.Errorf("no ZIP archive, which NPZ is: %w", err))
	}
	var (
		arrays  []Array
		columns []Column
		left    = uint64(len(archive))
	)
	for _, file := range whole.File {
		column, isArray := strings.CutSuffix(file.Name, ".npy")
		if !isArray {
			continue
		}
		// Members may overlap: each byte of the archive counts once.
		if file.Method == zip.Store { // others are refused for that, whatever their length
			if file.UncompressedSize64 > left {
				return nil, broken(name, column, errors.New("the archive ends before it"))
			}
			left -= file.UncompressedSize64
		}
		t, err := readMember(file, archive)
		var fault *Error
		switch {
		case errors.As(err, &fault):
			fault.File, fault.Column, fault.Row = name, column, NoRow
			return nil, fault
		case err != nil:
			return nil, broken(name, column, err)
		}
		arrays = append(arrays, Array{Name: column, Tensor: t})
		columns = append(columns, Column{Name: column})
	}
	return arrays, checkNames(name, columns)
}

// readMember reads one array of an archive.
func readMember(file *zip.File, archive []byte) (tensor.Tensor, error) {
	if file.Method != zip.Store {
		return tensor.Tensor{}, &Error{Expected: "an array stored as it is", Found: "a compressed one", Hint: "write the arrays with numpy.savez"}
	}
	m := npzMember{file: file}
	if fault := m.open(int64(len(archive))); fault != nil {
		return tensor.Tensor{}, fault
	}
	offset, err := file.DataOffset()
	if err != nil {
		return tensor.Tensor{}, err
	}
	size := int64(file.UncompressedSize64) // no longer than the archive, as open has seen
	if offset > int64(len(archive))-size {
		return tensor.Tensor{}, errors.New("the archive ends before it")
	}
	raw := archive[offset : offset+size]
	if crc32.ChecksumIEEE(raw) != file.CRC32 {
		return tensor.Tensor{}, zip.ErrChecksum
	}
	array := npyArray{m.header, bytes.NewReader(raw[m.header.size:])}
	t, err := array.read(0, m.header.shape[0])
	var text *textError
	if errors.As(err, &text) {
		return t, &Error{Expected: "text", Found: text.reason, Err: err}
	}
	return t, err
}
