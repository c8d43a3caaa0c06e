"""The first moment: a target is rarely hit when few subsets are likely to hit it."""

from __future__ import annotations

import math
import sys

import numpy as np

from strong_lth.bounds.irwin_hall import SLACK, density
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import Law, Normal, Scaled, half_width


def failure(question: Question) -> Failure:
    """Lower bound of P(z missed), z the farthest target, |z| > tol: 1 - sum_k C(n, k) min(1, 2 r_k f_k(max(|z| - r_k, 0))), r_k = tol + k perturbation.

    f_k is the density of a sum of k candidates; it falls away from 0, so 2 r_k f_k(...) is at least the probability that a subset of size k hits. U[-c, c] and
    N(0, s^2); NOT_APPLICABLE for other laws. 0 for |z| <= tol. Source: proofs/docs/counting.md.

    >>> failure(Question(7, tol=0.001)) > 0.8, failure(Question(20, tol=0.01))
    (True, 0.0)
    """
    known = _scale(question.law)
    if known is None:
        return Verdict.NOT_APPLICABLE
    unit, uniform = known
    if question.reach <= question.tol:
        return 0.0
    z, expected = question.reach / unit, 0.0
    for size in range(1, question.n + 1):
        radius = (question.tol + size * question.perturbation) / unit
        x = max(z - radius, 0.0)
        peak = (
            float(density(size, np.array(x)))
            if uniform
            else math.exp(-x * x / (2 * size)) / math.sqrt(2 * math.pi * size)
        )
        subsets, chance = math.comb(question.n, size), min(1.0, 2 * radius * peak * (1 + SLACK))
        expected += subsets * chance if subsets <= sys.float_info.max else math.inf
        if expected >= 1:
            return 0.0
    return max(0.0, 1 - expected * (1 + SLACK) - 1e-15)


def _scale(law: Law) -> tuple[float, bool] | None:
    """(c, True) for U[-c, c], (s, False) for N(0, s^2), else None."""
    width = half_width(law)
    if width is not None:
        return width, True
    if isinstance(law, Scaled):
        inner = _scale(law.law)
        return None if inner is None else (inner[0] * law.factor, inner[1])
    return (law.std, False) if isinstance(law, Normal) and law.mean == 0 else None


BOUND = Bound(
    id="counting",
    title="First moment: too few subsets are likely to hit one target",
    reference=Reference("strong_lth", "proofs/docs/counting.md"),
    direction=Direction.NECESSARY,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="counting",
    formula=failure,
)
