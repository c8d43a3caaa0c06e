"""Becchetti et al. (2022): the multidimensional random subset sum problem.

Only the abstract was available to us: n = O(d^3 log(1/tol) (log(1/tol) + log d)) vectors serve all targets of [-1, 1]^d with high probability.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """The case d = 1. INCONCLUSIVE for U[-1, 1] without perturbation, targets in [-1, 1] and 0 < tol < 1: the constant is unspecified. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01)).name
    'INCONCLUSIVE'
    """
    covered = half_width(question.law) == 1.0 and question.reach <= 1 and question.perturbation == 0
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol < 1 else Verdict.NOT_APPLICABLE


BOUND = Bound(
    id="becchetti2022",
    title="Vectors: n = O(d^3 log(1 / tol) (log(1 / tol) + log d)) serves all of [-1, 1]^d",
    reference=Reference("Becchetti et al., arXiv 2207.13944", "abstract", "https://arxiv.org/abs/2207.13944"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=failure,
)
