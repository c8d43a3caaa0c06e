"""Subsets of one fixed size: what the second-moment method gives, and what is true.

Y counts the subsets of k of n candidates whose sum lies within tol of a target. The method proves P(Y > 0) >= (EY)^2 / EY^2, which tends to
sqrt(1 - (k/n)^2) for U[-1, 1]; the truth is nearer to 1: the second moment is the lossy step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.bounds.fixed_size import hits, limit
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value, clopper_pearson

TARGET, TOL, ALPHA = 0.3, 0.01, 1e-3
LAW = lth.Uniform(-1, 1)


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """Sums of Y, Y^2 and of Y > 0 over a block of instances."""
    n, k = cell["n"], cell["k"]
    sizes = np.zeros(1, dtype=np.int8)
    for _ in range(n):
        sizes = np.concatenate([sizes, sizes + 1])
    chosen = np.flatnonzero(sizes == k)
    counts = []
    for _ in range(cell["instances"]):
        sums = np.zeros(1)
        for x in LAW.sample(rng, n):
            sums = np.concatenate([sums, sums + x])
        counts.append(int(np.count_nonzero(np.abs(sums[chosen] - TARGET) <= TOL)))
    return {"total": sum(counts), "squares": sum(y * y for y in counts), "hits": sum(y > 0 for y in counts)}


def _measured(rows: Sequence[Any]) -> dict[tuple[int, int], dict[str, float]]:
    """(n, k) -> EY, the ratio (EY)^2 / EY^2 with its standard error over the blocks, hits and instances."""
    out = {}
    for n, k in sorted({(row["n"], row["k"]) for row in rows}):
        some = [row for row in rows if (row["n"], row["k"]) == (n, k)]
        y, y2, m = (np.array([row[name] for row in some], float) for name in ("total", "squares", "instances"))
        ratio = (y.sum() / m.sum()) ** 2 / (y2.sum() / m.sum())
        left = [
            ((y.sum() - a) / (m.sum() - c)) ** 2 / ((y2.sum() - b) / (m.sum() - c))
            for a, b, c in zip(y, y2, m, strict=True)
        ]
        error = math.sqrt((len(some) - 1) * float(np.var(left))) if len(some) > 1 else math.inf
        hits = sum(row["hits"] for row in some)
        out[n, k] = {"mean": y.sum() / m.sum(), "ratio": ratio, "error": error, "hits": hits, "instances": int(m.sum())}
    return out


def _exact(n: int, k: int) -> float:
    """(EY)^2 / EY^2 of the bound fixed-size."""
    return 1 / hits(n, k, TARGET, TOL)[1]


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """The proved lower bound against the hits (exact tests), and against the measured moments (jackknife, 4 standard errors); its limit within 0.03."""
    cells = _measured(rows)
    tests = [
        binomial_p_value(int(c["hits"]), int(c["instances"]), _exact(n, k), alternative="less")
        for (n, k), c in cells.items()
    ]
    known = all(math.isfinite(c["error"]) for c in cells.values())
    off = {key: (c["ratio"] - _exact(*key)) / c["error"] for key, c in cells.items()}
    gaps = {(n, k): _exact(n, k) - _limit(n, k, c["mean"]) for (n, k), c in cells.items()}
    shares = [c["hits"] / c["instances"] for c in cells.values()]
    return [
        Expectation(
            "P(Y > 0) >= (EY)^2 / EY^2, the bound fixed-size at one k",
            Verdict.REFUTED if min(tests) < ALPHA / len(tests) else Verdict.CONSISTENT,
            f"P(Y > 0) from {min(shares):.3f} to {max(shares):.3f}, bounds from {min(_exact(*key) for key in cells):.3f}",
            ALPHA,
        ),
        Expectation(
            "measured (EY)^2 / EY^2 is the exact one",
            Verdict.INCONCLUSIVE
            if not known
            else Verdict.CONSISTENT
            if max(map(abs, off.values())) <= 4
            else Verdict.REFUTED,
            f"measured - exact from {min(off.values()):+.1f} to {max(off.values()):+.1f} standard errors",
            ALPHA,
        ),
        Expectation(
            "the exact ratio is its limit sqrt(1 - (k/n)^2) within 0.03 (finite EY counted)",
            Verdict.CONSISTENT if max(map(abs, gaps.values())) <= 0.03 else Verdict.REFUTED,
            f"exact - limit from {min(gaps.values()):+.3f} to {max(gaps.values()):+.3f}",
            ALPHA,
        ),
    ]


def _limit(n: int, k: int, mean: float) -> float:
    """The limit, with the diagonal term of the second moment that a finite mean adds: 1 / (1 / limit + 1 / EY)."""
    return 1 / (1 / limit(k / n) + 1 / mean)


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """P(Y > 0), the second-moment bound and its limit against k / n."""
    cells = _measured(rows)
    panels = {}
    for n in sorted({n for n, _ in cells}):
        some = {k: c for (m, k), c in cells.items() if m == n}
        x = [k / n for k in some]
        limits = [clopper_pearson(int(c["hits"]), int(c["instances"])) for c in some.values()]
        low, high = ([pair[i] for pair in limits] for i in (0, 1))
        errors = [2 * c["error"] if math.isfinite(c["error"]) else 0.0 for c in some.values()]
        ratios = [c["ratio"] for c in some.values()]
        panels[f"n = {n}"] = [
            Curve("P(Y > 0)", x, [c["hits"] / c["instances"] for c in some.values()], low, high, "o"),
            Curve(
                "(EY)^2 / EY^2",
                x,
                ratios,
                [r - e for r, e in zip(ratios, errors, strict=True)],
                [r + e for r, e in zip(ratios, errors, strict=True)],
                "s",
            ),
            Curve("the same, exact", x, [_exact(n, k) for k in some], style="--", colour=1),
            Curve("sqrt(1 - (k/n)^2)", x, [limit(v) for v in x], style=":", colour=5),
        ]
    curves_figure(
        panels, file, title=f"Subsets of exactly k candidates, z = {TARGET}, tol = {TOL}", x="k / n", y="probability"
    )


def _cells(pairs: Sequence[tuple[int, int]], instances: int) -> list[dict[str, Any]]:
    return [{"n": n, "k": k, "instances": instances} for n, k in pairs]


EXPERIMENT = Experiment(
    id="fixed-size-subsets",
    claim="With subsets of one size k the second-moment method gives sqrt(1 - (k/n)^2) for each target; the true probability is higher.",
    source="Natale et al., NeurIPS 2024 (method); bound fixed-size",
    grid=_cells([(16, k) for k in (4, 6, 8, 10, 12)] + [(18, k) for k in (4, 6, 9, 12, 14)], 250),
    smoke=_cells([(14, 5)], 100),
    trials=12,
    smoke_trials=2,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=4,
    cost="1 min",
)
