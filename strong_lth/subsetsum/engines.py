"""The compiled engines on fixed-point rows: how much memory each may use, and what its answer proves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats
from strong_lth.subsetsum.fixedpoint import GUARD, Grid, Ints, place, to_grid, window

BUDGET = 1 << 24  # list entries of 16 bytes each: 256 MiB
WHOLE = 44  # up to here, two lists of all subsets of the halves fit the default budget
LONGEST = 1 << 20  # beyond, the longest list: 40 candidates when nothing collapses

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Rows:
    """Problems in fixed point: candidates (G, n) with G = 1 when shared; target, tol, placed target and tolerance window, each (B,)."""

    candidates: Floats
    grid: Grid
    target: Floats
    tol: Floats
    spot: Ints
    bottom: Ints
    top: Ints
    budget: int

    @property
    def n(self) -> int:
        """Candidates per row."""
        return int(self.candidates.shape[1])

    def inner(self) -> tuple[Ints, Ints]:
        """Windows no grid sum meets unless the true one lies within tol."""
        return self.bottom + self.grid.loss, self.top - self.grid.loss

    def outer(self) -> tuple[Ints, Ints]:
        """Windows every grid sum meets whose true one lies within tol: wider by the loss, and by the rounding of the window itself."""
        slack = np.where(self.grid.loss > 0, self.grid.loss + GUARD, 0)
        return self.bottom - slack, self.top + slack

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: NDArray[np.intp]) -> Rows:
        """Some of the rows."""
        candidates = self.candidates if len(self.candidates) == 1 else self.candidates[index]
        parts = {name: getattr(self, name)[index] for name in ("target", "tol", "spot", "bottom", "top")}
        return replace(self, candidates=candidates, grid=self.grid.take(index), **parts)


def make_rows(
    candidates: Floats,
    perturbation: Floats,
    target: Floats,
    tol: Floats,
    budget: int = BUDGET,
    grid: Grid | None = None,
) -> Rows:
    """Put problems into fixed point; ``grid`` if that of the candidates is known already."""
    grid = to_grid(candidates, perturbation) if grid is None else grid
    return Rows(candidates, grid, target, tol, place(target, grid.q), *window(target, tol, grid.q), budget)


def buffer_entries(n: int, movable: bool, budget: int) -> tuple[int, int]:
    """Buffer length and longest list of each of the two halves.

    Each candidate doubles at most the shorter list, so all levels of one list hold fewer than 8 2^(n/2) intervals.
    """
    if n <= WHOLE:
        return min(8 << ((n + 1) // 2), budget // 2), 1 << (WHOLE // 2)
    return budget // 4 if movable else min(2 * LONGEST, budget // 2), LONGEST


def search_lists(rows: Rows, bottom: Ints, top: Ints, *, early: bool) -> tuple[Bools, Bools, Ints]:
    """Subsets meeting [bottom, top], or nearest to it: keep (B, n), hit (B,), candidates looked at (B,).

    ``early``: stop at the least prefix of the candidates that holds a hit.
    """
    from strong_lth.subsetsum.kernels import search_rows

    entries, longest = buffer_entries(rows.n, rows.grid.movable, rows.budget)
    keep = np.zeros((len(rows), rows.n), np.bool_)
    gap, used = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    low = np.ascontiguousarray(rows.grid.low)
    high = np.ascontiguousarray(rows.grid.high)
    search_rows(low, high, bottom, top, early, entries, longest, not rows.grid.movable, keep, gap, used)
    return keep, gap <= 0, used


def small_half(n: int, budget: int) -> int:
    """The largest a for which lists of all a-subsets of all n candidates are worth making, within the budget."""
    packed = 63 if n <= 63 else 63 // (n - 1).bit_length()
    most = min((n + 1) // 2, packed)
    a = 1
    while a < most and sum(comb(n, c) for c in range(a + 2)) + comb(n, a + 1) <= budget:
        if n <= WHOLE and comb(n, a + 1) * n.bit_length() > 4 << ((n + 1) // 2):
            break
        a += 1
    return a


def fewest_entries(n: int, budget: int) -> tuple[int, int]:
    """Buffer length and longest list for ``small_half``."""
    half = small_half(n, budget)
    return sum(comb(n, a) for a in range(half + 1)), comb(n, half)


def search_fewest(rows: Rows, bottom: Ints, top: Ints) -> tuple[Bools, Ints, Bools]:
    """Fewest kept candidates meeting [bottom, top]: keep (B, n), size (B,) or -1, decided (B,).

    decided and size -1: no subset does. Not decided: keep holds the best subset known.
    """
    from strong_lth.subsetsum.kernels_fewest import halves_rows, small_rows

    n, half = rows.n, small_half(rows.n, rows.budget)
    bits = 0 if n <= 63 else (n - 1).bit_length()
    low = np.ascontiguousarray(rows.grid.low)
    high = np.ascontiguousarray(rows.grid.high)
    keep = np.zeros((len(rows), n), np.bool_)
    size = np.empty(len(rows), np.int64)
    small_rows(low, high, bottom, top, bits, half, *fewest_entries(n, rows.budget), keep, size)
    decided = (size >= 0) | (2 * half >= n)
    rest = np.flatnonzero(~decided)
    if rest.size:
        part = rows.take(rest)
        known, hit, used = search_lists(part, bottom[rest], top[rest], early=True)
        keep[rest] = known
        decided[rest] = ~hit & (used == n)
        rest = rest[hit]
    if rest.size and n <= WHOLE and 4 << ((n + 1) // 2) <= rows.budget:
        part = rows.take(rest)
        most = np.count_nonzero(keep[rest], axis=1)
        found = np.zeros((rest.size, n), np.bool_)
        found_size = np.empty(rest.size, np.int64)
        low, high = np.ascontiguousarray(part.grid.low), np.ascontiguousarray(part.grid.high)
        halves_rows(low, high, bottom[rest], top[rest], 2 * half + 1, most, found, found_size)
        keep[rest], size[rest], decided[rest] = found, found_size, True
    return keep, size, decided
