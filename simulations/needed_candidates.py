"""Candidates that serve every target of [-1/2, 1/2]: what is necessary, what is needed, what is proved to suffice.

The needed number is exact: for each sample, the least n whose first n candidates leave no target of the window farther than tol + perturbation |S| from
all subset sums. Every listed bound must stand on its side of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.bounds import BOUNDS, PREDICTIONS, Bound, Constants, Direction, Prediction, Scope
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import COLOURS, Curve, curves_figure
from strong_lth.stats import binomial_p_value
from strong_lth.validate import window_missed

WINDOW, LAW, MOST, ALPHA = lth.Window(-0.5, 0.5), lth.Uniform(-1, 1), 36, 1e-3
DELTAS = (0.1, 0.01)
STEP = 8  # bounds are tested at every eighth n, and at the n that they ask for


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Hitting times of a block of samples: how many need at most k candidates, for every k."""
    times = [_hitting_time(LAW.sample(rng, MOST), cell["tol"], cell["perturbation"]) for _ in range(cell["samples"])]
    return {f"at_most_{k}": sum(time <= k for time in times) for k in range(1, MOST + 1)}


def _hitting_time(candidates: np.ndarray, tol: float, perturbation: float) -> int:
    """Least n whose prefix serves the window (more candidates never hurt, so halving finds it), MOST + 1 if none does."""
    low, high = 0, 8
    while window_missed(candidates[:high], tol, perturbation, WINDOW):
        if high == len(candidates):
            return high + 1
        low, high = high, min(high + 8, len(candidates))
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if window_missed(candidates[:middle], tol, perturbation, WINDOW) else (low, middle)
    return high


def _speaks_of_all(entry: Bound | Prediction) -> bool:
    """Whether the entry answers the question of all targets: what one target needs is necessary for all of them, too."""
    necessary = isinstance(entry, Bound) and entry.direction is Direction.NECESSARY
    return necessary or entry.scope is Scope.ALL_TARGETS


def _settings(rows: Sequence[Any]) -> list[tuple[float, float]]:
    return sorted({(row["tol"], row["perturbation"]) for row in rows})


def _missed(rows: Sequence[Any], tol: float, perturbation: float) -> tuple[list[int], int]:
    """Samples that miss a target at n = 0, 1, ..., MOST, and how many samples there are."""
    some = [row for row in rows if (row["tol"], row["perturbation"]) == (tol, perturbation)]
    total = sum(row["samples"] for row in some)
    return [total, *(total - sum(row[f"at_most_{k}"] for row in some) for k in range(1, MOST + 1))], total


