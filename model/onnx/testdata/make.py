#!/usr/bin/env python3
"""Write the models of this folder and expected.json.

Needs the Python packages onnx and numpy (Debian: python3-onnx). Run it in
this folder; the same version of onnx gives the same bytes. The expected
outputs are computed with NumPy alone, so that they do not come from the
runtime under test.
"""

import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto as T
from onnx import helper as h
from onnx import numpy_helper

OPSET = [h.make_opsetid("", 13), h.make_opsetid("ai.onnx.ml", 2)]
RNG = np.random.default_rng(7)
EXPECTED = {}


def weights(name, *shape):
    """A float32 initializer with small random values."""
    values = (RNG.standard_normal(shape) / np.sqrt(shape[0])).astype(np.float32)
    return numpy_helper.from_array(values, name), values


def save(name, nodes, inputs, outputs, initializers=()):
    """Check and write one model; specs are (name, type, shape)."""
    graph = h.make_graph(
        nodes,
        name,
        [h.make_tensor_value_info(*spec) for spec in inputs],
        [o if isinstance(o, onnx.ValueInfoProto) else h.make_tensor_value_info(*o) for o in outputs],
        list(initializers),
    )
    model = h.make_model(graph, opset_imports=OPSET, producer_name="intershap-testdata", ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, name + ".onnx")
    return model


def expect(name, inputs, outputs):
    """Record what the model called name must answer."""
    record = lambda arrays: {k: {"shape": list(v.shape), "values": v.ravel().tolist()} for k, v in arrays.items()}
    EXPECTED[name] = {"inputs": record(inputs), "outputs": record(outputs)}


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def every_type():
    """One input of every element type, each handed through."""
    kinds = {
        "float16": T.FLOAT16, "float32": T.FLOAT, "float64": T.DOUBLE,
        "int8": T.INT8, "int16": T.INT16, "int32": T.INT32, "int64": T.INT64,
        "uint8": T.UINT8, "uint16": T.UINT16, "uint32": T.UINT32, "uint64": T.UINT64,
        "bool": T.BOOL, "string": T.STRING,
    }
    save(
        "types",
        [h.make_node("Identity", [k], [k + "_out"]) for k in kinds],
        [(k, t, ["N", 2]) for k, t in kinds.items()],
        [(k + "_out", t, ["N", 2]) for k, t in kinds.items()],
    )


def dense(name, rows):
    """Two inputs, two outputs; axis 0 is free or fixed."""
    global RNG
    RNG = np.random.default_rng(11)  # the same weights in each variant
    w1, v1 = weights("w1", 7, 5)
    w2, v2 = weights("w2", 5, 3)
    nodes = [
        h.make_node("Concat", ["a", "b"], ["ab"], axis=1),
        h.make_node("Gemm", ["ab", "w1"], ["h"]),
        h.make_node("Relu", ["h"], ["r"]),
        h.make_node("Gemm", ["r", "w2"], ["logits"]),
        h.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    ]
    model = save(
        name, nodes,
        [("a", T.FLOAT, [rows, 4]), ("b", T.FLOAT, [rows, 3])],
        [("logits", T.FLOAT, [rows, 3]), ("probabilities", T.FLOAT, [rows, 3])],
        [w1, w2],
    )
    a = RNG.standard_normal((6, 4)).astype(np.float32)
    b = RNG.standard_normal((6, 3)).astype(np.float32)
    logits = np.maximum(np.concatenate([a, b], 1) @ v1, 0) @ v2
    expect(name, {"a": a, "b": b}, {"logits": logits, "probabilities": softmax(logits)})
    return model


def external(model):
    """The dense model with its weights in external.data."""
    pathlib.Path("external.data").unlink(missing_ok=True)  # onnx would append to it
    onnx.save_model(
        model, "external.onnx", save_as_external_data=True,
        all_tensors_to_one_file=True, location="external.data", size_threshold=0,
    )
    EXPECTED["external"] = EXPECTED["dense"]


