"""The compiled engines on fixed-point rows: how much memory each may use, and what its answer proves."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import comb, isqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import Floats, InputError
from strong_lth.subsetsum.fixedpoint import GUARD, Grid, Ints, place, to_grid, window
from strong_lth.subsetsum.threads import thread_count
from strong_lth.subsetsum.windows import MOST, nearest_of_many

BUDGET = 1 << 24  # list entries of 16 bytes each: 256 MiB
PREFIX = 24  # candidates among which any subset within tol is looked for before all of them
WHOLE = 44  # up to here, two lists of all subsets of the halves fit the default budget
LONGEST = 1 << 20  # beyond, the longest list: 40 candidates when nothing collapses

Bools = NDArray[np.bool_]
Signs = NDArray[Any]  # which are kept: bool, or int8 -1, 0, 1 where rows are signed


@dataclass(frozen=True)
class Rows:
    """Problems in fixed point: candidates (G, n) with G = 1 when shared; target, tol and placed target, each (B,)."""

    candidates: Floats
    grid: Grid
    target: Floats
    tol: Floats
    spot: Ints
    budget: int
    size: int | None = None
    signed: bool = False
    device: str = "cpu"

    @property
    def n(self) -> int:
        """Candidates per row."""
        return int(self.candidates.shape[1])

    @property
    def classed(self) -> bool:
        """Whether the number kept is fixed or signs are free."""
        return self.size is not None or self.signed

    @cached_property
    def window(self) -> tuple[Ints, Ints]:
        """The tolerance windows, each (B,)."""
        return window(self.target, self.tol, self.grid.q)

    def inner(self) -> tuple[Ints, Ints]:
        """Windows no grid sum meets unless the true one lies within tol."""
        bottom, top = self.window
        return bottom + self.grid.loss, top - self.grid.loss

    def outer(self) -> tuple[Ints, Ints]:
        """Windows every grid sum meets whose true one lies within tol: wider by the loss, and by the rounding of the window itself."""
        slack = np.where(self.grid.loss > 0, self.grid.loss + GUARD, 0)
        bottom, top = self.window
        return bottom - slack, top + slack

    def __len__(self) -> int:
        return len(self.target)

    def take(self, index: NDArray[np.intp]) -> Rows:
        """Some of the rows: distinct, ascending."""
        if len(index) == len(self):
            return self
        candidates = self.candidates if len(self.candidates) == 1 else self.candidates[index]
        parts = {name: getattr(self, name)[index] for name in ("target", "tol", "spot")}
        return replace(self, candidates=candidates, grid=self.grid.take(index), **parts)

    def prefix(self, count: int) -> Rows:
        """The same rows with their first candidates only."""
        return replace(self, candidates=self.candidates[:, :count], grid=self.grid.prefix(count))


def make_rows(
    candidates: Floats,
    perturbation: Floats,
    target: Floats,
    tol: Floats,
    budget: int = BUDGET,
    grid: Grid | None = None,
    size: int | None = None,
    signed: bool = False,
    device: str = "cpu",
    first: int = 0,
) -> Rows:
    """Put problems into fixed point; ``grid`` if that of the candidates is known already, ``first`` what messages call row 0."""
    grid = to_grid(candidates, perturbation, first) if grid is None else grid
    if np.abs(target).max(initial=0.0) >= 2.0**970:  # else no distance to a sum overflows
        with np.errstate(over="ignore"):
            farthest = np.abs(candidates).sum(axis=1) + perturbation.sum(axis=1) + np.abs(target)
        if not np.isfinite(farthest).all():
            row = int(np.argmin(np.isfinite(farthest)))
            raise InputError(
                "target",
                f"{float(target[row])!r}, whose distances overflow (row {first + row})",
                "scale the problem down",
            )
    return Rows(candidates, grid, target, tol, place(target, grid.q), budget, size, signed, device)


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


def search_with(rows: Rows, kept: int) -> tuple[Bools, bool]:
    """A subset of one row that keeps the given candidate and meets the target: keep (1, n), and whether there is one."""
    others = np.flatnonzero(np.arange(rows.n) != kept)
    grid, keep = rows.grid, np.zeros((1, rows.n), np.bool_)
    keep[0, kept] = True
    bottom, top = rows.spot - grid.high[:, kept], rows.spot - grid.low[:, kept]
    if not others.size:
        return keep, bool(bottom[0] <= 0 <= top[0])
    values, moves_low, moves_high = (part[:, others] for part in (grid.values, grid.moves_low, grid.moves_high))
    part = Grid(grid.q, values, moves_low, moves_high, grid.exact, grid.loss)
    rest = replace(rows, candidates=rows.candidates[:, others], grid=part)
    found, hit, _ = search_lists(rest, bottom, top, early=False)
    keep[0, others] = found[0]
    return keep, bool(hit[0])


def moves_of(rows: Rows, keep: Signs) -> Ints:
    """The best moves of given subsets, in units: ``exact.choose_moves``, compiled."""
    from strong_lth.subsetsum.kernels_moves import choose_rows

    moves = np.empty(keep.shape, np.int64)
    grid = rows.grid
    parts = (np.ascontiguousarray(part) for part in (grid.values, grid.moves_low, grid.moves_high))
    choose_rows(*parts, keep.view(np.int8), rows.spot, GUARD, moves)
    return moves


def search_any(rows: Rows, bottom: Ints, top: Ints) -> tuple[Signs, Bools, Ints]:
    """Some subset meeting [bottom, top]: keep (B, n), hit (B,), candidates looked at (B,)."""
    from strong_lth.subsetsum.kernels_nearest import any_rows

    n = rows.n
    if rows.classed:
        return _any_of_classes(rows, bottom, top)
    if rows.grid.movable or 2 << (min(n, PREFIX) + 1) // 2 > rows.budget:
        return search_lists(rows, bottom, top, early=True)
    keep, used = np.zeros((len(rows), n), np.bool_), np.empty(len(rows), np.int64)
    any_rows(np.ascontiguousarray(rows.grid.values), bottom, top, min(n, PREFIX), keep, used)
    hit = used >= 0
    used = np.where(hit, used, n)
    rest = np.flatnonzero(~hit) if n > PREFIX else np.empty(0, np.intp)
    if rest.size:
        keep[rest], hit[rest], used[rest] = search_lists(rows.take(rest), bottom[rest], top[rest], early=True)
    return keep, hit, used


def class_entries(n: int, size: int | None, signed: bool) -> int:
    """Most intervals in the levels of one of two lists of signed sums, or of sums by the number kept."""
    half = (n + 1) // 2
    ways = 2 if signed else 1
    levels: int = 0
    for c in range(min(half, half if size is None else size) + 1):
        levels += comb(half + 1, c + 1) * ways**c
        if levels > 1 << 60:  # more than any budget
            break
    return levels + (min(levels, int(3**half)) if signed else 0)


def search_classes(rows: Rows, bottom: Ints, top: Ints) -> tuple[Signs, Bools, Ints]:
    """``search_nearest`` for rows with a size or with signs: by the number kept where it is fixed."""
    size = np.full(len(rows), rows.n if rows.size is None else rows.size)
    return _by_number(rows, bottom, top, 0 if rows.size is None else rows.size, size, sized=rows.size is not None)


def _by_number(
    rows: Rows, bottom: Ints, top: Ints, first: int, last: Ints, *, sized: bool = True
) -> tuple[Signs, Bools, Ints]:
    """The fewest kept in first .. last (B,) that meet [bottom, top], or the nearest: keep (B, n), hit (B,), candidates looked at (B,)."""
    from strong_lth.subsetsum.kernels_classes import search_classes as search

    n, points = rows.n, not rows.grid.movable
    need = class_entries(n, int(last.max(initial=0)) if sized else None, rows.signed)
    allowed = rows.budget // (1 if points else 2)
    distinct = points and need <= allowed
    entries = need if distinct else min(2 * need, allowed)  # lists whose sums merge need not grow in turn
    levels = n if n <= 64 else min(n, isqrt(entries) // 4)  # their classes are counted in a table of levels^2
    keep = np.zeros((len(rows), n), np.int8)
    gap, used = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    low, high = np.ascontiguousarray(rows.grid.low), np.ascontiguousarray(rows.grid.high)
    search(low, high, bottom, top, first, last, sized, rows.signed, entries, levels, points, distinct, keep, gap, used)
    return keep if rows.signed else keep.view(np.bool_), gap <= 0, used


def _any_of_classes(rows: Rows, bottom: Ints, top: Ints) -> tuple[Signs, Bools, Ints]:
    """``search_any`` for rows with a size or with signs: longer and longer prefixes of the candidates."""
    n = rows.n
    keep: Signs = np.zeros((len(rows), n), np.int8 if rows.signed else np.bool_)
    hit, used = np.zeros(len(rows), np.bool_), np.full(len(rows), n)
    count = min(n, max(4 if rows.signed else 8, rows.size or 0))
    while True:
        rest = np.flatnonzero(~hit)
        found, met, looked = search_classes(rows.take(rest).prefix(count), bottom[rest], top[rest])
        last = count == n or looked.min(initial=count) < count
        done = slice(None) if last else np.flatnonzero(met)
        keep[rest[done], :count], hit[rest[done]], used[rest[done]] = found[done], met[done], looked[done]
        if last or met.all():
            return keep, hit, used
        count = min(n, count + (3 if rows.signed else 4))


def nearest_engine(n: int, movable: bool, budget: int) -> str:
    """The engine that looks for the least error."""
    if movable:
        return "interval lists"
    if n <= 46 and 2 << ((n + 1) // 2) <= budget:
        return "meet in the middle" if n > 13 else "all sums"
    return "interval lists" if n <= WHOLE else "windows" if n <= MOST else "bracketing sub-problem"


def search_nearest(rows: Rows) -> tuple[Signs, Bools, Ints]:
    """The subset nearest to each target: keep (B, n), hit (B,), candidates whose subsets were all looked at (B,)."""
    from strong_lth.subsetsum.kernels_nearest import nearest_rows

    n = rows.n
    if rows.device != "cpu":
        from strong_lth.subsetsum.kernels_gpu import nearest

        keep, gap = nearest(rows.grid.values, rows.spot, rows.device)
        return keep, gap == 0, np.full(len(rows), n)
    if rows.classed:
        return search_classes(rows, rows.spot, rows.spot)
    if rows.grid.movable:
        return _search_movable(rows)
    engine = nearest_engine(n, False, rows.budget)
    if engine in ("all sums", "meet in the middle"):
        keep, gap = np.zeros((len(rows), n), np.bool_), np.empty(len(rows), np.int64)
        nearest_rows(np.ascontiguousarray(rows.grid.values), rows.spot, keep, gap)
        return keep, gap == 0, np.full(len(rows), n)
    lists = np.ones(len(rows), np.bool_) if engine != "windows" else _coarse(rows)
    keep, hit = np.zeros((len(rows), n), np.bool_), np.zeros(len(rows), np.bool_)
    used = np.zeros(len(rows), np.int64)
    _by_lists(rows, np.flatnonzero(lists), keep, hit, used)
    if engine == "interval lists":
        return keep, hit, used
    open_rows = ~hit & (used < n)
    if engine == "bracketing sub-problem":  # a subset within tol is enough
        sums = (keep * rows.grid.values).sum(axis=1)
        bottom, top = rows.inner()
        open_rows &= (sums < bottom) | (sums > top)
    for row in np.flatnonzero(open_rows):
        values = rows.grid.values[0 if len(rows.grid.values) == 1 else row]
        threads = thread_count(None) if len(rows) == 1 else 1
        found, distance, proved = nearest_of_many(values, int(rows.spot[row]), rows.budget, threads)
        if not (proved or lists[row]):
            _by_lists(rows, np.array([row]), keep, hit, used)
        if proved or distance < abs(int(values[keep[row]].sum()) - int(rows.spot[row])):
            keep[row], hit[row] = found, distance == 0
            used[row] = n if proved else used[row]
    return keep, hit, used


def _by_lists(rows: Rows, index: NDArray[np.intp], keep: Bools, hit: Bools, used: Ints, *, early: bool = False) -> None:
    """Answer some rows by lists whose equal sums are merged."""
    if index.size:
        part = rows.take(index)
        keep[index], hit[index], used[index] = search_lists(part, part.spot, part.spot, early=early)


def _coarse(rows: Rows) -> Bools:
    """Rows whose sums are multiples of so large a number that the lists of their halves merge, (B,)."""
    values = rows.grid.values
    common = np.bitwise_or.reduce(values, axis=1)
    sums = np.abs(values).sum(axis=1) // np.maximum(common & -common, 1)
    return np.array(np.broadcast_to(sums < LONGEST, len(rows)))


def _search_movable(rows: Rows) -> tuple[Bools, Bools, Ints]:
    """``search_nearest`` with moves: where so many intervals must overlap that a few candidates reach the target, those are tried first."""
    low, high = rows.grid.low, rows.grid.high
    least, most = np.minimum(low, 0).sum(axis=1), np.maximum(high, 0).sum(axis=1)
    dense = np.ldexp((high - low).sum(axis=1) / rows.n, min(rows.n - 6, 100)) > most - least
    first = np.flatnonzero(dense & (least < rows.spot) & (rows.spot < most))
    keep, hit = np.zeros((len(rows), rows.n), np.bool_), np.zeros(len(rows), np.bool_)
    used = np.empty(len(rows), np.int64)
    _by_lists(rows, first, keep, hit, used, early=True)
    _by_lists(rows, np.flatnonzero(~hit), keep, hit, used)
    return keep, hit, used


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


def search_fewest(rows: Rows, bottom: Ints, top: Ints) -> tuple[Signs, Ints, Bools]:
    """Fewest kept candidates meeting [bottom, top]: keep (B, n), size (B,) or -1, decided (B,).

    decided and size -1: no subset does. Not decided: keep holds the best subset known.
    """
    from strong_lth.subsetsum.kernels_fewest import small_rows

    if rows.signed:
        keep, hit, used = _by_number(rows, bottom, top, 0, np.full(len(rows), rows.n))
        decided = used == rows.n
        return keep, np.where(hit & decided, np.count_nonzero(keep, axis=1), -1), decided
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
    if rest.size and n <= WHOLE:
        most = np.count_nonzero(keep[rest], axis=1)
        found, met, looked = _by_number(rows.take(rest), bottom[rest], top[rest], 2 * half + 1, most)
        done = rest[looked == n]
        keep[done], decided[done] = found[looked == n], True
        size[done] = np.where(met, np.count_nonzero(found, axis=1), -1)[looked == n]
    return keep, size, decided
