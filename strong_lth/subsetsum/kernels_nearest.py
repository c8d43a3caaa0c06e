# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""The least error of problems without perturbation, from the values of the sums alone.

Up to ``BRUTE`` candidates every sum is looked at, in vector instructions. Beyond, the sorted sums of two halves are walked along their
staircase. The loops are bound by the latency of load, add, compare and index, so four independent chains run at once: two lists are
merged together, each from both its ends, and the staircase is cut into four parts. The subset is found again from its two values.
A list of m sums lies at 1..m, between a sentinel below every sum and one above.
"""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel
from strong_lth.subsetsum.kernels import at, double

BRUTE = 13  # candidates up to which looking at every sum is faster
TABLE = 7  # of them, those whose sums are tabulated
STEPS = 2048  # of a chain, between two notes of where it stands
BELOW = -(1 << 61)
ABOVE = 1 << 62  # both sentinels together stay farther from every target than every sum: targets are within 2^60


@kernel
def spread_sums(x, first, count, out):
    """All 2^count sums of the candidates from ``first`` on, in the order of their masks."""
    out[0] = 0
    for t in range(count):
        m = 1 << t
        v = x[first + t]
        for k in range(m):
            out[m + k] = out[k] + v


@kernel
def least_of_all(x, z, table, best, rest, keep):
    """The least |sum - z| over all subsets; its subset into ``keep``. For at most TABLE + 8 candidates."""
    n = x.size
    known = min(n, TABLE)
    size = 1 << known
    others = 1 << (n - known)
    spread_sums(x, 0, known, table)
    spread_sums(x, known, n - known, rest)
    for c in range(others):
        rest[c] = z - rest[c]
    for c in range(others, 4):
        rest[c] = rest[0]
    r = rest[0]
    for k in range(size):
        best[k] = abs(table[k] - r)
    for c in range(0, others, 4):
        r0, r1, r2, r3 = rest[c], rest[c + 1], rest[c + 2], rest[c + 3]
        for k in range(size):
            v = table[k]
            near = min(min(abs(v - r0), abs(v - r1)), min(abs(v - r2), abs(v - r3)))
            best[k] = min(best[k], near)
    least = best[0]
    for k in range(size):
        least = min(least, best[k])
    at = 0
    while best[at] != least:
        at += 1
    c = 0
    while abs(table[at] - rest[c]) != least:
        c += 1
    for t in range(known):
        keep[t] = (at >> t) & 1
    for t in range(known, n):
        keep[t] = (c >> (t - known)) & 1
    return least


@kernel
def double_two(a, x, out_a, b, y, out_b, m):
    """``double`` for two lists of m sums at once: four chains hide more of each other's latency."""
    down, up = min(x, 0), max(x, 0)
    down_b, up_b = min(y, 0), max(y, 0)
    i = j = i_b = j_b = 1
    p = q = p_b = q_b = m
    top = 2 * m + 1
    for k in range(1, m + 1):
        u = a[at(i)] + down
        v = a[at(j)] + up
        head = u <= v
        out_a[at(k)] = u if head else v
        i += head
        j += 1 - head
        r = a[at(p)] + down
        s = a[at(q)] + up
        last = s >= r
        out_a[at(top - k)] = s if last else r
        q -= last
        p -= 1 - last
        u_b = b[at(i_b)] + down_b
        v_b = b[at(j_b)] + up_b
        head_b = u_b <= v_b
        out_b[at(k)] = u_b if head_b else v_b
        i_b += head_b
        j_b += 1 - head_b
        r_b = b[at(p_b)] + down_b
        s_b = b[at(q_b)] + up_b
        last_b = s_b >= r_b
        out_b[at(top - k)] = s_b if last_b else r_b
        q_b -= last_b
        p_b -= 1 - last_b


