#!/usr/bin/python3
"""Evaluate HD-XOR the way the paper describes, in a plain PyTorch loop.

Every sample is pushed through the whole network with every background row, for
every coalition but the empty and the full one: samples x background x (2^M - 2)
rows, and one row for each sample and each background row. The loop takes a
batch of samples, replaces the absent modalities by one background row, and
repeats that for all rows; probabilities are averaged in float64.

Prints the seconds of this evaluation and writes, for the same run in intershap,
model.onnx, test.npz, background.npz, and values.npz with v(S) of the predicted
class (arrays predicted [N], values [N, 2^M]; bit i of a position set when
modality i is present).
"""

import argparse
import json
import time

import numpy as np
import torch

import networks


def evaluate(network, samples, background, batch):
    """Return the predicted classes [N] and mean probabilities [N, 2^M]."""
    players = len(samples)
    count, rows = len(samples[0]), len(background[0])
    everyone = (1 << players) - 1
    with torch.no_grad():
        full = torch.softmax(network(*samples), dim=1).double()
        empty = torch.softmax(network(*background), dim=1).double().mean(dim=0)
        predicted = full.argmax(dim=1)
        values = torch.zeros(count, everyone + 1, full.shape[1], dtype=torch.float64)
        values[:, 0] = empty
        values[:, everyone] = full
        for lo in range(0, count, batch):
            part = [s[lo : lo + batch] for s in samples]
            for coalition in range(1, everyone):
                total = torch.zeros(len(part[0]), full.shape[1], dtype=torch.float64)
                for row in range(rows):
                    inputs = [
                        part[m] if coalition >> m & 1 else background[m][row].expand(len(part[m]), -1)
                        for m in range(players)
                    ]
                    total += torch.softmax(network(*inputs), dim=1)
                values[lo : lo + batch, coalition] = total / rows
    chosen = values.gather(2, predicted[:, None, None].expand(-1, everyone + 1, 1))
    return predicted.numpy(), chosen[:, :, 0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--out", default="paper_setting", help="folder for model and data")
    parser.add_argument("--samples", type=int, default=3000)
    parser.add_argument("--background", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()

    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    rng = np.random.default_rng(args.seed)
    sizes = networks.SIZES[2]
    training = 14000
    rows, label = networks.hd_xor(training + args.background + args.samples, sizes, rng)
    network = networks.Early(sizes)
    networks.train(network, [r[:training] for r in rows], label[:training], args.epochs)
    network.eval()

    background = [r[training : training + args.background] for r in rows]
    samples = [r[training + args.background :] for r in rows]
    out = networks.folder(args.out)
    networks.export(network, samples, out / "model.onnx")
    networks.save(out / "test.npz", samples)
    networks.save(out / "background.npz", background)

    start = time.perf_counter()
    predicted, values = evaluate(
        network, [torch.from_numpy(s) for s in samples], [torch.from_numpy(b) for b in background], args.batch
    )
    seconds = time.perf_counter() - start
    np.savez(out / "values.npz", predicted=predicted, values=values)

    everyone = (1 << len(sizes)) - 1
    accuracy = float((predicted == label[training + args.background :]).mean())
    evaluated = args.samples * args.background * (everyone - 1) + args.samples + args.background
    print(json.dumps({"torch": torch.__version__, "threads": args.threads, "rows": evaluated, "accuracy": round(accuracy, 3), "seconds": round(seconds, 3)}))


if __name__ == "__main__":
    main()
