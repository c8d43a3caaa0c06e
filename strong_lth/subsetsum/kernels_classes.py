# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Meet in the middle with signs, with a fixed number kept, or by increasing number kept: interval lists in classes, in int64.

As in ``kernels``, level j of a list holds what subsets of its first j candidates reach, as disjoint ascending intervals; here it is cut into classes, one
per number of kept candidates (``sized``), or a single one. Class c of level j + 1 is the union of class c of level j, of class c - 1 moved by
[low, high], and, where candidates may enter with either sign, of class c - 1 moved by [-high, -low]. Two halves meet class by class.
"""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel
from strong_lth.subsetsum.kernels import FAR, first_from, nearest_pair, points_of_pair, unite


@kernel
def merge(a, i, end_i, j, end_j, x, out):
    """The points [i, end_i) and [j, end_j) + x, ascending; return their number. From both ends while no run can be exhausted."""
    total = end_i - i + end_j - j
    steps = min(end_i - i, end_j - j)
    p = end_i - 1
    q = end_j - 1
    for k in range(steps):
        u = a[i]
        v = a[j] + x
        head = u <= v
        out[k] = u if head else v
        i += head
        j += 1 - head
        r = a[p]
        s = a[q] + x
        last = s >= r
        out[total - 1 - k] = s if last else r
        q -= last
        p -= 1 - last
    k = steps
    while i <= p and j <= q:
        u = a[i]
        v = a[j] + x
        head = u <= v
        out[k] = u if head else v
        i += head
        j += 1 - head
        k += 1
    while i <= p:
        out[k] = a[i]
        i += 1
        k += 1
    while j <= q:
        out[k] = a[j] + x
        j += 1
        k += 1
    return total


@kernel
def join(lo, hi, i, end_i, j, end_j, low, high, at, distinct):
    """Write the union of [i, end_i) and [j, end_j) + [low, high] at ``at``, behind both; ``distinct``: of points, without merging equal ones."""
    if distinct:
        return merge(lo, i, end_i, j, end_j, low, lo[at:])
    return unite(lo, hi, i, end_i, j, end_j, low, high, lo[at:], hi[at:])


@kernel
def enter_classes(lo, hi, starts, members, level, candidate, low, high, sized, signed, cap, distinct):
    """Let a candidate into the list whose last level is ``level``; False when list or buffer would not hold the next.

    Class c of level j lies at [starts[j, c], starts[j, c + 1]); classes beyond ``cap`` are not kept.
    """
    if level == members.size:
        return False
    end = starts[level, min(level, cap) + 1 if sized else 1]
    for c in range((min(level + 1, cap) if sized else 0) + 1):
        i = starts[level, c] if c <= level else end
        end_i = starts[level, c + 1] if c <= level else end
        below = c - 1 if sized else 0
        j = starts[level, below] if below >= 0 else end_i
        end_j = starts[level, below + 1] if below >= 0 else end_i
        most = end_i - i + (end_j - j) * (2 if signed else 1)
        if end + most + (end_i - i + end_j - j if signed else 0) > lo.size:
            return False
        starts[level + 1, c] = end
        if signed and end_j > j:
            spare = end + most
            made = join(lo, hi, i, end_i, j, end_j, low, high, spare, distinct)
            end += join(lo, hi, spare, spare + made, j, end_j, -high, -low, end, distinct)
        else:
            end += join(lo, hi, i, end_i, j, end_j, low, high, end, distinct)
        starts[level + 1, c + 1] = end
    members[level] = candidate
    return True


@kernel
def trace_classes(lo, hi, starts, members, level, c, point, low, high, sized, keep):
    """Write into ``keep`` the signs of a subset whose interval contains ``point``, a point of class c of ``level``."""
    while level > 0:
        level -= 1
        if c <= level:
            first, end = starts[level, c], starts[level, c + 1]
            a = first_from(hi, first, end, point)
            if a < end and lo[a] <= point:
                continue
        c -= sized
        first, end = starts[level, c], starts[level, c + 1]
        k = members[level]
        near, far = point - high[k], point - low[k]
        a = first_from(hi, first, end, near)
        keep[k] = 1
        if a == end or lo[a] > far:
            near, far = point + low[k], point + high[k]
            a = first_from(hi, first, end, near)
            keep[k] = -1
        point = min(max(near, lo[a]), min(far, hi[a]))


@kernel
def set_aside(low, high, m, count, rest, middle):
    """Of the candidates from m on, ``count`` that go together with about ``rest`` of the first m: neighbours by value, their sum nearest to what is missing."""
    center = (low + high) >> 1
    wanted = middle - (center[:m].sum() // max(m, 1)) * rest
    order = np.argsort(center[m:], kind="mergesort") + m
    total = center[order[:count]].sum()
    best, at = abs(total - wanted), 0
    for k in range(1, order.size - count + 1):
        total += center[order[k + count - 1]] - center[order[k - 1]]
        if abs(total - wanted) < best:
            best, at = abs(total - wanted), k
    return order[at : at + count]


@kernel
def search_classes(
    low, high, bottom, top, first, last, sized, signed, entries, levels, points, distinct, keep, gap, used
):
    """For every row t the subset nearest to [bottom[t], top[t]]; of the least number kept in first .. last[t] that meets it, if one does.

    low, high: (G, n), G = 1 when shared. Not ``sized``: any number kept. ``entries``: intervals that each of two buffers holds, ``levels``:
    candidates that each of two lists takes. Candidates that no list takes are left out, or, as far as the number kept demands it, kept. Writes keep (B, n) signs, gap (B,) and used (B,), the
    number of candidates whose subsets were all looked at.
    """
    n = low.shape[1]
    shared = low.shape[0] == 1
    lo_a = np.empty(entries, np.int64)
    lo_b = np.empty(entries, np.int64)
    hi_a = lo_a if points else np.empty(entries, np.int64)
    hi_b = lo_b if points else np.empty(entries, np.int64)
    cap = last.max()
    starts_a = np.zeros((levels + 1, min(levels, cap) + 2 if sized else 2), np.int64)
    starts_b = np.zeros_like(starts_a)
    members_a = np.zeros(levels, np.int64)
    members_b = np.zeros(levels, np.int64)
    lo_a[0] = hi_a[0] = lo_b[0] = hi_b[0] = 0
    starts_a[0, 1] = starts_b[0, 1] = 1
    la = lb = 0
    for t in range(bottom.size):
        g = 0 if shared else t
        if t == 0 or not shared:
            la = lb = 0
            while la + lb < n:
                m = la + lb
                count_a = starts_a[la, min(la, cap) + 1 if sized else 1] - starts_a[la, 0]
                count_b = starts_b[lb, min(lb, cap) + 1 if sized else 1] - starts_b[lb, 0]
                if count_a < count_b or (count_a == count_b and la <= lb):
                    if not enter_classes(
                        lo_a, hi_a, starts_a, members_a, la, m, low[g, m], high[g, m], sized, signed, cap, distinct
                    ):
                        break
                    la += 1
                else:
                    if not enter_classes(
                        lo_b, hi_b, starts_b, members_b, lb, m, low[g, m], high[g, m], sized, signed, cap, distinct
                    ):
                        break
                    lb += 1
        m = la + lb
        used[t] = m
        gap[t] = FAR
        for size in range(first, (last[t] if sized else first) + 1):
            zl, zh = bottom[t], top[t]
            forced = np.empty(0, np.int64)
            if sized and m < n:
                share = min(max((size * (n - m) + n // 2) // n, size - m), min(size, n - m))
                forced = set_aside(low[g], high[g], m, share, size - share, (zl >> 1) + (zh >> 1))
            for k in forced:
                zl -= high[g, k]
                zh -= low[g, k]
            found = False
            chosen_a = chosen_b = at_a = at_b = 0
            wanted = size - forced.size if sized else 0
            for c in range(max(0, wanted - lb) if sized else 0, (min(wanted, la) if sized else 0) + 1):
                d = wanted - c if sized else 0
                sa, sb = starts_a[la, c], starts_b[lb, d]
                na, nb = starts_a[la, c + 1] - sa, starts_b[lb, d + 1] - sb
                near, at_1, at_2 = nearest_pair(lo_a, hi_a, sa, na, lo_b, hi_b, sb, nb, zl, zh)
                if near < gap[t]:
                    gap[t] = near
                    chosen_a, chosen_b, at_a, at_b = c, d, at_1, at_2
                    found = True
                    if near <= 0:
                        break
            if found:
                keep[t] = 0
                for k in forced:
                    keep[t, k] = 1
                y_a, y_b = points_of_pair(lo_a, hi_a, at_a, lo_b, hi_b, at_b, zl)
                trace_classes(lo_a, hi_a, starts_a, members_a, la, chosen_a, y_a, low[g], high[g], sized, keep[t])
                trace_classes(lo_b, hi_b, starts_b, members_b, lb, chosen_b, y_b, low[g], high[g], sized, keep[t])
            if gap[t] <= 0:
                break