@kernel
def halves(x, a, b, spare_a, spare_b):
    """Sorted sums of the first n // 2 candidates and of the others, with sentinels; True when they lie in the spare buffers."""
    n = x.size
    h = n // 2
    a[1] = 0
    b[1] = 0
    m = 1
    swapped = False
    if n > 2 * h:
        b[1], b[2] = min(x[n - 1], 0), max(x[n - 1], 0)
    for t in range(h):
        if n > 2 * h:
            double(a[1:], m, x[t], spare_a[1:])
            double(b[1:], 2 * m, x[h + t], spare_b[1:])
        else:
            double_two(a, x[t], spare_a, b, x[h + t], spare_b, m)
        m *= 2
        a, spare_a = spare_a, a
        b, spare_b = spare_b, b
        swapped = not swapped
    a[0] = b[0] = BELOW
    a[m + 1] = ABOVE
    b[(m if n == 2 * h else 2 * m) + 1] = ABOVE
    return swapped


@kernel
def stair(a, m, b, k, z, steps):
    """How many of the first ``steps`` steps of the walk from (1, k) go up in ``a``."""
    low = max(0, steps - k)
    high = min(steps, m)
    while low < high:
        i = (low + high) >> 1
        if a[i + 1] + b[k - steps + i + 1] < z:
            low = i + 1
        else:
            high = i
    return low


@kernel
def walk(a, m, b, k, z):
    """The sum of one of m and one of k nearest to z: (distance, value in a, value in b). m + k is a multiple of 4, both at least 2."""
    length = (m + k) // 4
    up1 = stair(a, m, b, k, z, length)
    up2 = stair(a, m, b, k, z, 2 * length)
    up3 = stair(a, m, b, k, z, 3 * length)
    i0, i1, i2, i3 = 1, 1 + up1, 1 + up2, 1 + up3
    j0, j1, j2, j3 = k, k - length + up1, k - 2 * length + up2, k - 3 * length + up3
    best = ABOVE
    at_i = 1
    at_j = k
    for start in range(0, length, STEPS):
        s_i0, s_i1, s_i2, s_i3 = i0, i1, i2, i3
        s_j0, s_j1, s_j2, s_j3 = j0, j1, j2, j3
        b0 = b1 = b2 = b3 = best
        for _ in range(min(STEPS, length - start)):
            d0 = a[at(i0)] + b[at(j0)] - z
            d1 = a[at(i1)] + b[at(j1)] - z
            d2 = a[at(i2)] + b[at(j2)] - z
            d3 = a[at(i3)] + b[at(j3)] - z
            b0 = min(b0, abs(d0))
            b1 = min(b1, abs(d1))
            b2 = min(b2, abs(d2))
            b3 = min(b3, abs(d3))
            t0, t1, t2, t3 = d0 < 0, d1 < 0, d2 < 0, d3 < 0
            i0 += t0
            j0 -= 1 - t0
            i1 += t1
            j1 -= 1 - t1
            i2 += t2
            j2 -= 1 - t2
            i3 += t3
            j3 -= 1 - t3
        if b0 < best:
            best, at_i, at_j = b0, s_i0, s_j0
        if b1 < best:
            best, at_i, at_j = b1, s_i1, s_j1
        if b2 < best:
            best, at_i, at_j = b2, s_i2, s_j2
        if b3 < best:
            best, at_i, at_j = b3, s_i3, s_j3
    while True:
        d = a[at_i] + b[at_j] - z
        if abs(d) == best:
            return best, a[at_i], b[at_j]
        step = d < 0
        at_i += step
        at_j -= 1 - step


@kernel
def subset_with_sum(x, first, count, value, table, rest, keep):
    """Mark in ``keep`` a subset of ``count`` candidates from ``first`` on whose sum is ``value``, which has one."""
    known = min(count, 10)
    spread_sums(x, first, known, table)
    spread_sums(x, first + known, count - known, rest)
    size = 1 << known
    c = 0
    while True:
        wanted = value - rest[c]
        found = 0
        for k in range(size):
            found += table[k] == wanted
        if found:
            break
        c += 1
    k = 0
    while table[k] != value - rest[c]:
        k += 1
    for t in range(known):
        keep[first + t] = (k >> t) & 1
    for t in range(known, count):
        keep[first + t] = (c >> (t - known)) & 1


