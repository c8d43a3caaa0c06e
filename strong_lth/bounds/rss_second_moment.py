"""Perturbation gain, Theorems 4 and 5: what the perturbation is worth, tol + n perturbation / 2 in place of tol, by counting kept sets of typical size."""

from __future__ import annotations

import math
import sys

from strong_lth.bounds.evaluation import unit_question
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width

_LARGEST = 200  # candidates of a group; more add nothing


def failure(question: Question) -> Failure:
    """Upper bound of P(z missed) for one fixed z, |z| <= 1/2, candidates i.i.d. U[-1, 1]: the least, over sizes m >= 4 of floor(n / m) independent groups, of

        (1 - p_m)^floor(n / m),    p_m = 1 / (36 + 3 sqrt(m) / (2^m t)),    t = min(1/2, tol + perturbation m / 2).

    One group is Theorem 4a: success with a constant probability as soon as 2^m t is of the order of sqrt(m). For |z| <= tol the empty set serves: 0. U[-c, c] is scaled;
    NOT_APPLICABLE for other laws and for targets outside [-c/2, c/2]. Source: proofs/docs/rss-second-moment.md.

    >>> failure(Question(10, tol=0.1)) < 0.96 < failure(Question(4, tol=0.1)) < 35.5 / 36
    True
    """
    width = half_width(question.law)
    scaled = None if width is None else unit_question(question, width)
    if scaled is None:
        return Verdict.NOT_APPLICABLE
    if question.reach <= question.tol:
        return 0.0
    tol, perturbation = scaled
    least = 0.0
    for m in range(4, min(question.n, _LARGEST) + 1):
        t = min(0.5, tol + perturbation * m / 2)
        success = 1 / (36 + 3 * math.sqrt(m) / (2.0**m * t)) * (1 - 1e-12)
        least = min(least, (question.n // m) * math.log1p(-success))
    return max(math.exp(least) * (1 + 1e-12), sys.float_info.min) if least < -1e-11 else 1.0


def asymptotic(question: Question) -> Failure:
    """INCONCLUSIVE for U[-c, c], targets in [-c/2, c/2] and allowances below c: constants unspecified. NOT_APPLICABLE elsewhere."""
    width = half_width(question.law)
    scaled = None if width is None else unit_question(question, width)
    return Verdict.NOT_APPLICABLE if scaled is None or max(scaled) >= 1 else Verdict.INCONCLUSIVE


BOUND = Bound(
    id="rss-second-moment",
    title="One target, second moment over the sets of at least n / 2 candidates, in independent groups",
    reference=Reference("strong_lth", "proofs/docs/rss-second-moment.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-second-moment",
    formula=failure,
)
ONE_TARGET = Bound(
    id="rss-one-target-asymptotic",
    title="One target: n = lg(1 / (tol + n perturbation / 2)) + lg(n) / 2 + O_delta(1), both directions",
    reference=Reference("strong_lth", "proofs/docs/rss-asymptotic.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="proved on paper, constants unspecified",
    proof="rss-asymptotic",
    formula=asymptotic,
)
ALL_TARGETS = Bound(
    id="rss-all-targets-asymptotic",
    title="All targets: n <= 2 lg(1 / t) + O_delta(lg lg(1 / t)), t = tol + n perturbation / 2",
    reference=Reference("strong_lth", "proofs/docs/rss-asymptotic.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="proved on paper, constants unspecified",
    proof="rss-asymptotic",
    formula=asymptotic,
)
