"""Random signs in the first sublayer: 2 n units of random sign against n units of each sign.

With balanced signs one half of a weight (input >= 0, say) has n candidates; with random signs it has those of the 2 n units whose sign is right, a
binomial number of them. The failure probability is the binomial mixture of the balanced ones: the price of not choosing the signs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value, clopper_pearson
from strong_lth.subsetsum import needed_candidates

TARGET, ALPHA, RARE = 0.3, 1e-3, 0.1
LAW = lth.Uniform(-1, 1)


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """A block: halves missed with random signs, with balanced signs, and the mixture computed from independent hitting times."""
    n, count, tol = cell["n"], cell["instances"], cell["tol"]
    targets = np.full(count, TARGET)
    right = lth.RandomSigns().sample(rng, (count, 2 * n)) > 0
    pooled = np.where(right, LAW.sample(rng, (count, 2 * n)), 0.0)  # a unit of the wrong sign contributes nothing
    balanced = LAW.sample(rng, (count, n))
    times = needed_candidates(LAW.sample(rng, (count, 2 * n)), targets, tol=tol, workers=1)
    missed = _too_few(n)[np.where(times < 0, 2 * n + 1, times)]
    return {
        "pooled": int(np.count_nonzero(needed_candidates(pooled, targets, tol=tol, workers=1) < 0)),
        "balanced": int(np.count_nonzero(needed_candidates(balanced, targets, tol=tol, workers=1) < 0)),
        "mixture": float(missed.sum()),
        "mixture_squares": float((missed**2).sum()),
    }


def _too_few(n: int) -> np.ndarray:
    """P(Bin(2n, 1/2) < t) for t = 0 .. 2n + 1."""
    from scipy.stats import binom

    return np.asarray(binom.cdf(np.arange(2 * n + 2) - 1, 2 * n, 0.5))


def _sums(rows: Sequence[Any]) -> dict[int, dict[str, float]]:
    names = ("pooled", "balanced", "mixture", "mixture_squares", "instances")
    return {
        n: {name: sum(row[name] for row in rows if row["n"] == n) for name in names}
        for n in sorted({row["n"] for row in rows})
    }


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """The mixture law: difference over its standard error (normal approximation, Bonferroni); the price: a sign test given the total (exact).

    Where misses are common the mixture can be the better one (Jensen's inequality on the concave part), so the price is claimed where they are rare.
    """
    from scipy.stats import norm

    cells = _sums(rows)
    scores, tests, price = [], [], []
    for c in cells.values():
        total, p, mean = c["instances"], c["pooled"] / c["instances"], c["mixture"] / c["instances"]
        spread = p * (1 - p) + c["mixture_squares"] / total - mean**2
        scores.append(abs(p - mean) / max((spread / total) ** 0.5, 1e-9))
        both = int(c["pooled"] + c["balanced"])
        if both and c["balanced"] <= RARE * total:
            price.append(c["pooled"] / max(c["balanced"], 1))
            tests.append(binomial_p_value(int(c["balanced"]), both, 0.5))
    worst = max(scores)
    return [
        Expectation(
            "P(miss) with random signs is the mixture of P(miss with j candidates) over j ~ Bin(2n, 1/2)",
            Verdict.REFUTED if worst > norm.isf(ALPHA / len(scores) / 2) else Verdict.CONSISTENT,
            f"largest distance {worst:.1f} standard errors over {len(scores)} sizes",
            ALPHA,
        ),
        Expectation(
            f"where balanced signs miss at most {RARE:.0%}, random signs miss more often",
            Verdict.INCONCLUSIVE
            if not tests
            else Verdict.REFUTED
            if min(tests) < ALPHA / len(tests)
            else Verdict.CONSISTENT,
            f"they miss {min(price):.1f} to {max(price):.1f} times as often" if price else "no such size",
            ALPHA,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """Probability of a miss against n, both designs and the mixture."""
    cells = {n: c for n, c in _sums(rows).items() if c["balanced"] and c["pooled"]}
    curves = []
    for name, label in (("balanced", "balanced: n of each sign"), ("pooled", "random: 2 n of random sign")):
        limits = [clopper_pearson(int(c[name]), int(c["instances"])) for c in cells.values()]
        share = [c[name] / c["instances"] for c in cells.values()]
        curves.append(Curve(label, list(cells), share, [low for low, _ in limits], [high for _, high in limits], "o"))
    mixture = [c["mixture"] / c["instances"] for c in cells.values()]
    curves.append(Curve("mixture over Bin(2n, 1/2)", list(cells), mixture, style="--", colour=1))
    curves_figure(
        {"one half of one weight, z = 0.3, tol = 0.01": curves},
        file,
        title="What random signs cost, 95 % limits",
        x="candidates n (half of the units)",
        y="P(miss)",
        log="y",
    )


def _cells(sizes: Sequence[int], instances: int) -> list[dict[str, Any]]:
    return [{"n": n, "tol": 0.01, "instances": instances} for n in sizes]


EXPERIMENT = Experiment(
    id="sign-pooling",
    claim="2 n units of random sign serve a weight half like Bin(2n, 1/2) candidates: worse than n chosen ones where misses are rare.",
    source="strong_lth, mixture over the number of units of the right sign",
    grid=_cells((6, 8, 10, 12, 14, 16), 20_000),
    smoke=_cells((10,), 1000),
    trials=8,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    cost="15 s",
)
