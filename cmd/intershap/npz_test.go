package main

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
)

// npzMain is a program for scripts that copies an NPZ file and spoils it:
//
//	npz IN OUT EDIT...
//
//	drop:NAME          leaves an array out
//	rename:NAME:NEW    renames an array
//	set:NAME:AT:VALUE  sets one float32 element: nan, inf, 3
//	shape:NAME:3,4     lies about the shape, or cuts the data to it
//	rows:NAME:N        keeps the first N rows; NAME * means all arrays
//	type:NAME:<f8      rewrites the elements as another type, of the value 1
//	fill:NAME:VALUE    sets every float32 element
func npzMain(args []string, stderr io.Writer) int {
	if err := editNPZ(args); err != nil {
		fmt.Fprintln(stderr, "npz:", err)
		return 1
	}
	return 0
}

// An array is a .npy member taken apart.
type array struct {
	name, dtype string
	shape       []int
	data        []byte
}

func editNPZ(args []string) error {
	if len(args) < 3 {
		return errors.New("usage: npz IN OUT EDIT...")
	}
	arrays, err := readArrays(args[0])
	if err != nil {
		return err
	}
	for _, edit := range args[2:] {
		field := strings.SplitN(edit, ":", 4)
		if len(field) < 2 {
			return fmt.Errorf("edit %q is none", edit)
		}
		var kept []array
		met := false
		for _, a := range arrays {
			if field[1] != a.name && field[1] != "*" {
				kept = append(kept, a)
				continue
			}
			met = true
			if field[0] == "drop" {
				continue
			}
			if err := a.edit(field); err != nil {
				return fmt.Errorf("edit %q: %w", edit, err)
			}
			kept = append(kept, a)
		}
		if !met {
			return fmt.Errorf("edit %q: no array %q", edit, field[1])
		}
		arrays = kept
	}
	return writeArrays(args[1], arrays)
}

func (a *array) edit(field []string) error {
	float := func(text string) ([]byte, error) {
		x, err := strconv.ParseFloat(text, 32)
		return binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(x))), err
	}
	size := len(a.data) / max(1, count(a.shape))
	switch field[0] {
	case "rename":
		a.name = field[2]
	case "set":
		at, err := strconv.Atoi(field[2])
		if err != nil {
			return err
		}
		bits, err := float(field[3])
		copy(a.data[at*size:], bits)
		return err
	case "fill":
		bits, err := float(field[2])
		for at := 0; at < len(a.data); at += len(bits) {
			copy(a.data[at:], bits)
		}
		return err
	case "shape":
		a.shape = nil
		for _, text := range strings.Split(field[2], ",") {
			n, err := strconv.Atoi(text)
			if err != nil {
				return err
			}
			a.shape = append(a.shape, n)
		}
		a.data = a.data[:min(len(a.data), count(a.shape)*size)]
	case "rows":
		n, err := strconv.Atoi(field[2])
		if err != nil {
			return err
		}
		a.shape[0] = n
		a.data = a.data[:count(a.shape)*size]
	case "type":
		a.dtype = field[2]
		switch {
		case strings.HasPrefix(a.dtype, "<U"):
			a.data = []byte(strings.Repeat("x\x00\x00\x00", count(a.shape)))
		default:
			one := binary.LittleEndian.AppendUint64(nil, math.Float64bits(1))
			a.data = []byte(strings.Repeat(string(one), count(a.shape)))
		}
	default:
		return errors.New("no such edit")
	}
	return nil
}

func count(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

var header = regexp.MustCompile(`'descr': '([^']+)'.*'shape': \(([^)]*)\)`)

func readArrays(path string) ([]array, error) {
	r, err := zip.OpenReader(path)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []array
	for _, member := range r.File {
		f, err := member.Open()
		if err != nil {
			return nil, err
		}
		raw, err := io.ReadAll(f)
		if err := errors.Join(err, f.Close()); err != nil {
			return nil, err
		}
		const prefix = 10 // magic, version and length of version 1
		n := prefix + int(binary.LittleEndian.Uint16(raw[8:]))
		found := header.FindStringSubmatch(string(raw[prefix:n]))
		if found == nil {
			return nil, fmt.Errorf("%s: no header", member.Name)
		}
		a := array{name: strings.TrimSuffix(member.Name, ".npy"), dtype: found[1], data: raw[n:]}
		for _, text := range strings.Split(found[2], ",") {
			if text = strings.TrimSpace(text); text != "" {
				d, err := strconv.Atoi(text)
				if err != nil {
					return nil, err
				}
				a.shape = append(a.shape, d)
			}
		}
		out = append(out, a)
	}
	return out, nil
}

func writeArrays(path string, arrays []array) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	w := zip.NewWriter(f)
	for _, a := range arrays {
		shape := ""
		for _, d := range a.shape {
			shape += strconv.Itoa(d) + ","
		}
		text := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }\n", a.dtype, shape)
		member, err := w.Create(a.name + ".npy")
		if err != nil {
			return err
		}
		head := append([]byte("\x93NUMPY\x01\x00"), binary.LittleEndian.AppendUint16(nil, uint16(len(text)))...)
		if _, err := member.Write(append(append(head, text...), a.data...)); err != nil {
			return err
		}
	}
	return w.Close()
}

// cutMain is a program for scripts: cut IN OUT N copies the first N bytes.
func cutMain(args []string, stderr io.Writer) int {
	if err := cut(args); err != nil {
		fmt.Fprintln(stderr, "cut:", err)
		return 1
	}
	return 0
}

func cut(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: cut IN OUT N")
	}
	raw, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(args[2])
	if err != nil || n >= len(raw) {
		return fmt.Errorf("want fewer than %d bytes, got %q", len(raw), args[2])
	}
	return os.WriteFile(args[1], raw[:n], 0o600)
}
