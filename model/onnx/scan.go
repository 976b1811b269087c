package onnx

import (
	"errors"
	"slices"
	"strconv"
)

// Field numbers of onnx.proto that the scan follows.
const (
	modelGraph     = 7
	modelTraining  = 20
	modelFunctions = 25

	trainingInitialization = 1
	trainingAlgorithm      = 2

	functionNode       = 7
	functionAttributes = 11 // with defaults

	graphNode        = 1
	graphInitializer = 5
	graphInput       = 11
	graphOutput      = 12
	graphSparse      = 15

	nodeOutput    = 2
	nodeOpType    = 4
	nodeAttribute = 5

	attributeName    = 1
	attributeTensor  = 5
	attributeGraph   = 6
	attributeInts    = 8
	attributeStrings = 9
	attributeTensors = 10
	attributeGraphs  = 11
	attributeSparse  = 22

	tensorExternal = 13

	sparseValues  = 1
	sparseIndices = 2

	entryKey   = 1
	entryValue = 2

	infoName = 1
	infoType = 2

	typeTensor   = 1
	typeSequence = 4
	typeMap      = 5

	tensorTypeElement = 1
	tensorTypeShape   = 2
	sequenceElement   = 1
	mapValue          = 2
)

// Element types of onnx.proto that a map of class scores has.
const elementFloat = 1

// maxDepth bounds graphs inside graphs (If, Loop); real models have a handful.
const maxDepth = 64

var errDepth = errors.New("graphs inside graphs, too deep to be real")

// A content is what the scan finds in a model.
type content struct {
	// hasGraph is set in what can be a model.
	hasGraph bool
	// shapeless lists the inputs and outputs that are tensors of a rank that
	// the file does not tell. The runtime reports them as scalars.
	shapeless []string
	// external lists the files of external data, sorted, each once.
	external []string
	// scoreMaps has the outputs that are sequences of maps to float.
	scoreMaps map[string]bool
	// zipMaps has the class labels of each ZipMap's output, ascending, as text.
	zipMaps map[string][]string
}

// scan walks the model in data.
func scan(data []byte) (content, error) {
	c := content{scoreMaps: map[string]bool{}, zipMaps: map[string][]string{}}
	err := eachField(data, func(f field) error {
		if f.number == modelGraph && f.bytes != nil {
			c.hasGraph = true
			return c.graph(f.bytes, 0)
		}
		switch f.number {
		case modelTraining:
			return c.training(f.bytes)
		case modelFunctions:
			return c.function(f.bytes)
		}
		return nil
	})
	slices.Sort(c.external)
	c.external = slices.Compact(c.external)
	return c, err
}

// training walks the graphs that training adds to a model, whose tensors the
// runtime looks for too.
func (c *content) training(info []byte) error {
	return eachField(info, func(f field) error {
		if f.number == trainingInitialization || f.number == trainingAlgorithm {
			return c.graph(f.bytes, 1)
		}
		return nil
	})
}

// function walks a function of the model's own, whose nodes stand in for those
// that call it.
func (c *content) function(function []byte) error {
	return eachField(function, func(f field) error {
		switch f.number {
		case functionNode:
			return c.node(f.bytes, 1)
		case functionAttributes:
			_, err := c.attribute(f.bytes, 1)
			return err
		}
		return nil
	})
}

func (c *content) graph(graph []byte, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	return eachField(graph, func(f field) error {
		switch f.number {
		case graphNode:
			return c.node(f.bytes, depth)
		case graphInitializer:
			return c.tensor(f.bytes)
		case graphSparse:
			return c.sparse(f.bytes)
		case graphInput:
			if depth == 0 {
				return c.shape(f.bytes)
			}
		case graphOutput:
			if depth == 0 {
				return errors.Join(c.output(f.bytes), c.shape(f.bytes))
			}
		}
		return nil
	})
}

