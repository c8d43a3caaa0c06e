"""Exact hits with quantised candidates: whole numbers from -M to M reach a given whole number.

The probability follows the same local law as for real candidates, with the spacing of the grid in place of 2 tol.
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
from strong_lth.stats import binomial_p_value, clopper_pearson

ALPHA, SLACK = 1e-3, 0.02


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """How many of a block of instances, uniform on {-M..-1, 1..M}, have a subset that sums to the target exactly."""
    shape = cell["instances"], cell["n"]
    numbers = rng.integers(1, cell["levels"] + 1, shape) * rng.choice((-1, 1), shape)
    targets = np.full(shape[0], float(cell["target"]))
    found = lth.solve_batch(numbers.astype(np.float64), targets, objective="any", workers=1)
    return {"hits": int(found.solved.sum()), "undecided": int((~found.decided).sum())}


def predicted(n: int, levels: int, target: int) -> float:
    """The prediction quantised-hits: P(some subset sums to the target)."""
    law, point = lth.SignedIntegers(levels), lth.Point(target)
    missed = lth.bounds.get("quantised-hits").failure(n, tol=0.5, law=law, targets=point)
    assert isinstance(missed, float)
    return 1 - missed


def _counts(rows: Sequence[Any]) -> dict[tuple[int, int, int], tuple[int, int]]:
    keys = sorted({(row["levels"], row["n"], row["target"]) for row in rows})
    out = {}
    for key in keys:
        some = [row for row in rows if (row["levels"], row["n"], row["target"]) == key]
        out[key] = sum(row["hits"] for row in some), sum(row["instances"] for row in some)
    return out


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Within SLACK of the law: two exact tests per cell, Bonferroni over all."""
    tests, gaps = [], []
    for (levels, n, target), (hits, total) in _counts(rows).items():
        p = predicted(n, levels, target)
        tests.append(binomial_p_value(hits, total, min(1.0, p + SLACK)))
        tests.append(binomial_p_value(hits, total, max(0.0, p - SLACK), alternative="less"))
        gaps.append(hits / total - p)
    decided = sum(row["undecided"] for row in rows) == 0
    return [
        Expectation(
            f"P(exact hit) follows the local law within {SLACK}",
            Verdict.REFUTED if min(tests) < ALPHA / len(tests) or not decided else Verdict.CONSISTENT,
            f"measured - predicted from {min(gaps):+.3f} to {max(gaps):+.3f} over {len(gaps)} cells",
            ALPHA,
        )
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Probability of an exact hit against n, one colour per number of levels."""
    counts = _counts(rows)
    curves = []
    for colour, levels in enumerate(sorted({key[0] for key in counts})):
        cells = [(n, target, *counts[m, n, target]) for m, n, target in counts if m == levels]
        limits = [clopper_pearson(hits, total) for *_, hits, total in cells]
        sizes = [n for n, *_ in cells]
        curves.append(
            Curve(
                f"M = {levels}, t = {cells[0][1]}",
                sizes,
                [hits / total for *_, hits, total in cells],
                [low for low, _ in limits],
                [high for _, high in limits],
                "o",
                colour,
            )
        )
        law = [predicted(n, levels, target) for n, target, *_ in cells]
        curves.append(Curve("" if colour else "local law", sizes, law, style="-", colour=colour))
    curves_figure(
        {"candidates uniform on {-M..-1, 1..M}": curves},
        file,
        title="Quantised subset sum: P(a subset sums to t exactly), 95 % limits",
        x="candidates n",
        y="probability",
    )


def _cells(levels: Sequence[int], sizes: Sequence[int], instances: int) -> list[dict[str, Any]]:
    return [
        {"n": n, "levels": m, "target": round(0.3 * m), "instances": instances}
        for m in levels
        for n in (round(math.log2(m)) + s for s in sizes)
    ]


EXPERIMENT = Experiment(
    id="quantised-hits",
    claim="Quantised candidates reach a whole number exactly with about lg M + lg(pi n / 6) / 2 + lg(1 / failure) candidates.",
    source="Kumar and Natale 2025 (setting); prediction quantised-hits",
    grid=_cells((128, 1024, 8192), (0, 1, 2, 3, 4, 5, 6), 1000),
    smoke=_cells((128,), (2, 4), 300),
    trials=4,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=2,
    cost="2 s",
)
