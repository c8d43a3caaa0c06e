"""The contraction theorem on a window as wide as the law: all targets of [-1, 1], with machine-checked constants."""

from __future__ import annotations

import math

from strong_lth.bounds.evaluation import contraction_failure, ratio_below
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-c, c] is missed), candidates i.i.d. U[-c, c]; for c = 1 the smaller of

        8.1 (3/4)^n / tol^2             (0 < tol <= 1, without perturbation) and
        21 (3/4)^n / perturbation^2     (0 < perturbation <= 1, exact representation),

    clipped to [0, 1]. NOT_APPLICABLE for laws other than U[-c, c] and for targets outside [-c, c].

    Source: proofs/docs/rss-wide.md; Coq: RSSWide.rss_wide, RSSWide.rss_wide_exact.

    >>> from strong_lth.core import Window
    >>> failure(Question(50, tol=0.01, targets=Window(-1, 1))) < 0.05 < failure(Question(49, tol=0.01, targets=Window(-1, 1)))
    True
    """
    width = half_width(question.law)
    if width is None or question.reach > width:
        return Verdict.NOT_APPLICABLE
    scaled = ratio_below(question.tol, width), ratio_below(question.perturbation, width)
    return contraction_failure(question.n, math.log(0.75), (8.1, 21.0), scaled)


BOUND = Bound(
    id="rss-wide",
    title="Contraction on a window as wide as the law, machine-checked constants",
    reference=Reference("strong_lth", "proofs/docs/rss-wide.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="machine-checked",
    proof="rss-wide",
    formula=failure,
)
