"""Theorem W: a weighted window of any length and a spectral gap, for any target range."""

from __future__ import annotations

import math

from strong_lth.bounds.evaluation import ratio_below, upper_probability
from strong_lth.bounds.spectral import Weight, certified
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.bounds.unimodal import shape_of
from strong_lth.core import Reference, Verdict

_FARTHEST = 16.0  # targets beyond are not tabulated
_LEAST = 1e-150  # smaller allowances prove nothing here


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-R, R] is missed), candidates i.i.d. with an even density p that falls away from 0, targets of any reach R:

        (1 - lambda)^n 2 M^2 / (phi_0 phi_R tol^2),

    where phi > 0 is a weight on a window [-W, W], W >= R, M its integral, phi_0 and phi_R its least values on [-tol/2, tol/2] and [-R, R], and lambda
    the least of M Q(A) / (phi(A) phi(A')) over A and its complement A' in the window, Q(A) = int_A int_A' p(z - y) phi(y) phi(z) / (phi(y) + phi(z)). phi is found by
    a search, lambda is certified (``spectral``). With a perturbation also 6 in place of 2 and tol + perturbation in place of tol. For tol >= R the empty set
    serves: 0.

    Laws as for ``rss_survival``; R is rounded up to 2^(j / 4) times half the unit of the law, and beyond 16 units the bound is 1.
    Source: proofs/docs/rss-window.md.

    >>> failure(Question(46, tol=0.01)) < 0.01 < failure(Question(40, tol=0.01))
    True
    """
    known = shape_of(question.law)
    if known is None:
        return Verdict.NOT_APPLICABLE
    shape, unit = known
    if question.tol >= question.reach:
        return 0.0
    far = question.reach / unit
    reach = 0.5 if 2 * question.reach <= unit else 0.5 * 2 ** (math.ceil(math.log2(2 * far) * 4 - 1e-9) / 4)
    if reach < far:
        reach *= 2**0.25  # far was within rounding of a step
    if reach > _FARTHEST:
        return 1.0
    weight, gap = certified(shape, reach)
    if not 0 < gap < 1:
        return 1.0
    plain = min(ratio_below(question.tol, unit) * (1 - 1e-15), reach)
    moved = min(ratio_below(question.tol + question.perturbation, unit) * (1 - 1e-15), reach)
    return min(closed_form(weight, gap, question.n, 2, plain), closed_form(weight, gap, question.n, 6, moved))


def closed_form(weight: Weight, gap: float, n: int, constant: float, allowance: float) -> float:
    """(1 - gap)^n constant M^2 / (phi_0 phi_R a^2), rounded up, for the best a <= ``allowance``; 1 without an allowance whose square is a double."""
    if allowance < _LEAST:
        return 1.0
    start = weight.best_start(allowance) * weight.least(weight.reach)
    log_failure = math.log(constant) + 2 * math.log(weight.total) - math.log(start) + n * math.log1p(-gap) * (1 - 1e-15)
    return upper_probability(log_failure, n)


BOUND = Bound(
    id="rss-window",
    title="Weighted window of any length, spectral gap: any target range",
    reference=Reference("strong_lth", "proofs/docs/rss-window.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-window",
    formula=failure,
)
