"""The contraction theorem with the constants that a proof assistant has checked."""

from __future__ import annotations

import math

from strong_lth.bounds.evaluation import contraction_failure, unit_question
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-c/2, c/2] is missed), candidates i.i.d. U[-c, c]; for c = 1 the smaller of

        2.01 (3/4)^n / tol^2             (0 < tol <= 1, without perturbation) and
        6.2 (3/4)^n / perturbation^2     (0 < perturbation <= 1, exact representation),

    clipped to [0, 1]. Each holds alone, and targets missed with both allowances are missed with either one; a value above 1 counts as 1.
    NOT_APPLICABLE for laws other than U[-c, c] and for targets outside [-c/2, c/2].

    >>> failure(Question(45, tol=0.01)) < 0.05 < failure(Question(44, tol=0.01))
    True
    >>> failure(Question(49, tol=0.0, perturbation=0.01)) < 0.05
    True
    """
    width = half_width(question.law)
    scaled = None if width is None else unit_question(question, width)
    if scaled is None:
        return Verdict.NOT_APPLICABLE
    return contraction_failure(question.n, math.log(0.75), (2.01, 6.2), scaled)


BOUND = Bound(
    id="rss-contraction-checked",
    title="Contraction of the uncovered fraction, machine-checked constants",
    reference=Reference("strong_lth", "proofs/docs/rss-contraction-checked.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked",
    proof="rss-contraction-checked",
    formula=failure,
)
