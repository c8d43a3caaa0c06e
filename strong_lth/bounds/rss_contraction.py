"""The contraction theorem: a potential of the uncovered fraction shrinks by 3/4 with every candidate."""

from __future__ import annotations

import numpy as np

from strong_lth.bounds.evaluation import FRACTIONS, unit_question, upper_probability
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Floats, Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """Upper bound of P(some z in [-c/2, c/2] is missed), candidates i.i.d. U[-c, c]; here with c = 1, in general at (tol/c, perturbation/c).

    The least, over splits (e, g, k), of

        rho^n (1 - 2e) / (2e + k) (1 - g + k) / g,    rho = (3 - k)/4 if k <= g, else 3/4,

    with 0 <= 2e < 1, 0 < g <= 1, 2e + k > 0 and either (A) e + g = tol, 0 <= k <= perturbation: start with [-e, e], close gaps of length g
    at the end, spend k per kept candidate; or (B) e = 0, 0 < k <= perturbation, g = tol + perturbation - k: start with {0} and close the
    gaps with what the last candidate has left. A g above 1 is cut to 1. At perturbation 0 and e = g = tol/2 it is below 2 (3/4)^n / tol^2.
    For tol >= 1/2 the empty set serves every target: 0.

    The minimum runs over a fixed grid of fractions and is rounded outward. NOT_APPLICABLE for laws other than U[-c, c] and for targets
    outside [-c/2, c/2].

    >>> failure(Question(52, tol=0.01)) < 0.01 < failure(Question(50, tol=0.01))
    True
    """
    width = half_width(question.law)
    scaled = None if width is None else unit_question(question, width)
    if scaled is None:
        return Verdict.NOT_APPLICABLE
    tol, perturbation = scaled
    if tol >= 0.5:
        return 0.0
    e, g, k = _splits(tol, perturbation)
    with np.errstate(all="ignore"):
        rate = np.where(k <= g, (3 - k) / 4, 0.75)
        log_failure = question.n * np.log(rate) + np.log1p(-2 * e) - np.log(2 * e + k) + np.log(1 - g + k) - np.log(g)
    return upper_probability(float(np.min(log_failure[np.isfinite(log_failure)], initial=np.inf)), question.n)


def _splits(tol: float, perturbation: float) -> tuple[Floats, Floats, Floats]:
    """Candidate splits (e, g, k): all of (A), all of (B), and g = (tol + perturbation) / 2, where (B) meets k = g.

    Here 2e + g <= 1, so the formula falls in e, in g, and in k on both sides of its jump at k = g: k is min(limit, g) or its limit. Every
    split grows with tol and with perturbation, so the minimum is monotone.
    """
    share = np.append(FRACTIONS, 1.0)
    half = (tol + perturbation) / 2
    start = np.concatenate([FRACTIONS * tol, np.zeros(share.size + 1)])
    gap = np.concatenate([tol - FRACTIONS * tol, tol + (perturbation - share * perturbation), [half]])
    limit = np.concatenate([np.full(FRACTIONS.size, perturbation), share * perturbation, [min(perturbation, half)]])
    gap, limit = np.minimum(gap, 1.0), np.minimum(limit, 1.0)
    return np.tile(start, 2), np.tile(gap, 2), np.concatenate([np.minimum(limit, gap), limit])


BOUND = Bound(
    id="rss-contraction",
    title="Contraction of the uncovered fraction, optimised over the split",
    reference=Reference("strong_lth", "proofs/docs/rss-contraction.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="rss-contraction",
    formula=failure,
)
