"""The least error of the best subset shrinks like sqrt(n) 2^-n, with the constants of the local law.

The smallest |sum_S - z| over all subsets S of n candidates, for one fixed z, is random; its mean is infinite in the limit, so medians are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.bounds.smallest_error import error_quantile
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value

TARGET = 0.3
LAWS = {"U[-1, 1]": lth.Uniform(-1, 1), "N(0, 1)": lth.Normal()}
SLACK, ALPHA = 0.05, 1e-3


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """The least errors of a block of instances: their median, and how many lie below the predicted median times 1 -+ SLACK."""
    n, count = cell["n"], cell["instances"]
    candidates = LAWS[cell["law"]].sample(rng, (count, n))
    errors = lth.solve_batch(candidates, np.full(count, TARGET), workers=1).errors
    predicted = error_quantile(n, law=LAWS[cell["law"]])
    return {
        "median": float(np.median(errors)),
        "predicted": predicted,
        "below": int(np.count_nonzero(errors <= predicted)),
        "below_low": int(np.count_nonzero(errors <= predicted * (1 - SLACK))),
        "below_high": int(np.count_nonzero(errors <= predicted * (1 + SLACK))),
    }


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """For every law and n >= 14 the median lies within 5 % of the prediction; two exact sign tests per cell, Bonferroni over all."""
    tests, worst = [], 0.0
    cells = {(row["law"], row["n"]) for row in rows if row["n"] >= 14}
    for law, n in sorted(cells):
        some = [row for row in rows if (row["law"], row["n"]) == (law, n)]
        total = sum(row["instances"] for row in some)
        tests.append(binomial_p_value(sum(row["below_low"] for row in some), total, 0.5))
        tests.append(binomial_p_value(sum(row["below_high"] for row in some), total, 0.5, alternative="less"))
        share = sum(row["below"] for row in some) / total
        worst = max(worst, abs(share - 0.5))
    smallest = min(tests)
    return [
        Expectation(
            f"the median least error is c sqrt(n) 2^-n within {SLACK:.0%} for n >= 14 (c = 0.378 for U, 0.654 for N)",
            Verdict.REFUTED if smallest < ALPHA / len(tests) else Verdict.CONSISTENT,
            f"share of errors below the predicted median: 0.5 +- {worst:.3f} at worst; smallest of {len(tests)} p-values {smallest:.2g}",
            ALPHA,
        )
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Measured median over predicted median against n."""
    curves = []
    for law in LAWS:
        points = sorted({row["n"] for row in rows if row["law"] == law})
        ratios = [
            [row["median"] / row["predicted"] for row in rows if (row["law"], row["n"]) == (law, n)] for n in points
        ]
        middle = [float(np.median(r)) for r in ratios]
        curves.append(Curve(law, points, middle, [min(r) for r in ratios], [max(r) for r in ratios]))
    ends = [min(row["n"] for row in rows), max(row["n"] for row in rows)]
    curves.append(Curve("prediction", ends, [1.0, 1.0], style="-", colour=5))
    curves_figure(
        {f"median of the least error for z = {TARGET}, over the predicted one": curves},
        file,
        title="Local law of the least error (median and range of the blocks)",
        x="candidates n",
        y="measured / predicted",
        beside=True,
    )


def _cells(sizes: Sequence[int], instances: int) -> list[dict[str, Any]]:
    return [{"law": law, "n": n, "instances": instances if n < 26 else instances // 4} for law in LAWS for n in sizes]


EXPERIMENT = Experiment(
    id="median-minimum-error",
    claim="The median least error at a fixed target is 0.378 sqrt(n) 2^-n for U[-1, 1] and 0.654 sqrt(n) 2^-n for N(0, 1).",
    source="strong_lth, prediction smallest-error: Poisson limit of subset sums averaged over the candidates",
    grid=_cells(range(10, 31, 2), 1000),
    smoke=_cells((10, 14), 200),
    trials=8,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=4,
    cost="30 s",
)
