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

THETAS = (
    1.0,
    1.5,
    2.0,
    2.5,
    3.0,
    4.0,
    5.0,
    6.5,
    8.0,
)  # twice each is whole, so that certificates stay in exact arithmetic
EXPONENTS: Floats = np.array(THETAS, dtype=np.float64)
STEPS = 22
_CELLS = 160
_UP, _DOWN = 1 + 1e-11, 1 - 1e-11  # far above the rounding error of a few hundred non-negative terms


@lru_cache(maxsize=256)
def moments(shape: Shape, length: float, theta: float, start: float, offset: float, steps: int = STEPS) -> Floats:
    """[M_0, ..., M_steps] for A_0 = [c - e, c + e], |c| <= ``offset`` from the centre of the window, e = ``start``."""
    psi, kernels = weights(shape, length, theta, steps)
    least = 2 * start * nearby(length, psi, start, offset)
    return np.array([chain(least[m], kernels[:m], theta)[-1] for m in range(steps + 1)])


def nearby(length: float, psi: Floats, start: float, offset: float) -> Floats:
    """Least weight of every psi_j on the cells that the start interval may touch."""
    reach = min(math.ceil((start + offset) / (length / _CELLS) * _UP), _CELLS // 2)
    return np.asarray(psi[:, _CELLS // 2 - reach : _CELLS // 2 + reach].min(axis=1) * _DOWN, dtype=np.float64)


def chain(least: float, kernels: Floats, theta: float) -> list[float]:
    """M_0 = least^-theta and its successors; step j uses K_(m - 1 - j), as psi_m is the weight of the start."""
    result = [float(least) ** -theta * _UP]
    for kernel in kernels[::-1].tolist():
        result.append((result[-1] + kernel * result[-1] ** (1 - 1 / theta)) * _UP)
    return result


@lru_cache(maxsize=128)
def weights(shape: Shape, length: float, theta: float, steps: int = STEPS) -> tuple[Floats, Floats]:
    """(psi_0 .. psi_steps on the cells, K_0 .. K_(steps - 1))."""
    width = length / _CELLS
    apart = np.arange(_CELLS, dtype=np.float64)
    near, far = np.maximum(apart - 1, 0) * width * (1 - 1e-15), (apart + 1) * width * (1 + 1e-15)
    index = np.abs(apart[:, None] - apart[None, :]).astype(np.int64)
    least = (np.minimum(shape.density(far), shape.cut) * _DOWN)[index]
    most = (np.minimum(shape.density(np.maximum(near, 1e-300)), shape.cut) * _UP)[index]
    psi, kernels = [np.ones(_CELLS)], []
    for _ in range(steps):
        alone = psi[-1] ** -theta
        saved = (
            alone[:, None] - (psi[-1][:, None] + psi[-1][None, :]) ** -theta
        )  # at least alone / 2, so nothing cancels
        mean = alone - (least * saved * _DOWN).sum(axis=1) * width
        new = (mean * _UP) ** (-1 / theta) * _DOWN
        k = new[:, None] ** theta * saved / new[None, :]
        kernels.append(float((most * (k + k.T)).max()) / 2 * _UP)
        psi.append(new)
    return np.array(psi), np.array(kernels)


def mixture(y: Floats, value: Floats, moment: Floats) -> dict[float, float]:
    """Shares C_theta >= 0 with sum C_theta a^-theta >= the piecewise linear ``value`` on [y_0, y_G] and sum C_theta M_theta nearly least.

    Each a^-theta is replaced by its tangent in the middle of every cell, which lies below it, so both ends of the cell decide.
    """
    from scipy.optimize import linprog

    keep = value[:-1] > 0
    middle, half = (y[:-1] + y[1:])[keep] / 2, np.diff(y)[keep] / 2
    power = (middle[:, None] / y[0]) ** -EXPONENTS
    tangent = EXPONENTS * power * (half / middle)[:, None]
    floor = max(float(value[0]) * 1e-12, 1e-290)  # what is smaller makes no difference
    ends = np.maximum(value[:-1][keep], floor), np.maximum(value[1:][keep], floor)
    rows = np.concatenate([(power + tangent) / ends[0][:, None], (power - tangent) / ends[1][:, None]])
    usable = rows.min(axis=0) > 0
    least, cost = rows.min(axis=0)[usable], (moment * y[0] ** EXPONENTS)[usable]
    if not usable.any():
        return {}
    single = cost / least
    share = np.where(np.arange(single.size) == np.argmin(single), 1 / least, 0.0)
    found = linprog(
        single / single.min(), A_ub=-np.minimum(rows[:, usable] / least, 1e6), b_ub=-np.ones(len(rows)), method="highs"
    )
    if found.x is not None:
        mixed = np.maximum(found.x, 0.0) / least
        mixed /= float((rows[:, usable] @ mixed).min())  # whatever the solver's tolerance, all rows hold now
        share = mixed if cost @ mixed < cost @ share else share
    exponents = EXPONENTS[usable]
    weight = share * y[0] ** exponents * _UP
    return {float(t): float(c) for t, c in zip(exponents, weight, strict=True) if c > 0}
