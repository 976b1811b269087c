#!/usr/bin/python3
"""Write early-fusion networks (in, in/2, in/4) of 2, 3 and 4 modalities.

They take 200, 300 and 410 inputs. Weights are random: the cost does not depend
on them. Each goes into a folder m2, m3, m4 with its data.
"""

import argparse

import numpy as np
import torch

import networks


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", default="dense", help="folder for models and data")
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--background", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    rng = np.random.default_rng(args.seed)
    for players, sizes in networks.SIZES.items():
        torch.manual_seed(args.seed)
        out = networks.folder(args.out + f"/m{players}")
        rows, _ = networks.hd_xor(args.samples + args.background, sizes, rng)
        samples = [r[: args.samples] for r in rows]
        networks.export(networks.Early(sizes), samples, out / "model.onnx")
        networks.save(out / "test.npz", samples)
        networks.save(out / "background.npz", [r[args.samples :] for r in rows])


if __name__ == "__main__":
    main()
