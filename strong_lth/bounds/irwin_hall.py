"""Sums of uniform candidates, evaluated without cancellation: every term is non-negative, so relative errors stay near the machine's."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from strong_lth.core import Floats

SLACK = 1e-10  # relative; far above the rounding error of a few hundred non-negative terms


def density(m: int, x: Floats) -> Floats:
    """Density of the sum of m >= 1 independent U[-1, 1] at x, by f_(j+1)(x) = ((j + 1 + x) f_j(x + 1) + (j + 1 - x) f_j(x - 1)) / (2 j).

    >>> density(2, np.array([0.0, 1.0, 2.5])).tolist()
    [0.5, 0.25, 0.0]
    """
    x = np.asarray(x, dtype=np.float64)
    shifts = np.arange(m - 1, -m, -2, dtype=np.float64).reshape(-1, *([1] * x.ndim))
    at = x + shifts
    table = np.where((at >= -1) & (at < 1), 0.5, 0.0)  # half open, so that a knot counts once
    for j in range(1, m):
        at = (at[:-1] + at[1:]) / 2
        table = (np.maximum(j + 1 + at, 0) * table[:-1] + np.maximum(j + 1 - at, 0) * table[1:]) / (2 * j)
    return np.asarray(table[0], dtype=np.float64)


def near(m: int, center: Floats, radius: float) -> Floats:
    """P(|sum of m - center| <= radius) for an array of centres: Gauss-Legendre between the knots, exact up to rounding. m = 0: whether 0 is near.

    >>> near(2, np.array([0.0]), 2.0), near(0, np.array([0.1, 0.3]), 0.2)
    (array([1.]), array([1., 0.]))
    """
    center = np.asarray(center, dtype=np.float64)
    if m == 0:
        return (np.abs(center) <= radius).astype(np.float64)
    knots = np.arange(-m, m + 1, 2, dtype=np.float64)
    inside = np.clip(
        knots - center[..., None], -radius, radius
    )  # relative to the centre, so that small radii keep their digits
    edge = np.full((*center.shape, 1), radius)
    ends = np.sort(np.concatenate([-edge, inside, edge], axis=-1), axis=-1)
    return integral(lambda x: density(m, center[..., None, None] + x), ends, (m + 1) // 2)


def integral(function: Callable[[Floats], Floats], ends: Floats, nodes: int) -> Floats:
    """Sum over the pieces between neighbouring ``ends`` (last axis) of the Gauss-Legendre rule with that many nodes."""
    at, weight = _rule(max(nodes, 1))
    half = np.diff(ends, axis=-1)[..., None] / 2
    middle = ((ends[..., 1:] + ends[..., :-1]) / 2)[..., None]
    return np.asarray((function(middle + half * at) * half * weight).sum(axis=(-1, -2)), dtype=np.float64)


@lru_cache(maxsize=64)
def _rule(nodes: int) -> tuple[Floats, Floats]:
    at, weight = np.polynomial.legendre.leggauss(nodes)
    return at, weight
