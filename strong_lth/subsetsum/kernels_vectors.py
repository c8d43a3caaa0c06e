# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Sums of vectors in int64: all sums of a half, and the pair nearest to a target in the sup norm."""

from __future__ import annotations

from strong_lth.jit import kernel
from strong_lth.subsetsum.kernels import FAR


@kernel
def vector_sums(x, reach, sums, reaches, sizes):
    """All 2^h sums of the rows of x (h, d), what each may move, and how many rows it keeps, in the order of the masks."""
    sums[0] = 0
    reaches[0] = 0
    sizes[0] = 0
    for t in range(x.shape[0]):
        m = 1 << t
        for k in range(m):
            for q in range(x.shape[1]):
                sums[m + k, q] = sums[k, q] + x[t, q]
            reaches[m + k] = reaches[k] + reach[t]
            sizes[m + k] = sizes[k] + 1


@kernel
def scan(left, reach_left, size_left, right, reach_right, size_right, z, size, slack):
    """The pair with the least max(0, |left + right - z|_inf - reaches), ``size`` rows in all (-1: any): distance and positions.

    ``right`` ascends in its first coordinate, so only a window of it can beat the best pair known; ``slack`` is the largest reach there.
    """
    best = FAR >> 2
    at_left = -1
    at_right = -1
    for i in range(left.shape[0]):
        near = best + reach_left[i] + slack
        t = z[0] - left[i, 0]
        low, high = 0, right.shape[0]
        while low < high:
            mid = (low + high) >> 1
            if right[mid, 0] < t - near:
                low = mid + 1
            else:
                high = mid
        j = low
        while j < right.shape[0] and right[j, 0] - t < near:
            if size < 0 or size_left[i] + size_right[j] == size:
                reach = reach_left[i] + reach_right[j]
                distance = 0
                q = 0
                while q < z.size and distance < best:
                    distance = max(distance, abs(right[j, q] + left[i, q] - z[q]) - reach)
                    q += 1
                if distance < best:
                    best, at_left, at_right = distance, i, j
                    near = best + reach_left[i] + slack
                    if best == 0:
                        return best, at_left, at_right
            j += 1
    return best, at_left, at_right
