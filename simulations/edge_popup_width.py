"""How wide must an untrained network be for edge-popup to find an accurate strong ticket, beside the width at which a construction is proved to succeed?

Source networks 64-h-10 without biases, signed-constant weights (Ramanujan et al. 2020), digits; edge-popup at each density of both layers, ``epochs`` epochs, ticket scored as it is. Beside it the network that a
construction approximates: 64-32-10, trained. For it and every seed the construction needs, and is proved to need (delta = .01), so many candidates per weight (tol 1 on the logits) that its source, of depth 4, has so many units in its widest
hidden layer. Two different promises: the construction serves any target of this shape, with a certificate on all of [0, 1]^64; edge-popup is a measured accuracy on 355 test images.

Rule, written down before the first run; exact one-sided sign-flip tests over 10 seeds (a width's networks at equal seeds), each at .05 / number of comparisons in the claim. Claim A: tickets at density .5 of the
widest network are more accurate than those of the narrowest. Claim B: at some width the ticket at density .5 is within 2 points of the trained 64-32-10 network (the mean of ticket - trained + .02 is above 0); the
evidence names the narrowest such width. Claim C (Ramanujan et al., on larger networks): in the narrowest network density .5 beats both the lowest and the highest density.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import IO, Any

import numpy as np
import torch
from torch import nn

import strong_lth.tickets as T
from strong_lth import datasets, demo
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.networks import Network
from strong_lth.networks.construction import plan
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import sign_flip_p_value
from strong_lth.tickets.summary import SEEDS_FOR_VERDICT, mean_interval

ALPHA, MARGIN = 0.05, 0.02


def network(hidden: int) -> nn.Module:
    """64 - hidden - 10 without biases; the search draws its weights."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, 10, bias=False))


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One seed: accuracy of the ticket of every width and density, of the trained target, and the construction's widths."""
    torch.set_num_threads(1)
    seed = int(rng.integers(2**31))
    found: dict[str, Any] = {}
    recipe = T.Recipe(epochs=cell["epochs"], weight_decay=1e-4)
    for hidden in _numbers(cell["widths"]):
        weights = ("1.weight", "3.weight")
        model = functools.partial(network, int(hidden))
        task = T.Task(model=model, name=f"64-{hidden:g}-10", prunable=weights, recipe=recipe)
        method = T.EdgePopup(init="signed-constant")
        for level, ticket in T.levels(method, task, _numbers(cell["densities"]), seed):
            density = min(_numbers(cell["densities"]), key=lambda d: abs(d - level.density))
            found[f"{hidden:g} {density:g}"] = T.evaluate(ticket, task).accuracy
    data = datasets.load("digits")
    module = demo.train(
        datasets.inputs(data, "train"), data.train_labels, epochs=cell["target_epochs"], seed=seed % 2**20
    )
    found["trained"] = demo.accuracy(module, datasets.inputs(data, "test"), data.test_labels)
    target = Network.from_torch(module)
    numbers = demo.candidates(target, cell["tol"], 0.0, [seed])
    units = max(int(half.sum()) for half in plan(target, demo.DOMAIN, cell["tol"], demo.LAW).halves)
    return found | {"needed_width": units * numbers.needed, "proved_width": units * numbers.proved}


def _numbers(text: str) -> list[float]:
    return [float(word) for word in text.split()]


def _column(rows: Sequence[Any], hidden: float, density: float) -> list[float]:
    return [row[f"{hidden:g} {density:g}"] for row in rows]


def _p(differences: Sequence[float]) -> tuple[float, float]:
    return sign_flip_p_value(differences), sign_flip_p_value([-d for d in differences])