def zipmap(name, labels):
    """A classifier as scikit-learn's converters write it."""
    w, v = weights("w", 2, 3)
    key, attribute = (T.STRING, "classlabels_strings") if isinstance(labels[0], str) else (T.INT64, "classlabels_int64s")
    entry = onnx.TypeProto()
    entry.map_type.key_type = key
    entry.map_type.value_type.tensor_type.elem_type = T.FLOAT
    rows = h.make_sequence_type_proto(entry)
    nodes = [
        h.make_node("MatMul", ["x", "w"], ["z"]),
        h.make_node("Softmax", ["z"], ["p"], axis=1),
        h.make_node("ArgMax", ["z"], ["output_label"], axis=1, keepdims=0),
        h.make_node("ZipMap", ["p"], ["output_probability"], domain="ai.onnx.ml", **{attribute: labels}),
    ]
    save(
        name, nodes, [("x", T.FLOAT, [None, 2])],
        [("output_label", T.INT64, [None]), h.make_value_info("output_probability", rows)], [w],
    )
    x = RNG.standard_normal((5, 2)).astype(np.float32)
    z = x @ v
    order = np.argsort(np.array(labels))  # the runtime lists keys in ascending order
    expect(name, {"x": x}, {"output_label": z.argmax(1), "output_probability": softmax(z)[:, order]})


def columns():
    """One [N,1] input per column, of three types, as from a ColumnTransformer."""
    nodes = [
        h.make_node("LabelEncoder", ["stage"], ["stage_code"], domain="ai.onnx.ml",
                    keys_strings=["I", "II", "III"], values_floats=[1.0, 2.0, 4.0], default_float=-1.0),
        h.make_node("Cast", ["visits"], ["visits_f"], to=T.FLOAT),
        h.make_node("Sum", ["age", "stage_code", "visits_f"], ["risk"]),
    ]
    save(
        "columns", nodes,
        [("age", T.FLOAT, [None, 1]), ("stage", T.STRING, [None, 1]), ("visits", T.INT64, [None, 1])],
        [("risk", T.FLOAT, [None, 1])],
    )


def gru():
    """A recurrent network with biases, in which the runtime swallows a NaN."""
    w, vw = weights("w", 1, 6, 3)
    r, vr = weights("r", 1, 6, 2)
    b, vb = weights("b", 1, 12)
    nodes = [
        h.make_node("Transpose", ["seq"], ["t"], perm=[1, 0, 2]),
        h.make_node("GRU", ["t", "w", "r", "b"], ["", "last"], hidden_size=2),
        h.make_node("Squeeze", ["last", "axis"], ["state"]),
    ]
    axis = numpy_helper.from_array(np.array([0], np.int64), "axis")
    save("gru", nodes, [("seq", T.FLOAT, ["N", 4, 3])], [("state", T.FLOAT, ["N", 2])], [w, r, b, axis])
    seq = RNG.standard_normal((5, 4, 3)).astype(np.float32)
    state = np.zeros((5, 2), np.float32)
    for t in range(4):
        zg, rg, hg = np.split(seq[:, t] @ vw[0].T + vb[0, :6] + vb[0, 6:], 3, axis=1)
        rz, rr, rh = np.split(vr[0], 3)
        update, reset = sigmoid(zg + state @ rz.T), sigmoid(rg + state @ rr.T)
        state = (1 - update) * np.tanh(hg + (reset * state) @ rh.T) + update * state
    expect("gru", {"seq": seq}, {"state": state})


def elementwise():
    """Functions that the runtime computes several elements at a time."""
    ops = ["Log", "Exp", "Tanh", "Sigmoid", "Erf", "Softplus", "Sqrt", "Sin", "Cos", "Reciprocal", "Elu", "Atan", "Softsign"]
    nodes = [h.make_node("Abs", ["x"], ["a"])] + [h.make_node(op, ["a"], [op.lower()]) for op in ops]
    nodes.append(h.make_node("Pow", ["a", "x"], ["pow"]))
    nodes.append(h.make_node("Softmax", ["x"], ["softmax"], axis=1))
    outputs = [op.lower() for op in ops] + ["pow", "softmax"]
    save("elementwise", nodes, [("x", T.FLOAT, ["N", 5])], [(o, T.FLOAT, ["N", 5]) for o in outputs])


def wrong_axis():
    """An output whose axis 0 is not the rows."""
    save(
        "wrong_axis", [h.make_node("ReduceMean", ["x"], ["y"], axes=[0], keepdims=1)],
        [("x", T.FLOAT, ["N", 2])], [("y", T.FLOAT, ["M", 2])],
    )


