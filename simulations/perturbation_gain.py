"""What the perturbation is worth: not a factor 1 / (1 + perturbation), but lg(1 + perturbation n / (2 tol)) candidates.

Candidates U[-1, 1], one fixed target, success probability 1/2. The printed rate n = O(log(1/tol) / (1 + perturbation)) is true as an upper bound; read as a formula for
the number of candidates it saves almost nothing at perturbation = tol, where in fact lg(1 + n/2) candidates are saved.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value
from strong_lth.subsetsum import needed_candidates

TARGET, MOST, ALPHA = 0.3, 40, 1e-3
LOW, HIGH = -1.5, -1.0  # of the constant of the proved law
SMALL = 0.03  # the law is asymptotic: settings with a larger tol or perturbation are shown, not tested


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Hitting times of a block of instances: how many need at most k candidates, for every k."""
    count = cell["instances"]
    candidates = lth.Uniform(-1, 1).sample(rng, (count, MOST))
    needed = needed_candidates(
        candidates, np.full(count, TARGET), tol=cell["tol"], perturbation=cell["perturbation"], workers=1
    )
    times = np.where(needed < 0, MOST + 1, needed)
    return {f"at_most_{k}": int(np.count_nonzero(times <= k)) for k in range(1, MOST + 1)}


def _counts(rows: Sequence[Any], tol: float, perturbation: float) -> tuple[list[int], int]:
    some = [row for row in rows if (row["tol"], row["perturbation"]) == (tol, perturbation)]
    return [sum(row[f"at_most_{k}"] for row in some) for k in range(1, MOST + 1)], sum(row["instances"] for row in some)


def _half(rows: Sequence[Any], tol: float, perturbation: float) -> float:
    """The n, interpolated between whole numbers, at which half of the instances are served."""
    counts, total = _counts(rows, tol, perturbation)
    return float(np.interp(0.5, np.array([0, *counts]) / total, np.arange(MOST + 1)))


def _settings(rows: Sequence[Any]) -> list[tuple[float, float]]:
    return sorted({(row["tol"], row["perturbation"]) for row in rows})


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """The formula: an exact test one candidate below it. The law: its constant in [LOW, HIGH]; two exact tests per setting."""
    settings = _settings(rows)
    moved = [(tol, perturbation) for tol, perturbation in settings if perturbation > 0 and (tol, 0.0) in settings]
    formula, law, constants = [], [], []
    for tol, perturbation in moved:
        counts, total = _counts(rows, tol, perturbation)
        k = math.floor(_half(rows, tol, 0.0) / (1 + perturbation)) - 1
        formula.append(binomial_p_value(counts[k - 1], total, 0.5))
    for tol, perturbation in settings:
        if max(tol, perturbation) > SMALL:
            continue
        counts, total = _counts(rows, tol, perturbation)
        n = _half(rows, tol, perturbation)
        centre = -math.log2(tol + perturbation * n / 2) + math.log2(n) / 2
        constants.append(n - centre)
        below, above = math.floor(centre + LOW), math.ceil(centre + HIGH)
        law.append(binomial_p_value(counts[below - 1], total, 0.5))
        law.append(binomial_p_value(counts[above - 1], total, 0.5, alternative="less"))
    return [
        Expectation(
            "candidates needed with a perturbation = those needed without, divided by 1 + perturbation, within one candidate",
            Verdict.REFUTED if min(formula) < ALPHA / len(formula) else Verdict.CONSISTENT,
            f"{sum(p < ALPHA / len(formula) for p in formula)} of {len(formula)} settings contradict it",
            ALPHA,
            Verdict.REFUTED,
        ),
        Expectation(
            "n = lg(1 / (tol + perturbation n/2)) + lg(n)/2 + c at success 1/2, with c in [-1.5, -1.0], for tol, perturbation <= 0.03",
            Verdict.REFUTED if min(law) < ALPHA / len(law) else Verdict.CONSISTENT,
            f"c from {min(constants):.2f} to {max(constants):.2f} over {len(constants)} settings",
            ALPHA,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Candidates saved against perturbation / tol: measured, proved law, printed factor."""
    panels = {}
    settings = _settings(rows)
    for tol in sorted({tol for tol, _ in settings}, reverse=True):
        moved = [perturbation for t, perturbation in settings if t == tol and perturbation > 0]
        if not moved or (tol, 0.0) not in settings:
            continue
        start, ratio = _half(rows, tol, 0.0), [perturbation / tol for perturbation in moved]
        needed = [_half(rows, tol, perturbation) for perturbation in moved]
        proved = [
            math.log2(1 + perturbation * n / (2 * tol)) + math.log2(start / n) / 2
            for perturbation, n in zip(moved, needed, strict=True)
        ]
        panels[f"tol = {tol:g}"] = [
            Curve("measured", ratio, [start - n for n in needed]),
            Curve("lg(1 + perturbation n / (2 tol)) + lg(n0 / n) / 2", ratio, proved, style="--"),
            Curve("n0 - n0 / (1 + perturbation)", ratio, [start - start / (1 + p) for p in moved], style="^:"),
        ]
    curves_figure(
        panels,
        file,
        title=f"Candidates that a perturbation saves, one target z = {TARGET}, success 1/2",
        x="perturbation / tol",
        y="candidates saved",
        log="x",
    )


def _cells(tols: Sequence[float], ratios: Sequence[float], instances: int) -> list[dict[str, Any]]:
    return [{"tol": tol, "perturbation": ratio * tol, "instances": instances} for tol in tols for ratio in ratios]


EXPERIMENT = Experiment(
    id="perturbation-gain",
    claim="A perturbation divides the number of candidates by 1 + perturbation (read as a formula).",
    source="Xiong, Liao and Kyrillidis, AISTATS 2023, Theorem 1 (rate); strong_lth, theorem on the gain for one target",
    grid=_cells((1e-2, 1e-3, 1e-4), (0, 0.1, 0.3, 1, 3, 10, 30), 2000),
    smoke=_cells((1e-3,), (0, 1), 500),
    trials=5,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    cost="5 s",
)
