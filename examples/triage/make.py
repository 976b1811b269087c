"""Makes the triage example: patients with a known rule, and two models of it.

    python3 make.py

writes train.npz, test.npz, model.onnx and late.onnx beside this file. Needs
PyTorch 1.13 or later, NumPy and onnx. One seed and one thread decide
everything, so that the same versions write the same bytes.

README.md states the rule; `draw` below is the rule.
"""

import pathlib

import numpy as np
import torch
from torch import nn

import reference

HERE = pathlib.Path(__file__).parent
SEED = 20250
TRAIN_ROWS, TEST_ROWS = 600, 200
STEPS, BATCH = 4000, 256

CLASSES = ("home", "ward", "theatre", "isolate")
HOME, WARD, THEATRE, ISOLATE = range(4)

# What an image shows, with the chance of each.
CLEAR, SPOT, HAZE = range(3)
IMAGE_CHANCES = (0.4, 0.4, 0.2)
IRREGULAR_CHANCE = 0.45
# The share of patients who are sent where their laboratory values alone point.
BY_LABS_CHANCE = 0.1
# The slope of that choice: from home to ward over about one standard deviation.
RISK_SLOPE = 4.0

# Sodium, potassium, creatinine, C-reactive protein, haemoglobin, lactate:
# mean, standard deviation, decimals, and the weight in the risk. The squares of
# the weights sum to 1, so that the risk is about standard normal.
LABS = np.array([
    (139.0, 3.5, 0, 0.0),   # mmol/l
    (4.2, 0.45, 1, 0.0),    # mmol/l
    (90.0, 22.0, 0, 0.5),   # umol/l
    (24.0, 7.0, 0, 0.5),    # mg/l
    (13.4, 1.5, 1, -0.3),   # g/dl
    (1.6, 0.45, 1, 0.64),   # mmol/l
])
LABS_MEAN, LABS_SD, LABS_DECIMALS, LABS_WEIGHT = LABS.T


def rule(image, irregular):
    """Returns the class that image and rhythm ask for, patient by patient."""
    findings = (image == SPOT).astype(int) + irregular
    return np.where(image == HAZE, ISOLATE, findings)


def ward_chance(risk):
    """Returns the chance that laboratory values alone send a patient to the ward."""
    return 1 / (1 + np.exp(-RISK_SLOPE * risk))


def draw(rng, rows):
    """Returns image, ecg, labs and label of `rows` new patients."""
    image = rng.choice(3, rows, p=IMAGE_CHANCES)
    irregular = (rng.random(rows) < IRREGULAR_CHANCE).astype(int)
    labs = np.maximum(LABS_MEAN + LABS_SD * rng.standard_normal((rows, len(LABS))), 0.1)
    for i, decimals in enumerate(LABS_DECIMALS.astype(int)):
        labs[:, i] = labs[:, i].round(decimals)
    risk = (labs - LABS_MEAN) / LABS_SD @ LABS_WEIGHT

    label = rule(image, irregular)
    by_labs = rng.random(rows) < BY_LABS_CHANCE
    to_ward = rng.random(rows) < ward_chance(risk)
    label[by_labs] = np.where(to_ward, WARD, HOME)[by_labs]

    arrays = (draw_images(rng, image), draw_ecgs(rng, irregular), labs)
    return *(a.round(2).astype(np.float32) for a in arrays), label.astype(np.int64)


