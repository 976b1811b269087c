#!/usr/bin/python3
"""Write a model of three modalities whose encoders are nearly all of its cost.

m1 is an image (convolutions), m2 a series (GRU), m3 a vector (dense layers).
--scale multiplies the multiply-adds of the encoders; 10 is the large model of
the benchmark. Weights are random: the cost does not depend on them.
"""

import argparse
import math

import numpy as np
import torch
from torch import nn

import networks


class Fusion(nn.Module):
    """Convolutions, a GRU and dense layers, joined by a small head."""

    def __init__(self, scale, classes=3):
        super().__init__()
        # Cost grows with the product of two widths.
        grow = math.sqrt(scale)
        maps, hidden, dense = round(16 * grow), round(32 * grow), round(64 * grow)
        feature = 32
        self.image = nn.Sequential(
            nn.Conv2d(1, maps, 3, padding=1),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(maps, maps, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(maps * 4 * 4, feature),
            nn.ReLU(),
        )
        self.series = nn.GRU(8, hidden, batch_first=True)
        self.summary = nn.Linear(hidden, feature)
        self.vector = nn.Sequential(nn.Linear(40, dense), nn.ReLU(), nn.Linear(dense, feature), nn.ReLU())
        self.head = nn.Sequential(nn.Linear(3 * feature, feature), nn.ReLU(), nn.Linear(feature, classes))

    def forward(self, image, series, vector):
        steps, _ = self.series(series)
        return self.head(torch.cat([self.image(image), self.summary(steps[:, -1]), self.vector(vector)], dim=1))


def rows(count, rng):
    """Standard normal rows of the three inputs."""
    shapes = [(1, 16, 16), (24, 8), (40,)]
    return [rng.standard_normal((count, *shape)).astype(np.float32) for shape in shapes]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", default="encoder_large", help="folder for model and data")
    parser.add_argument("--scale", type=float, default=10)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--background", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    out = networks.folder(args.out)
    samples = rows(args.samples, rng)
    networks.export(Fusion(args.scale), samples, out / "model.onnx")
    networks.save(out / "test.npz", samples)
    networks.save(out / "background.npz", rows(args.background, rng))


if __name__ == "__main__":
    main()
