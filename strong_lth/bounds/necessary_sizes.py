"""Perturbation gain, Theorem 3: the expected number of kept sets that serve one target, an upper limit of what the perturbation is worth."""

from __future__ import annotations

import math

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width

_LONGEST = 400  # beyond, 2^n makes the bound 0 for every allowance that a double can tell from 0


def failure(question: Question) -> Failure:
    """Lower bound of P(z missed), z the farthest target, |z| > tol, candidates i.i.d. U[-1, 1]:

        1 - sum over k = 1..n of C(n, k) min(1, 2 (tol + perturbation k) f_k),    f_1 = 1/2, f_k = 1 / sqrt(2 k),

    f_k being an upper bound of the density of a sum of k candidates; at least 1 - 2 sqrt(2) 2^n (tol + perturbation n / 2) / sqrt(n), and rounded down. 0 for
    |z| <= tol. U[-c, c] is scaled; NOT_APPLICABLE for other laws. Source: proofs/docs/necessary-sizes.md.

    >>> failure(Question(6, tol=0.001)) > 0.9, failure(Question(12, tol=0.001))
    (True, 0.0)
    """
    width = half_width(question.law)
    if width is None:
        return Verdict.NOT_APPLICABLE
    if question.reach <= question.tol or question.n > _LONGEST:
        return 0.0
    tol, perturbation = ((a / width) * (1 + 1e-15) for a in (question.tol, question.perturbation))
    served = 0.0
    for k in range(1, question.n + 1):
        peak = 0.5 if k == 1 else 1 / math.sqrt(2 * k)
        served += math.comb(question.n, k) * min(1.0, 2 * (tol + perturbation * k) * peak)
    return max(0.0, math.nextafter(1 - served * (1 + 1e-12), 0.0))


BOUND = Bound(
    id="necessary-sizes",
    title="Expected number of kept sets that serve a target: n - lg(n)/2 >= lg(1 / (tol + n perturbation / 2)) - O(1)",
    reference=Reference("strong_lth", "proofs/docs/necessary-sizes.md"),
    direction=Direction.NECESSARY,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="necessary-sizes",
    formula=failure,
)
