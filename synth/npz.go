package synth

import (
	"archive/zip"
	"fmt"
	"io"
	"time"

	"github.com/intershap/intershap/dataset"
	"github.com/intershap/intershap/tensor"
)

// npyTypes has NumPy's name of each type that a set has.
var npyTypes = map[tensor.DType]string{tensor.Float32: "<f4", tensor.Int64: "<i8"}

// memberTime is the first that ZIP knows, so that equal sets give equal bytes.
var memberTime = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

// writeNPZ writes arrays as numpy.savez does: stored, since noise does not
// shrink and stored arrays can be read at any place.
func writeNPZ(w io.Writer, arrays []dataset.Array) error {
	archive := zip.NewWriter(w)
	for _, a := range arrays {
		member, err := archive.CreateHeader(&zip.FileHeader{Name: a.Name + ".npy", Method: zip.Store, Modified: memberTime})
		if err != nil {
			return fmt.Errorf("synth: array %s: %w", a.Name, err)
		}
		if _, err := member.Write(dataset.NPYHeader(npyTypes[a.Tensor.DType()], a.Tensor.Shape()...)); err != nil {
			return err
		}
		if _, err := member.Write(a.Tensor.Bytes()); err != nil {
			return err
		}
	}
	return archive.Close()
}
