package oip

import (
	"github.com/intershap/intershap/model/serving/oippb"
	"github.com/intershap/intershap/tensor"
)

// contentsOf puts a tensor into the field of its type, by the protocol's table.
func contentsOf(t tensor.Tensor) *oippb.InferTensorContents {
	c := &oippb.InferTensorContents{}
	switch t.DType() {
	case tensor.Bool:
		c.BoolContents = tensor.Values[bool](t)
	case tensor.Int8:
		for _, v := range tensor.Values[int8](t) {
			c.IntContents = append(c.IntContents, int32(v))
		}
	case tensor.Int16:
		for _, v := range tensor.Values[int16](t) {
			c.IntContents = append(c.IntContents, int32(v))
		}
	case tensor.Int32:
		c.IntContents = tensor.Values[int32](t)
	case tensor.Int64:
		c.Int64Contents = tensor.Values[int64](t)
	case tensor.Uint8:
		for _, v := range tensor.Values[uint8](t) {
			c.UintContents = append(c.UintContents, uint32(v))
		}
	case tensor.Uint16:
		for _, v := range tensor.Values[uint16](t) {
			c.UintContents = append(c.UintContents, uint32(v))
		}
	case tensor.Uint32:
		c.UintContents = tensor.Values[uint32](t)
	case tensor.Uint64:
		c.Uint64Contents = tensor.Values[uint64](t)
	case tensor.Float32:
		c.Fp32Contents = tensor.Values[float32](t)
	case tensor.Float64:
		c.Fp64Contents = tensor.Values[float64](t)
	case tensor.String:
		for _, v := range tensor.Values[string](t) {
			c.BytesContents = append(c.BytesContents, []byte(v))
		}
	}
	return c
}
