"""The spectral gap behind Theorem W: how fast the weighted covered part of a window grows, certified from a matrix of cells.

On N equal cells of [-W, W] with weights phi_i and p_ij the least density between cells i and j, let w_i = phi_i h, M = sum w,

    K_ij = p_ij phi_i phi_j h^2 / (phi_i + phi_j).

If d_i = sum_j K_ij >= lambda w_i for every i, and the graph Laplacian with weights K_ij - lambda w_i w_j / M (of either sign) is positive semidefinite, then
lambda is a gap (proofs/docs/rss-window.md). The Laplacian kills constants, so one row and column may be struck; the rest is shown positive definite by a
Cholesky factor that still exists after the diagonal is lowered by more than its rounding error (Rump 2006).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from strong_lth.bounds.unimodal import Shape
from strong_lth.core import Floats

CELLS = 240
_SEARCH_CELLS = 48
# (W / R, coefficients of cos(k pi y / W) in ln phi) at R = 1/2, found by ``search`` with more cells and steps; any others are valid too
_KNOWN: dict[str, tuple[float, ...]] = {
    "uniform": (1.5, 0.9173, -0.4692, 0.2183, -0.1199, 0.0404),
    "normal": (2.3077, 0.9867, -0.2236, 0.1346, -0.0300, 0.0848),
    "product": (1.0, 1.1331, 0.0869, 0.0494, 0.1348, 0.0341),
    "triangular": (1.0, 0.7172, 0.0, 0.0308, 0.0731, 0.0059),
}


@dataclass(frozen=True)
class Weight:
    """phi > 0 on equal cells of [-half, half], for targets in [-reach, reach]."""

    reach: float
    half: float
    phi: Floats

    def least(self, reach: float) -> float:
        """The least phi on the cells that [-reach, reach] touches."""
        middle = self.phi.size // 2
        cells = min(math.ceil(reach / self.half * middle * (1 + 1e-12)), middle)
        return float(self.phi[middle - cells : middle + cells].min())

    def best_start(self, allowance: float) -> float:
        """The largest a^2 phi_0(a) over 0 < a <= ``allowance``, phi_0(a) the least phi on [-a/2, a/2]: attained there or where a cell ends."""
        width = 2 * self.half / self.phi.size
        ends = np.append(2 * width * np.arange(1, int(allowance / (2 * width)) + 1) * (1 - 1e-11), allowance)
        return max(float(a) ** 2 * self.least(float(a) / 2) for a in ends if a <= allowance)

    @property
    def total(self) -> float:
        """M, rounded up."""
        return math.fsum(self.phi.tolist()) * 2 * self.half / self.phi.size * (1 + 1e-14)


def weight(parameters: tuple[float, ...], reach: float, cells: int) -> Weight:
    """phi = exp(sum_k c_k cos(k pi y / W)) at the middles of the cells, W = the first parameter times ``reach``."""
    middles = (np.arange(cells) + 0.5) / cells * 2 - 1
    waves = np.cos(np.pi * np.arange(1, len(parameters))[:, None] * middles)
    phi = np.exp(np.asarray(parameters[1:]) @ waves)
    return Weight(reach, max(parameters[0], 1.0) * reach, (phi + phi[::-1]) / 2)


def rates(shape: Shape, found: Weight) -> tuple[Floats, Floats]:
    """(K, w), K rounded down."""
    cells = found.phi.size
    width = 2 * found.half / cells
    apart = np.arange(1, cells + 1, dtype=np.float64) * (width * (1 + 1e-14))
    least = np.maximum(shape.density(apart), 0.0) * (1 - 1e-12)
    index = np.abs(np.subtract.outer(np.arange(cells), np.arange(cells)))
    phi = found.phi
    return least[index] * np.outer(phi, phi) / np.add.outer(phi, phi) * width**2 * (1 - 1e-14), phi * width


def estimate(shape: Shape, found: Weight) -> float:
    """The gap of the cells in floating point: not certified."""
    k, w = rates(shape, found)
    scale = 1 / np.sqrt(w)
    laplacian = (np.diag(k.sum(axis=1)) - k) * scale[:, None] * scale
    return float(min(np.linalg.eigvalsh(laplacian)[1], (k.sum(axis=1) / w).min()))


def holds(shape: Shape, found: Weight, gap: float) -> bool:
    """Whether ``gap`` is certainly a gap of these cells."""
    k, w = rates(shape, found)
    if not np.all(k.sum(axis=1) * (1 - 1e-13) >= gap * w * (1 + 1e-13)):
        return False
    excess = k - gap * np.outer(w, w) / w.sum()
    np.fill_diagonal(excess, 0.0)
    grounded = (np.diag(excess.sum(axis=1)) - excess)[1:, 1:]
    # rounding of the sums, of the entries and of the factorisation: each entry is off by at most 4 n units, Cholesky by (n + 2) traces of them
    size = len(w)
    shift = np.finfo(float).eps * (
        4 * size * size * float(np.abs(k).max() + gap * w.max() ** 2 / w.sum())
        + (size + 8) * np.trace(np.abs(grounded))
    )
    try:
        np.linalg.cholesky(grounded - 2 * shift * np.eye(size - 1))
    except np.linalg.LinAlgError:
        return False
    return True


@lru_cache(maxsize=64)
def certified(shape: Shape, reach: float, cells: int = CELLS) -> tuple[Weight, float]:
    """(phi, a certified gap) for targets up to ``reach`` in units of the law; the gap is 0 where none was shown."""
    known = _KNOWN.get(shape.name) if reach == 0.5 else None
    found = weight(known or search(shape, reach), reach, cells)
    gap = estimate(shape, found)
    for margin in (1e-6, 1e-4, 1e-2):
        lower = math.floor(gap * (1 - margin) * 2.0**40) / 2.0**40
        if lower > 0 and holds(shape, found, lower):
            return found, lower
    return found, 0.0


def search(shape: Shape, reach: float) -> tuple[float, ...]:
    """Parameters of a phi that needs few candidates at tol = delta = 0.01; deterministic."""
    from scipy.optimize import minimize

    def needed(parameters: Floats) -> float:
        if not 1 <= parameters[0] <= 16 or np.abs(parameters[1:]).sum() > 6:
            return 1e6
        found = weight(tuple(parameters.tolist()), reach, _SEARCH_CELLS)
        gap = estimate(shape, found)
        if not 0 < gap < 1:
            return 1e6
        constant = 2 * found.total**2 / (found.least(reach) * found.least(0.005) * 1e-6)
        return math.log(constant) / -math.log1p(-gap)

    starts = [np.array(known) for known in _KNOWN.values()]
    tries = [minimize(needed, start, method="Nelder-Mead", options={"maxiter": 250, "xatol": 1e-4}) for start in starts]
    best = min(tries, key=lambda t: float(t.fun))
    best = minimize(needed, best.x, method="Nelder-Mead", options={"maxiter": 500, "xatol": 1e-5})
    return tuple(float(round(v, 4)) for v in best.x)
