"""Computes reference.json: the example explained without any of this project's code.

    python3 reference.py          writes reference.json: 50 samples, 64 background rows
    python3 reference.py --all    prints the tables of README.md: all 200 samples, all 600 rows

A small interpreter evaluates the ONNX files node by node in float64 (NumPy
and, for convolutions, PyTorch); value tables follow from their definition,
one coalition at a time; the paper's matrix follows from its sums over subsets.
Slow and plain on purpose. Tests hold the fast way against this file.
"""

import argparse
import itertools
import json
import math
import pathlib

import numpy as np
import onnx
import torch
from onnx import numpy_helper

HERE = pathlib.Path(__file__).parent
MODALITIES = ("image", "ecg", "labs")
CLASSES = ("home", "ward", "theatre", "isolate")
SAMPLES, BACKGROUND = 50, 64


class Graph:
    """An ONNX file of the operators that the example uses, evaluated in float64."""

    def __init__(self, path):
        graph = onnx.load(path).graph
        self.nodes = graph.node
        self.outputs = [o.name for o in graph.output]
        self.constants = {i.name: widen(numpy_helper.to_array(i)) for i in graph.initializer}

    def run(self, inputs):
        """Returns every output by name."""
        values = {**self.constants, **{name: widen(a) for name, a in inputs.items()}, "": None}
        for node in self.nodes:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            if node.op_type not in OPERATORS:
                raise ValueError(f"{node.name}: operator {node.op_type} is not known here; add it to OPERATORS")
            got = OPERATORS[node.op_type](*(values[i] for i in node.input), **attributes)
            values.update(zip(node.output, got if isinstance(got, tuple) else (got,)))
        return {name: values[name] for name in self.outputs}


def widen(a):
    return a.astype(np.float64) if a.dtype == np.float32 else a


def conv(x, w, b, strides, pads, kernel_shape, dilations, group):
    half = len(pads) // 2
    assert pads[:half] == pads[half:] and group == 1 and set(dilations) == {1}
    convolve = {1: torch.conv1d, 2: torch.conv2d}[half]
    return convolve(*map(torch.from_numpy, (x, w, b)), stride=strides, padding=pads[:half]).numpy()


def max_pool(x, kernel_shape, strides, pads=(), ceil_mode=0):
    assert not any(pads) and not ceil_mode
    return torch.max_pool2d(torch.from_numpy(x), kernel_shape, strides).numpy()


def gemm(a, b, c, alpha=1.0, beta=1.0, transB=0):
    return alpha * a @ (b.T if transB else b) + beta * c


def gru(x, w, r, b, lengths=None, initial=None, hidden_size=0, linear_before_reset=0):
    """ONNX's GRU, one direction; gates stand in the order update, reset, new."""
    assert linear_before_reset == 1 and len(w) == 1
    h = np.zeros((x.shape[1], hidden_size)) if initial is None else initial[0]
    wb, rb = np.split(b[0], 2)
    states = []
    for step in x:
        wz, wr, wn = np.split(step @ w[0].T + wb, 3, axis=1)
        rz, rr, rn = np.split(h @ r[0].T + rb, 3, axis=1)
        update, reset = sigmoid(wz + rz), sigmoid(wr + rr)
        h = (1 - update) * np.tanh(wn + reset * rn) + update * h
        states.append(h)
    return np.stack(states)[:, None], h[None]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x, axis):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


OPERATORS = {
    "Add": np.add,
    "Concat": lambda *parts, axis: np.concatenate([np.atleast_1d(p) for p in parts], axis),
    "Constant": lambda value: widen(numpy_helper.to_array(value)),
    "ConstantOfShape": lambda shape, value: np.full(shape, widen(numpy_helper.to_array(value))),
    "Conv": conv,
    "Div": np.divide,
    "Flatten": lambda x, axis=1: x.reshape(math.prod(x.shape[:axis]), -1),
    "GRU": gru,
    "Gather": lambda x, at, axis=0: np.take(x, at, axis),
    "Gemm": gemm,
    "MaxPool": max_pool,
    "Relu": lambda x: np.maximum(x, 0),
    "Shape": lambda x: np.array(x.shape),
    "Softmax": softmax,
    "Squeeze": lambda x, axes: np.squeeze(x, tuple(axes)),
    "Sub": np.subtract,
    "Transpose": lambda x, perm: np.transpose(x, perm),
    "Unsqueeze": lambda x, axes: np.expand_dims(x, tuple(axes)),
}


def value_table(graph, output, sample, background):
    """Returns v(S) for every output column [2^M, K]: bit i of the position is set when modality i is present.

    v(S) is the mean over background rows of the model on a row whose present
    modalities are the sample's and whose absent ones are the background's.
    """
    rows = len(background[MODALITIES[0]])
    table = []
    for coalition in range(2 ** len(MODALITIES)):
        batch = {}
        for i, name in enumerate(MODALITIES):
            present = coalition >> i & 1
            batch[name] = np.repeat(sample[name][None], rows, axis=0) if present else background[name]
        table.append(graph.run(batch)[output].mean(axis=0))
    return np.array(table)


