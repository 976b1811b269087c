package synth

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/intershap/intershap/dataset"
)

// A Format is the format of data files.
type Format uint8

const (
	// NPZ is NumPy's archive of arrays.
	NPZ Format = iota + 1
	// Parquet has a column of lists for each modality.
	Parquet
)

var formatNames = map[Format]string{NPZ: "npz", Parquet: "parquet"}

// String returns "npz" or "parquet", which is the extension too.
func (f Format) String() string {
	if name, ok := formatNames[f]; ok {
		return name
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// ParseFormat returns the format called name.
func ParseFormat(name string) (Format, error) {
	for _, f := range []Format{NPZ, Parquet} {
		if f.String() == name {
			return f, nil
		}
	}
	return 0, fmt.Errorf("synth: unknown format %q (want npz or parquet)", name)
}

// The names of files that are no split.
const (
	bitsName = "bits"
	// BaselineFile is the ONNX file of the labelling function.
	BaselineFile = "baseline.onnx"
	// DescriptionFile says how the set was made.
	DescriptionFile = "synth.json"
)

// A File is one file of a set's folder.
type File struct {
	// Name is the name in the folder.
	Name string
	// Write writes the content.
	Write func(io.Writer) error
}

// Files returns the files of the set: train, valid and test; bits, which are the
// clean bits of the test split, and [BaselineFile], where the labels are a function
// of bits; [DescriptionFile] at the end.
func (s *Set) Files(f Format) []File {
	var files []File
	data := func(name string, arrays []dataset.Array) {
		files = append(files, File{name + "." + f.String(), func(w io.Writer) error {
			if f == Parquet {
				return writeParquet(w, arrays)
			}
			return writeNPZ(w, arrays)
		}})
	}
	for _, split := range s.Splits() {
		data(split.Name, split.Arrays())
	}
	if s.Baseline != nil {
		data(bitsName, s.Test.BitArrays())
		files = append(files, File{BaselineFile, func(w io.Writer) error {
			raw, err := s.Baseline.ONNX()
			if err != nil {
				return err
			}
			_, err = w.Write(raw)
			return err
		}})
	}
	return append(files, File{DescriptionFile, func(w io.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(s.Describe(f))
	}})
}

// FileNames lists every name that [Set.Files] may use, for any set and format: a
// folder that has none of them holds no set.
func FileNames() []string {
	var names []string
	for _, f := range []Format{NPZ, Parquet} {
		for _, name := range []string{"train", "valid", "test", bitsName} {
			names = append(names, name+"."+f.String())
		}
	}
	return append(names, BaselineFile, DescriptionFile)
}

// DescriptionSchema names the version of [Description].
const DescriptionSchema = "intershap/synth/v1"

// A Description says how a set was made, and what its files hold.
type Description struct {
	// Schema is [DescriptionSchema].
	Schema string `json:"schema"`
	// Revision is [Revision].
	Revision int `json:"revision"`
	// Kind is "hd-xor" or "sum".
	Kind string `json:"kind"`
	// Setting, Variant and Seed are those of the options.
	Setting string `json:"setting"`
	Variant string `json:"variant"`
	// Label is what labels are made by: "exactly-one", "parity", "sum" or
	// "coin".
	Label   string `json:"label"`
	Seed    uint64 `json:"seed"`
	Samples int    `json:"samples"`
	// Modalities are in the order of the arrays.
	Modalities []ModalityDescription `json:"modalities"`
	// Files are the data files.
	Files []FileDescription `json:"files"`
	// Baseline is the name of the labelling function's file, nil without one.
	Baseline *string `json:"baseline"`
}

// A ModalityDescription is a modality of a set.
type ModalityDescription struct {
	Name string `json:"name"`
	// Elements is the number of elements of one sample.
	Elements int `json:"elements"`
}

// A FileDescription is a data file of a set.
type FileDescription struct {
	File    string `json:"file"`
	Samples int    `json:"samples"`
	// Classes holds the number of samples with the label 0 and with the label 1.
	Classes [2]int `json:"classes"`
}

// Describe returns the description of the set, in files of a format.
func (s *Set) Describe(f Format) *Description {
	d := &Description{
		Schema: DescriptionSchema, Revision: Revision, Kind: s.Kind, Setting: string(s.Setting),
		Variant: s.Variant.String(), Label: s.labelling, Seed: s.Seed, Samples: len(s.places),
	}
	for i, size := range s.Sizes {
		d.Modalities = append(d.Modalities, ModalityDescription{ModalityName(i), size})
	}
	add := func(name string, split *Split) {
		d.Files = append(d.Files, FileDescription{name + "." + f.String(), split.Len(), split.Classes()})
	}
	for _, split := range s.Splits() {
		add(split.Name, split)
	}
	if s.Baseline != nil {
		add(bitsName, s.Test)
		name := BaselineFile
		d.Baseline = &name
	}
	return d
}
