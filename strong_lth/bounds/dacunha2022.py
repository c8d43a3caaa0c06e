"""da Cunha, d'Amore, Giroire, Lesfari, Natale and Viennot (ESA 2023): random subset sum by an elementary proof.

Only the abstract was available to us; the constants are not given there.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """INCONCLUSIVE for U[-1, 1] without perturbation, targets in [-1/2, 1/2] and 0 < tol < 1: the constant is unspecified. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01)).name
    'INCONCLUSIVE'
    """
    covered = half_width(question.law) == 1.0 and question.reach <= 0.5 and question.perturbation == 0
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol < 1 else Verdict.NOT_APPLICABLE


BOUND = Bound(
    id="dacunha2022",
    title="n = O(log(1 / tol)) serves all of an interval with high probability",
    reference=Reference("da Cunha et al., ESA 2023, arXiv 2204.13929", "abstract", "https://arxiv.org/abs/2204.13929"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=failure,
)
