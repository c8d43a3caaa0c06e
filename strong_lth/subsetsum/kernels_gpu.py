"""The batch and the Monte Carlo engine in torch operations: the same integers as on the CPU, on any device that torch knows.

Nothing here is specific to a GPU; where the device is one and Triton is installed, ``kernels_gpu_triton`` takes the middle parts.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from strong_lth.core import InputError
from strong_lth.subsetsum.fixedpoint import Ints

CHUNK = {"cpu": 1 << 17, "cuda": 1 << 25}  # list entries held at once: a cache, or enough work for a whole GPU
FAR = 1 << 62
TRITON = range(6, 25)  # candidates per problem for which the Triton kernel is made
LISTS = (64, 512, 2048)  # intervals that a Triton program holds


def find_device(name: str) -> torch.device:
    """The torch device of that name; "torch" is torch on the CPU. InputError names what is there."""
    there = ["cpu", "torch", *(f"cuda:{k}" for k in range(torch.cuda.device_count()))]
    known = {"torch": "cpu", **{key: key for key in there[2:]}}
    if len(there) > 2:
        known["cuda"] = "cuda:0"
    if name not in known:
        raise InputError("device", repr(name), f"give one that this machine has: {', '.join(there)}")
    return torch.device(known[name])


def device_name(name: str) -> str:
    """What the device calls itself."""
    where = find_device(name)
    return torch.cuda.get_device_name(where) if where.type == "cuda" else "CPU"


def half_sums(x: torch.Tensor) -> torch.Tensor:
    """All sums of the columns of x (B, h), in the order of the masks: (B, 2^h)."""
    sums = torch.zeros((x.shape[0], 1), dtype=torch.int64, device=x.device)
    for column in range(x.shape[1]):
        sums = torch.cat([sums, sums + x[:, column : column + 1]], dim=1)
    return sums


def nearest(values: Ints, spot: Ints, device: str) -> tuple[NDArray[np.bool_], Ints]:
    """The nearest subset sum of every row: keep (B, n) and distance (B,). values (G, n) with G = 1 when shared, spot (B,)."""
    where = find_device(device)
    count, n = len(spot), values.shape[1]
    search = by_triton if where.type == "cuda" and n in TRITON and has_triton() else by_sorting
    keep = np.zeros((count, n), np.bool_)
    gap = np.empty(count, np.int64)
    size = max(1, CHUNK.get(where.type, 1 << 22) >> ((n + 1) // 2))
    shifts = torch.arange(n, device=where)
    for start in range(0, count, size):
        part = slice(start, min(start + size, count))
        rows = np.broadcast_to(values, (count, n))[part]
        x = torch.from_numpy(np.array(rows)).to(where)
        z = torch.from_numpy(spot[part].copy()).to(where)
        low = torch.minimum(x, torch.zeros_like(x)).sum(1)
        high = torch.maximum(x, torch.zeros_like(x)).sum(1)
        near = torch.minimum(torch.maximum(z, low), high)  # so that no difference overflows
        best, mask = search(x, near)
        keep[part] = ((mask[:, None] >> shifts) & 1).bool().cpu().numpy()
        gap[part] = (best + (z - near).abs()).cpu().numpy()
    return keep, gap


def has_triton() -> bool:
    """Whether Triton can be imported; it comes with torch's CUDA wheels on Linux."""
    import importlib.util

    return importlib.util.find_spec("triton") is not None


