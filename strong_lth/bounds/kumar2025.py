"""Kumar and Natale (2025): quantised random subset sum, solved exactly, by the phase transition of number partitioning.

A third-party copy without its displayed formulas was available to us: about 2 lg(1/step) whole-number candidates serve one target exactly. How large n must be for a
given failure probability is not stated; ``quantised-hits`` predicts it.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import SignedIntegers


def failure(question: Question) -> Failure:
    """INCONCLUSIVE for candidates uniform on {-M, ..., -1, 1, ..., M}, targets up to M, tol < 1 and no perturbation. NOT_APPLICABLE elsewhere.

    >>> from strong_lth.core import Point
    >>> failure(Question(20, tol=0.5, law=SignedIntegers(256), targets=Point(100))).name
    'INCONCLUSIVE'
    """
    law = question.law
    covered = isinstance(law, SignedIntegers) and question.reach <= law.levels and question.perturbation == 0
    return Verdict.INCONCLUSIVE if covered and question.tol < 1 else Verdict.NOT_APPLICABLE


BOUND = Bound(
    id="kumar2025",
    title="Whole numbers: n >= 2 lg M candidates serve one target exactly",
    reference=Reference("Kumar and Natale 2025, arXiv 2508.11020", "Lemma 5", "https://arxiv.org/abs/2508.11020"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited from a third-party copy; displayed formulas not available",
    proof=None,
    formula=failure,
)
