"""The contraction theorem for any law with a density bounded below near 0, with machine-checked constants."""

from __future__ import annotations

import math
from fractions import Fraction

from strong_lth.bounds.evaluation import contraction_failure, natural_unit, unit_question
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-h/2, h/2] is missed), candidates i.i.d. with density >= d on [-h, h]; with p = h d and in units of h

        2.01 (1 - p/2)^n / tol^2  and  6.2 (1 - p/2)^n / perturbation^2,  the smaller of both.

    h is the law's natural unit (c for U[-c, c], the standard deviation, 1/e for the product law), or twice the largest |z| if that is more.
    NOT_APPLICABLE where d = 0. For a law on the whole line the last step, from [-s, s] to s = infinity, is on paper.

    Source: proofs/docs/rss-density.md; Coq: RSSDensity.rss_density, RSSDensity.rss_density_exact.

    >>> from strong_lth.distributions import Normal
    >>> failure(Question(101, tol=0.01, law=Normal())) < 0.05 < failure(Question(100, tol=0.01, law=Normal()))
    True
    """
    unit = max(natural_unit(question.law), 2 * question.reach)
    scaled = unit_question(question, unit)
    p = Fraction(unit) * Fraction(question.law.lower_density(-unit, unit))
    if scaled is None or p <= 0:
        return Verdict.NOT_APPLICABLE
    return for_density(float(p) * (1 - 1e-15), question.n, *scaled)


def for_density(p: float, n: int, tol: float, perturbation: float = 0.0) -> float:
    """The same in units of h: P(x in C) >= p |C| for every interval C in [-1, 1], targets in [-1/2, 1/2].

    >>> for_density(0.5, 45, 0.01) < 0.05
    True
    """
    return contraction_failure(n, math.log1p(-p / 2), (2.01, 6.2), (tol, perturbation))


BOUND = Bound(
    id="rss-density",
    title="Contraction for a density bounded below, machine-checked constants",
    reference=Reference("strong_lth", "proofs/docs/rss-density.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked for laws on a bounded range; from there to the whole line on paper",
    proof="rss-density",
    formula=failure,
)