def mixing():
    """A model that mixes the rows of a batch, as batch normalisation in training mode does."""
    nodes = [
        h.make_node("ReduceMean", ["x"], ["m"], axes=[0], keepdims=1),
        h.make_node("Sub", ["x", "m"], ["y"]),
    ]
    save("mixing", nodes, [("x", T.FLOAT, ["N", 2])], [("y", T.FLOAT, ["N", 2])])


def unsupported():
    """One output that can be read and three that cannot."""
    parts = h.make_value_info("parts", h.make_sequence_type_proto(h.make_tensor_type_proto(T.FLOAT, [None, None])))
    nodes = [
        h.make_node("Relu", ["x"], ["y"]),
        h.make_node("SplitToSequence", ["x"], ["parts"], axis=1),
        h.make_node("Cast", ["x"], ["x16"], to=T.FLOAT16),
        h.make_node("NonZero", ["x16"], ["where"]),
        h.make_node("Cast", ["where"], ["half"], to=T.FLOAT16),
        h.make_node("ReduceMean", ["x"], ["mean"], keepdims=0),
    ]
    save(
        "unsupported", nodes, [("x", T.FLOAT, ["N", 2])],
        [("y", T.FLOAT, ["N", 2]), parts, ("half", T.FLOAT16, [2, None]), ("mean", T.FLOAT, [])],
    )


def scalar_input():
    """An input without axis 0."""
    save("scalar_input", [h.make_node("Mul", ["x", "scale"], ["y"])],
         [("x", T.FLOAT, ["N", 2]), ("scale", T.FLOAT, [])], [("y", T.FLOAT, ["N", 2])])


def two_batches():
    """Two inputs that fix different batch sizes."""
    save("two_batches", [h.make_node("Add", ["x", "z"], ["y"])],
         [("x", T.FLOAT, [4, 2]), ("z", T.FLOAT, [1, 2])], [("y", T.FLOAT, [4, 2])])


def bfloat():
    """An element type that no data file holds."""
    save("bfloat16", [h.make_node("Cast", ["x"], ["y"], to=T.FLOAT)],
         [("x", T.BFLOAT16, ["N", 2])], [("y", T.FLOAT, ["N", 2])])


def conv():
    """A small convolutional network on images, for the benchmark."""
    k, _ = weights("k", 8, 1, 3, 3)
    w, _ = weights("w", 72, 3)
    nodes = [
        h.make_node("Conv", ["image", "k"], ["c"]),
        h.make_node("Relu", ["c"], ["r"]),
        h.make_node("MaxPool", ["r"], ["m"], kernel_shape=[2, 2], strides=[2, 2]),
        h.make_node("Flatten", ["m"], ["f"], axis=1),
        h.make_node("Gemm", ["f", "w"], ["logits"]),
    ]
    save("conv", nodes, [("image", T.FLOAT, ["N", 1, 8, 8])], [("logits", T.FLOAT, ["N", 3])], [k, w])


def wide():
    """A dense network of the size of a small fusion model, for the benchmark."""
    w1, _ = weights("w1", 24, 64)
    w2, _ = weights("w2", 64, 32)
    w3, _ = weights("w3", 32, 3)
    nodes = [
        h.make_node("MatMul", ["x", "w1"], ["h1"]),
        h.make_node("Relu", ["h1"], ["r1"]),
        h.make_node("MatMul", ["r1", "w2"], ["h2"]),
        h.make_node("Relu", ["h2"], ["r2"]),
        h.make_node("MatMul", ["r2", "w3"], ["logits"]),
    ]
    save("wide", nodes, [("x", T.FLOAT, ["N", 24])], [("logits", T.FLOAT, ["N", 3])], [w1, w2, w3])


def main():
    every_type()
    model = dense("dense", "N")
    dense("batch1", 1)
    dense("batch4", 4)
    external(model)
    zipmap("zipmap_int", [10, 2, 33])
    zipmap("zipmap_string", ["luminal", "basal", "her2"])
    columns()
    gru()
    elementwise()
    wrong_axis()
    mixing()
    unsupported()
    scalar_input()
    two_batches()
    bfloat()
    conv()
    wide()
    with open("expected.json", "w") as f:
        json.dump(EXPECTED, f, indent=1)
        f.write("\n")


main()
