"""What the processor allows: measured rates of single steps, and how many of them a task cannot do without.

A *step* is load, compare, advance: its latency, on data in the first-level cache. Four independent chains of steps keep a core busy. A *sum among all* is
subtract, absolute value, minimum in vector instructions. A *bit test* reads one bit of a map of 128 KiB at a random place. A *byte* is read or written by
numpy's copy, on arrays of the length that the task's lists have.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from strong_lth.jit import kernel
from strong_lth.subsetsum.lists import union


@kernel
def chain(table: Any, steps: int) -> int:
    """Follow a chain of dependent load, compare, advance steps."""
    i = 0
    for _ in range(steps):
        i = table[i] + (table[i] < 0)
    return i


@kernel
def every_sum(table: Any, rest: Any, best: Any) -> int:
    """Least |table - rest| over all pairs, in vector instructions."""
    for c in range(0, rest.size, 4):
        a, b, d, e = rest[c], rest[c + 1], rest[c + 2], rest[c + 3]
        for k in range(128):
            v = table[k]
            near = min(min(abs(v - a), abs(v - b)), min(abs(v - d), abs(v - e)))
            best[k] = min(best[k], near)
    return best[0]


@kernel
def bit_tests(cells: Any, at: Any) -> int:
    """How many of the places are marked."""
    found = 0
    for c in at:
        found += (cells[c >> 6] >> (c & 63)) & 1
    return found


def cpu(task: Callable[[], Any], repeats: int = 3) -> float:
    """Least CPU seconds of a few runs."""
    best = np.inf
    for _ in range(repeats):
        start = time.process_time()
        task()
        best = min(best, time.process_time() - start)
    return float(best)


class Limits:
    """Seconds per problem that the steps alone would take."""

    def __init__(self) -> None:
        rng = np.random.default_rng(0)
        ring = np.roll(np.arange(1024), -1)
        chain(ring, 10)
        self.step = cpu(lambda: chain(ring, 10**7)) / 10**7
        low, rest, best = (rng.integers(-(2**50), 2**50, size) for size in (128, 8192, 128))
        every_sum(low, rest, best)
        self.sum = cpu(lambda: [every_sum(low, rest, best) for _ in range(20)]) / (20 * 128 * 8192)
        cells, at = rng.integers(0, 2**62, 1 << 14), rng.integers(0, 1 << 20, 10**6)
        bit_tests(cells, at[:9])
        self.bit = cpu(lambda: bit_tests(cells, at)) / len(at)

    def nearest(self, n: int) -> float:
        """All sums, or two lists built and one staircase walked: 6 2^(n/2) steps, four at a time."""
        return min(self.sum * 2**n, 6 * 2 ** (n / 2) * self.step / 4)

    def windows(self, n: int) -> float:
        """Two times 2^(n/2) sums, each tested in a bit map once."""
        return 2 * 2 ** (n / 2) * self.bit

    def prefixes(self, needed: np.ndarray) -> float:
        """The nearest sum of the least prefix that has one within tol."""
        return float(np.mean([self.nearest(int(m)) for m in needed]))

    def intervals(self, lengths: Iterable[int]) -> float:
        """Union steps on lists of these lengths: 16 bytes read twice and up to 32 written per interval."""
        lengths = list(lengths)
        total, longest = sum(lengths), max(max(lengths), 512)
        source, sink = np.zeros(2 * longest, np.int64), np.empty(2 * longest, np.int64)
        rounds = max(1, 10**6 // longest)
        copied = cpu(lambda: [np.copyto(sink, source) for _ in range(rounds)], 5) / rounds
        return 64 * total * copied / (2 * source.nbytes)


def union_lengths(
    x: np.ndarray, r: float, reach: float, window: tuple[float, float] | None, margin: float
) -> list[int]:
    """Lengths of the lists of intervals, candidate by candidate: until [window] is covered, within ``margin`` of what can come back to it."""
    unit = 2.0**-45
    values = np.rint(x / unit).astype(np.int64)
    e, r_units = round(reach / unit), round(r / unit)
    lo, hi = np.array([-r_units]), np.array([r_units])
    ends = None if window is None else [round(end / unit) for end in window]
    lengths = []
    for k, v in enumerate(values):
        lengths.append(len(lo))
        lo, hi = union((lo, hi), (lo + v - e, hi + v + e))
        if ends is not None:
            rest = np.abs(values[k + 1 :]).sum() + round(margin / unit)
            near = (hi >= ends[0] - rest) & (lo <= ends[1] + rest)
            lo, hi = lo[near], hi[near]
            if margin == 0 and ((lo <= ends[0]) & (hi >= ends[1])).any():
                break
    return lengths
