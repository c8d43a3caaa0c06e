"""Lemma 3: small covered sets nearly double. Bounds on E |A_m|^-theta after m candidates, by powers of a weighted measure.

With psi_0 = 1 on the window and psi_(j+1)(y)^-theta >= E (psi_j(y) + psi_j(y + x))^-theta,

    E |A_m|^-theta <= M_m,    M <- M + K_j M^(1 - 1/theta) starting from (2 e min psi_m)^-theta near the start interval,

where K_j is the largest p(z - y) (k(y, z) + k(z, y)) / (2 psi_(j+1)(y) psi_(j+1)(z)), k(y, z) = psi_(j+1)(y)^(1 + theta) (psi_j(y)^-theta - (psi_j(y) +
psi_j(z))^-theta). A density below p may replace it. Here psi is constant on cells, p its least value per pair of cells in the sum and its largest in K.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from strong_lth.bounds.unimodal import Shape
from strong_lth.core import Floats

THETAS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0, 6.5, 8.0)
EXPONENTS: Floats = np.array(THETAS)
STEPS = 22
_CELLS = 160
_UP, _DOWN = 1 + 1e-11, 1 - 1e-11  # far above the rounding error of a few hundred non-negative terms


@lru_cache(maxsize=256)
def moments(shape: Shape, length: float, theta: float, start: float, offset: float, steps: int = STEPS) -> Floats:
    """[M_0, ..., M_steps] for A_0 = [c - e, c + e], |c| <= ``offset`` from the centre of the window, e = ``start``; inf where nothing is known."""
    width = length / _CELLS
    psi, kernels = weights(shape, length, theta, steps)
    reach = min(math.ceil((start + offset) / width * _UP), _CELLS // 2)
    least = psi[:, _CELLS // 2 - reach : _CELLS // 2 + reach].min(axis=1)
    result = np.empty(steps + 1)
    for m in range(steps + 1):
        moment = (2 * start * least[m] * _DOWN) ** -theta
        for j in range(m):
            moment = (moment + kernels[m - 1 - j] * moment ** (1 - 1 / theta)) * _UP
        result[m] = moment
    return result


@lru_cache(maxsize=128)
def weights(shape: Shape, length: float, theta: float, steps: int = STEPS) -> tuple[Floats, Floats]:
    """(psi_0 .. psi_steps on the cells, K_0 .. K_(steps - 1))."""
    width = length / _CELLS
    apart = np.arange(_CELLS)
    near, far = np.maximum(apart - 1, 0) * width * (1 - 1e-15), (apart + 1) * width * (1 + 1e-15)
    index = np.abs(apart[:, None] - apart[None, :])
    least = (np.minimum(shape.density(far), shape.cut) * _DOWN)[index]
    most = (np.minimum(shape.density(np.maximum(near, 1e-300)), shape.cut) * _UP)[index]
    psi, kernels = [np.ones(_CELLS)], []
    for _ in range(steps):
        alone = psi[-1] ** -theta
        saved = alone[:, None] - (psi[-1][:, None] + psi[-1][None, :]) ** -theta  # at least alone / 2, so nothing cancels
        mean = alone - (least * saved * _DOWN).sum(axis=1) * width
        new = (mean * _UP) ** (-1 / theta) * _DOWN
        k = new[:, None] ** theta * saved / new[None, :]
        kernels.append(float((most * (k + k.T)).max()) / 2 * _UP)
        psi.append(new)
    return np.array(psi), np.array(kernels)


def mixture(y: Floats, value: Floats, moment: Floats) -> float:
    """Least sum C_theta M_theta found with sum C_theta a^-theta >= the piecewise linear ``value`` on [y_0, y_G]; never below the truth.

    Each a^-theta is replaced by its tangent in the middle of every cell, which lies below it, so both ends of the cell decide.
    """
    from scipy.optimize import linprog

    keep = value[:-1] > 0
    middle, half = (y[:-1] + y[1:])[keep] / 2, np.diff(y)[keep] / 2
    theta = np.array(THETAS)
    power = (middle[:, None] / y[0]) ** -theta
    tangent = theta * power * (half / middle)[:, None]
    rows = np.concatenate([(power + tangent) / value[:-1][keep][:, None], (power - tangent) / np.maximum(value[1:], value[:-1] * 1e-9)[keep][:, None]])
    cost = moment * y[0] ** theta * _UP
    usable = (rows.min(axis=0) > 0) & np.isfinite(cost)
    if not usable.any():
        return 1.0
    rows, cost = rows[:, usable], cost[usable]
    least = rows.min(axis=0)
    single = float((cost / least).min()) * _UP
    found = linprog(cost / least / single, A_ub=-np.minimum(rows / least, 1e6), b_ub=-np.ones(len(rows)), method="highs")
    if found.x is None:
        return single
    share = np.maximum(found.x, 0.0) / least
    return min(single, float(cost @ share) / float((rows @ share).min()) * _UP)
