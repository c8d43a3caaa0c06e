# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""Fewest kept candidates within the tolerance: subsets by increasing size, as pairs of sorted lists of smaller subsets, in int64.

An entry is a subset: ``value`` is the least sum it can take (every kept candidate at its low end) and ``name`` says which subset it is:
a bit mask when there are at most 63 candidates (``bits`` = 0), else its indices packed ``bits`` bits apiece, the smallest index lowest.
"""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel


@kernel
def reach(name, bits, size, width):
    """How far the subset's sum can rise above its value."""
    total = 0
    if bits == 0:
        c = 0
        while name > 0:
            if name & 1:
                total += width[c]
            name >>= 1
            c += 1
    else:
        for _ in range(size):
            total += width[name & ((1 << bits) - 1)]
            name >>= bits
    return total


@kernel
def disjoint(name_a, size_a, name_b, size_b, bits):
    """Whether two subsets share no candidate."""
    if bits == 0:
        return name_a & name_b == 0
    field = (1 << bits) - 1
    for _ in range(size_a):
        rest = name_b
        for _ in range(size_b):
            if (name_a ^ rest) & field == 0:
                return False
            rest >>= bits
        name_a >>= bits
    return True


@kernel
def mark(name, bits, size, keep):
    """Mark the subset's candidates in ``keep``."""
    if bits == 0:
        c = 0
        while name > 0:
            if name & 1:
                keep[c] = True
            name >>= 1
            c += 1
    else:
        for _ in range(size):
            keep[name & ((1 << bits) - 1)] = True
            name >>= bits


@kernel
def merge(value, name, i, end_i, j, end_j, add, add_name, out_value, out_name, k):
    """Merge sorted entries [i, end_i) with sorted entries [j, end_j) moved by ``add``; write them from k on."""
    while i < end_i and j < end_j:
        u = value[i]
        v = value[j] + add
        if u <= v:
            out_value[k] = u
            out_name[k] = name[i]
            i += 1
        else:
            out_value[k] = v
            out_name[k] = name[j] | add_name
            j += 1
        k += 1
    while i < end_i:
        out_value[k] = value[i]
        out_name[k] = name[i]
        i += 1
        k += 1
    while j < end_j:
        out_value[k] = value[j] + add
        out_name[k] = name[j] | add_name
        j += 1
        k += 1
    return k


@kernel
def larger_subsets(low, bits, value, name, start, end, spare_value, spare_name, ends):
    """From all a-subsets, sorted, at [start, end), make all (a+1)-subsets, sorted, behind them; return where they end.

    Run i holds the subsets whose smallest index is i; it comes out sorted. The n runs are then merged pairwise.
    """
    n = low.size
    k = end
    for i in range(n):
        if bits == 0:
            lower = (1 << (i + 1)) - 1
            for e in range(start, end):
                if name[e] & lower == 0:
                    value[k] = value[e] + low[i]
                    name[k] = name[e] | (1 << i)
                    k += 1
        else:
            field = (1 << bits) - 1
            for e in range(start, end):
                if end - start == 1 or name[e] & field > i:
                    value[k] = value[e] + low[i]
                    name[k] = (name[e] << bits) | i
                    k += 1
        ends[i] = k - end
    total = k - end
    runs = n
    inside = True
    while runs > 1:
        first = 0
        made = 0
        for r in range(0, runs, 2):
            second = ends[r]
            last = ends[min(r + 1, runs - 1)]
            if inside:
                merge(
                    value,
                    name,
                    end + first,
                    end + second,
                    end + second,
                    end + last,
                    0,
                    0,
                    spare_value,
                    spare_name,
                    first,
                )
            else:
                merge(spare_value, spare_name, first, second, second, last, 0, 0, value, name, end + first)
            first = last
            ends[made] = last
            made += 1
        runs = made
        inside = not inside
    if not inside:
        value[end : end + total] = spare_value[:total]
        name[end : end + total] = spare_name[:total]
    return k


@kernel
def find_pair(
    value_a, name_a, start_a, end_a, size_a, value_b, name_b, start_b, end_b, size_b, bottom, top, slack, width, bits
):
    """Positions of two disjoint subsets whose union meets [bottom, top], or (-1, -1). ``slack`` bounds the reach of any union."""
    j = end_b - 1
    for i in range(start_a, end_a):
        u = value_a[i]
        while j >= start_b and u + value_b[j] > top:
            j -= 1
        if j < start_b:
            break
        e = j
        while e >= start_b and u + value_b[e] >= bottom - slack:
            if disjoint(name_a[i], size_a, name_b[e], size_b, bits):
                rise = 0
                if slack > 0:
                    rise = reach(name_a[i], bits, size_a, width) + reach(name_b[e], bits, size_b, width)
                if u + value_b[e] + rise >= bottom:
                    return i, e
            e -= 1
    return -1, -1


@kernel
def small_rows(low, high, bottom, top, bits, half, entries, longest, keep, size):
    """For every row the fewest candidates, up to 2 ``half``, whose interval sum meets [bottom, top]; size -1 where none do.

    A k-subset is a pair of a ceil(k/2)- and a floor(k/2)-subset of all candidates. low, high: (G, n) as in ``search_rows``.
    """
    n = low.shape[1]
    shared = low.shape[0] == 1
    value = np.empty(entries, np.int64)
    name = np.empty(entries, np.int64)
    spare_value = np.empty(longest, np.int64)
    spare_name = np.empty(longest, np.int64)
    ends = np.empty(n, np.int64)
    starts = np.zeros(half + 2, np.int64)
    value[0] = 0
    name[0] = 0
    starts[1] = 1
    made = 0
    slack = np.zeros(n + 1, np.int64)
    for t in range(bottom.size):
        g = 0 if shared else t
        if t == 0 or not shared:
            made = 0
            width = high[g] - low[g]
            slack[1:] = np.cumsum(np.sort(width)[::-1])
        size[t] = -1
        if bottom[t] <= 0 <= top[t]:
            size[t] = 0
            continue
        for k in range(1, min(2 * half, n) + 1):
            a = (k + 1) // 2
            b = k - a
            if a > made:
                starts[a + 1] = larger_subsets(
                    low[g], bits, value, name, starts[made], starts[a], spare_value, spare_name, ends
                )
                made = a
            i, j = find_pair(
                value, name, starts[a], starts[a + 1], a, value, name, starts[b], starts[b + 1], b,
                bottom[t], top[t], slack[k], width, bits,
            )  # fmt: skip
            if i >= 0:
                mark(name[i], bits, a, keep[t])
                mark(name[j], bits, b, keep[t])
                size[t] = k
                break
