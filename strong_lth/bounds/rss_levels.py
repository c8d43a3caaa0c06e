"""Perturbation gain, Theorem 2: a closed form in which every kept candidate adds to the tolerance."""

from __future__ import annotations

import math

from strong_lth.bounds.evaluation import unit_question, upper_probability
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width

_CANDIDATES_PER_LEVEL = 26  # (13/12)^26 > 8


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-1/2, 1/2] is missed), candidates i.i.d. U[-1, 1], n >= 1:

        8.04 (3/4)^n / t^2,    t = min(1, tol + perturbation L),    L = 1 + floor(n / 26).

    All targets; U[-c, c] is scaled. NOT_APPLICABLE for other laws and for targets outside [-c/2, c/2]. For tol >= c/2 the empty set serves: 0.

    Source: proofs/docs/rss-levels.md; Coq: Levels.rss_gain.

    >>> failure(Question(49, tol=0.01, perturbation=0.01)) < 0.01 < failure(Question(47, tol=0.01, perturbation=0.01))
    True
    """
    width = half_width(question.law)
    scaled = None if width is None else unit_question(question, width)
    if scaled is None:
        return Verdict.NOT_APPLICABLE
    tol, perturbation = scaled
    if tol >= 0.5:
        return 0.0
    if question.n == 0:
        return 1.0
    allowance = min(1.0, tol + perturbation * (1 + question.n // _CANDIDATES_PER_LEVEL))
    return upper_probability(question.n * math.log(0.75) + math.log(8.04) - 2 * math.log(allowance), question.n)


BOUND = Bound(
    id="rss-levels",
    title="Contraction with a weight for every inclusion: 8.04 (3/4)^n / min(1, tol + n perturbation / 26)^2",
    reference=Reference("strong_lth", "proofs/docs/rss-levels.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked",
    proof="rss-levels",
    formula=failure,
)
