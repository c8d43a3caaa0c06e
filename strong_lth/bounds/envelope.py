"""The martingale programme behind Theorems D and 1: what the mean and the range of the next covered length allow in the worst case.

A covered set of length p in a window of length 1, widened to min(1, p + k), becomes P in [p, min(1, 2p + k)] with mean at least

    m(p) = p + c (1 - p) min(1, p + k),    c a lower bound of the density on [-1, 1].

For a line l(x) = f - s x, s >= 0, above V on that range, E V(P) <= l(m(p)). On a cell of the grid one line serves all p, and l(m(p)) is convex in p
because m is concave: its two end values bound it by a chord. Value functions are kept as piecewise linear upper bounds.

m is rounded down, the end of the range up: a line falls, so both are on the safe side. Distances between such points are exact or off by a relative 1e-16, and the
value of a line at m is at least a third of its largest term, so the rest is off by a relative 1e-13 at most; each step is enlarged by 1 + 1e-11.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from strong_lth.core import Floats

Ints = npt.NDArray[np.int64]
ROUNDING = 1 + 1e-11
EXACT = 2.0**50  # vertices are multiples of 1 / this


@dataclass(frozen=True)
class Grid:
    """Vertices y_0 < ... < y_G, y_G >= 1 - gap, and for every cell how far a line must lie above V: at the vertices of its range, and at the range's end."""

    y: Floats
    density: float
    widened: float  # k
    mean: Floats  # m at the vertices, rounded down: lines fall
    reach: Ints  # shape (G,): the last vertex within the range of the cell
    end: Floats  # shape (G,): the farthest point of the range
    index: Ints  # of the vertex at or left of that point; G + 1 stands for "beyond y_G"
    share: Floats  # of the next vertex in the interpolation at that point


def grid(start: float, gap: float, density: float, widened: float, step: float) -> Grid:
    """Vertices about uniform in ln((p + k) / (1 - p)) from ``start``, rounded down, to 1 - ``gap``, rounded up.

    >>> found = grid(0.01, 0.004, 0.5, 0.0, 0.1)
    >>> float(found.y[0]) <= 0.01, bool(found.y[-1] >= 1 - 0.004), found.y.size
    (True, True, 103)
    """
    ends = math.log((start + widened) / (1 - start)), math.log((1 - gap + widened) / gap)
    odds = np.exp(np.linspace(*ends, max(2, math.ceil((ends[1] - ends[0]) / step)) + 1))
    y = np.round((odds - widened) / (1 + odds) * EXACT) / EXACT
    y[0], y[-1] = math.floor(start * EXACT) / EXACT, (math.ceil((1 - gap) * EXACT) + 1) / EXACT
    mean = np.nextafter(
        y + density * (1 - y) * np.minimum(1.0, y + widened), 0.0
    )  # near 1 an ulp is a large part of 1 - m
    top = np.minimum(1.0, 2 * y[1:] + widened) * (1 + 1e-15)
    reach = np.searchsorted(y, top, side="right") - 1
    beyond = top > y[-1]
    inner = np.minimum(reach, y.size - 2)
    share = np.where(beyond, 0.0, np.clip((top - y[inner]) / (y[inner + 1] - y[inner]), 0.0, 1.0))
    return Grid(y, density, widened, mean, reach, np.maximum(top, y[reach]), np.where(beyond, y.size, reach), share)


def lines(grid: Grid, value: Floats, beyond: Floats, rows: Ints, cells: Ints) -> tuple[Floats, Floats, Floats]:
    """(bound at the left end, at the right end, slope s) for cells[i] under value[rows[i]], shape (rows, G + 1).

    ``beyond`` is V right of y_G, per row.
    """
    from strong_lth.bounds.envelope_kernels import fill_lines

    extended = np.concatenate([value, beyond[:, None], beyond[:, None]], axis=1)
    found = np.empty((3, cells.size))
    fill_lines(
        grid.y, grid.mean, grid.reach, grid.end, grid.index, grid.share, extended, rows.astype(np.int64), cells, found
    )
    sure = found[2] == 0  # constant lines: V = 1 on the whole range is exact
    found[:2] = np.where(sure & (found[:2] == 1), 1.0, found[:2] * ROUNDING)
    return found[0], found[1], found[2]


def join(left: Floats, right: Floats) -> Floats:
    """Vertex values of the least nonincreasing piecewise linear function above the chords of all cells, shape (rows, G) -> (rows, G + 1)."""
    new = np.concatenate([left, right[:, -1:]], axis=1)
    new[:, 1:] = np.maximum(new[:, 1:], right)
    new = np.maximum.accumulate(new[:, ::-1], axis=1)[:, ::-1]
    over = new > 1
    # probabilities: of the vertices above 1 only the last may stay there, so that the chord to its right holds
    shoulder = over & ~np.concatenate([over[:, 1:], np.zeros((len(over), 1), dtype=np.bool_)], axis=1)
    return np.where(over & ~shoulder, 1.0, new)