def draw_images(rng, kinds, side=12, noise=0.12):
    """Returns noisy images [N, 1, side, side]: clear, one blurred spot, or haze over one half."""
    y, x = np.mgrid[:side, :side]
    at = rng.uniform(3, side - 4, (2, len(kinds), 1, 1))
    spot = rng.uniform(0.8, 1.2, (len(kinds), 1, 1)) * np.exp(-((y - at[0]) ** 2 + (x - at[1]) ** 2) / (2 * 1.3**2))
    haze = rng.uniform(0.35, 0.55, (len(kinds), 1, 1)) * ((x < side // 2) == (rng.random((len(kinds), 1, 1)) < 0.5))
    kinds = kinds[:, None, None]
    image = np.where(kinds == SPOT, spot, 0) + np.where(kinds == HAZE, haze, 0)
    return (image + noise * rng.standard_normal(image.shape))[:, None]


def draw_ecgs(rng, irregular, length=48, noise=0.08):
    """Returns noisy two-lead traces [N, 2, length].

    A regular rhythm repeats one interval and has a small wave before each
    beat; an irregular one draws every interval anew and lacks the wave.
    """
    rows, beats = len(irregular), 12
    interval = rng.uniform(7, 10, (rows, 1))
    jitter = np.where(irregular[:, None] == 1, rng.uniform(0.6, 1.5, (rows, beats)), 1)
    at = rng.uniform(0, 7, (rows, 1)) + np.cumsum(interval * jitter, axis=1) - interval
    t = np.arange(length)
    spikes = np.exp(-((t - at[..., None]) ** 2) / (2 * 0.6**2)).sum(axis=1)
    waves = 0.3 * np.exp(-((t - at[..., None] + 3) ** 2) / (2 * 0.8**2)).sum(axis=1)
    lead = spikes + np.where(irregular[:, None] == 1, 0, waves)
    gain = rng.uniform(0.8, 1.2, (rows, 1))
    leads = np.stack([gain * lead, -0.6 * gain * lead], axis=1)
    return leads + noise * rng.standard_normal(leads.shape)


class ImageEncoder(nn.Sequential):
    """Two convolutions and a dense layer: [N, 1, 12, 12] to [N, width]."""

    def __init__(self, width):
        super().__init__(
            nn.Conv2d(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(8 * 3 * 3, width), nn.ReLU())


class ECGEncoder(nn.Module):
    """A convolution that sees waves, a GRU that sees rhythm: [N, 2, 48] to [N, width]."""

    def __init__(self, width):
        super().__init__()
        self.waves = nn.Conv1d(2, 8, 5, stride=2, padding=2)
        self.rhythm = nn.GRU(8, width, batch_first=True)

    def forward(self, ecg):
        steps = torch.relu(self.waves(ecg)).transpose(1, 2)
        return self.rhythm(steps)[0][:, -1]


class LabsEncoder(nn.Module):
    """Standardises raw laboratory values inside the graph: [N, 6] to [N, width]."""

    def __init__(self, width):
        super().__init__()
        self.register_buffer("mean", torch.tensor(LABS_MEAN, dtype=torch.float32))
        self.register_buffer("sd", torch.tensor(LABS_SD, dtype=torch.float32))
        self.dense = nn.Linear(len(LABS), width)

    def forward(self, labs):
        return torch.relu(self.dense((labs - self.mean) / self.sd))


class Fused(nn.Module):
    """Encoders side by side and a head that mixes them: interactions are learned."""

    def __init__(self, width=16):
        super().__init__()
        self.image, self.ecg, self.labs = ImageEncoder(width), ECGEncoder(width), LabsEncoder(width)
        self.head = nn.Sequential(nn.Linear(3 * width, 48), nn.ReLU(), nn.Linear(48, 32), nn.ReLU(),
                                  nn.Linear(32, len(CLASSES)))

    def forward(self, image, ecg, labs):
        together = torch.cat([self.image(image), self.ecg(ecg), self.labs(labs)], dim=1)
        logits = self.head(together)
        return logits, torch.softmax(logits, dim=1)


class Late(nn.Module):
    """Each modality votes with logits of its own and the votes are added: no interaction in logits."""

    def __init__(self, width=16):
        super().__init__()
        self.image, self.ecg, self.labs = ImageEncoder(width), ECGEncoder(width), LabsEncoder(width)
        self.votes = nn.ModuleList(nn.Linear(width, len(CLASSES)) for _ in range(3))

    def forward(self, image, ecg, labs):
        encoded = self.image(image), self.ecg(ecg), self.labs(labs)
        votes = [vote(e) for vote, e in zip(self.votes, encoded)]
        logits = votes[0] + votes[1] + votes[2]
        return logits, torch.softmax(logits, dim=1)


def train(net, rng):
    """Fits net to new patients in every step, so that it can learn the rule but no patient by heart."""
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    for _ in range(STEPS):
        *inputs, label = map(torch.from_numpy, draw(rng, BATCH))
        loss = nn.functional.cross_entropy(net(*inputs)[0], label)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
    return net.eval()


def export(net, path, inputs):
    """Writes net as ONNX and checks the file against net, node by node."""
    names = ["image", "ecg", "labs"]
    outputs = ["logits", "probabilities"]
    torch.onnx.export(net, tuple(inputs), path, opset_version=17, input_names=names, output_names=outputs,
                      dynamic_axes={name: {0: "N"} for name in names + outputs})
    with torch.no_grad():
        want = net(*inputs)
    got = reference.Graph(path).run(dict(zip(names, (i.numpy() for i in inputs))))
    for name, w in zip(outputs, want):
        worst = np.abs(got[name] - w.numpy()).max()
        assert worst < 1e-4, f"{path.name}: {name} of the file and of the network differ by {worst}"


def known():
    """Prints what the rule itself scores, by hand: the answer that a perfect model would give.

    Labs enter by a mixture, so they add to every probability and interact
    with nothing; image and rhythm play a game of chances among themselves.
    """
    states = [(i, r) for i in range(len(IMAGE_CHANCES)) for r in (0, 1)]
    weights = np.array([IMAGE_CHANCES[i] * (IRREGULAR_CHANCE if r else 1 - IRREGULAR_CHANCE) for i, r in states])
    classes = np.array([int(rule(np.array(i), np.array(r))) for i, r in states])
    risk = np.random.default_rng(SEED).standard_normal(10**6)
    swing = BY_LABS_CHANCE * np.abs(ward_chance(risk) - 0.5).mean()

    matrices, absolutes = [], []
    for (image, rhythm), c in zip(states, classes):
        v = np.zeros(8)
        for coalition in range(8):
            fits = np.array([(not coalition & 1 or i == image) and (not coalition & 2 or r == rhythm) for i, r in states])
            v[coalition] = (1 - BY_LABS_CHANCE) * (weights * fits * (classes == c)).sum() / (weights * fits).sum()
        matrices.append(reference.phi(v))
        absolutes.append(np.abs(matrices[-1]) + np.diag([0, 0, swing if c in (HOME, WARD) else 0]))
    for name, mean in (("global", np.tensordot(weights, matrices, 1)), ("mean absolute", np.tensordot(weights, absolutes, 1))):
        print(f"the rule: {name} {reference.share(mean):.1%}")
        print(np.array2string(mean, precision=4, suppress_small=True))
    wrong = BY_LABS_CHANCE * (1 - np.isin(classes, (HOME, WARD)) @ weights / 2)
    print(f"the rule: no model is right more often than about {1 - wrong:.1%}")


def main():
    known()
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.default_rng(SEED)

    files = {}
    for name, rows, first in (("train", TRAIN_ROWS, 1001), ("test", TEST_ROWS, 5001)):
        image, ecg, labs, label = draw(rng, rows)
        files[name] = {"image": image, "ecg": ecg, "labs": labs, "label": label, "id": np.arange(first, first + rows)}
        np.savez_compressed(HERE / f"{name}.npz", **files[name])

    unseen = draw(rng, 20000)
    for name, net in (("model", Fused()), ("late", Late())):
        train(net, rng)
        inputs = [torch.from_numpy(files["test"][m]) for m in ("image", "ecg", "labs")]
        export(net, HERE / f"{name}.onnx", inputs)
        with torch.no_grad():
            test = (net(*inputs)[0].argmax(1).numpy() == files["test"]["label"]).mean()
            *many, label = map(torch.from_numpy, unseen)
            logits = net(*many)[0]
            accuracy = (logits.argmax(1) == label).double().mean().item()
            loss = nn.functional.cross_entropy(logits, label).item()
        print(f"{name}.onnx: accuracy {test:.1%} on test.npz, {accuracy:.1%} on 20000 new patients, loss {loss:.4f}")


if __name__ == "__main__":
    main()
