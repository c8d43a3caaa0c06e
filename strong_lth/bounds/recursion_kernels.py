# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""One step of the recursion of ``rss_recursion``, in the very integers of proofs/theories/Recursion.v, compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from strong_lth.jit import kernel

Ints = NDArray[np.int64]


@kernel
def next_table(parts: int, counts: Ints, values: Ints, new: Ints) -> None:
    """``new`` = the values with one candidate more (Coq: ``next_table G``).

    Entry i bounds P(fail) for covered counts in [counts[i], counts[i + 1]). For each entry the upper hull of the corners
    (counts[j + 1] - counts[i], values[j]), cut at T, proposes a slope w; c is the least number for which c - w x lies above all corners, and c - w T (1 - T / parts) / 2
    is the new value, rounded up. Values stay below 2^63 while 4 * scale * parts and parts^2 do.
    """
    size = counts.size
    xs, ys = np.empty(size, np.int64), np.empty(size, np.int64)
    hull = np.empty(size, np.int64)
    head = np.int64(0)
    for i in range(size - 1, -1, -1):
        value = values[i]
        room = min(counts[i], parts - counts[i + 1]) if i + 1 < size else np.int64(0)
        if room > 0:
            corners = _corners(counts, values, i, room, xs, ys)
            mean = room * (parts - room)  # over 2 parts: the least mean of min(gain, room)
            w = max(np.int64(0), _slope(xs, ys, hull, corners, mean, 2 * parts))
            c = np.int64(0)
            for j in range(corners):
                c = max(c, ys[j] + w * xs[j])
            value = min(value, -((w * mean - 2 * parts * c) // (2 * parts)))
        head = max(value, head)
        new[i] = head


@kernel
def _corners(counts: Ints, values: Ints, i: int, room: int, xs: Ints, ys: Ints) -> int:
    """Corners of the step function seen from entry i (Coq: ``points``); returns how many."""
    found = 0
    for j in range(i, counts.size):
        last = j + 1 == counts.size or room <= counts[j + 1] - counts[i]
        xs[found], ys[found] = room if last else counts[j + 1] - counts[i], values[j]
        found += 1
        if last:
            break
    return found


@kernel
def _slope(xs: Ints, ys: Ints, hull: Ints, corners: int, top: int, bottom: int) -> Any:
    """The slope of the upper hull at abscissa top / bottom, negated and rounded down (Coq: ``slope`` of ``hull``)."""
    size = 0
    for r in range(corners):
        while size >= 2:
            p, q = hull[size - 2], hull[size - 1]
            if (xs[q] - xs[p]) * (ys[r] - ys[p]) - (xs[r] - xs[p]) * (ys[q] - ys[p]) < 0:
                break
            size -= 1
        hull[size] = r
        size += 1
    for k in range(size - 2, -1, -1):
        p, q = hull[k], hull[k + 1]
        if xs[p] * bottom <= top:
            return (ys[p] - ys[q]) // max(np.int64(1), xs[q] - xs[p])
    return np.int64(0)
