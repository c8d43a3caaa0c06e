"""Comparisons of weights and masks: signs, overlap, angle, R_p correlation, densities per layer, histograms."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import torch

from strong_lth.core import Floats, InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.types import State


def sign_agreement(first: State, second: State, mask: Mask) -> dict[str, float]:
    """Share of the kept weights whose signs agree, per layer and under "all"; weights that are 0 in either state are left out.

    Flips are 1 - agreement. NaN where no weight is left.

    >>> sign_agreement({"w": torch.tensor([1.0, -2.0, 3.0])}, {"w": torch.tensor([2.0, 2.0, -9.0])}, Mask({"w": np.array([True, True, False])}))
    {'w': 0.5, 'all': 0.5}
    """
    agreeing, counted = {}, {}
    for name, keep in mask.tensors.items():
        a, b = _signs(first, name)[keep], _signs(second, name)[keep]
        both = (a != 0) & (b != 0)
        agreeing[name], counted[name] = int((a == b)[both].sum()), int(both.sum())
    agreeing["all"], counted["all"] = sum(agreeing.values()), sum(counted.values())
    return {name: agreeing[name] / counted[name] if counted[name] else math.nan for name in agreeing}


def mask_overlap(first: Mask, second: Mask) -> dict[str, float]:
    """Kept by both / kept by either ("jaccard"), kept by both / kept by the smaller one ("shared"), and "chance", the share expected of independent masks of
    these densities per layer.

    >>> mask_overlap(Mask({"w": np.array([True, True, False, False])}), Mask({"w": np.array([True, False, True, False])}))
    {'jaccard': 0.3333333333333333, 'shared': 0.5, 'chance': 0.5}
    """
    if set(first.tensors) != set(second.tensors):
        raise InputError("masks", "different tensors", "compare masks of one model")
    both = sum(int((keep & second.tensors[name]).sum()) for name, keep in first.tensors.items())
    either = sum(int((keep | second.tensors[name]).sum()) for name, keep in first.tensors.items())
    expected = sum(int(keep.sum()) * float(second.tensors[name].mean()) for name, keep in first.tensors.items())
    smaller = min(first.kept, second.kept)
    return {"jaccard": both / max(1, either), "shared": both / max(1, smaller), "chance": expected / max(1, smaller)}


def angular_distance(first: State, second: State, first_mask: Mask, second_mask: Mask) -> float:
    """2 * angle / pi of the weights that both masks keep: 0 parallel, 1 orthogonal, 2 opposite (Maene et al. 2021)."""
    pairs = [(keep & second_mask.tensors[name], name) for name, keep in first_mask.tensors.items()]
    a, b = (np.concatenate([_values(state, name)[keep] for keep, name in pairs]) for state in (first, second))
    norms = float(np.linalg.norm(a) * np.linalg.norm(b))
    if norms == 0:
        raise InputError("masks", "no shared weight that is not 0", "compare tickets with common weights")
    return 2 / math.pi * math.acos(max(-1.0, min(1.0, float(a @ b) / norms)))


def top_overlap(first: State, second: State, names: tuple[str, ...], share: float = 0.1) -> float:
    """R_p of Ma et al. 2021: the part of the ``share`` largest |w| of each layer that is among the largest of both; about ``share`` for unrelated weights.

    >>> weights = {"w": torch.arange(10.0)}
    >>> top_overlap(weights, weights, ("w",), 0.2), top_overlap(weights, {"w": -torch.arange(10.0).flip(0)}, ("w",), 0.2)
    (1.0, 0.0)
    """
    if not 0 < share <= 1:
        raise InputError("share", share, "give a fraction in (0, 1]")
    common = total = 0
    for name in names:
        a, b = (np.abs(_values(state, name)).reshape(-1) for state in (first, second))
        count = max(1, round(share * a.size))
        tops = [set(np.argsort(-values, kind="stable")[:count].tolist()) for values in (a, b)]
        common, total = common + len(tops[0] & tops[1]), total + count
    return common / total


def layer_densities(mask: Mask) -> dict[str, float]:
    """Kept / size of every tensor."""
    return {name: float(keep.mean()) for name, keep in mask.tensors.items()}


def weight_histogram(state: State, mask: Mask, bins: int = 41) -> tuple[Floats, Floats]:
    """(edges, counts) of the kept weights of all layers, edges symmetric about 0."""
    values = np.concatenate([_values(state, name)[keep] for name, keep in mask.tensors.items()])
    reach = float(np.abs(values).max()) if values.size else 1.0
    counts, edges = np.histogram(values, bins=bins, range=(-reach, reach))
    return edges, counts.astype(np.float64)


def _values(state: Mapping[str, torch.Tensor], name: str) -> Floats:
    values: Floats = np.asarray(state[name].detach().cpu().numpy(), dtype=np.float64)
    return values


def _signs(state: State, name: str) -> Floats:
    signs: Floats = np.sign(_values(state, name))
    return signs
