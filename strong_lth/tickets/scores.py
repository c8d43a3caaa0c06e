"""Score search: the weights are frozen, and what the training loop trains in their place are scores that choose among them.

The state that is trained holds a score where a prunable weight was. A hook turns scores into the weights that the network computes with, weight * keep, and passes the gradient of ``keep``
straight through to the score. Nothing else gets a gradient: biases, classifier, gamma and beta stay as drawn.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.density import layer_counts
from strong_lth.tickets.hooks import Tensors
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, State
from strong_lth.tickets.untrained import parameters_of

Scope = Literal["layer", "global"]
Start = Literal["random", "magnitude"]


@dataclass(frozen=True)
class Selection:
    """Which scores are kept: exactly ``counts[name]`` of every layer, or of one group of all layers under the name ``""``."""

    counts: Mapping[str, int]

    def __call__(self, scores: Tensors) -> dict[str, torch.Tensor]:
        """True for the largest scores; equal ones in tensor order, then by index, as in ``density.keep_largest``."""
        if "" not in self.counts:
            return {
                name: largest(score.reshape(-1), self.counts[name]).view(score.shape) for name, score in scores.items()
            }
        flat = largest(torch.cat([score.reshape(-1) for score in scores.values()]), self.counts[""])
        parts = flat.split([score.numel() for score in scores.values()])
        return {name: part.view(score.shape) for (name, score), part in zip(scores.items(), parts, strict=True)}

    def mask(self, scores: Tensors) -> Mask:
        """The choice as a mask.

        Raises InputError where scores rank nothing, because all of a layer (or of the one group) are equal, and where one group leaves a layer empty.
        """
        if "" in self.counts:
            groups = {"all layers": (torch.cat([score.reshape(-1) for score in scores.values()]), self.counts[""])}
        else:
            groups = {name: (score.reshape(-1), self.counts[name]) for name, score in scores.items()}
        for name, (flat, kept) in groups.items():
            if 0 < kept < flat.numel() and bool((flat == flat[0]).all()):
                raise InputError(
                    "scores",
                    f"{flat.numel()} equal ones in {name}",
                    "start from scores that differ, and let the training move them (learning rate, penalty)",
                )
        keep = self(scores)
        for name, part in keep.items():
            if not bool(part.any()):
                raise InputError(
                    "density",
                    f"{sum(self.counts.values())} weights of all layers together",
                    f'raise it, or use scope="layer": nothing of {name} is among them',
                )
        return Mask({name: part.cpu().numpy() for name, part in keep.items()})


def selection(task: TaskView, kept: int, scope: Scope) -> Selection:
    """Equal density in every layer, or ``kept`` weights of all layers together.

    Raises InputError for an unknown scope and when a layer would keep nothing.
    """
    if scope not in get_args(Scope):
        raise InputError("scope", repr(scope), "use layer or global")
    if scope == "global":
        return Selection({"": kept})
    counts = layer_counts(task.layout.sizes, kept)
    for name, count in counts.items():
        if count == 0:
            size = task.layout.sizes[name]
            raise InputError(
                "density",
                kept / task.layout.prunable,
                f"give at least {1 / size:.2g}: {name}, of {size} weights, would keep none",
            )
    return Selection(counts)


def largest(scores: torch.Tensor, kept: int) -> torch.Tensor:
    """True for exactly ``kept`` largest of flat scores, ties by index; no sort, and no wait for the device.

    >>> largest(torch.tensor([1.0, 2.0, 1.0, 1.0]), 2)
    tensor([ True,  True, False, False])
    """
    if kept <= 0:
        return torch.zeros_like(scores, dtype=torch.bool)
    least = torch.kthvalue(scores.detach(), scores.numel() - kept + 1).values
    above, tied = scores > least, scores == least
    return above | (tied & (tied.cumsum(0) <= kept - above.sum()))


def straight_through(keep: torch.Tensor, soft: torch.Tensor) -> torch.Tensor:
    """0 or 1, exactly, with the gradient of ``soft``."""
    return keep.to(soft.dtype) + (soft - soft.detach())


@dataclass(frozen=True, eq=False)
class Popup:
    """``effective``: weight * keep, where keep belongs to the largest |score|; every other parameter as drawn."""

    weights: State
    names: tuple[str, ...]
    selection: Selection

    def __call__(self, params: Tensors, scalars: Tensors) -> dict[str, torch.Tensor]:
        scores = {name: params[name].abs() for name in self.names}
        keep = self.selection(scores)
        gates = {name: straight_through(keep[name], score) for name, score in scores.items()}
        return {**self.weights, **{name: self.weights[name] * gate for name, gate in gates.items()}}


def first_scores(task: TaskView, weights: State, seed: int, start: Start) -> dict[str, torch.Tensor]:
    """Scores before the search: uniform in +-1 / sqrt(fan_in), as torch draws a linear layer, or the magnitudes of the weights.

    Raises InputError for another name.
    """
    if start not in get_args(Start):
        raise InputError("scores", repr(start), "use random or magnitude")
    if start == "magnitude":
        return magnitudes(task, weights)
    rng = generator(seed, "scores", 1)
    made = {}
    for name, shape in task.layout.shapes.items():
        values = rng.uniform(-1, 1, shape) / math.sqrt(math.prod(shape[1:]))
        made[name] = torch.from_numpy(values).to(weights[name].device, weights[name].dtype)
    return made


def frozen(task: TaskView, weights: State) -> dict[str, torch.Tensor]:
    """The parameters of a state, without the running statistics, which a hook must leave to the module."""
    return {name: weights[name] for name in parameters_of(weights, task.layout)}


def magnitudes(task: TaskView, state: State) -> dict[str, torch.Tensor]:
    """|score| of every prunable weight."""
    return {name: state[name].abs() for name in task.layout.shapes}


def searched(
    task: TaskView, weights: State, trained: State, mask: Mask, notes: Mapping[str, Any] | None = None
) -> Level:
    """The level of a finished search: the weights as drawn, with the statistics of normalisations from the training."""
    return Level(mask.density, mask, weights, {**trained, **frozen(task, weights)}, notes=notes or {})