def _needed(rows: Sequence[Any], tol: float, perturbation: float, delta: float) -> int:
    missed, total = _missed(rows, tol, perturbation)
    return next(n for n, count in enumerate(missed) if count <= delta * total)


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Every bound with numbers, at every STEP-th n where it says something, and at the n that it asks for: exact tests, Bonferroni over all."""
    tests: list[float] = []
    order: list[float] = []
    for tol, perturbation in _settings(rows):
        missed, total = _missed(rows, tol, perturbation)
        for bound in BOUNDS:
            if not _speaks_of_all(bound) or bound.constants is not Constants.EXPLICIT:
                continue
            side = "greater" if bound.direction is Direction.SUFFICIENT else "less"
            for n in range(STEP, MOST + 1, STEP):
                count = missed[n]
                claimed = bound.failure(n, tol, perturbation, law=LAW, targets=WINDOW)
                if not isinstance(claimed, Verdict) and claimed != (1.0 if side == "greater" else 0.0):
                    tests.append(binomial_p_value(count, total, claimed, alternative=side))
            for delta in DELTAS:
                asked = lth.required_candidates(bound, tol=tol, perturbation=perturbation, delta=delta, limit=MOST)
                if isinstance(asked, int) and asked >= 1:
                    n = asked if side == "greater" else asked - 1  # enough there, not enough there
                    order.append(binomial_p_value(missed[n], total, delta, alternative=side))
    return [
        Expectation(
            "no listed bound for all targets is contradicted at n = 8, 16, 24, 32",
            Verdict.REFUTED if tests and min(tests) < ALPHA / len(tests) else Verdict.CONSISTENT,
            f"smallest p-value of {len(tests)} tests {min(tests, default=1.0):.2g}",
            ALPHA,
        ),
        Expectation(
            "necessary <= needed <= sufficient at delta = 0.1 and 0.01",
            Verdict.REFUTED if order and min(order) < ALPHA / len(order) else Verdict.CONSISTENT,
            f"smallest p-value of {len(order)} tests {min(order, default=1.0):.2g}; {len(_settings(rows))} settings",
            ALPHA,
        ),
    ]


def table(rows: Sequence[Any]) -> list[dict[str, Any]]:
    """One line per setting: numbers at failure 0.1 / 0.01, necessary ones first."""
    out = []
    entries = [e for e in (*BOUNDS, *PREDICTIONS) if _speaks_of_all(e)]
    entries.sort(
        key=lambda entry: (
            entry in PREDICTIONS,
            entry not in PREDICTIONS and entry.direction is not Direction.NECESSARY,
        )
    )
    for tol, perturbation in _settings(rows):
        line: dict[str, Any] = {"tol": f"{tol:g}", "perturbation": f"{perturbation:g}"}
        line["needed"] = " / ".join(str(_needed(rows, tol, perturbation, delta)) for delta in DELTAS)
        for entry in entries:
            asked = [lth.required_candidates(entry, tol=tol, perturbation=perturbation, delta=d) for d in DELTAS]
            if all(isinstance(n, int) for n in asked):
                line[entry.id] = " / ".join(map(str, asked))
        out.append(line)
    names = list(dict.fromkeys(name for line in out for name in line))
    return [{name: line.get(name, "n/a") for name in names} for line in out]


def _styles() -> dict[str, tuple[str, int]]:
    """Line and colour of every bound and prediction for all targets, the same in every panel and no two alike; black is left to the truth."""
    colours = [colour for colour in range(len(COLOURS)) if colour != 5]
    groups: dict[str, list[str]] = {"v--": [], "^:": [], "s--": []}
    for entry in filter(_speaks_of_all, (*BOUNDS, *PREDICTIONS)):
        group = "^:" if entry in PREDICTIONS else "v--" if entry.direction is Direction.NECESSARY else "s--"
        groups[group].append(entry.id)
    return {
        name: ("sDoPX*"[place // len(colours)] + group[1:] if group == "s--" else group, colours[place % len(colours)])
        for group, names in groups.items()
        for place, name in enumerate(names)
    }


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Candidates against tol at delta = 0.01, one panel per perturbation / tol."""
    panels = {}
    drawn = _styles()
    for ratio in sorted({round(p / t, 9) for t, p in _settings(rows)}):
        settings = [(t, p) for t, p in _settings(rows) if round(p / t, 9) == ratio]
        tols = [t for t, _ in settings]
        curves = [
            Curve("needed (exact solves)", tols, [_needed(rows, t, p, 0.01) for t, p in settings], style="o-", colour=5)
        ]
        for entry in (*BOUNDS, *PREDICTIONS):
            asked = [lth.required_candidates(entry, tol=t, perturbation=p, delta=0.01) for t, p in settings]
            points = [(t, n) for t, n in zip(tols, asked, strict=True) if isinstance(n, int)]
            if points and entry.id in drawn:
                style, colour = drawn[entry.id]
                curves.append(Curve(entry.id, *zip(*points, strict=True), style=style, colour=colour))
        panels[f"perturbation = {ratio:g} tol"] = curves
    curves_figure(
        panels,
        file,
        title="Candidates for every target of [-1/2, 1/2], failure 0.01, U[-1, 1] (triangles down: necessary; up: predicted; others: sufficient)",
        x="tol",
        y="candidates n",
        log="x",
        legend="right",
    )


def _cells(tols: Sequence[float], ratios: Sequence[float], samples: int) -> list[dict[str, Any]]:
    return [{"tol": tol, "perturbation": ratio * tol, "samples": samples} for tol in tols for ratio in ratios]


EXPERIMENT = Experiment(
    id="needed-candidates",
    claim="Every listed bound for all targets stands on its side of the truth: necessary <= needed <= sufficient.",
    source="strong_lth.bounds, each with its own source",
    grid=_cells((1e-1, 1e-2, 1e-3), (0, 0.1, 1, 10), 250) + _cells((1e-4, 1e-5), (0, 0.1, 1, 10), 125),
    smoke=_cells((1e-1, 1e-2), (0, 1), 100),
    trials=8,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=2,
    cost="3 min",
    table=table,
)
