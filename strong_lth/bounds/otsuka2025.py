"""Otsuka, Chijiwa, Okoshi, Fujiki, Takeuchi and Motomura (AAAI 2026, arXiv 2511.04217): multi-head attention inside random attention.

Query and key weights of the source are U[-n_K^(1/4), n_K^(1/4)], value and output weights U[-1, 1]; no layer is added, because the products of query with key and of
value with output are approximated directly. The constant C is that of the random subset sum behind it, not named.
"""

from __future__ import annotations

import math

from strong_lth.bounds.network_bound import NetworkBound, NetworkQuestion, Widths
from strong_lth.bounds.shapes import AttentionShape
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference, Verdict


def widths(question: NetworkQuestion) -> Widths | Verdict:
    """(n_K, n_V): n_K >= d_1 C log(8 H alpha^3 d_1^(3/2) / t), n_V >= d_1 C log(2 H alpha d_1 sqrt(d_2) / t), t = min(tol, delta).

    For matrices of norm <= 1 and tokens of norm <= alpha with alpha >= max(sqrt d_1, sqrt d_2); NOT_APPLICABLE elsewhere.
    """
    shape = question.shape
    if not isinstance(shape, AttentionShape) or question.perturbation > 0 or not 0 < question.tol < 1:
        return Verdict.NOT_APPLICABLE
    if shape.radius**2 < max(shape.d_in, shape.d_out) * (1 - 1e-12):
        return Verdict.NOT_APPLICABLE
    t, d, alpha = min(question.tol, question.delta), shape.d_in, shape.radius
    per_entry = d * question.constant
    return (
        per_entry * math.log(8 * shape.heads * alpha**3 * d**1.5 / t),
        per_entry * math.log(2 * shape.heads * alpha * d * math.sqrt(shape.d_out) / t),
    )


BOUND = NetworkBound(
    id="otsuka2025",
    title="Multi-head attention: n_K >= d1 C log(8 H alpha^3 d1^1.5 / tol), n_V >= d1 C log(2 H alpha d1 sqrt(d2) / tol)",
    reference=Reference("Otsuka et al., AAAI 2026, arXiv 2511.04217", "Theorem 3", "https://arxiv.org/abs/2511.04217"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited",
    proof=None,
    formula=widths,
)