def phi(v):
    """Returns the paper's matrix of a value table: half an interaction in each cell of a pair, main effects on the diagonal."""
    m = len(v).bit_length() - 1
    matrix = np.zeros((m, m))
    for i, j in itertools.permutations(range(m), 2):
        for s in subsets(set(range(m)) - {i, j}):
            weight = math.factorial(len(s)) * math.factorial(m - len(s) - 2) / (2 * math.factorial(m - 1))
            matrix[i, j] += weight * (v[bits(s, i, j)] - v[bits(s, i)] - v[bits(s, j)] + v[bits(s)])
    for i in range(m):
        shapley = 0
        for s in subsets(set(range(m)) - {i}):
            weight = math.factorial(len(s)) * math.factorial(m - len(s) - 1) / math.factorial(m)
            shapley += weight * (v[bits(s, i)] - v[bits(s)])
        matrix[i, i] = shapley - matrix[i].sum()
    return matrix


def subsets(players):
    return itertools.chain.from_iterable(itertools.combinations(sorted(players), k) for k in range(len(players) + 1))


def bits(s, *more):
    return sum(1 << i for i in (*s, *more))


def share(matrix):
    """Returns the part of all absolute behaviour that lies off the diagonal, both triangles."""
    a = np.abs(matrix)
    return (a.sum() - np.trace(a)) / a.sum()


def summary(matrix):
    """Returns the score of an aggregated matrix and each modality's own share."""
    a = np.abs(matrix)
    return {"intershap": share(a), "contributions": dict(zip(MODALITIES, np.diag(a) / a.sum())), "phi": matrix}


def explain(path, output, samples, background):
    """Explains one output of one model for the class that the output's largest column names."""
    graph = Graph(path)
    predicted, values, matrices = [], [], []
    for k in range(len(samples[MODALITIES[0]])):
        table = value_table(graph, output, {name: samples[name][k] for name in MODALITIES}, background)
        predicted.append(int(table[-1].argmax()))
        values.append(table[:, predicted[-1]])
        matrices.append(phi(values[-1]))
        total = values[-1][-1] - values[-1][0]
        assert abs(matrices[-1].sum() - total) < 1e-12, f"sample {k}: the matrix sums to {matrices[-1].sum()}, want {total}"
    matrices = np.array(matrices)
    local = np.array([share(m) for m in matrices])
    return {
        "model": path.name, "output": output, "target": "predicted",
        "global": summary(matrices.mean(axis=0)),
        "mean_absolute": summary(np.abs(matrices).mean(axis=0)),
        "local": {"mean": local.mean(), "sd": local.std(ddof=1), "values": local},
        "predicted": predicted, "values": np.array(values), "phi": matrices,
    }


def plain(value, digits=9):
    """Returns value as JSON knows it, floats rounded to `digits` decimals."""
    if isinstance(value, dict):
        return {k: plain(v, digits) for k, v in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(v, digits) for v in value]
    # Adding zero turns -0.0 into 0.0.
    return round(float(value), digits) + 0.0 if isinstance(value, float) else value


def write(path, fields, explanations):
    """Writes one line a field, and one line a field of each explanation, so that a change can be read."""
    def lines(entries, indent):
        return (",\n" + indent).join(f"{json.dumps(k)}: {json.dumps(plain(v), separators=(',', ':'))}" for k, v in entries.items())
    blocks = ",\n".join("  {" + lines(e, "   ") + "}" for e in explanations)
    path.write_text("{" + lines(fields, " ") + ',\n "explanations": [\n' + blocks + "\n ]}\n")


def show(e):
    """Prints the scores of an explanation, over all samples and for each predicted class."""
    print(f"{e['model']} {e['output']}: global {e['global']['intershap']:.1%}, "
          f"mean absolute {e['mean_absolute']['intershap']:.1%}, local {e['local']['mean']:.1%}")
    predicted = np.array(e["predicted"])
    groups = {"all": predicted >= 0, **{c: predicted == k for k, c in enumerate(CLASSES)}}
    for name, members in groups.items():
        if members.any():
            s = summary(e["phi"][members].mean(axis=0))
            mains = ", ".join(f"{m} {x:.1%}" for m, x in s["contributions"].items())
            print(f"  {name}, {members.sum()} samples: interactions {s['intershap']:.1%}, {mains}")
    print(np.array2string(e["global"]["phi"], precision=4, suppress_small=True))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--all", action="store_true", help="explain all samples with all background rows, and only print")
    everything = parser.parse_args().all

    test, train = (np.load(HERE / name) for name in ("test.npz", "train.npz"))
    samples = {name: test[name] if everything else test[name][:SAMPLES] for name in MODALITIES}
    background = {name: train[name] if everything else train[name][:BACKGROUND] for name in MODALITIES}
    explanations = []
    for name, output in (("model.onnx", "probabilities"), ("late.onnx", "probabilities"), ("late.onnx", "logits")):
        explanations.append(explain(HERE / name, output, samples, background))
        show(explanations[-1])
    if everything:
        return
    write(HERE / "reference.json", {
        "about": "made by reference.py; position in values: bit i is set when modality i is present",
        "data": "test.npz", "samples": list(range(SAMPLES)), "ids": [int(i) for i in test["id"][:SAMPLES]],
        "background": "train.npz", "background_rows": list(range(BACKGROUND)), "mask": "marginal", "convention": "paper",
        "modalities": MODALITIES, "classes": CLASSES,
    }, explanations)


if __name__ == "__main__":
    main()
