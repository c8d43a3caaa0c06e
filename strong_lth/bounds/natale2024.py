"""Natale, Ferre, Giambartolomei, Giroire and Mallmann-Trenn (NeurIPS 2024): random subset sum with subsets of one size.

A third-party copy was available to us, not the official text. Its constants are unnamed; ``fixed-size`` is an explicit form of the same second-moment method.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """INCONCLUSIVE for U[-1, 1] without perturbation, |z| <= 1 and 0 < tol < 1: constants are unspecified. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01)).name
    'INCONCLUSIVE'
    """
    covered = half_width(question.law) == 1.0 and question.perturbation == 0 and question.reach <= 1
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol < 1 else Verdict.NOT_APPLICABLE


_SOURCE = "Natale et al., NeurIPS 2024"
_STATUS = "cited from a third-party copy"

EACH = Bound(
    id="natale2024-each",
    title="Subsets of size k: n >= C lg(k / tol) / H2(k / n) serves one target with constant probability",
    reference=Reference(_SOURCE, "Theorem 2"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=failure,
)
ALL = Bound(
    id="natale2024-all",
    title="Subsets of size k: n >= C lg(k / tol)^2 / H2(k / n) serves all of [-sqrt k, sqrt k]",
    reference=Reference(_SOURCE, "Corollary 1"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=failure,
)
