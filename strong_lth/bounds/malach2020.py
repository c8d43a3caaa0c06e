"""Malach, Yehudai, Shalev-Shwartz and Shamir (ICML 2020): the first proof, with polynomial over-parameterisation.

Only the abstract was available to us: every target of bounded weights and depth L lies in a wide enough random network of depth 2 L, for any bounded law.
Others restate a factor O(d^4 L^2) on the width (abstract of Pensia et al. 2020); its dependence on tol and delta is not restated, so no width follows.
"""

from __future__ import annotations

from strong_lth.bounds.network_bound import NetworkBound
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference

BOUND = NetworkBound(
    id="malach2020",
    title="Network: a factor O(d^4 L^2) on the width, polynomial in 1 / tol",
    reference=Reference(
        "Malach et al., ICML 2020, arXiv 2002.00585",
        "abstract; factor as restated by Pensia et al. 2020",
        "https://arxiv.org/abs/2002.00585",
    ),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=None,
)