def by_sorting(x: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Distance and mask by sorting the sums of one half and searching them for those of the other."""
    h = x.shape[1] // 2
    left = half_sums(x[:, :h])
    right, order = torch.sort(half_sums(x[:, h:]), dim=1)
    wanted = z[:, None] - left
    after = torch.searchsorted(right, wanted)
    last = right.shape[1] - 1
    up, down = after.clamp(max=last), (after - 1).clamp(min=0)
    above = (right.gather(1, up) - wanted).abs()
    below = (right.gather(1, down) - wanted).abs()
    best, at = torch.minimum(above, below).min(dim=1, keepdim=True)
    chosen = torch.where(above.gather(1, at) == best, up.gather(1, at), down.gather(1, at))
    return best[:, 0], (at | (order.gather(1, chosen) << h))[:, 0]


def by_triton(x: torch.Tensor, z: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """As ``by_sorting``; the mask of the right half is found again from the value it must have."""
    from strong_lth.subsetsum.kernels_gpu_triton import nearest_left

    h = x.shape[1] // 2
    best, at = nearest_left(x.contiguous(), z)
    kept = (at[:, None] >> torch.arange(h, device=x.device)) & 1
    wanted = z - (kept * x[:, :h]).sum(1)
    right = half_sums(x[:, h:])
    other = ((right - wanted[:, None]).abs() == best[:, None]).to(torch.int8).argmax(dim=1)
    return best, at | (other << h)


def hit_times(x: Ints, reach: int, r: int, bottom: int, top: int, budget: int, device: str) -> Ints:
    """The least number of candidates of each row of x (B, n) that covers [bottom, top]; -1 where all do not, -2 where the budget ends."""
    where = find_device(device)
    rows = torch.from_numpy(np.array(x)).to(where)
    search = hits_by_triton if where.type == "cuda" and has_triton() else hits_by_sorting
    return np.asarray(search(rows, reach, r, bottom, top, budget).cpu().numpy(), dtype=np.int64)


def hits_by_triton(x: torch.Tensor, reach: int, r: int, bottom: int, top: int, budget: int) -> torch.Tensor:
    """``hit_times`` in programs of one trial each, with longer and longer lists; the trials that outgrow them all in torch operations."""
    from strong_lth.subsetsum.kernels_gpu_triton import hit_rows

    times = torch.full((len(x),), -2, dtype=torch.int64, device=x.device)
    for size in LISTS:
        rest = torch.nonzero(times == -2)[:, 0]
        if (
            rest.numel() and 4 * size <= budget and size * 8 * (r + reach + 1) > top - bottom
        ):  # else hardly a trial would fit
            times[rest] = hit_rows(x[rest].contiguous(), reach, r, bottom, top, size)
    rest = torch.nonzero(times == -2)[:, 0]
    if rest.numel():
        times[rest] = hits_by_sorting(x[rest], reach, r, bottom, top, budget)
    return times


def hits_by_sorting(x: torch.Tensor, reach: int, r: int, bottom: int, top: int, budget: int) -> torch.Tensor:
    """``hit_times`` in torch operations, all trials side by side."""
    times = torch.full((len(x),), -1, dtype=torch.int64, device=x.device)
    rows = torch.arange(len(x), device=x.device)
    lo = torch.full((len(x), 1), -r, dtype=torch.int64, device=x.device)
    hi = -lo
    for c in range(x.shape[1]):
        if 4 * lo.numel() > budget:
            times[rows] = -2
            break
        lo, hi = _unite(lo, hi, x[rows, c][:, None], reach)
        covered = ((lo <= bottom) & (hi >= top)).any(dim=1)
        times[rows[covered]] = c + 1
        rows, lo, hi = rows[~covered], lo[~covered], hi[~covered]
        if not rows.numel():
            break
    return times


def _unite(lo: torch.Tensor, hi: torch.Tensor, x: torch.Tensor, reach: int) -> tuple[torch.Tensor, torch.Tensor]:
    """U u (U + [x - reach, x + reach]) row by row; rows with fewer intervals end with empty ones beyond every sum."""
    real = lo < FAR
    lo = torch.cat([lo, torch.where(real, lo + (x - reach), lo)], dim=1)
    hi = torch.cat([hi, torch.where(real, hi + (x + reach), hi)], dim=1)
    lo, order = torch.sort(lo, dim=1)
    right = hi.gather(1, order).cummax(dim=1).values
    begins = torch.ones_like(lo, dtype=torch.bool)
    begins[:, 1:] = lo[:, 1:] > right[:, :-1]
    begins &= lo < FAR
    place = begins.cumsum(dim=1) - 1
    width = int(place[:, -1].max()) + 1
    out_lo = torch.full((lo.shape[0], width + 1), FAR, dtype=torch.int64, device=lo.device)
    out_hi = torch.full_like(out_lo, -FAR)
    spare = torch.where(lo < FAR, place, width)  # a last column takes what is no interval
    out_lo.scatter_(1, torch.where(begins, place, width), lo)
    out_hi.scatter_reduce_(1, spare, right, "amax")
    out_lo, out_hi = out_lo[:, :width], out_hi[:, :width]
    return out_lo, torch.where(out_lo < FAR, out_hi, FAR)
