"""The covered set of the grid theorem as an exact Markov chain on the subsets of a small window; the slow oracle of tests/proofs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Cells = frozenset[int]


def dilate(cells: Cells, k: int, low: int, size: int) -> Cells:
    """k more cells of the window, one at a time, each next to a covered one."""
    for _ in range(k):
        near = [z for z in range(low, low + size) if z not in cells and (z - 1 in cells or z + 1 in cells)]
        cells = cells | set(near[:1])
    return cells


def law_of_the_uncovered(N: int, e: int, k: int, steps: int) -> list[NDArray[np.float64]]:
    """After each of the steps, the probabilities of 0, 1, ..., N + 1 uncovered cells: an exact Markov chain on the subsets of the window."""
    size, low = N + 1, -(N // 2)
    full = (1 << size) - 1
    sets = np.arange(1 << size)

    def as_cells(s: int) -> Cells:
        return frozenset(low + i for i in range(size) if s >> i & 1)

    grown = np.array([sum(1 << (z - low) for z in dilate(as_cells(s), k, low, size)) for s in range(1 << size)])
    count = np.array([s.bit_count() for s in range(1 << size)])
    law = np.zeros(1 << size)
    law[sum(1 << i for i in range(size) if abs(low + i) <= e)] = 1.0
    out = []
    for _ in range(steps + 1):
        out.append(np.bincount(size - count, weights=law, minlength=size + 1))
        after = np.zeros_like(law)
        for x in range(-N, N + 1):
            moved = (grown << x) & full if x >= 0 else grown >> -x
            np.add.at(after, sets | moved, law / (2 * N + 1))
        law = after
    return out
