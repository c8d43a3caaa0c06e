# mypy: ignore-errors
"""Meet in the middle and hitting times in Triton: one program per problem or trial, all lists in registers and shared memory.

``nearest_program`` sorts one half, and looks up each sum of the other by binary search with ``tl.gather``. ``hit_program`` holds the covered set as ascending
low and high ends; ends of unions are found by sorting low and high ends apart. TRITON_INTERPRET=1 runs both on a CPU.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


@triton.jit
def nearest_program(
    x_ptr, z_ptr, best_ptr, at_ptr, n: tl.constexpr, h: tl.constexpr, left_size: tl.constexpr, right_size: tl.constexpr
):
    """Least distance of one problem, and the mask of its left half."""
    p = tl.program_id(0).to(tl.int64)
    at = tl.arange(0, left_size)
    order = tl.arange(0, right_size)
    left = tl.zeros((left_size,), tl.int64)
    right = tl.zeros((right_size,), tl.int64)
    for q in tl.static_range(h):
        left += tl.where(((at >> q) & 1) == 1, tl.load(x_ptr + p * n + q), 0)
    for q in tl.static_range(n - h):
        right += tl.where(((order >> q) & 1) == 1, tl.load(x_ptr + p * n + h + q), 0)
    right = tl.sort(right)
    wanted = tl.load(z_ptr + p) - left
    place = tl.zeros((left_size,), tl.int32)  # of the last sum below ``wanted``, or 0
    for q in tl.static_range(n - h):
        middle = tl.gather(right, place + ((right_size >> (q + 1)) - 1), 0)
        place = tl.where(middle < wanted, place + (right_size >> (q + 1)), place)
    here = tl.abs(tl.gather(right, place, 0) - wanted)
    before = tl.abs(tl.gather(right, tl.maximum(place - 1, 0), 0) - wanted)
    near = tl.minimum(here, before)
    best = tl.min(near, 0)
    tl.store(best_ptr + p, best)
    tl.store(at_ptr + p, tl.min(tl.where(near == best, at, left_size), 0).to(tl.int64))


def nearest_left(x: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance of every row of x (B, n), and the mask of its left half, the first n // 2 columns."""
    count, n = x.shape
    h = n // 2
    best = torch.empty(count, dtype=torch.int64, device=x.device)
    at = torch.empty_like(best)
    nearest_program[(count,)](x, z, best, at, n, h, 1 << h, 1 << (n - h), num_warps=1 if n < 16 else 4)
    return best, at


@triton.jit
def hit_program(x_ptr, times_ptr, n, reach, r, bottom, top, size: tl.constexpr):
    """The number of candidates of one trial after which [bottom, top] is covered; -1 if all n do not, -2 if more than ``size`` intervals are needed.

    The k-th gap of a union lies behind the k-th high end where that is below the next low end: so many intervals have begun and ended.
    """
    p = tl.program_id(0).to(tl.int64)
    far = (tl.zeros((size,), tl.int64) + 1) << 62
    first = tl.arange(0, size) == 0
    both = tl.arange(0, 2 * size)
    far_both = (tl.zeros((2 * size,), tl.int64) + 1) << 62
    lo = tl.where(first, -r, far)
    hi = tl.where(first, r, far)
    time = tl.full((), -1, tl.int64)
    c = 0
    while (c < n) & (time == -1):
        x = tl.load(x_ptr + p * n + c)
        real = lo < far
        left = tl.sort(tl.interleave(lo, tl.where(real, lo + (x - reach), far)))
        right = tl.sort(tl.interleave(hi, tl.where(real, hi + (x + reach), far)))
        real_both = left < far_both
        begins = real_both & ((both == 0) | (left > tl.gather(right, tl.maximum(both - 1, 0), 0)))
        following = tl.gather(left, tl.minimum(both + 1, 2 * size - 1), 0)
        ends = real_both & ((both == 2 * size - 1) | (following > right))
        count = tl.sum(begins.to(tl.int32), 0)
        left = tl.sort(tl.where(begins, left, far_both))
        right = tl.sort(tl.where(ends, right, far_both))
        covered = tl.sum(((left <= bottom) & (right >= top) & (left < far_both)).to(tl.int32), 0)
        c += 1
        time = tl.where(covered > 0, c, tl.where(count > size, -2, -1)).to(tl.int64)
        lo = tl.gather(left, tl.arange(0, size), 0)
        hi = tl.gather(right, tl.arange(0, size), 0)
    tl.store(times_ptr + p, time)


def hit_rows(x: torch.Tensor, reach: int, r: int, bottom: int, top: int, size: int) -> torch.Tensor:
    """``hit_program`` on every row of x (B, n)."""
    times = torch.empty(len(x), dtype=torch.int64, device=x.device)
    hit_program[(len(x),)](
        x, times, x.shape[1], reach, r, bottom, top, size, num_warps=1 if size < 256 else 4 if size < 2048 else 8
    )
    return times
