package graph

import (
	"errors"
	"fmt"
	"slices"
)

// network are the layers of convolutional networks, whose rows are axis 0, and
// resizing.
var network = map[string]operation{
	"Conv":        {place: layBatchFirst, rows: at(0), attributes: window + " group"},
	"ConvInteger": {place: layBatchFirst, rows: at(0), attributes: window + " group"},
	"QLinearConv": {place: layBatchFirst, rows: at(0), attributes: window + " group"},
	"ConvTranspose": {place: layBatchFirst, rows: at(0),
		attributes: window + " group output_padding output_shape"},

	"MaxPool":           {place: layMaxPool, rows: at(0), attributes: window + " ceil_mode storage_order"},
	"AveragePool":       {place: layBatchFirst, rows: at(0), attributes: window + " ceil_mode count_include_pad"},
	"LpPool":            {place: layBatchFirst, rows: at(0), attributes: window + " ceil_mode p"},
	"GlobalAveragePool": {place: layBatchFirst, rows: at(0)},
	"GlobalMaxPool":     {place: layBatchFirst, rows: at(0)},
	"GlobalLpPool":      {place: layBatchFirst, rows: at(0), attributes: "p"},

	"DepthToSpace": {place: layBatchFirst, rows: at(0), attributes: "blocksize mode"},
	"SpaceToDepth": {place: layBatchFirst, rows: at(0), attributes: "blocksize"},
	"GridSample":   {place: layGridSample, rows: at(0, 1), attributes: "align_corners mode padding_mode"},

	"Upsample": {place: layResize, rows: at(0), attributes: "mode scales"},
	"Resize": {place: layResize, rows: at(0), shapes: at(3), attributes: "antialias axes coordinate_transformation_mode " +
		"cubic_coeff_a exclude_outside extrapolation_value keep_aspect_ratio_policy mode nearest_mode"},
}

// window are the attributes of all that moves a window over its input.
const window = "auto_pad dilations kernel_shape pads strides"

// layBatchFirst is the rule of operations that are defined for a batch along
// axis 0, entry by entry.
func layBatchFirst(n *Node, _ int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	for i, v := range n.In {
		if !v.isRows() {
			continue
		}
		if v.Layout.Axis != 0 || v.Layout.Group != x.Layout.Group {
			return Layout{}, fmt.Errorf("mixes rows: those of input %d lie along axis %d in groups of %d, want axis 0 and groups of %d",
				i, v.Layout.Axis, v.Layout.Group, x.Layout.Group)
		}
	}
	if x.rank() < 2 {
		return Layout{}, fmt.Errorf("takes a tensor of %d axes, of which the rows are not known to be the first", x.rank())
	}
	return x.Layout, nil
}

// layMaxPool has indices that count through the whole batch as its second
// output.
func layMaxPool(n *Node, out int) (Layout, error) {
	if out > 0 {
		return Layout{}, errors.New("depends on the place of a row in the batch: its indices count through all of it")
	}
	return layBatchFirst(n, out)
}

// layGridSample knows a grid for each row.
func layGridSample(n *Node, out int) (Layout, error) {
	if !n.in(1).isRows() {
		return Layout{}, errors.New("has a grid for a fixed number of rows")
	}
	return layBatchFirst(n, out)
}

// imageRank is the number of axes of a batch of images: rows, channels, height,
// width.
const imageRank = 4

// exactModes are the ways to compute coordinates that leave those of an axis of
// unchanged length as they are, to the bit.
var exactModes = []string{"half_pixel", "pytorch_half_pixel", "asymmetric"}

// layResize keeps the axis of the rows as long as it is.
func layResize(n *Node, out int) (Layout, error) {
	x, err := n.x()
	if err != nil {
		return Layout{}, err
	}
	mode := n.stringAttribute("coordinate_transformation_mode", "half_pixel")
	if !slices.Contains(exactModes, mode) {
		return Layout{}, fmt.Errorf("resizes with the coordinates %q, which are not known to keep rows apart", mode)
	}
	// Interpolation weighs neighbours along the axes of an image, be it by 0, and
	// takes up to three axes for those of an image where a batch and channels are
	// missing.
	if n.stringAttribute("mode", "nearest") != "nearest" && (x.Layout.Axis != 0 || x.rank() < imageRank) {
		return Layout{}, fmt.Errorf("interpolates the shape %v, where rows along axis %d are not known to be kept apart",
			x.Dims[0], x.Layout.Axis)
	}
	if n.stringAttribute("keep_aspect_ratio_policy", "stretch") != "stretch" {
		return Layout{}, errors.New("keeps the aspect ratio, which is not known to keep rows apart")
	}
	axes, named, err := n.axes(len(n.In), x.rank())
	if err != nil {
		return Layout{}, err
	}
	place := x.Layout.Axis
	if named {
		if place = slices.Index(axes, x.Layout.Axis); place < 0 {
			return x.Layout, nil
		}
	}
	sizes, bySizes := n.in(3).intsAtLooks()
	scales, byScales := n.scales()
	switch {
	case bySizes && !byScales:
		for look, s := range sizes {
			if place >= len(s) || s[place] != x.Dims[look][x.Layout.Axis] {
				return Layout{}, mixes("resizes", x.Layout.Axis)
			}
		}
	case byScales && !bySizes:
		if place >= len(scales) || scales[place] != 1 {
			return Layout{}, mixes("resizes", x.Layout.Axis)
		}
	default:
		return Layout{}, errors.New("takes its sizes from the data")
	}
	return x.Layout, nil
}

// resizeByRegion is the opset since which Resize has a region as its second
// input, before the scales.
const resizeByRegion = 11

// scales returns the scales of a Resize or an Upsample, if it has any.
func (n *Node) scales() (scales []float64, ok bool) {
	if a := n.attribute("scales"); a != nil {
		for _, s := range a.GetFloats() {
			scales = append(scales, float64(s))
		}
		return scales, true
	}
	input := 1
	if n.Op == "Resize" && n.Version >= resizeByRegion {
		input = 2
	}
	scales, ok = n.in(input).floats()
	return scales, ok && len(scales) > 0
}
