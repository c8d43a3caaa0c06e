"""The sharp window of number partitioning: n whole numbers of m bits have a perfect partition or not, around m = n.

A partition of X_1 .. X_n, uniform on 1 .. 2^m, is perfect if both sides differ by at most 1: a subset sum within 1/2 of half the total.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.bounds.number_partitioning import perfect_partition
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value, clopper_pearson

ALPHA, SLACK = 1e-3, 0.03  # the limit law has a deficit of order 1/n


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """How many of a block of instances have a perfect partition."""
    numbers = rng.integers(1, 2 ** cell["bits"] + 1, (cell["instances"], cell["n"])).astype(np.float64)
    found = lth.solve_batch(numbers, numbers.sum(axis=1) / 2, tol=0.5, objective="any", workers=1)
    return {"perfect": int(found.solved.sum()), "undecided": int((~found.decided).sum())}


def _offset(n: int, bits: int) -> float:
    return bits - n + math.log2(n) / 2


def _counts(rows: Sequence[Any]) -> dict[tuple[int, int], tuple[int, int]]:
    out = {}
    for n, bits in sorted({(row["n"], row["bits"]) for row in rows}):
        some = [row for row in rows if (row["n"], row["bits"]) == (n, bits)]
        out[n, bits] = sum(row["perfect"] for row in some), sum(row["instances"] for row in some)
    return out


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """Within SLACK of the limit law: two exact tests per cell, Bonferroni over all."""
    tests, gaps = [], []
    for (n, bits), (perfect, total) in _counts(rows).items():
        p = perfect_partition(n, bits)
        tests.append(binomial_p_value(perfect, total, min(1.0, p + SLACK)))
        tests.append(binomial_p_value(perfect, total, max(0.0, p - SLACK), alternative="less"))
        gaps.append(perfect / total - p)
    decided = sum(row["undecided"] for row in rows) == 0
    return [
        Expectation(
            f"P(perfect partition) = 1 - (e^-a + e^-2a)/2 within {SLACK}, a = sqrt(3/(2 pi)) 2^(n - m) / sqrt(n)",
            Verdict.REFUTED if min(tests) < ALPHA / len(tests) or not decided else Verdict.CONSISTENT,
            f"measured - predicted from {min(gaps):+.3f} to {max(gaps):+.3f} over {len(gaps)} cells",
            ALPHA,
        )
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Probability against the offset: all n fall on one curve."""
    counts = _counts(rows)
    curves = []
    for n in sorted({n for n, _ in counts}):
        cells = [(bits, *counts[n, bits]) for m, bits in counts if m == n]
        limits = [clopper_pearson(k, total) for _, k, total in cells]
        curves.append(
            Curve(
                f"n = {n}",
                [_offset(n, bits) for bits, _, _ in cells],
                [k / total for _, k, total in cells],
                [low for low, _ in limits],
                [high for _, high in limits],
                "o",
            )
        )
    offsets = np.linspace(min(min(c.x) for c in curves) - 0.3, max(max(c.x) for c in curves) + 0.3, 200)
    law = [perfect_partition(64, 64 + o - math.log2(64) / 2) for o in offsets]  # it depends on the offset alone
    curves.append(Curve("limit law", list(offsets), law, style="-", colour=5))
    curves_figure(
        {"n numbers of m bits": curves},
        file,
        title="Number partitioning: P(perfect partition), 95 % limits",
        x="m - n + lg(n) / 2",
        y="probability",
    )


def _cells(sizes: Sequence[int], instances: int) -> list[dict[str, Any]]:
    return [{"n": n, "bits": n + shift, "instances": instances} for n in sizes for shift in (-5, -4, -3, -2, -1, 0, 1)]


EXPERIMENT = Experiment(
    id="number-partitioning",
    claim="The transition at m = n has the window m - n + lg(n)/2 and the limit law 1 - (e^-a + e^-2a)/2.",
    source="Borgs, Chayes and Pittel 2001 (abstract); explicit law: prediction number-partitioning",
    grid=_cells((14, 18, 22), 1000),
    smoke=_cells((14,), 200),
    trials=4,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=2,
    cost="5 s",
)
