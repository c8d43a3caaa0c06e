"""Random networks as score search draws them, and the proof that a strong ticket still holds nothing else.

Three laws besides the model's own: U[-1/2, 1/2] (Xiong et al. 2023), Kaiming normal, and the signed constant +-sqrt(2 / fan_in) (Ramanujan et al. 2020). They concern tensors of two
dimensions or more; biases are 0, gamma 1, beta 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import get_args

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.fingerprint import fingerprint
from strong_lth.tickets.layout import Layout
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.types import ContractError, Init, State, Untrained

Draw = Callable[[int, Init, int], State]


def drawn(like: State, layout: Layout, init: Init, seed: int, redraw: int = 0) -> State:
    """Weights of a law by name, a function of (seed, redraw) alone; buffers as in ``like``.

    Raises InputError for an unknown law.
    """
    if init not in get_args(Init):
        raise InputError("init", repr(init), f"use one of {', '.join(get_args(Init))}")
    rng = generator(seed, "scores", 2 * redraw)
    state = dict(like)
    for name in parameters_of(like, layout):
        tensor = like[name]
        if tensor.ndim >= 2:
            values = _values(init, rng, tuple(tensor.shape))
        else:
            values = np.full(tuple(tensor.shape), float(name in layout.scales))
        state[name] = torch.from_numpy(values).to(tensor.device, tensor.dtype)
    return state


def parameters_of(state: State, layout: Layout) -> tuple[str, ...]:
    """Names of everything that training could change; the running statistics of normalisations are measured, not trained."""
    return tuple(name for name in state if name not in layout.statistics)


def binarised(weights: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """alpha sign(w), alpha the mean |w| of the kept weights, summed exactly and rounded once.

    >>> binarised(torch.tensor([1.0, -3.0, 5.0]), torch.tensor([True, True, False]))
    tensor([ 2., -2.,  2.])
    """
    sizes = weights[keep].abs().double().tolist()
    alpha = math.fsum(sizes) / len(sizes) if sizes else 0.0
    return torch.where(weights < 0, -alpha, alpha).to(weights.dtype)


def check_untrained(state: State, mask: Mask, source: Untrained, layout: Layout, draw: Draw, who: str) -> None:
    """Every kept weight is, bit for bit, the weight that law and seed say; ContractError names the tensor and how many are not.

    With redraws a weight may be that of any of the networks 0 .. redraws, a choice of log2(redraws + 1) bits per weight, which is why rows say how many; with ``binary`` it is ``binarised`` of it.
    Running statistics of normalisations are not compared, because no law gives them: they are what the search measured. A method that trained a normalisation could hide a scale and an offset per unit there.
    """
    if isinstance(source.redraws, bool) or not isinstance(source.redraws, int) or source.redraws < 0:
        raise ContractError(f"{who}: {source.redraws!r} redraws; give a whole number >= 0")
    networks = [draw(source.seed, source.init, number) for number in range(source.redraws + 1)]
    for name in parameters_of(networks[0], layout):
        keep = torch.from_numpy(mask.tensors[name]) if name in mask.tensors else torch.ones((), dtype=torch.bool)
        keep = keep.to(state[name].device).expand(state[name].shape)
        same = torch.zeros_like(keep)
        for network in networks:
            expected = network[name].to(state[name].device)
            if source.binary and name in mask.tensors:
                expected = binarised(expected, keep)
            same = same | (state[name] == expected)
        changed = int((keep & ~same).sum())
        if changed:
            raise ContractError(
                f"{who}: {changed} kept weights of {name} are not those of seed {source.seed}, law {source.init}; "
                "a strong ticket leaves every weight as it was drawn"
            )


def weights_hash(state: State, layout: Layout) -> str:
    """SHA-256 of all parameters, removed ones too: equal before and after a search that leaves weights alone."""
    return fingerprint({name: state[name] for name in parameters_of(state, layout)}) or ""


def _values(init: Init, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    scale = math.sqrt(2 / math.prod(shape[1:]))
    if init == "uniform":
        return rng.uniform(-0.5, 0.5, shape)
    if init == "kaiming":
        return scale * rng.standard_normal(shape)
    return scale * np.where(rng.integers(2, size=shape) == 1, 1.0, -1.0)