@kernel
def nearest_rows(x, spot, keep, gap):
    """The nearest subset sum of every row: x (G, n) with G = 1 when shared, spot (B,) targets; writes keep (B, n) and gap (B,)."""
    n = x.shape[1]
    h = n // 2
    shared = x.shape[0] == 1
    size = 0 if n <= BRUTE else (1 << (n - h)) + 2
    a = np.empty(size if n <= BRUTE else (1 << h) + 2, np.int64)
    spare_a = np.empty(a.size, np.int64)
    b = np.empty(size, np.int64)
    spare_b = np.empty(size, np.int64)
    table = np.empty(1 << 10, np.int64)
    best = np.empty(1 << TABLE, np.int64)
    rest = np.empty(max(64, 1 << max(0, n - h - 10)), np.int64)
    swapped = False
    low = np.int64(0)
    high = np.int64(0)
    for t in range(spot.size):
        g = 0 if shared else t
        z = spot[t]
        if n <= BRUTE:
            gap[t] = least_of_all(x[g], z, table, best, rest, keep[t])
            continue
        if t == 0 or not shared:
            low = np.int64(0)
            high = np.int64(0)
            for i in range(n):
                low += min(x[g, i], 0)
                high += max(x[g, i], 0)
            swapped = halves(x[g], a, b, spare_a, spare_b)
        near = min(max(z, low), high)
        if swapped:
            distance, value_a, value_b = walk(spare_a, spare_a.size - 2, spare_b, spare_b.size - 2, near)
        else:
            distance, value_a, value_b = walk(a, a.size - 2, b, b.size - 2, near)
        gap[t] = distance + abs(z - near)
        subset_with_sum(x[g], 0, h, value_a, table, rest, keep[t])
        subset_with_sum(x[g], h, n - h, value_b, table, rest, keep[t])


@kernel
def any_rows(x, bottom, top, most, keep, used):
    """A subset of every row whose sum lies in [bottom, top], from the first candidates that have one, up to ``most`` of them.

    Prefixes are tried in a few lengths, from one that can be expected to hold such a sum: the work depends on the width of the
    window, not on n. bottom + top is even. Writes keep (B, n), and used (B,): the length of the prefix with a hit, or -1.
    """
    shared = x.shape[0] == 1
    size = (1 << ((most + 1) // 2)) + 2
    a = np.empty(size, np.int64)
    spare_a = np.empty(size, np.int64)
    b = np.empty(size, np.int64)
    spare_b = np.empty(size, np.int64)
    table = np.empty(1 << 10, np.int64)
    best = np.empty(1 << TABLE, np.int64)
    rest = np.empty(64, np.int64)
    for t in range(bottom.size):
        row = x[0 if shared else t]
        middle = (bottom[t] + top[t]) >> 1
        reach = top[t] - middle
        used[t] = -1
        if reach < 0:
            continue
        if abs(middle) <= reach:
            used[t] = 0
            continue
        span = np.int64(0)
        for i in range(min(most, 8)):
            span += abs(row[i])
        m = 1
        while m < BRUTE - 1 and (span >> m) > reach:
            m += 1
        m = min(m + 1, most)
        while True:
            low = np.int64(0)
            high = np.int64(0)
            for i in range(m):
                low += min(row[i], 0)
                high += max(row[i], 0)
            if low - reach <= middle <= high + reach:
                if m <= BRUTE:
                    if least_of_all(row[:m], middle, table, best, rest, keep[t]) <= reach:
                        used[t] = m
                        break
                    keep[t, :m] = False
                else:
                    h = m // 2
                    swapped = halves(row[:m], a, b, spare_a, spare_b)
                    near = min(max(middle, low), high)
                    if swapped:
                        distance, value_a, value_b = walk(spare_a, 1 << h, spare_b, 1 << (m - h), near)
                    else:
                        distance, value_a, value_b = walk(a, 1 << h, b, 1 << (m - h), near)
                    if distance + abs(middle - near) <= reach:
                        subset_with_sum(row, 0, h, value_a, table, rest, keep[t])
                        subset_with_sum(row, h, m - h, value_b, table, rest, keep[t])
                        used[t] = m
                        break
            if m == most:
                break
            m = min(most, BRUTE if m < BRUTE - 1 else m + 3 if m & 1 else m + 4)
