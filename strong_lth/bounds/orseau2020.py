"""Orseau, Hutter and Rivasplata (NeurIPS 2020): logarithmic over-parameterisation without norm assumptions, for hyperbolic weights.

Only the abstract and a figure caption were available to us: 2 log(1/tol) intermediate neurons per target weight out of O(log(1/tol)) sampled ones, by binary
decomposition of hyperbolic weights; uniform weights need a square of the logarithm. The law and the constants are not given there, so no width follows.
"""

from __future__ import annotations

from strong_lth.bounds.network_bound import NetworkBound
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference

BOUND = NetworkBound(
    id="orseau2020",
    title="Network: O(log(1 / tol)) sampled neurons per weight, hyperbolic weights",
    reference=Reference(
        "Orseau, Hutter and Rivasplata, NeurIPS 2020, arXiv 2006.12156", "abstract", "https://arxiv.org/abs/2006.12156"
    ),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=None,
)
