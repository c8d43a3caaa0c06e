"""Value functions of the martingale programme, computed once per setting and extended on demand: one chain, and stages that restart it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np

from strong_lth.bounds.envelope import ROUNDING, Grid, Ints, grid, join, lines
from strong_lth.core import Floats

LEAST = 1e-9  # smaller allowances are not tabulated
_STEPS_PER_OCTAVE = 16
_STEP, _STAGE_STEP = 0.02, 0.08  # of the grids, in ln(p / (1 - p))
_LARGEST = 0.3  # a stage restarted from more may shrink first
_OCTAVES = 4.5  # a stage that has grown by that much restarts


def rung(allowance: float) -> float:
    """The largest 2^(j / 16), less a relative 1e-9, that is at most ``allowance``: keeps bounds monotone, and lets nearby questions share tables.

    >>> rung(0.01) <= 0.01 < rung(0.0105)
    True
    """
    return float(2.0 ** (math.floor(math.log2(allowance) * _STEPS_PER_OCTAVE + 1e-9) / _STEPS_PER_OCTAVE) * (1 - 1e-9))


class Values(Protocol):
    """Bounds of P(fail) from any covered length, with k candidates left."""

    def worst(self, k: int, length: Floats) -> Floats: ...


@dataclass
class Chain:
    """V_0, V_1, ... of one chain that stops when less than the gap is uncovered; slopes of the lines that prove them."""

    grid: Grid
    values: list[Floats]
    slopes: list[Floats] = field(default_factory=list)

    def value(self, k: int) -> Floats:
        """V_k on the vertices."""
        cells = np.arange(self.grid.y.size - 1)
        while len(self.values) <= k:
            left, right, slope = lines(self.grid, self.values[-1][None], np.zeros(1), np.zeros_like(cells), cells)
            self.values.append(join(left[None], right[None])[0])
            self.slopes.append(slope)
        return self.values[k]

    def worst(self, k: int, length: Floats) -> Floats:
        """V_k, 1 left of the grid."""
        found = np.interp(length, self.grid.y, self.value(k)) * ROUNDING
        return np.where(length < self.grid.y[0], 1.0, np.minimum(found, 1.0))

    def bound(self, n: int, start: float) -> float:
        """The least P(fail) from ``start`` with at most n candidates."""
        return min(float(self.worst(k, np.array(start))) for k in range(n + 1))


@dataclass
class Stage:
    """One level: from a start set of length u the chain grows until it restarts, without u, on the next level (``below``)."""

    grid: Grid
    starts: Ints  # vertices u from which the stage may begin
    below: Values
    value: Floats | None = None  # V^i_k(a; u) for the last k, shape (starts, vertices)
    reached: list[Floats] = field(default_factory=list)  # V^i_k(u; u), shape (starts,), by shrinking nonincreasing
    slopes: list[Floats] = field(
        default_factory=list
    )  # of a single start, shape (cells,); nan where the stage restarts

    def advance(self) -> None:
        """V^i_k for the next k."""
        y, k, last = self.grid.y, len(self.reached), self.value
        length = (y[None, :-1] - y[self.starts][:, None]) * (1 - 1e-13)
        left = np.where(length > 0, self.below.worst(k, np.maximum(length, 0.0)), 1.0)
        left[length < 0] = 0.0  # the covered set contains the start set
        right, slope = left.copy(), np.full(left.shape, np.nan)
        if last is not None:
            reach = math.ceil(_OCTAVES * math.log(2) / _STAGE_STEP)
            cells = self.starts[:, None] + np.arange(reach)
            rows, column = np.nonzero(cells < y.size - 1)
            cells = cells[rows, column]
            found = lines(self.grid, last, last[:, -1], rows, cells)
            better = found[0] + found[1] < 2 * left[rows, cells]
            at = rows[better], cells[better]
            left[at], right[at], slope[at] = (part[better] for part in found)
        self.value = join(np.minimum(left, 2.0), np.minimum(right, 2.0))
        if self.starts.size == 1:
            self.slopes.append(slope[0])
        begun = np.minimum(self.value[np.arange(self.starts.size), self.starts], 1.0)
        self.reached.append(np.minimum.accumulate(begun))

    def worst(self, k: int, length: Floats) -> Floats:
        """V^i_k from the longest listed start that is not longer."""
        while len(self.reached) <= k:
            self.advance()
        at = np.searchsorted(self.grid.y[self.starts], length, side="right") - 1
        return np.where(at < 0, 1.0, self.reached[k][np.maximum(at, 0)])

    def bound(self, n: int, start: float) -> float:
        """The least P(fail) from ``start`` with at most n candidates."""
        return min(float(self.worst(k, np.array(start))) for k in range(n + 1))


@lru_cache(maxsize=128)
def chain(density: float, start: float, gap: float, widened: float) -> Chain:
    """The chain from ``start`` on; ``widened``: the part k of the perturbation spent per candidate."""
    found = grid(start, gap, density, widened, _STEP)
    return Chain(found, [np.ones(found.y.size)])


@lru_cache(maxsize=128)
def stages(density: float, start: float, gap: float, levels: int) -> Chain | Stage:
    """``levels`` stages before a chain, the first of them from ``start``; none: the chain of ``rss_drift``, which is tabulated once for both."""
    below: Chain | Stage = chain(density, gap / 2 if levels else start, gap, 0.0)
    for level in range(levels):
        first = level == levels - 1
        found = grid(start if first else gap, gap, density, 0.0, _STAGE_STEP)
        starts = np.zeros(1, np.int64) if first else np.flatnonzero(found.y <= _LARGEST)
        below = Stage(found, starts, below)
    return below
