"""Lueker (1998), as used since: logarithmically many candidates serve every target of an interval.

Only the abstract was available to us. The form below is the one restated by Natale et al. 2024 as "Corollary 2 of Pensia et al.", there for candidates that are 0 or a product of two
uniforms; it is listed here for U[-1, 1], the law of Lueker's own results.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """INCONCLUSIVE for U[-1, 1] without perturbation, targets in [-1, 1] and 0 < tol < 1: the constant is unspecified. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01, perturbation=2.0)).name
    'NOT_APPLICABLE'
    """
    covered = half_width(question.law) == 1.0 and question.reach <= 1 and question.perturbation == 0
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol < 1 else Verdict.NOT_APPLICABLE


BOUND = Bound(
    id="lueker1998",
    title="n >= C ln(2 / tol) serves all of [-1, 1] with probability >= 1 - tol",
    reference=Reference("Lueker, Random Structures and Algorithms 12, 1998", "as used since; text not available"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited from restatements; text not available",
    proof=None,
    formula=failure,
)
