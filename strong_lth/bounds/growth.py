"""The growth programme behind Theorems H and E: worst-case failure as a function of the covered length, one candidate at a time.

A covered set of length a inside a window of length L grows by a random D with E min(D, t) >= h(t) for t <= min(a, L - a) (``unimodal.gain``). With
survival probability q(a), the value function obeys, for every convex nonincreasing g = c + sum_j w_j (y_j - y)_+ above V_k,

    V_(k+1)(a) <= Phi_g(a) = c q(a) + sum_j w_j r(y_j - a),    r(t) = rho(min(t, u)) + (t - u)_+ q(a),    rho(t) = t - h(t),

for every u <= min(a, L - a) (q = 1: Theorem H; Lemma 7 of Theorem E otherwise). On a cell of the grid with linear nonincreasing q and
rho'(u) <= q, Phi_g is convex in a (proofs/docs/rss-survival.md), so its two end values bound it by a chord: value functions are kept as
piecewise linear upper bounds and the grid costs only a second-order error.

Every term of Phi_g is non-negative and every sum has fewer than 2000 terms, so double precision is off by less than a relative 1e-12;
each step is enlarged by 1 + 1e-11.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from strong_lth.core import Floats

Ints = npt.NDArray[np.int64]
ROUNDING = 1 + 1e-11
_LIFTS = (2e-5, 1e-3, 1e-2, 5e-2)  # by how much a tail may be raised to make it convex
_WIDEST = 0.16  # of a cell in ln(a / (L - a)): wider ones make the chords too coarse
_EXACT = 2.0**40  # grid points are multiples of 1 / this, so their differences are exact


@dataclass(frozen=True)
class Grid:
    """Vertices y_0 < ... < y_G = L; the value function may jump to zero right after vertex ``last``."""

    y: Floats
    last: int


@dataclass(frozen=True)
class Programme:
    """Grid, survival probabilities and increments of r at the left and right end of every cell."""

    grid: Grid
    survive: tuple[Floats, Floats]  # q at the left, right end of each cell
    split: tuple[Floats, Floats]  # u at the left, right end of each cell
    rise: tuple[Floats, Floats]  # r(y_(j+1) - a) - r(y_j - a), shape (cells, cells)
    reach: tuple[Floats, Floats]  # their sums from the left, shape (cells, vertices)


@dataclass(frozen=True)
class Choice:
    """For each cell the g that was used: zero of its rightmost line (a vertex, or -1: constant), vertex left of which it is a line, its tail.

    ``start`` = -1 marks the constant g = V(left end); ``tail`` is an index into the functions that ``advance`` returns.
    """

    zero: Ints
    start: Ints
    tail: Ints


def grid(start: float, length: float, stop: float, cells: int, *, jump: bool) -> Grid:
    """At least ``cells`` cells, more where the range is wide: vertices uniform in ln(a / (L - a)) from ``start`` to L - ``stop``, then L; with ``jump`` also a fan of vertices between the two.

    >>> grid(0.02, 2.0, 0.001, 4, jump=False).y.size
    79
    """
    ends = np.log(start / (length - start)), np.log((length - stop) / stop)
    cells = max(cells, math.ceil((ends[1] - ends[0]) / _WIDEST))
    odds = np.exp(np.linspace(*ends, cells + 1))
    y = length * odds / (1 + odds)
    y[0], y[-1] = start, length - stop
    fan = length - stop * np.geomspace(0.9, 0.02, 12) if jump else np.empty(0)
    after = np.array([y[-1] + 2.0**-30]) if jump else np.empty(0)
    y = np.ceil(np.concatenate([y, after, fan, [length]]) * _EXACT) / _EXACT
    y[0] = np.floor(start * _EXACT) / _EXACT
    return Grid(y, cells if jump else y.size - 1)


def programme(grid: Grid, survive: tuple[Floats, Floats], rho: Callable[[Floats], Floats], table: Floats) -> Programme:
    """Everything that does not change from step to step; ``table``: lengths t at which the slope of rho is compared with q."""
    y = grid.y
    slopes = np.diff(rho(table)) / np.diff(table)
    free = table[np.searchsorted(slopes, survive[1] * (1 - 1e-9), side="right")]
    room = np.minimum(y, y[-1] - y)
    split = np.minimum(free, room[:-1]), np.minimum(free, room[1:])
    rises = []
    for ends, q, u in zip((y[:-1], y[1:]), survive, split, strict=True):
        ahead = np.maximum(y[None, :] - ends[:, None], 0.0)
        r = rho(np.minimum(ahead, u[:, None])) + np.maximum(ahead - u[:, None], 0.0) * q[:, None]
        rises.append(np.maximum(np.diff(np.maximum.accumulate(r, axis=1), axis=1), 0.0))
    reach = [np.concatenate([np.zeros((y.size - 1, 1)), np.cumsum(rise, axis=1)], axis=1) for rise in rises]
    return Programme(grid, survive, split, (rises[0], rises[1]), (reach[0], reach[1]))


def advance(p: Programme, value: Floats) -> tuple[Floats, Choice, list[Floats]]:
    """(the value with one more candidate, the g of every cell, the functions above ``value`` from which those g were made)."""
    y, last = p.grid.y, p.grid.last
    constant = np.minimum(value[:-1], 1.0)
    left, right = p.survive[0] * constant, p.survive[1] * constant
    flat = right * (1 - 1e-9)
    choice = Choice(*(np.full(left.size, -1) for _ in range(3)))
    lifted = _convex_tails(y[: last + 1], value[: last + 1])
    above = [np.append(tail, value[last + 1 :]) for _, tail in lifted]
    for index, (first, _) in enumerate(lifted):
        for zero in (-1, *range(last + 2, y.size, 4)):
            found = _best_lines(p, value, _tail(p.grid, above[index], zero), first)
            better = (found[1] < flat) & ((choice.start < 0) | (found[0] + found[1] < left + right))
            left, right = np.where(better, found[0], left), np.where(better, found[1], right)
            news = zero, found[2], index
            olds = choice.zero, choice.start, choice.tail
            choice = Choice(*(np.where(better, new, old) for new, old in zip(news, olds, strict=True)))
    new = np.append(left, 0.0)
    new[1:] = np.maximum(new[1:], right)
    new[last + 1 :] *= last == y.size - 1  # beyond the jump nothing is missed
    new = np.maximum.accumulate((new * ROUNDING)[::-1])[::-1]
    over = np.flatnonzero(new > 1)
    new[: over[-1] if over.size else 0] = 1.0  # probabilities: only the vertex at the shoulder may lie above 1
    return new, choice, above


def _tail(grid: Grid, value: Floats, zero: int) -> Floats:
    """``value`` beyond its first convex vertex, continued to the right of the jump: by a line down to vertex ``zero``, or by a constant."""
    if grid.last == grid.y.size - 1:
        return value
    here = value[grid.last]
    slope = 0.0 if zero < 0 else here / (grid.y[zero] - grid.y[grid.last])
    line = np.maximum(here - slope * (grid.y - grid.y[grid.last]), 0.0)
    line[zero if zero >= 0 else line.size :] = 0.0
    return np.asarray(np.maximum(value, line), dtype=np.float64)


def _best_lines(p: Programme, value: Floats, tail: Floats, first: int) -> tuple[Floats, Floats, Ints]:
    """Phi_g at both ends of every cell for the best g that is ``tail`` right of a vertex and one line above ``value`` left of it."""
    y, rows = p.grid.y, np.arange(p.grid.y.size - 1)
    vertex = np.arange(first, y.size)
    slopes = np.maximum.accumulate((-np.diff(tail) / np.diff(y))[::-1])[::-1]
    distance = y[vertex] - y[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        steep = np.where(distance > 0, (value[:, None] - tail[vertex]) / distance, -np.inf)
    steep = np.maximum.accumulate(steep[::-1])[::-1][:-1]
    steep = np.maximum(steep, np.append(slopes, 0.0)[vertex])
    inside = vertex > rows[:, None]
    ends = []
    steep = np.where(inside, steep, 0.0)
    for q, rise, reach in zip(p.survive, p.rise, p.reach, strict=True):
        total = steep * reach[:, first:]
        total[:, :-1] += np.cumsum((rise[:, first:] * slopes[first:])[:, ::-1], axis=1)[:, ::-1]
        ends.append(tail[-1] * q[:, None] + total)
    # a vertex left of the cell means: the tail alone, where it starts early enough
    allowed = inside | (vertex == rows[:, None])
    best = np.argmin(np.where(allowed, ends[0] + ends[1], np.inf), axis=1)
    return ends[0][rows, best], ends[1][rows, best], vertex[best]


def _convex_tails(y: Floats, value: Floats) -> list[tuple[int, Floats]]:
    """(vertex, function above ``value`` that is convex right of that vertex), for larger and larger lifts that reach farther to the left."""
    found: list[tuple[int, Floats]] = []
    after = _next_on_hull(y, value)
    for lift in _LIFTS:
        low, high = 0, y.size - 1
        while low < high:
            middle = (low + high) // 2
            gap = _lifted(y, value, after, middle, lift)[0]
            low, high = (low, middle) if gap <= lift / 20 * value[0] else (middle + 1, high)
        if not found or low < found[-1][0] - 2:
            tail = value.copy()
            tail[low:] = np.maximum(tail[low:], _lifted(y, value, after, low, lift)[1])
            tail[:low] = np.maximum(tail[:low], tail[low])
            found.append((low, tail))
    return found


def _lifted(y: Floats, value: Floats, after: list[int], first: int, lift: float) -> tuple[float, Floats]:
    """(gap, function) for the lower hull of the points from ``first`` on, raised by the factor 1 + lift and the gap that is then left."""
    hull = [first]
    while after[hull[-1]] > hull[-1]:
        hull.append(after[hull[-1]])
    below = np.interp(y[first:], y[hull], value[hull]) * (1 + lift)
    gap = float(np.max(value[first:] - below, initial=0.0))
    return gap, below + gap


def _next_on_hull(y: Floats, value: Floats) -> list[int]:
    """For every vertex i the vertex after i on the lower hull of the points i, i + 1, ...; the last vertex names itself."""
    points = list(zip(y.tolist(), value.tolist(), strict=True))
    hull, after = [len(points) - 1], list(range(len(points)))
    for i in range(len(points) - 2, -1, -1):
        while len(hull) >= 2 and _above(points[i], points[hull[-1]], points[hull[-2]]):
            hull.pop()
        after[i] = hull[-1]
        hull.append(i)
    return after


def _above(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    return (b[1] - a[1]) * (c[0] - a[0]) >= (c[1] - a[1]) * (b[0] - a[0])
