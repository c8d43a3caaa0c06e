"""From the checked theorem to the package: at the proved number of candidates a perturbed ticket is the target exactly, and far below it it often is not.

A 2-3-1 ReLU network whose weights are multiples of 2^-40 and at most 1/2; a source with odd rows of +1 and -1 and even matrices U[-1, 1], n candidates per weight and
sign; kept weights move by at most 0.01. A ticket counts as exact when every gadget equals its weight in rationals, re-proved from the seed with tolerance 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import IO, Any

import numpy as np

import strong_lth as lth
from strong_lth.core import Verdict
from strong_lth.experiment import Expectation, Experiment
from strong_lth.plotting import Curve, curves_figure
from strong_lth.stats import binomial_p_value, clopper_pearson

PERTURBATION, DELTA, ALPHA = 0.01, 0.05, 1e-3
WIDTHS = (2, 3, 1)
BLOCKS = 2 * sum(a * b for a, b in itertools.pairwise(WIDTHS))  # weights and signs
PROVED, CONTROL = (
    59,
    8,
)  # PROVED: the least n with BLOCKS * 6.2 (3/4)^n / 0.01^2 <= DELTA; ``expect`` holds it against the package
DOMAIN = lth.Box(-1, 1)


def target() -> lth.Network:
    """The same network in every trial: the theorem speaks of all targets at once, so of one too."""
    rng = np.random.default_rng(0)
    return lth.Network.from_arrays(
        [rng.integers(-(2**39), 2**39 + 1, (b, a)) * 2.0**-40 for a, b in itertools.pairwise(WIDTHS)]
    )


def trial(cell: Any, rng: np.random.Generator) -> dict[str, Any]:
    """A block of sources: how many give a ticket that is not the target, and whether every verdict was re-proved."""
    network, missed, proved = target(), 0, True
    for seed in rng.integers(0, 2**63, cell["sources"]):
        strong = lth.approximate(
            network, domain=DOMAIN, tol=0.0, first=lth.BalancedSigns(), perturbation=PERTURBATION, width=cell["n"], seed=int(seed), workers=1
        )  # fmt: skip
        certificate = lth.verify_gadgets(network, strong)
        exact = certificate.ok and certificate.value == 0 and not strong.unserved
        missed += not exact
        proved &= certificate.ok
    return {"missed": missed, "reproved": proved}


def _counts(rows: Sequence[Any]) -> dict[int, tuple[int, int]]:
    return {
        n: tuple(sum(row[key] for row in rows if row["n"] == n) for key in ("missed", "sources"))  # type: ignore[misc]
        for n in sorted({row["n"] for row in rows})
    }


def expect(rows: Sequence[Any]) -> list[Expectation]:
    """At the proved number at most the proved share fails; the control fails far more often."""
    bound = lth.bounds.get("rss-contraction-checked")
    asked = lth.required_candidates(bound, tol=0.0, perturbation=PERTURBATION, delta=DELTA, blocks=BLOCKS)
    counts = _counts(rows)
    missed, total = counts[PROVED]
    few, many = counts[CONTROL]
    holds = asked == PROVED and binomial_p_value(missed, total, DELTA) >= ALPHA and all(row["reproved"] for row in rows)
    fails = binomial_p_value(few, many, DELTA) < ALPHA
    return [
        Expectation(
            f"with the machine-checked n = {PROVED}, at most {DELTA:.0%} of all sources fail to hold the target exactly",
            Verdict.CONSISTENT if holds else Verdict.REFUTED,
            f"{missed} of {total} sources fail; each verdict re-proved in rationals",
            ALPHA,
        ),
        Expectation(
            f"the check can fail: with n = {CONTROL} more than {DELTA:.0%} of all sources do",
            Verdict.CONSISTENT if fails else Verdict.REFUTED,
            f"{few} of {many} sources fail",
            ALPHA,
        ),
    ]


def figure(rows: Sequence[Any], file: IO[bytes]) -> None:
    """The share of sources without an exact ticket, against the theorem's bound."""
    counts = _counts(rows)
    limits = [clopper_pearson(*count) for count in counts.values()]
    ns = list(counts)
    bound = lth.bounds.get("rss-contraction-checked")
    grid = list(range(min(ns), max(ns) + 1))
    proved = [min(1.0, BLOCKS * float(bound.failure(n, 0.0, PERTURBATION))) for n in grid]
    shares = [missed / total for missed, total in counts.values()]
    curves = [
        Curve("sources without an exact ticket", ns, shares, [low for low, _ in limits], [high for _, high in limits]),
        Curve("proved, 18 blocks", grid, proved, style="--"),
    ]
    curves_figure(
        {"": curves}, file, title="2-3-1 ReLU network held exactly, perturbation 0.01", x="candidates n per weight and sign", y="share of sources"
    )  # fmt: skip


EXPERIMENT = Experiment(
    id="exact-tickets",
    claim="With the machine-checked number of candidates a random network holds the target exactly, up to small perturbations.",
    source="strong_lth, proofs/docs/slth-exact.md",
    grid=[{"n": n, "sources": 100} for n in (8, 10, 12, 14, 16, 20, 59)],
    smoke=[{"n": n, "sources": 20} for n in (8, 59)],
    trials=10,
    seed=1,
    trial=trial,
    expect=expect,
    figure=figure,
    shard_trials=2,
    cost="2 min",
)
