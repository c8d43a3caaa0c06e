"""Trained tickets on a part of CIFAR-10, small enough for a CPU: accuracy at one density, cost beside it.

A run takes 1,500 training and 1,500 test images, drawn by its seed, and trains conv-bn-tiny (1,368 prunable weights) for a few epochs; nothing is extrapolated from that to whole CIFAR-10 or to
larger networks. For those, change the cells: "images" 50,000, "model" "resnet20", "on" "cuda" and the authors' epochs need no other code, and no record of them exists yet.

The files of CIFAR-10 at hand are not quite the published ones: 172 of the 60,000 images are close JPEG copies (data status "near"), a possible 0.3 % of what is drawn here.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np
import torch

import strong_lth.tickets as T
from strong_lth import datasets
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.tickets.summary import expected, mean_interval

ARMS = {
    "dense": "dense",
    "random": "random mask",
    "imp": "IMP",
    "lrr": "LRR",
    "signs": "signs of AWS",
    "mask": "mask of AWS",
    "rst": "RST",
}


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One seed: accuracy on the drawn test images and epochs to find, for every arm."""
    torch.set_num_threads(1)
    data = part(cell["data"], cell["images"], rng)
    recipe = T.Recipe(epochs=cell["epochs"], lr=0.1, batch=64)
    task = T.Task(data=data, model=cell["model"], recipe=recipe, device=cell["on"], augment=cell["augment"])
    view, seed = T.view(task), int(rng.integers(2**31))
    aws = replace(T.AWS.scaled(view), per_round=cell["per_round"])
    methods = {
        "dense": T.Dense(),
        "random": T.RandomMask(),
        "imp": T.IMP(per_round=cell["per_round"]),
        "lrr": T.LRR(per_round=cell["per_round"]),
        "signs": T.SignTransfer(aws),
        "mask": T.MaskTransfer(aws),
        "rst": T.RST.scaled(view),
    }
    rows = {row["method"]: row for row in T.compare(list(methods.values()), task, [cell["density"]], [seed])}
    found: dict[str, Any] = {"data_status": data.status, "kept": rows["IMP"]["kept"]}
    for name, method in methods.items():
        found[name] = rows[method.name]["accuracy"]
        found[f"{name}_epochs"] = rows[method.name]["find_epochs"]
    return found


def part(name: str, images: int, rng: np.random.Generator) -> datasets.Dataset:
    """``images`` training images and at most as many test images of a data set, drawn without replacement."""
    whole = _load(name)
    train, test = (np.sort(rng.permutation(len(labels))[:images]) for labels in (whole.train_labels, whole.test_labels))
    return replace(
        whole,
        train_images=whole.train_images[train],
        train_labels=whole.train_labels[train],
        test_images=whole.test_images[test],
        test_labels=whole.test_labels[test],
        hashes={},  # of whole files; the content hash of a part is that of its arrays
    )


@functools.cache
def _load(name: str) -> datasets.Dataset:
    return datasets.load(name)


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Paired over seeds."""
    column = {name: [row[name] for row in rows] for name in ARMS}
    return [
        expected("dense is more accurate than a random mask", column["dense"], column["random"]),
        expected("IMP's ticket is more accurate than a random mask", column["imp"], column["random"]),
        expected("LRR's ticket is more accurate than IMP's", column["lrr"], column["imp"]),
        expected("learned signs on AWS's mask beat the mask alone", column["signs"], column["mask"]),
    ]


def table(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Mean accuracy with its 95 % interval, and epochs to find."""
    lines = []
    for name, label in ARMS.items():
        mean, low, high = mean_interval([row[name] for row in rows])
        epochs = float(np.mean([row[f"{name}_epochs"] for row in rows]))
        lines.append(
            {
                "ticket": label,
                "accuracy": f"{mean:.2%}",
                "95 % interval": "" if np.isnan(low) else f"{low:.2%} to {high:.2%}",
                "epochs to find": f"{epochs:.1f}",
                "data": rows[0]["data_status"],
            }
        )
    return lines


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Accuracy against the epochs that finding took."""
    curves = []
    for name, label in ARMS.items():
        mean, low, high = mean_interval([row[name] for row in rows])
        epochs = float(np.mean([row[f"{name}_epochs"] for row in rows]))
        ends = (mean, mean) if np.isnan(low) else (low, high)
        curves.append(Curve(label, [epochs], [mean], [ends[0]], [ends[1]], "o"))
    curves_figure(
        {f"kept {rows[0]['kept']} weights, 95 % intervals": curves},
        file,
        title="1,500 images of CIFAR-10, a tiny network",
        x="epochs to find the ticket",
        y="test accuracy",
        beside=True,
    )


_CELL = {
    "data": "cifar10",
    "images": 1500,
    "model": "conv-bn-tiny",
    "epochs": 5,
    "density": 0.1,
    "per_round": 0.44,
    "augment": "none",
    "on": "cpu",
}

EXPERIMENT = Experiment(
    id="tickets-cifar10",
    claim="On 1,500 images of CIFAR-10 and at density .1, where and how a tiny network's kept weights are found decides its accuracy.",
    source="the methods' papers (see strong_lth/tickets/methods); setting of strong_lth",
    grid=[_CELL],
    smoke=[_CELL | {"data": "digits", "images": 300, "epochs": 2}],
    trials=8,
    seed=1,
    trial=trial,
    expect=expect,
    table=table,
    figure=figure,
    cost="6 min",
)
