"""Meet in the middle in pure numpy, with fixed size and with signs; also the second opinion on the compiled engines.

Lists of disjoint intervals, one per number of kept candidates where that matters. No levels are stored: a point of a half's list is
traced to its subset by solving the half again with the point as target.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from strong_lth.subsetsum.fixedpoint import Ints

Intervals = tuple[Ints, Ints]


def union(*parts: Intervals) -> Intervals:
    """The union of sets of intervals, as disjoint intervals in ascending order.

    >>> union((np.array([0, 5]), np.array([2, 6])), (np.array([1]), np.array([4])))
    (array([0, 5]), array([4, 6]))
    """
    lo = np.concatenate([part[0] for part in parts])
    hi = np.concatenate([part[1] for part in parts])
    order = np.argsort(lo, kind="stable")
    lo, hi = lo[order], np.maximum.accumulate(hi[order])
    begins = np.flatnonzero(np.concatenate([[True], lo[1:] > hi[:-1]]))
    return lo[begins], hi[np.append(begins[1:], len(lo)) - 1]


def reachable(low: Ints, high: Ints, sized: bool, signed: bool) -> list[Intervals]:
    """Every sum of kept candidates, candidate i from [low_i, high_i] (or its negative): one set, or one per number kept.

    >>> reachable(np.array([4, 8]), np.array([5, 8]), sized=True, signed=False)[1]
    (array([4, 8]), array([5, 8]))
    """
    zero = np.zeros(1, np.int64)
    classes: list[Intervals] = [(zero, zero)]
    for a, b in zip(low.tolist(), high.tolist(), strict=True):
        moved = [[(lo + a, hi + b)] + ([(lo - b, hi - a)] if signed else []) for lo, hi in classes]
        if sized:
            classes = [
                union(*([classes[c]] if c < len(classes) else []), *(moved[c - 1] if c else []))
                for c in range(len(classes) + 1)
            ]
        else:
            classes = [union(classes[0], *moved[0])]
    return classes


def nearest_pair(a: Intervals, b: Intervals, bottom: int, top: int) -> tuple[int, int, int]:
    """Distance from [bottom, top] to the nearest sum of an interval of a and one of b (0: met), and a point in each that attains it."""
    (lo_a, hi_a), (lo_b, hi_b) = a, b
    after = np.searchsorted(hi_b, bottom - hi_a)  # the first b that does not fall short of the window
    far = np.iinfo(np.int64).max
    above = np.where(after < len(lo_b), lo_a + lo_b[np.minimum(after, len(lo_b) - 1)] - top, far)
    below = np.where(after > 0, bottom - hi_a - hi_b[np.maximum(after - 1, 0)], far)
    gap = np.minimum(np.maximum(above, 0), below)
    i = int(np.argmin(gap))
    if below[i] < max(above[i], 0):
        return int(gap[i]), int(hi_a[i]), int(hi_b[after[i] - 1])
    j = int(after[i])
    y_b = int(min(max(bottom - int(lo_a[i]), int(lo_b[j])), int(hi_b[j])))
    y_a = int(min(max(bottom - y_b, int(lo_a[i])), int(hi_a[i])))
    return int(gap[i]), y_a, y_b


def search_sizes(
    low: Ints, high: Ints, bottom: int, top: int, sizes: range | None, signed: bool
) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """For each size in turn (None: any size at once): the distance to [bottom, top] of the nearest subset, and its signs (n,)."""
    n, half = len(low), len(low) // 2
    if n <= 1:
        yield from _at_most_one(low, high, bottom, top, sizes, signed)
        return
    sized = sizes is not None
    a = reachable(low[:half], high[:half], sized, signed)
    b = reachable(low[half:], high[half:], sized, signed)
    for size in (0,) if sizes is None else sizes:
        pairs = ((c, size - c) for c in range(max(0, size - len(b) + 1), min(size, len(a) - 1) + 1))
        options = [(*nearest_pair(a[c], b[d], bottom, top), c, d) for c, d in pairs]
        gap, y_a, y_b, c, d = min(options)
        _, left = next(search_sizes(low[:half], high[:half], y_a, y_a, range(c, c + 1) if sized else None, signed))
        _, right = next(search_sizes(low[half:], high[half:], y_b, y_b, range(d, d + 1) if sized else None, signed))
        yield gap, np.concatenate([left, right])


def _at_most_one(
    low: Ints, high: Ints, bottom: int, top: int, sizes: range | None, signed: bool
) -> Iterator[tuple[int, NDArray[np.int8]]]:
    """``search_sizes`` for one candidate or none."""
    options = [(max(bottom, -top, 0), 0)]
    for a, b in zip(low.tolist(), high.tolist(), strict=True):
        options.append((max(bottom - b, a - top, 0), 1))
        if signed:
            options.append((max(bottom + a, -b - top, 0), -1))
    for size in (None,) if sizes is None else sizes:
        gap, sign = min((o for o in options if size is None or abs(o[1]) == size), key=lambda option: option[0])
        yield gap, np.full(len(low), sign, np.int8)


def list_entries(n: int, signed: bool) -> int:
    """Most intervals held at once by ``search_sizes``."""
    return int(2 * (3 if signed else 2) ** ((n + 1) // 2))
