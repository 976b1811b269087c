package dataset

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
)

// arrowSchemaKey is where Arrow's writers keep their own schema in the footer.
const arrowSchemaKey = "ARROW:schema"

// The metadata of Arrow's canonical extension for tensors of one shape.
const (
	extensionName = "ARROW:extension:name"
	extensionData = "ARROW:extension:metadata"
	fixedTensor   = "arrow.fixed_shape_tensor"
)

// Positions of the fields that we read in Arrow's flatbuffer tables.
const (
	messageHeader  = 2
	schemaFields   = 1
	fieldName      = 0
	fieldMetadata  = 6
	keyValueKey    = 0
	keyValueValue  = 1
	arrowFrameSize = 8 // a mark and a length stand before the message
)

var errArrowSchema = errors.New("the Arrow schema in the footer is damaged")

// tensorShapes returns the metadata of the fields that are tensors of one
// shape, by name, from the text under arrowSchemaKey.
//
// The Parquet schema tells everything but these shapes, so arrow-go never sees
// the text: its reader takes lengths on trust, and one flipped bit makes it
// ask for more memory than there is, which ends the process.
func tensorShapes(encoded string) (map[string]string, error) {
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err != nil || len(raw) < arrowFrameSize {
		return nil, errArrowSchema
	}
	b := flatBuffer{data: raw[arrowFrameSize:]}
	shapes := map[string]string{}
	schema := b.table(b.root(), messageHeader)
	for _, field := range b.tables(schema, schemaFields) {
		pairs := map[string]string{}
		for _, pair := range b.tables(field, fieldMetadata) {
			pairs[b.text(pair, keyValueKey)] = b.text(pair, keyValueValue)
		}
		if pairs[extensionName] == fixedTensor {
			shapes[b.text(field, fieldName)] = pairs[extensionData]
		}
	}
	if b.bad {
		return nil, errArrowSchema
	}
	return shapes, nil
}

// flatBuffer reads tables of the flatbuffer format, whose offsets it checks.
// After a fault it returns zeros and bad is set. Position 0 stands for an
// absent table: no table can be there.
type flatBuffer struct {
	data []byte
	bad  bool
}

// bytes returns n bytes at a position.
func (b *flatBuffer) bytes(at, n int) []byte {
	if b.bad || at < 0 || n < 0 || at > len(b.data)-n {
		b.bad = true
		return make([]byte, min(max(n, 0), 4)) // zeros for the number that was wanted
	}
	return b.data[at : at+n]
}

func (b *flatBuffer) uint16(at int) int { return int(binary.LittleEndian.Uint16(b.bytes(at, 2))) }
func (b *flatBuffer) int32(at int) int {
	return int(int32(binary.LittleEndian.Uint32(b.bytes(at, 4))))
}

// follow returns the position that the offset at a position points to.
func (b *flatBuffer) follow(at int) int { return at + b.int32(at) }

func (b *flatBuffer) root() int { return b.follow(0) }

// field returns the position of a field of a table, 0 if it is absent.
func (b *flatBuffer) field(table, field int) int {
	if table == 0 || b.bad {
		return 0
	}
	layout := table - b.int32(table)
	entry := 4 + 2*field // the sizes of layout and table stand first
	if entry+2 > b.uint16(layout) {
		return 0
	}
	if offset := b.uint16(layout + entry); offset != 0 {
		return table + offset
	}
	return 0
}

func (b *flatBuffer) table(table, field int) int {
	at := b.field(table, field)
	if at == 0 {
		return 0
	}
	return b.follow(at)
}

// tables returns the tables of a vector.
func (b *flatBuffer) tables(table, field int) []int {
	vector := b.table(table, field)
	if vector == 0 {
		return nil
	}
	n := b.int32(vector)
	if n < 0 || n > (len(b.data)-vector)/4 {
		b.bad = true
		return nil
	}
	out := make([]int, n)
	for i := range out {
		out[i] = b.follow(vector + 4 + 4*i)
	}
	return out
}

func (b *flatBuffer) text(table, field int) string {
	at := b.table(table, field)
	if at == 0 {
		return ""
	}
	n := b.int32(at)
	text := b.bytes(at+4, n)
	if b.bad {
		return ""
	}
	return string(text)
}

// maxRowElements bounds what metadata may claim of one row.
const maxRowElements = 1 << 30

// parseTensorShape reads the metadata of a tensor of one shape.
func parseTensorShape(text string) ([]int, *Error) {
	var data struct {
		Shape       []int `json:"shape"`
		Permutation []int `json:"permutation"`
	}
	if err := json.Unmarshal([]byte(text), &data); err != nil || len(data.Shape) == 0 {
		return nil, &Error{Expected: "a tensor shape in the metadata", Found: quote(text), Err: err}
	}
	elements := 1
	for _, d := range data.Shape {
		if d <= 0 || elements > maxRowElements/d {
			return nil, &Error{Expected: "a tensor shape of positive lengths", Found: fmt.Sprint(data.Shape)}
		}
		elements *= d
	}
	if !sort.IntsAreSorted(data.Permutation) {
		return nil, &Error{
			Expected: "a row-major tensor", Found: fmt.Sprintf("the permutation %v", data.Permutation),
			Hint: "make the array contiguous before writing: numpy.ascontiguousarray(array)",
		}
	}
	return data.Shape, nil
}
