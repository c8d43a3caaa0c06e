# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The least error of 47 to 60 candidates in memory of order 2^(n/4): Schroeppel and Shamir's four lists, one window of left sums at a time.

A left sum a + b meets a right value v = z - c - d when they are closer than the best distance known. Per window, the left sums set
bits of a map of cells that fits the second-level cache, and only right values that touch a set cell survive; two more rounds with cells
16 times finer leave few of both sides, which are sorted and swept. Source: Schroeppel and Shamir, SIAM J. Comput. 10 (1981) 456-464; the
bit maps are ours. Exact because (1) a cell is wider than twice the best distance, so that [v - best, v + best] touches at most the two cells that are
tested, and (2) right values up to ``best`` outside the window, on either side, join it untested.
"""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel

BITS = 20  # log2 of the cells of a map: 128 KiB
FINER = 4  # log2 of how much finer the second map is


@kernel
def below(values, limit):
    """How many of the ascending values are < limit."""
    low, high = 0, values.size
    while low < high:
        mid = (low + high) >> 1
        if values[mid] < limit:
            low = mid + 1
        else:
            high = mid
    return low


@kernel
def length_in_bits(value):
    """Bits of a nonnegative integer."""
    bits = 0
    while (value >> bits) > 0:
        bits += 1
    return bits


@kernel
def mark(cells, c):
    """Set bit c of a bit map."""
    cells[c >> 6] |= np.uint64(1) << np.uint64(c & 63)


@kernel
def marked(cells, c):
    """Bit c of a bit map, 0 or 1."""
    return np.int64((cells[c >> 6] >> np.uint64(c & 63)) & np.uint64(1))


@kernel
def search_windows(a, b, c, d, z, edges, first, last, best, enough, capacity):
    """The nearest pair of left sums in [edges[first], edges[last]) and right values, if nearer than ``best``.

    a, b, c, d: sorted sums of four quarters. Stops at a distance of ``enough``. Returns (distance, left sum, value of v, fits): where ``fits`` is
    False a window holds more than ``capacity`` numbers.
    """
    mask = (np.int64(1) << BITS) - 1
    left = np.empty(capacity, np.int64)
    right = np.empty(capacity, np.int64)
    cells = np.zeros(1 << (BITS - 6), np.uint64)
    at_b = np.empty(a.size, np.int64)
    at_d = np.empty(c.size, np.int64)
    lo = edges[first]
    for i in range(a.size):
        at_b[i] = below(b, lo - a[i])
    for i in range(c.size):
        at_d[i] = below(d, z - c[i] - lo + 1)
    best_left = np.int64(0)
    best_right = np.int64(0)
    for w in range(first, last):
        if best <= enough:
            break
        lo = edges[w]
        hi = edges[w + 1]
        least = length_in_bits(2 * best)
        shift = max(length_in_bits((hi - lo) >> BITS), least)
        fine = max(shift - FINER, least)
        cells[:] = 0
        n_left = 0
        for i in range(a.size):
            s = a[i]
            p = at_b[i]
            end = hi - s
            while p < b.size and b[p] < end:
                if n_left == capacity:
                    return best, best_left, best_right, False
                left[n_left] = s + b[p]
                mark(cells, (s + b[p] - lo) >> shift)
                n_left += 1
                p += 1
            at_b[i] = p
        n_right = 0
        for i in range(c.size):
            rest = z - c[i]
            p = at_d[i]
            q = p
            while q < d.size and rest - d[q] >= lo - best:
                if n_right == capacity:
                    return best, best_left, best_right, False
                right[n_right] = rest - d[q]
                n_right += 1
                q += 1
            while p > 0 and rest - d[p - 1] < hi:
                v = rest - d[p - 1]
                p -= 1
                if n_right == capacity:
                    return best, best_left, best_right, False
                right[n_right] = v
                n_right += marked(cells, max(v - best - lo, 0) >> shift) | marked(
                    cells, min((v + best - lo) >> shift, mask)
                )
            at_d[i] = p
            while p > 0 and rest - d[p - 1] <= hi + best:
                if n_right == capacity:
                    return best, best_left, best_right, False
                right[n_right] = rest - d[p - 1]
                n_right += 1
                p -= 1
        cells[:] = 0
        for k in range(n_right):
            mark(cells, ((right[k] - best) >> fine) & mask)
            mark(cells, ((right[k] + best) >> fine) & mask)
        kept = 0
        for k in range(n_left):
            left[kept] = left[k]
            kept += marked(cells, (left[k] >> fine) & mask)
        n_left = kept
        cells[:] = 0
        for k in range(n_left):
            mark(cells, (left[k] >> fine) & mask)
        kept = 0
        for k in range(n_right):
            v = right[k]
            right[kept] = v
            kept += marked(cells, ((v - best) >> fine) & mask) | marked(cells, ((v + best) >> fine) & mask)
        n_right = kept
        u = np.sort(left[:n_left])
        v_sorted = np.sort(right[:n_right])
        i = 0
        for k in range(n_right):
            v = v_sorted[k]
            while i < n_left and u[i] < v:
                i += 1
            if i < n_left and u[i] - v < best:
                best, best_left, best_right = u[i] - v, u[i], v
            if i > 0 and v - u[i - 1] < best:
                best, best_left, best_right = v - u[i - 1], u[i - 1], v
    return best, best_left, best_right, True