def _verdict(passed: bool, reverse: bool, seeds: int) -> Verdict:
    if seeds < SEEDS_FOR_VERDICT or not (passed or reverse):
        return Verdict.INCONCLUSIVE
    return Verdict.CONSISTENT if passed else Verdict.REFUTED


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Claims A, B and C, by the rule of this file."""
    widths, densities, seeds = _numbers(rows[0]["widths"]), _numbers(rows[0]["densities"]), len(rows)
    middle = 0.5
    narrow, wide = _column(rows, widths[0], middle), _column(rows, widths[-1], middle)
    gain = [b - a for a, b in zip(narrow, wide, strict=True)]
    p, reverse = _p(gain)
    made = [
        Expectation(
            "A: a wider untrained network holds better tickets at density .5",
            _verdict(p <= ALPHA, reverse <= ALPHA, seeds),
            f"width {widths[-1]:g} - width {widths[0]:g}: {np.mean(gain):+.3f}, p {p:.2g}, {seeds} paired seeds",
            ALPHA,
        )
    ]
    level = ALPHA / len(widths)
    tests = {
        h: _p([a - row["trained"] + MARGIN for a, row in zip(_column(rows, h, middle), rows, strict=True)])
        for h in widths
    }
    reached = [h for h, (p, _) in tests.items() if p <= level]
    proved = int(np.median([row["proved_width"] for row in rows]))
    evidence = (
        f"narrowest tested width within 2 points: {reached[0]:g} of 64-h-10 (p {tests[reached[0]][0]:.2g}); the construction's proved width is {proved}"
        if reached
        else f"no width of {rows[0]['widths']} is within 2 points at {level:.2g}; the construction's proved width is {proved}"
    )
    made.append(
        Expectation(
            "B: an untrained network holds a ticket within 2 points of the trained 64-32-10 network",
            _verdict(bool(reached), all(reverse <= level for _, reverse in tests.values()), seeds),
            f"{evidence}; {seeds} paired seeds",
            ALPHA,
        )
    )
    ends = [
        _p([m - e for m, e in zip(narrow, _column(rows, widths[0], end), strict=True)])
        for end in (densities[0], densities[-1])
    ]
    made.append(
        Expectation(
            "C: in the narrowest network density .5 beats the lowest and the highest density",
            _verdict(all(p <= ALPHA / 2 for p, _ in ends), any(r <= ALPHA / 2 for _, r in ends), seeds),
            f"p {ends[0][0]:.2g} against {densities[0]:g}, {ends[1][0]:.2g} against {densities[-1]:g}, {seeds} paired seeds",
            ALPHA,
        )
    )
    return made


def table(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Mean accuracy with 95 % interval per width and density; below, the trained target and the widths of its construction."""
    lines = []
    for hidden in _numbers(rows[0]["widths"]):
        line: dict[str, Any] = {"network": f"64-{hidden:g}-10, untrained"}
        for density in _numbers(rows[0]["densities"]):
            line[f"density {density:g}"] = _interval(_column(rows, hidden, density))
        lines.append(line)
    lines.append({"network": "64-32-10, trained, dense", "density 0.5": _interval([row["trained"] for row in rows])})
    for name, label in (("needed_width", "needed"), ("proved_width", "proved")):
        values = [row[name] for row in rows]
        text = f"{np.median(values):.0f} ({min(values)} to {max(values)})"
        lines.append({"network": f"widest hidden layer of the construction at tol 1, {label}: {text}"})
    return lines


def _interval(values: Sequence[float]) -> str:
    mean, low, high = mean_interval(values)
    return f"{mean:.3f}" if np.isnan(low) else f"{mean:.3f} ({low:.3f} to {high:.3f})"


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Accuracy against width, one curve per density; the trained target as a line; needed and proved widths of the construction as points on it."""
    widths = _numbers(rows[0]["widths"])
    curves = []
    for colour, density in enumerate(_numbers(rows[0]["densities"])):
        ends = [mean_interval(_column(rows, hidden, density)) for hidden in widths]
        y = [mean for mean, _, _ in ends]
        low, high = ([m if np.isnan(e[side]) else e[side] for m, e in zip(y, ends, strict=True)] for side in (1, 2))
        curves.append(Curve(f"edge-popup, density {density:g}", widths, y, low, high, colour=colour))
    trained = float(np.mean([row["trained"] for row in rows]))
    needed, proved = (float(np.median([row[f"{name}_width"] for row in rows])) for name in ("needed", "proved"))
    curves += [
        Curve("trained 64-32-10", [widths[0], proved], [trained] * 2, style="-", colour=5),
        Curve("its construction at tol 1, needed width", [needed], [trained], style="D", colour=6),
        Curve("its construction at tol 1, proved width", [proved], [trained], style="^", colour=7),
    ]
    curves_figure(
        {"": curves},
        file,
        title="Strong tickets in untrained networks 64-h-10, digits (95 % intervals)",
        x="hidden units of the source network",
        y="test accuracy",
        log="x",
        ticks=[*widths, proved],
    )


_CELL = {
    "widths": "16 32 64 256 1024",
    "densities": "0.1 0.3 0.5 0.7 0.9",
    "epochs": 12,
    "target_epochs": 120,
    "tol": 1.0,
}

EXPERIMENT = Experiment(
    id="edge-popup-width",
    claim="Untrained two-layer networks hold tickets as accurate as a small trained network, at a fraction of the width that a construction of that network needs.",
    source="Ramanujan et al., CVPR 2020 (arXiv 1911.13299), Sections 3 and 5; the construction of strong_lth",
    grid=[_CELL],
    smoke=[_CELL | {"widths": "16 64", "densities": "0.1 0.5 0.9", "epochs": 2, "target_epochs": 10, "tol": 100.0}],
    trials=10,
    seed=1,
    trial=trial,
    expect=expect,
    table=table,
    figure=figure,
    cost="4 min",
)
