"""Pensia, Rajput, Nagle, Vishwakarma and Papailiopoulos (NeurIPS 2020): logarithmic over-parameterisation.

The paper itself was not available to us; the statements are as others restate them, with an unnamed constant C, so no number follows.
"""

from __future__ import annotations

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """INCONCLUSIVE for U[-1, 1] without perturbation, targets in [-1, 1] and 0 < tol < 1: the constant is unspecified. NOT_APPLICABLE elsewhere.

    >>> failure(Question(100, tol=0.01)).name
    'INCONCLUSIVE'
    """
    covered = half_width(question.law) == 1.0 and question.reach <= 1 and question.perturbation == 0
    return Verdict.INCONCLUSIVE if covered and 0 < question.tol < 1 else Verdict.NOT_APPLICABLE


_SOURCE, _URL = "Pensia et al., NeurIPS 2020, arXiv 2006.07990", "https://arxiv.org/abs/2006.07990"
_STATUS = "cited from restatements; text not available"

LAYER = Bound(
    id="pensia2020-layer",
    title="One layer: n >= d1 C log(2 d1 d2 / tol), probability >= 1 - tol",
    reference=Reference(_SOURCE, "one layer, as restated by Otsuka et al. 2025, Lemma 2", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=failure,
)
NETWORK = Bound(
    id="pensia2020-network",
    title="Network: n_l >= d_l C log(4 L d_l d_(l+1) / tol), probability >= 1 - tol",
    reference=Reference(_SOURCE, "network, as restated by Otsuka et al. 2025, Theorem 10", _URL),
    direction=Direction.SUFFICIENT,
    scope=Scope.ALL_TARGETS,
    constants=Constants.UNSPECIFIED,
    status=_STATUS,
    proof=None,
    formula=failure,
)
