"""From rows to statements: means with intervals per method and density, and paired verdicts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from strong_lth.core import InputError, Verdict
from strong_lth.experiment.describe import Expectation

SEEDS_FOR_INTERVAL = 5
SEEDS_FOR_VERDICT = 8
Row = Mapping[str, Any]


def mean_interval(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float, float]:
    """(mean, low, high) by Student's t; the ends are NaN for fewer than 5 values.

    >>> [round(float(v), 3) for v in mean_interval([1, 2, 3, 4, 5])]
    [3.0, 1.037, 4.963]
    """
    from scipy.special import stdtrit

    array = np.asarray(values, dtype=np.float64)
    if array.size < SEEDS_FOR_INTERVAL:
        return float(array.mean()), math.nan, math.nan
    half = float(stdtrit(array.size - 1, (1 + confidence) / 2)) * float(array.std(ddof=1)) / math.sqrt(array.size)
    return float(array.mean()), float(array.mean()) - half, float(array.mean()) + half


def summarise(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """One row per method and density, in the order of ``rows``: accuracy with its 95 % interval over seeds (None below 5 seeds), smallest and largest, mean costs."""
    groups: dict[tuple[str, int], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["method"], row["kept"]), []).append(row)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Row]) -> dict[str, Any]:
    accuracies = [row["accuracy"] for row in group]
    mean, low, high = mean_interval(accuracies)
    return {
        "method": group[0]["method"],
        "density": group[0]["density"],
        "kept": group[0]["kept"],
        "seeds": len(group),
        "accuracy": mean,
        "low": None if math.isnan(low) else low,
        "high": None if math.isnan(high) else high,
        "worst": min(accuracies),
        "best": max(accuracies),
        "find_epochs": float(np.mean([row["find_epochs"] for row in group])),
        "train_epochs": float(np.mean([row["train_epochs"] for row in group])),
        "seconds": float(np.mean([row["find_seconds"] + row["train_seconds"] for row in group])),
    }


@dataclass(frozen=True)
class PairedDifference:
    """Mean difference of accuracies with its interval (of 95 %, unless another is asked for) over paired seeds, and what follows for the claim that the first is better."""

    difference: float
    low: float
    high: float
    seeds: int
    verdict: Verdict


def better(
    rows: Sequence[Row], first: str, second: str, density: float, *, second_density: float | None = None
) -> PairedDifference:
    """Is ``first`` more accurate than ``second`` at a density? Paired over seeds, Student's t; fewer than 8 seeds are INCONCLUSIVE, whatever they say.

    ``second_density``: for a reference like "dense", its own. Raises InputError when no seed is shared.
    """
    a, b = _by_seed(rows, first, density), _by_seed(rows, second, second_density or density)
    shared = sorted(set(a) & set(b))
    if not shared:
        raise InputError("rows", f"no seed with both {first} and {second}", "compare methods on the same seeds")
    return paired([a[seed] for seed in shared], [b[seed] for seed in shared])


def paired(first: Sequence[float], second: Sequence[float], confidence: float = 0.95) -> PairedDifference:
    """Is the first larger on average? Pairs in the same order, Student's t, two-sided interval; INCONCLUSIVE for fewer than 8 pairs, and where the interval holds 0.

    >>> paired([0.9] * 4 + [0.8] * 4, [0.7] * 8).verdict.name
    'CONSISTENT'
    """
    mean, low, high = mean_interval([a - b for a, b in zip(first, second, strict=True)], confidence)
    verdict = Verdict.INCONCLUSIVE
    if len(first) >= SEEDS_FOR_VERDICT and (low > 0 or high < 0):
        verdict = Verdict.CONSISTENT if low > 0 else Verdict.REFUTED
    return PairedDifference(mean, low, high, len(first), verdict)


def expected(
    statement: str,
    first: Sequence[float],
    second: Sequence[float],
    foreseen: Verdict = Verdict.CONSISTENT,
    *,
    margin: float = 0.0,
    statements: int = 1,
) -> Expectation:
    """A statement "the first is more accurate" as an ``Expectation`` of a simulation; alpha is the .025 of one side of the interval.

    ``margin``: "the first is less than that behind"; the evidence names the difference itself, which is held against -margin. ``statements``: how many are made
    together. The interval is then that of Bonferroni, 1 - .05 / statements, so that the probability of a wrong one among all of them is what it would be for one.
    """
    found = paired([accuracy + margin for accuracy in first], second, 1 - 0.05 / statements)
    mean, low, high = (value - margin for value in (found.difference, found.low, found.high))
    ends = "" if math.isnan(low) else f", {100 - 5 / statements:.3g} % interval {low:+.4f} to {high:+.4f}"
    against = f", against -{margin:g}" if margin else ""
    evidence = f"difference {mean:+.4f}{ends}{against}, {found.seeds} paired seeds"
    return Expectation(statement, found.verdict, evidence, 0.025 / statements, foreseen)


def _by_seed(rows: Sequence[Row], method: str, density: float) -> dict[int, float]:
    near = [row for row in rows if row["method"] == method and abs(row["density"] - density) * row["prunable"] <= 0.5]
    return {row["seed"]: row["accuracy"] for row in near}
