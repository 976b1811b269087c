"""Fusion networks and data for the benchmarks of this folder.

Needs torch and numpy alone (Debian: python3-torch).
"""

import pathlib

import numpy as np
import torch
from torch import nn

# Sizes of the modalities of HD-XOR, by their number.
SIZES = {2: (110, 90), 3: (110, 90, 100), 4: (110, 90, 100, 110)}

OPSET = 13


class Early(nn.Module):
    """Three layers over the joined inputs: in, in/2, in/4, classes."""

    def __init__(self, sizes, classes=2):
        super().__init__()
        width = sum(sizes)
        self.layers = nn.Sequential(
            nn.Linear(width, width // 2),
            nn.ReLU(),
            nn.Linear(width // 2, width // 4),
            nn.ReLU(),
            nn.Linear(width // 4, classes),
        )

    def forward(self, *inputs):
        return self.layers(torch.cat(inputs, dim=1))


class WithProbabilities(nn.Module):
    """A network that also returns the softmax of its logits."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, *inputs):
        logits = self.network(*inputs)
        return logits, torch.softmax(logits, dim=1)


def hd_xor(samples, sizes, rng):
    """Rows of a synergy setting: a bit for each modality, seen through a
    projection; the label is 1 when exactly one bit is 1."""
    bits = rng.integers(0, 2, size=(samples, len(sizes)))
    modalities = []
    for m, size in enumerate(sizes):
        centre = np.where(bits[:, m : m + 1] == 1, 0.35, -0.35)
        vector = centre + rng.standard_normal((samples, size))
        projection = rng.uniform(-0.5, 0.5, size=(size, size))
        modalities.append((vector @ projection).astype(np.float32))
    return modalities, (bits.sum(axis=1) == 1).astype(np.int64)


def train(network, modalities, label, epochs, batch=400, rate=1e-4):
    """Adam with weight decay, as in the paper."""
    inputs = [torch.from_numpy(m) for m in modalities]
    label = torch.from_numpy(label)
    optimiser = torch.optim.Adam(network.parameters(), lr=rate, weight_decay=1e-4)
    for _ in range(epochs):
        for rows in torch.randperm(len(label)).split(batch):
            optimiser.zero_grad()
            loss = nn.functional.cross_entropy(network(*(x[rows] for x in inputs)), label[rows])
            loss.backward()
            optimiser.step()


def export(network, examples, path):
    """Write the network as ONNX, inputs named m1, m2, ... with a free axis 0."""
    names = [f"m{i + 1}" for i in range(len(examples))]
    outputs = ["logits", "probabilities"]
    torch.onnx.export(
        WithProbabilities(network).eval(),
        tuple(torch.from_numpy(e[:2]) for e in examples),
        str(path),
        opset_version=OPSET,
        input_names=names,
        output_names=outputs,
        dynamic_axes={name: {0: "batch"} for name in names + outputs},
    )


def save(path, modalities):
    """Write rows as NPZ, arrays m1, m2, ..."""
    np.savez(path, **{f"m{i + 1}": m for i, m in enumerate(modalities)})


def folder(path):
    """Return path as a folder that is there."""
    out = pathlib.Path(path)
    out.mkdir(parents=True, exist_ok=True)
    return out
