"""Densities as exact counts: how many weights a density keeps, in which steps a track goes there, and which weights are kept.

Density = kept / prunable. A count is exact, ties are broken by tensor order and index, and nothing is inferred from zeros.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from strong_lth.core import Floats, InputError
from strong_lth.networks.mask import Mask

Counts = NDArray[np.int64]


def kept_count(density: float, prunable: int) -> int:
    """Weights kept at a density: density * prunable to the nearest whole number, halves up.

    Raises InputError for a density outside (0, 1] and for one that would keep no weight.

    >>> kept_count(0.1, 266_200), kept_count(0.5, 5)
    (26620, 3)
    """
    if isinstance(density, bool) or not isinstance(density, int | float | np.floating) or not 0 < density <= 1:
        raise InputError("density", repr(density), "give a number in (0, 1], the fraction of prunable weights kept")
    kept = math.floor(density * prunable + 0.5)
    if kept == 0:
        raise InputError(
            "density", density, f"give at least {1 / prunable:.2g}: the model has {prunable} prunable weights"
        )
    return kept


def track_counts(prunable: int, densities: Sequence[float], per_round: float = 0.2) -> list[int]:
    """Counts of an iterative track: each round removes the fraction ``per_round`` of the survivors, and never jumps over a requested density.

    The first count is ``prunable`` (the dense level) and the last the smallest requested one.

    >>> track_counts(1000, [0.5, 0.3])
    [1000, 800, 640, 512, 500, 400, 320, 300]
    """
    if not 0 < per_round < 1:
        raise InputError("per_round", per_round, "give a fraction strictly between 0 and 1")
    if not densities:
        raise InputError("densities", "none", "give at least one density")
    wanted = sorted({kept_count(density, prunable) for density in densities}, reverse=True)
    counts = [prunable]
    for stop in wanted:
        while counts[-1] > stop:
            counts.append(max(stop, counts[-1] - max(1, math.floor(per_round * counts[-1] + 0.5))))
    return counts


def keep_largest(scores: Mapping[str, torch.Tensor], kept: int, alive: Mask | None = None) -> Mask:
    """The mask of the ``kept`` largest scores, ranked over all tensors together and among ``alive`` only.

    Equal scores are kept in tensor order, then by index. Raises InputError when fewer are alive, or when a score is NaN.

    >>> keep_largest({"a": torch.tensor([1.0, 2.0]), "b": torch.tensor([2.0, 2.0])}, 2).tensors["b"]
    array([ True, False])
    """
    flat = torch.cat([score.detach().reshape(-1) for score in scores.values()]).clone()
    if bool(torch.isnan(flat).any()):
        raise InputError("scores", "NaN", "rank finite scores")
    room = flat.numel()
    if alive is not None:
        keep = torch.from_numpy(np.concatenate([alive.tensors[name].reshape(-1) for name in scores])).to(flat.device)
        flat[~keep] = -math.inf
        room = alive.kept
    if not 0 <= kept <= room:
        raise InputError("kept", kept, f"keep from 0 to {room} weights, those that are still alive")
    chosen = torch.zeros(flat.numel(), dtype=torch.bool, device=flat.device)
    if kept > 0:
        least = torch.kthvalue(flat, flat.numel() - kept + 1).values
        chosen = flat > least
        tied = torch.nonzero(flat == least).reshape(-1)
        chosen[tied[: kept - int(chosen.sum())]] = True
    return _split(chosen.cpu().numpy(), scores)


def layer_counts(sizes: Mapping[str, int], kept: int, weights: Mapping[str, float] | None = None) -> dict[str, int]:
    """Split ``kept`` over the layers in proportion to size * weight, no layer above its size; the total is exact.

    ``weights`` None: the same density in every layer. Layers that would exceed their size are kept whole and the rest is shared again.

    >>> layer_counts({"a": 10, "b": 100}, 11), layer_counts({"a": 10, "b": 100}, 22, {"a": 9.0, "b": 1.0})
    ({'a': 1, 'b': 10}, {'a': 10, 'b': 12})
    """
    names, room = list(sizes), np.array([sizes[name] for name in sizes], dtype=np.float64)
    if not 0 <= kept <= int(room.sum()):
        raise InputError("kept", kept, f"keep from 0 to {int(room.sum())} weights")
    share = room * np.array([1.0 if weights is None else weights[name] for name in names])
    full = np.zeros(len(names), dtype=bool)
    ideal = room.copy()
    while not full.all():
        left = kept - room[full].sum()
        ideal = np.where(full, room, share * (left / share[~full].sum()))
        over = ~full & (ideal > room)
        if not over.any():
            break
        full |= over
    return dict(zip(names, (int(count) for count in _whole(np.minimum(ideal, room), kept, room)), strict=True))


def erk_weights(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, float]:
    """Erdos-Renyi-Kernel: the density of a layer is proportional to (sum of its dimensions) / (their product). Evci et al. 2020."""
    return {name: sum(shape) / math.prod(shape) for name, shape in shapes.items()}


def random_mask(shapes: Mapping[str, tuple[int, ...]], counts: Mapping[str, int], rng: np.random.Generator) -> Mask:
    """A mask with exactly ``counts`` kept weights per layer, uniform among those."""
    parts = {}
    for name, shape in shapes.items():
        keep = np.zeros(math.prod(shape), dtype=bool)
        keep[rng.permutation(keep.size)[: counts[name]]] = True
        parts[name] = keep.reshape(shape)
    return Mask(parts)


def _whole(ideal: Floats, total: int, room: Floats) -> Counts:
    """Round down, then give what is missing to the largest remainders; earlier layers first on ties."""
    counts = np.floor(ideal).astype(np.int64)
    order = np.argsort(-(ideal - counts), kind="stable")
    while counts.sum() < total:
        for index in order:
            if counts.sum() < total and counts[index] < room[index]:
                counts[index] += 1
    return counts


def _split(flat: NDArray[np.bool_], like: Mapping[str, torch.Tensor]) -> Mask:
    parts, at = {}, 0
    for name, tensor in like.items():
        parts[name] = flat[at : at + tensor.numel()].reshape(tuple(tensor.shape)).copy()
        at += tensor.numel()
    return Mask(parts)
