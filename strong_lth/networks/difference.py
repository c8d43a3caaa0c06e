"""Rigorous upper bounds, and a rigorous lower bound, of how far a ticket is from its target over a set of inputs.

Everything here speaks of the real-arithmetic networks: each rounding of the float64 computation is accounted for outward.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from strong_lth.core import Ball, Box, Floats
from strong_lth.networks.difference_interval import difference_intervals
from strong_lth.networks.difference_mixed import mixed_norms
from strong_lth.networks.difference_search import search_difference
from strong_lth.networks.difference_zonotope import joint_zonotope
from strong_lth.networks.enclosures import up
from strong_lth.networks.layer_pair import LayerPair, check_chain, input_set

GRAIN = 2.0**-140  # added to the zonotope's bound, which the checker repeats in fixed point on a grid of 2^-160

__all__ = ["LayerPair", "difference_bounds", "search_difference"]


def difference_bounds(layers: Sequence[LayerPair], domain: Box | Ball) -> dict[str, Floats]:
    """Upper bounds of sup |g(x)_i - f(x)_i| over the domain, for each output i, by three methods; their least is again a bound.

    Keys ``mixed-l2``, ``difference-interval`` and ``joint-zonotope``; each array has shape (outputs,). A method that overflows gives
    infinity, never NaN. The zonotope is cut to the intervals, and the mixed norms to the zonotope, so each starts from the one before.
    Raises InputError if the layers form no chain or do not fit the domain.

    >>> layer = LayerPair(np.array([[1.0, -1.0]]), np.zeros(1), np.array([[0.25, 0.5]]), None, np.zeros(1), 0.0)
    >>> {name: round(float(bound[0]), 12) for name, bound in difference_bounds([layer], Box(0, 1)).items()}
    {'mixed-l2': 0.75, 'difference-interval': 0.75, 'joint-zonotope': 0.75}
    """
    check_chain(layers)
    with np.errstate(all="ignore"):
        inputs = input_set(domain, layers[0].weight.shape[1])
        intervals = difference_intervals(layers, inputs)
        zonotope = joint_zonotope(layers, inputs, intervals)
        mixed = mixed_norms(layers, inputs, zonotope)
    reliable = all(ranges.finite for ranges in intervals), all(ranges.finite for ranges in zonotope)
    return {
        "mixed-l2": np.where(all(reliable) & ~np.isnan(mixed), mixed, np.inf),
        "difference-interval": np.where(reliable[0], intervals[-1].error, np.inf),
        "joint-zonotope": np.where(all(reliable), up(zonotope[-1].error + GRAIN), np.inf),
    }
