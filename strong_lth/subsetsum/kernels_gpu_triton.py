# mypy: ignore-errors
"""Meet in the middle and hitting times in Triton: one program per problem or trial, all lists in registers and shared memory.

``nearest_program`` sorts one half, and looks up each sum of the other by binary search with ``tl.gather``. ``hit_program`` holds the covered set as ascending
low and high ends, and merges by rank. TRITON_INTERPRET=1 runs both on a CPU.
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
def count_below(values, wanted, size: tl.constexpr, log: tl.constexpr):
    """How many of ``size`` = 2^log ascending values lie below each wanted one."""
    place = tl.zeros((size,), tl.int32)
    for q in tl.static_range(log):
        middle = tl.gather(values, place + ((size >> (q + 1)) - 1), 0)
        place = tl.where(middle < wanted, place + (size >> (q + 1)), place)
    return place + (tl.gather(values, place, 0) < wanted).to(tl.int32)


@triton.jit
def entry(values, place, otherwise):
    """The values at ``place``, and ``otherwise`` where that is negative."""
    return tl.where(place >= 0, tl.gather(values, tl.maximum(place, 0), 0), otherwise)


@triton.jit
def hit_program(x_ptr, times_ptr, n, reach, r, bottom, top, size: tl.constexpr, log: tl.constexpr):
    """The number of candidates of one trial after which [bottom, top] is covered; -1 if all n do not, -2 if more than ``size`` intervals are needed.

    The intervals a = (lo, hi) and b = a moved by the candidate are merged by rank: an interval begins a component of their union where it begins behind all
    ends before it; each component takes the first low end and the last high end of its number.
    """
    p = tl.program_id(0).to(tl.int64)
    far = (tl.zeros((size,), tl.int64) + 1) << 62
    at = tl.arange(0, size)
    lo = tl.where(at == 0, -r, far)
    hi = tl.where(at == 0, r, far)
    time = tl.full((), -1, tl.int64)
    c = 0
    while (c < n) & (time == -1):
        x = tl.load(x_ptr + p * n + c)
        real = lo < far
        lo_b = tl.where(real, lo + (x - reach), far)
        hi_b = tl.where(real, hi + (x + reach), far)
        before_a = count_below(lo_b, lo, size, log) - 1  # the last of b before each of a
        before_b = count_below(lo, lo_b + 1, size, log) - 1
        begins_a = (real & (lo > entry(hi_b, before_a, -far))).to(tl.int32)
        reached = tl.maximum(
            entry(hi, before_b, -far), entry(hi_b, at - 1, -far)
        )  # moved intervals may overlap each other
        begins_b = (real & (lo_b > reached)).to(tl.int32)
        made_a = tl.cumsum(begins_a, 0)
        made_b = tl.cumsum(begins_b, 0)
        count = tl.sum(begins_a, 0) + tl.sum(begins_b, 0)
        number_a = tl.where(real, made_a + entry(made_b, before_a, 0) - 1, 2 * size)  # of the component, from 0
        number_b = tl.where(real, made_b + entry(made_a, before_b, 0) - 1, 2 * size)
        last_a = count_below(number_a, at + 1, size, log) - 1  # the last of a in this component or before
        last_b = count_below(number_b, at + 1, size, log) - 1
        first_a = tl.minimum(tl.where(at == 0, 0, entry(last_a, at - 1, -1) + 1), size - 1)
        first_b = tl.minimum(tl.where(at == 0, 0, entry(last_b, at - 1, -1) + 1), size - 1)
        low_a = tl.where(tl.gather(number_a, first_a, 0) == at, tl.gather(lo, first_a, 0), far)
        low_b = tl.where(tl.gather(number_b, first_b, 0) == at, tl.gather(lo_b, first_b, 0), far)
        high_a = tl.where(entry(number_a, last_a, -1) == at, entry(hi, last_a, -far), -far)
        high_b = tl.where(entry(number_b, last_b, -1) == at, entry(hi_b, last_b, -far), -far)
        lo = tl.minimum(low_a, low_b)
        hi = tl.where(at < count, tl.maximum(high_a, high_b), far)
        covered = tl.sum(((lo <= bottom) & (hi >= top) & (at < count)).to(tl.int32), 0)
        c += 1
        time = tl.where(count > size, -2, tl.where(covered > 0, c, -1)).to(tl.int64)
    tl.store(times_ptr + p, time)


def hit_rows(x: torch.Tensor, reach: int, r: int, bottom: int, top: int, size: int) -> torch.Tensor:
    """``hit_program`` on every row of x (B, n)."""
    times = torch.empty(len(x), dtype=torch.int64, device=x.device)
    hit_program[(len(x),)](
        x, times, x.shape[1], reach, r, bottom, top, size, size.bit_length() - 1, num_warps=min(8, max(1, size // 64))
    )
    return times
