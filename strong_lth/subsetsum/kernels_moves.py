# mypy: disable-error-code="no-untyped-def, no-untyped-call"
"""``exact.choose_moves`` compiled: the same rule, row by row."""

from __future__ import annotations

import numpy as np

from strong_lth.jit import kernel


@kernel
def excess_bits(value):
    """How many bits a nonnegative integer has beyond 53, as its conversion to a double counts them."""
    bits = 0
    while (value >> bits) >= (np.int64(1) << 53):
        bits += 1
    if bits and value + (np.int64(1) << (bits - 1)) >= (np.int64(1) << (53 + bits)):
        bits += 1  # rounds up to the next power of two
    return bits


@kernel
def toward(start, end):
    """The number of at most 53 bits nearest to ``end`` on the side of ``start``, which has at most 53 bits."""
    size = abs(end)
    drop = excess_bits(size)
    floor = (size >> drop) << drop
    outward = (end >= 0) == (end >= start)
    rounded = floor if outward or floor == size else floor + (np.int64(1) << drop)
    return -rounded if end < 0 else rounded


@kernel
def choose_rows(values, moves_low, moves_high, keep, spot, guard, moves):
    """Moves of the kept candidates of each row, into ``moves`` (B, n); values and ends of moves (G, n), G = 1 when shared; keep (B, n) signs."""
    count, n = keep.shape
    shared = values.shape[0] == 1
    order = np.argsort(-np.abs(values[0]), kind="mergesort")
    for t in range(count):
        g = 0 if shared else t
        rest = spot[t]
        for i in range(n):
            moves[t, i] = 0
            rest -= keep[t, i] * values[g, i]
        odd = abs(rest) % guard
        rest -= odd if rest > 0 else -odd
        if rest == 0:
            continue
        if not shared:
            order = np.argsort(-np.abs(values[g]), kind="mergesort")
        for i in order:
            sign = np.int64(keep[t, i])
            if sign == 0:
                continue
            x = sign * values[g, i]
            least = min(sign * moves_low[g, i], sign * moves_high[g, i])
            most = max(sign * moves_low[g, i], sign * moves_high[g, i])
            wanted = min(max(rest, least), most)
            if wanted != least and wanted != most:
                move = toward(x, x + wanted) - x
                if (move < 0) != (wanted < 0):
                    move = 0
                size = abs(move)
                drop = excess_bits(size)
                size = (size >> drop) << drop
                move = -size if move < 0 else size
            else:
                move = wanted
            moves[t, i] = sign * move
            rest -= move
            if rest == 0:
                break
