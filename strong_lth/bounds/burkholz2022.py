"""Burkholz (NeurIPS 2022): depth L + 1 in place of 2 L, for most activation functions.

Only the abstract and the code were available to us: a random network with one more layer and logarithmic width. Each target neuron is built several times, and the
next layer's subset sums choose among the copies. The constants and the form of the logarithm are not given in the abstract, so no width follows.
"""

from __future__ import annotations

from strong_lth.bounds.network_bound import NetworkBound
from strong_lth.bounds.types import Constants, Direction, Scope
from strong_lth.core import Reference

BOUND = NetworkBound(
    id="burkholz2022",
    title="Network: depth L + 1 and a logarithmic factor on the width, most activation functions",
    reference=Reference("Burkholz, NeurIPS 2022, arXiv 2205.02321", "abstract", "https://arxiv.org/abs/2205.02321"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.UNSPECIFIED,
    status="cited from the abstract; text not available",
    proof=None,
    formula=None,
)
