"""The contraction theorem for candidates with known factors, such as the weights of a random first sublayer."""

from __future__ import annotations

import math

from strong_lth.bounds.evaluation import contraction_failure, unit_question
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import ProductUniform, half_width


def failure(question: Question) -> Failure:
    """Upper bound of P(some z is missed) for candidates u v, v ~ U[-1, 1], from the theorem for fixed factors u in [A, 1].

    ``ProductUniform`` (u ~ U[-1, 1]) and |z| <= A/2: units with |u| < A are dropped, which leaves Bin(n, 1 - A) of them, and the mean over their number is

        2.1 A^2 (1 - A (1 - A) / 4)^n / tol^2  and  6.1 (1 - A (1 - A) / 4)^n / perturbation^2,  the smaller of both;

    A = 1/2, or twice the largest |z| if that is more. U[-c, c] and |z| <= c/2: all factors are c, A = 1 in units of c, and none is dropped. NOT_APPLICABLE else.

    Source: proofs/docs/rss-scaled.md; Coq: RSSScaled.rss_scaled, RSSScaled.rss_scaled_exact.

    >>> from strong_lth.core import Window
    >>> failure(Question(200, tol=0.01, law=ProductUniform(), targets=Window(-0.25, 0.25))) < 0.05
    True
    """
    width = half_width(question.law)
    if width is not None:
        scaled = unit_question(question, width)
        return Verdict.NOT_APPLICABLE if scaled is None else for_factors(1.0, question.n, *scaled)
    least = max(0.5, 2 * question.reach)
    if not isinstance(question.law, ProductUniform) or least >= 1:
        return Verdict.NOT_APPLICABLE
    return for_factors(least, question.n, question.tol, question.perturbation, kept=1 - least)


def for_factors(least: float, n: int, tol: float, perturbation: float = 0.0, *, kept: float = 1.0) -> float:
    """Factors in [least, 1], targets in [-least/2, least/2]; each candidate is there with probability ``kept``, independently.

    A shift of at most ``perturbation`` moves the random factor v, so the candidate by |u| times that.

    >>> for_factors(1.0, 46, 0.01) < 0.05
    True
    """
    # of the sum over the number of candidates that are there: (1 - kept + kept (1 - least/4))^n
    log_rate = math.log1p(-kept * least / 4)
    return contraction_failure(n, log_rate, (2.1 * least * least, 6.1), (tol, perturbation), most=(least, 1.0))


BOUND = Bound(
    id="rss-scaled",
    title="Contraction for candidates with known factors, machine-checked constants",
    reference=Reference("strong_lth", "proofs/docs/rss-scaled.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked for fixed factors; the mean over random ones on paper",
    proof="rss-scaled",
    formula=failure,
)
