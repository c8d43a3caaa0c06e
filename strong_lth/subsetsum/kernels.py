# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Meet in the middle on lists of disjoint intervals, in int64.

A *list* holds the union U_j of the intervals I_S over all subsets S of the first j candidates given to it, I_S being every sum
that S can take when each kept candidate moves inside its own interval [low, high]. The step
U_j = U_{j-1} u (U_{j-1} + [low_j, high_j]) appends level j behind level j-1 in the same buffer, so that a point of the last level
can be traced back to its subset. Without perturbation the intervals are points, and ``lo`` and ``hi`` are one array.
"""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel

at = (
    np.uint64
)  # of a position that is never negative: the compiler then drops the test for indices from the end, a fifth of a step
FAR = (1 << 63) - 1  # beyond every sum and every distance: sums stay below 2^60, windows within 2^61


@kernel
def put(out_lo, out_hi, k, right, left, r):
    """Append the interval [left, r], which begins no earlier than the last one, number k with right end ``right``."""
    if left > right:
        out_lo[at(k + 1)] = left
        out_hi[at(k + 1)] = r
        return k + 1, r
    if r > right:
        out_hi[at(k)] = r
        return k, r
    return k, right


@kernel
def unite(lo, hi, i, end_i, j, end_j, low, high, out_lo, out_hi):
    """Write the union of the intervals [i, end_i) and of [j, end_j) + [low, high]; return their number.

    The output may lie behind the input in the same arrays.
    """
    k = -1
    right = -FAR
    while i < end_i and j < end_j:
        u = lo[at(i)]
        v = lo[at(j)] + low
        if u <= v:
            left = u
            r = hi[at(i)]
            i += 1
        else:
            left = v
            r = hi[at(j)] + high
            j += 1
        if left > right:
            k += 1
            out_lo[at(k)] = left
            out_hi[at(k)] = r
            right = r
        elif r > right:
            out_hi[at(k)] = r
            right = r
    while i < end_i:
        k, right = put(out_lo, out_hi, k, right, lo[at(i)], hi[at(i)])
        i += 1
    while j < end_j:
        k, right = put(out_lo, out_hi, k, right, lo[at(j)] + low, hi[at(j)] + high)
        j += 1
    return k + 1


@kernel
def double(a, count, x, out):
    """The ``count`` ascending points of a, with and without x, ascending: two chains of steps, one from each end, free of branches.

    After k < count steps from an end each of the two runs has given at most k points, so no bound needs a test. ``out`` may lie
    behind the points in the same array.
    """
    down, up = min(x, 0), max(x, 0)
    i = j = 0
    p = q = count - 1
    top = 2 * count - 1
    for k in range(count):
        u = a[at(i)] + down
        v = a[at(j)] + up
        head = u <= v
        out[at(k)] = u if head else v
        i += head
        j += 1 - head
        r = a[at(p)] + down
        s = a[at(q)] + up
        last = s >= r
        out[at(top - k)] = s if last else r
        q -= last
        p -= 1 - last


@kernel
def all_sums(x, count, a, b):
    """All 2^count sums of the first candidates, ascending; True when they lie in ``b``."""
    a[0] = 0
    swapped = False
    for t in range(count):
        double(a, 1 << t, x[t], b)
        a, b = b, a
        swapped = not swapped
    return swapped


@kernel
def nearest_pair(lo_a, hi_a, start_a, count_a, lo_b, hi_b, start_b, count_b, bottom, top):
    """The pair of intervals whose sum lies nearest to [bottom, top]: (distance, position in a, position in b); 0 or less is a hit.

    A staircase walk from both ends at once: each look at a corner of the remaining rectangle of pairs removes the row or the
    column whose other pairs all lie farther away. Two independent walks hide each other's latency.
    """
    i = start_a
    p = start_a + count_a - 1
    j = start_b + count_b - 1
    q = start_b
    best = FAR
    at_a = i
    at_b = j
    while i <= p and q <= j:
        below = bottom - hi_a[i] - hi_b[j]
        above = lo_a[i] + lo_b[j] - top
        gap = max(below, above)
        if gap < best:
            best = gap
            at_a = i
            at_b = j
            if gap <= 0:
                break
        below_2 = bottom - hi_a[p] - hi_b[q]
        above_2 = lo_a[p] + lo_b[q] - top
        gap_2 = max(below_2, above_2)
        if gap_2 < best:
            best = gap_2
            at_a = p
            at_b = q
            if gap_2 <= 0:
                break
        step = below > 0
        i += step
        j -= 1 - step
        step_2 = below_2 > 0
        q += step_2
        p -= 1 - step_2
    return best, at_a, at_b


@kernel
def first_from(ends, a, b, value):
    """Position in [a, b) of the first of ascending ends that is >= value; b if there is none."""
    while a < b:
        mid = (a + b) >> 1
        if ends[mid] < value:
            a = mid + 1
        else:
            b = mid
    return a


@kernel
def trace(lo, hi, starts, members, level, point, low, high, keep):
    """Mark in ``keep`` the members of a subset whose interval contains ``point``, a point of ``level``."""
    while level > 0:
        first = starts[level - 1]
        end = starts[level]
        a = first_from(hi, first, end, point)
        level -= 1
        if a < end and lo[a] <= point:
            continue
        c = members[level]
        near = point - high[c]
        far = point - low[c]
        a = first_from(hi, first, end, near)
        point = min(max(near, lo[a]), min(far, hi[a]))
        keep[c] = True


@kernel
def points_of_pair(lo_a, hi_a, at_a, lo_b, hi_b, at_b, bottom):
    """A point in each of a pair of intervals found by ``nearest_pair`` whose sum lies nearest to the window."""
    if hi_a[at_a] + hi_b[at_b] < bottom:
        return hi_a[at_a], hi_b[at_b]
    y_b = min(max(bottom - lo_a[at_a], lo_b[at_b]), hi_b[at_b])
    return min(max(bottom - y_b, lo_a[at_a]), hi_a[at_a]), y_b


@kernel
def trace_pair(
    lo_a,
    hi_a,
    starts_a,
    members_a,
    level_a,
    at_a,
    lo_b,
    hi_b,
    starts_b,
    members_b,
    level_b,
    at_b,
    bottom,
    low,
    high,
    keep,
):
    """Recover the subset of a pair found by ``nearest_pair``."""
    y_a, y_b = points_of_pair(lo_a, hi_a, at_a, lo_b, hi_b, at_b, bottom)
    trace(lo_a, hi_a, starts_a, members_a, level_a, y_a, low, high, keep)
    trace(lo_b, hi_b, starts_b, members_b, level_b, y_b, low, high, keep)


@kernel
def enter(lo, hi, starts, members, level, candidate, low, high, longest, distinct):
    """Let a candidate into the list whose last level is ``level``; False when the buffer or ``longest`` would not hold the next."""
    start = starts[level]
    count = starts[level + 1] - start
    if starts[level + 1] + 2 * count > lo.size or 2 * count > longest:
        return False
    end = start + count
    if distinct:
        double(lo[start:], count, low, lo[end:])
        starts[level + 2] = end + 2 * count
    else:
        starts[level + 2] = end + unite(lo, hi, start, end, start, end, low, high, lo[end:], hi[end:])
    members[level] = candidate
    return True


@kernel
def search_rows(low, high, bottom, top, early, entries, longest, points, keep, gap, used):
    """Search, for every row t, a subset whose interval meets [bottom[t], top[t]], or the nearest.

    low, high: (G, n) ends of the intervals of the candidates, G = 1 (shared by all rows) or one row each. Candidates enter one by
    one, each into the shorter of two lists. ``early``: stop at the first prefix of the candidates that contains a hit, testing
    at every candidate the subsets that contain it; else fill both lists and take the nearest pair. A list takes no further
    candidate when its buffer of ``entries`` intervals, or its length ``longest``, would not hold it. Writes per row: keep, gap (0
    or less is a hit) and used, the number of candidates whose subsets were all looked at.
    """
    n = low.shape[1]
    shared = low.shape[0] == 1
    lo_a = np.empty(entries, np.int64)
    lo_b = np.empty(entries, np.int64)
    distinct = points and n <= 44  # so few candidates need no merging of equal sums
    hi_a = lo_a if points else np.empty(entries, np.int64)
    hi_b = lo_b if points else np.empty(entries, np.int64)
    starts_a = np.zeros(n + 2, np.int64)  # level j lies at [starts[j], starts[j + 1])
    starts_b = np.zeros(n + 2, np.int64)
    members_a = np.zeros(n + 1, np.int64)
    members_b = np.zeros(n + 1, np.int64)
    levels_a = np.zeros(n + 1, np.int64)  # the last level of list a once the first m candidates have entered
    levels_b = np.zeros(n + 1, np.int64)
    lo_a[0] = hi_a[0] = lo_b[0] = hi_b[0] = 0
    starts_a[1] = starts_b[1] = 1
    entered = 0
    for t in range(bottom.size):
        if bottom[t] <= 0 <= top[t]:
            gap[t] = 0
            used[t] = 0
            continue
        g = 0 if shared else t
        if not shared:
            entered = 0
        gap[t] = FAR
        m = 0
        while m < n:
            la = levels_a[m]
            lb = levels_b[m]
            sa = starts_a[la]
            sb = starts_b[lb]
            na = starts_a[la + 1] - sa
            nb = starts_b[lb + 1] - sb
            if early:
                zl = bottom[t] - high[g, m]
                zh = top[t] - low[g, m]
                if lo_a[sa] + lo_b[sb] <= zh and hi_a[sa + na - 1] + hi_b[sb + nb - 1] >= zl:
                    best, at_a, at_b = nearest_pair(lo_a, hi_a, sa, na, lo_b, hi_b, sb, nb, zl, zh)
                    if best <= 0:
                        gap[t] = best
                        keep[t, m] = True
                        trace_pair(
                            lo_a, hi_a, starts_a, members_a, la, at_a, lo_b, hi_b, starts_b, members_b, lb, at_b,
                            zl, low[g], high[g], keep[t],
                        )  # fmt: skip
                if gap[t] <= 0 or m + 1 == n:
                    m += 1
                    break
            if entered == m:
                if na <= nb:
                    if not enter(lo_a, hi_a, starts_a, members_a, la, m, low[g, m], high[g, m], longest, distinct):
                        m += early
                        break
                    la += 1
                else:
                    if not enter(lo_b, hi_b, starts_b, members_b, lb, m, low[g, m], high[g, m], longest, distinct):
                        m += early
                        break
                    lb += 1
                entered += 1
                levels_a[entered] = la
                levels_b[entered] = lb
            m += 1
        used[t] = m
        if not early:
            la = levels_a[m]
            lb = levels_b[m]
            sa = starts_a[la]
            sb = starts_b[lb]
            gap[t], at_a, at_b = nearest_pair(
                lo_a, hi_a, sa, starts_a[la + 1] - sa, lo_b, hi_b, sb, starts_b[lb + 1] - sb, bottom[t], top[t]
            )
            trace_pair(
                lo_a, hi_a, starts_a, members_a, la, at_a, lo_b, hi_b, starts_b, members_b, lb, at_b,
                bottom[t], low[g], high[g], keep[t],
            )  # fmt: skip
