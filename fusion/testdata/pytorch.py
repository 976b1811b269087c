"""Writes pytorch.json: what PyTorch makes of tiny fusion networks in 20 steps.

    python3 pytorch.py > pytorch.json      (PyTorch 1.13.0 wrote the file here)

The networks are written down with PyTorch's own modules from the description in
the paper's appendix, not from the Go code, so that the two can disagree:

    early         x -> in/2 -> in/4 -> classes, ReLU between
    intermediate  each x_i -> in_i/2, joined -> half of that, ReLU -> classes
    late          each x_i -> in_i/2, ReLU -> in_i/4, ReLU, joined -> classes

Widths are rounded down. A frozen network gives its optimiser the layers behind
the join alone. The loss is cross_entropy with its defaults (mean over the batch),
the optimiser torch.optim.Adam with a weight decay that is large enough to be seen:
without it, or decoupled as in AdamW, some weight is off by 0.06 to 0.3 after the 20
steps. The last batch of an epoch is smaller than the others: 17 samples in steps
of 5.

Everything is float32 on one thread. Numbers are written with 9 digits, which is
all that a float32 has.
"""

import json
import sys

import torch
from torch import nn
from torch.nn import functional

SIZES = [9, 6]
CLASSES = 3
SAMPLES = 17
BATCH = 5
STEPS = 20
RATE = 1e-2
DECAY = 1e-2


class Net(nn.Module):
    def __init__(self, fusion):
        super().__init__()
        self.encoders = nn.ModuleList()
        if fusion == "early":
            d = sum(SIZES)
            self.encoders.extend(nn.Sequential() for _ in SIZES)
            self.head = nn.Sequential(nn.Linear(d, d // 2), nn.ReLU(), nn.Linear(d // 2, d // 2 // 2), nn.ReLU(),
                                      nn.Linear(d // 2 // 2, CLASSES))
        elif fusion == "intermediate":
            self.encoders.extend(nn.Sequential(nn.Linear(d, d // 2)) for d in SIZES)
            d = sum(d // 2 for d in SIZES)
            self.head = nn.Sequential(nn.Linear(d, d // 2), nn.ReLU(), nn.Linear(d // 2, CLASSES))
        else:
            self.encoders.extend(nn.Sequential(nn.Linear(d, d // 2), nn.ReLU(), nn.Linear(d // 2, d // 2 // 2), nn.ReLU())
                                 for d in SIZES)
            self.head = nn.Sequential(nn.Linear(sum(d // 2 // 2 for d in SIZES), CLASSES))

    def forward(self, xs):
        return self.head(torch.cat([e(x) for e, x in zip(self.encoders, xs)], dim=1))


def floats(t):
    return [float("%.9g" % v) for v in t.detach().flatten().tolist()]


def run(fusion, frozen, xs, y, steps):
    torch.manual_seed(3)
    net = Net(fusion)
    initial = [floats(p) for p in net.parameters()]
    trained = net.head.parameters() if frozen else net.parameters()
    optimiser = torch.optim.Adam(trained, lr=RATE, weight_decay=DECAY)
    losses = []
    for rows in steps:
        optimiser.zero_grad()
        loss = functional.cross_entropy(net([x[rows] for x in xs]), y[rows])
        loss.backward()
        optimiser.step()
        losses.append(float("%.9g" % loss.item()))
    return {"fusion": fusion, "frozen": frozen, "initial": initial, "losses": losses,
            "final": [floats(p) for p in net.parameters()], "logits": floats(net(xs))}


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    xs = [torch.randn(SAMPLES, d) for d in SIZES]
    y = torch.randint(CLASSES, (SAMPLES,))
    steps = []
    while len(steps) < STEPS:
        order = torch.randperm(SAMPLES).tolist()
        steps += [order[i:i + BATCH] for i in range(0, SAMPLES, BATCH)]
    steps = steps[:STEPS]
    cases = [run(f, frozen, xs, y, steps) for f in ("early", "intermediate", "late") for frozen in (False, True)
             if not (f == "early" and frozen)]
    json.dump({"torch": torch.__version__, "sizes": SIZES, "classes": CLASSES, "rate": RATE, "decay": DECAY,
               "inputs": [floats(x) for x in xs], "labels": y.tolist(), "steps": steps, "cases": cases},
              sys.stdout, separators=(",", ":"))
    print()


main()