func (c *content) node(node []byte, depth int) error {
	var op, output string
	var labels []string
	err := eachField(node, func(f field) error {
		switch f.number {
		case nodeOpType:
			op = string(f.bytes)
		case nodeOutput:
			output = string(f.bytes)
		case nodeAttribute:
			found, err := c.attribute(f.bytes, depth)
			if found != nil {
				labels = found
			}
			return err
		}
		return nil
	})
	if op == "ZipMap" && depth == 0 {
		c.zipMaps[output] = labels
	}
	return err
}

// attribute looks for tensors and graphs in an attribute, and returns the class
// labels it holds if it is one of a ZipMap's.
func (c *content) attribute(attribute []byte, depth int) (labels []string, err error) {
	var name string
	var ints []int64
	var texts []string
	err = eachField(attribute, func(f field) (err error) {
		switch f.number {
		case attributeName:
			name = string(f.bytes)
		case attributeTensor, attributeTensors:
			return c.tensor(f.bytes)
		case attributeSparse:
			return c.sparse(f.bytes)
		case attributeGraph, attributeGraphs:
			return c.graph(f.bytes, depth+1)
		case attributeInts:
			ints, err = f.integers(ints)
		case attributeStrings:
			texts = append(texts, string(f.bytes))
		}
		return err
	})
	// The runtime gives maps in ascending order of their keys.
	switch name {
	case "classlabels_int64s":
		slices.Sort(ints)
		for _, v := range ints {
			labels = append(labels, strconv.FormatInt(v, 10))
		}
	case "classlabels_strings":
		slices.Sort(texts)
		labels = texts
	}
	return labels, err
}

func (c *content) sparse(sparse []byte) error {
	return eachField(sparse, func(f field) error {
		if f.number == sparseValues || f.number == sparseIndices {
			return c.tensor(f.bytes)
		}
		return nil
	})
}

// tensor notes the file of a tensor with external data.
func (c *content) tensor(t []byte) error {
	return eachField(t, func(f field) error {
		if f.number != tensorExternal {
			return nil
		}
		var key, value string
		err := eachField(f.bytes, func(f field) error {
			switch f.number {
			case entryKey:
				key = string(f.bytes)
			case entryValue:
				value = string(f.bytes)
			}
			return nil
		})
		if key == "location" && !slices.Contains(c.external, value) {
			c.external = append(c.external, value)
		}
		return err
	})
}

// output notes an output whose type is a sequence of maps to float.
func (c *content) output(info []byte) error {
	var name string
	scores := false
	err := eachField(info, func(f field) error {
		switch f.number {
		case infoName:
			name = string(f.bytes)
		case infoType:
			kind := f.bytes
			for _, step := range []int{typeSequence, sequenceElement, typeMap, mapValue, typeTensor} {
				var err error
				if kind, err = child(kind, step); err != nil || kind == nil {
					return err
				}
			}
			return eachField(kind, func(f field) error {
				scores = scores || f.number == tensorTypeElement && f.value == elementFloat
				return nil
			})
		}
		return nil
	})
	if scores {
		c.scoreMaps[name] = true
	}
	return err
}

// shape notes an input or output that is a tensor without a shape.
func (c *content) shape(info []byte) error {
	var name string
	shapeless := false
	err := eachField(info, func(f field) error {
		switch f.number {
		case infoName:
			name = string(f.bytes)
		case infoType:
			tensor, err := child(f.bytes, typeTensor)
			if err != nil || tensor == nil {
				return err
			}
			shape, err := child(tensor, tensorTypeShape)
			shapeless = shape == nil
			return err
		}
		return nil
	})
	if shapeless {
		c.shapeless = append(c.shapeless, name)
	}
	return err
}

// child returns the last submessage of message with the given number, or nil.
func child(message []byte, number int) (sub []byte, err error) {
	err = eachField(message, func(f field) error {
		if f.number == number {
			sub = f.bytes
		}
		return nil
	})
	return sub, err
}
