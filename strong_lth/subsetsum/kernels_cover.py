# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The set of covered targets, candidate by candidate, as a list of disjoint intervals in int64.

U_0 = [-r, r] and U_j = U_{j-1} u (U_{j-1} + [low_j, high_j]): after j candidates U_j holds exactly the targets that some subset of them,
moved, reaches within r. A component of U_j that is longer than 2r counts as one, so the lists stay short however many subsets there are.
"""

from __future__ import annotations

from strong_lth.jit import kernel
from strong_lth.subsetsum.kernels import all_sums, at, first_from, unite


@kernel
def unite_within(lo, hi, count, low, high, keep_low, keep_high, out_lo, out_hi):
    """Write U u (U + [low, high]) without the intervals outside [keep_low, keep_high]; return their number."""
    i = first_from(hi, 0, count, keep_low)
    j = first_from(hi, 0, count, keep_low - high)
    end_i = first_from(lo, 0, count, keep_high + 1)
    end_j = first_from(lo, 0, count, keep_high - low + 1)
    return unite(lo, hi, i, end_i, j, end_j, low, high, out_lo, out_hi)


@kernel
def cover(low, high, falls, rises, keep_low, keep_high, first, count, lo, hi, out_lo, out_hi):
    """Let the candidates from number ``first`` on enter, as long as the buffers hold the next level.

    falls[t] and rises[t] bound how far the candidates after t can still move a sum down and up: what they cannot bring back to
    [keep_low, keep_high] is dropped. Returns the next candidate, the number of intervals, and whether they lie in ``out_lo, out_hi``.
    """
    swapped = False
    for t in range(first, low.size):
        if 2 * count > out_lo.size:
            return t, count, swapped
        count = unite_within(lo, hi, count, low[t], high[t], keep_low - rises[t], keep_high - falls[t], out_lo, out_hi)
        lo, out_lo = out_lo, lo
        hi, out_hi = out_hi, hi
        swapped = not swapped
    return low.size, count, swapped


@kernel
def widest_gap(lo, hi, count, r, bottom, top):
    """Twice the largest distance from a target in [bottom, top] to U_n, and twice that target, from U_n widened by r; (-1, 0) if covered.

    The ends of a gap are ends of U_n once the r is taken off, and the farthest target is the middle of the gap, or the end of the
    window nearest to it.
    """
    best = -1
    at = 0
    for k in range(first_from(lo, 0, count, bottom + 1) - 1, count):
        if k >= 0 and hi[k] >= top:
            break
        below = k >= 0
        above = k + 1 < count
        if above and lo[k + 1] <= bottom:
            continue
        a = hi[k] - r if below else 0
        b = lo[k + 1] + r if above else 0
        if not above and not below:
            break
        if not above or (below and a + b > 2 * top):
            twice, where = 2 * (top - a), 2 * top
        elif not below or a + b < 2 * bottom:
            twice, where = 2 * (b - bottom), 2 * bottom
        else:
            twice, where = b - a, a + b
        if twice > best:
            best, at = twice, where
    return best, at


@kernel
def covered_by_next(lo, hi, count, low, high, bottom, top):
    """Whether U u (U + [low, high]) contains [bottom, top], without writing it; gives up at the first target left open."""
    i = first_from(hi, 0, count, bottom)
    j = first_from(hi, 0, count, bottom - high)
    right = bottom  # targets up to here are covered, this one perhaps not yet
    met = False
    while not met or right < top:
        known = right
        here = met
        while i < count and lo[at(i)] <= right:
            right = max(right, hi[at(i)])
            i += 1
            here = True
        while j < count and lo[at(j)] + low <= right:
            right = max(right, hi[at(j)] + high)
            j += 1
            here = True
        if not here or (met and right == known):
            return False
        met = True
    return True


@kernel
def widen(points, count, r, lo, hi):
    """The union of [p - r, p + r] over ascending points p; returns the number of its intervals."""
    k = 0
    right = points[0] + r
    lo[0] = points[0] - r
    for c in range(1, count):
        left = points[c] - r
        hi[k] = right
        if left > right:
            k += 1
            lo[k] = left
        right = left + 2 * r
    hi[k] = right
    return k + 1


@kernel
def hit_rows(x, reach, r, bottom, top, free, rows, lo, hi, out_lo, out_hi, times):
    """The least number of candidates of each of the given rows that covers [bottom, top], into ``times``; -1 where all do not.

    x: (B, n) candidates, each of which may move by ``reach``; two targets are covered together when they lie within r of one sum.
    ``free``: so many candidates can never cover, and nothing moves: their sums need no merging. Returns the position in ``rows`` of the
    first row whose intervals outgrow the buffers, or the number of rows.
    """
    n = x.shape[1]
    for place in range(rows.size):
        t = rows[place]
        a_lo, a_hi, b_lo, b_hi = lo, hi, out_lo, out_hi
        a_lo[0] = -r
        a_hi[0] = r
        count = 1
        if free > 0:
            if all_sums(x[t], free, b_lo, b_hi):
                b_lo, b_hi = b_hi, b_lo
            count = widen(b_lo, 1 << free, r, a_lo, a_hi)
        times[t] = -1
        for c in range(free, n):
            low = x[t, c] - reach
            high = x[t, c] + reach
            if covered_by_next(a_lo, a_hi, count, low, high, bottom, top):
                times[t] = c + 1
                break
            if c + 1 < n:
                if 2 * count > b_lo.size:
                    return place
                count = unite(a_lo, a_hi, 0, count, 0, count, low, high, b_lo, b_hi)
                a_lo, b_lo = b_lo, a_lo
                a_hi, b_hi = b_hi, a_hi
    return rows.size
