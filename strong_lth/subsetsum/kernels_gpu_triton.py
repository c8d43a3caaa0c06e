# mypy: ignore-errors
"""Meet in the middle in Triton: one program per problem, both halves in registers and shared memory, no list in global memory.

One half is sorted, the other looks up each of its sums by binary search with ``tl.gather``. TRITON_INTERPRET=1 runs the kernel on a CPU.
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
