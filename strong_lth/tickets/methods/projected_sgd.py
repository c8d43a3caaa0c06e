"""Projected SGD: Xiong, Liao and Kyrillidis, AISTATS 2023 (arXiv 2210.16589), Algorithm 1, and its control, a random point of the same box."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.boxes import Shape, StayInBox, random_point, stay
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, State, Ticket


@dataclass(frozen=True)
class ProjectedSGD:
    """Train inside a box around the initial weights: w_{t+1} = P(w_t - lr_t g_t), P the Euclidean projection onto ``shape`` of size ``perturbation``.

    Every parameter is held, in exact arithmetic and at every step; the running statistics of normalisations are no weights and are not. Momentum and weight decay act before the projection. ``recipe`` None is the task's own.
    As a method of its own it is the dense network trained in a box, at density 1; ``Perturbed`` searches a mask in it.

    Raises InputError for a perturbation that is negative, NaN, or positive and smaller than the spacing of every weight.
    """

    perturbation: float = 1e-2
    shape: Shape = "box"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = True
    together: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Short name for tables."""
        return f"projected SGD, {self.shape} {self.perturbation:g}"

    @classmethod
    def authors(cls) -> ProjectedSGD:
        """Learning rate .03, 100 epochs; batch 128, constant rate, no momentum and no decay are ours, because the paper gives none."""
        return cls(recipe=Recipe(epochs=100, lr=0.03, batch=128, momentum=0.0, weight_decay=0.0, schedule="constant"))

    @classmethod
    def scaled(cls, task: TaskView) -> ProjectedSGD:
        """The task's recipe."""
        return cls()

    def move(self, task: TaskView, state: State, seeds: Seeds, mask: Mask | None = None) -> State:
        """``state`` after projected SGD, under ``mask`` if there is one."""
        hook = stay(weights_of(task, state, mask), self.perturbation, self.shape)
        watch = AtEnds(hook.low, hook.high) if isinstance(hook, StayInBox) else None
        phase = Phase(self.recipe or task.recipe, Hooks(after_step=hook, watch=watch))
        return task.train(state, mask, phase, order=seeds.track).state

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level of density 1."""
        yield whole(task, densities, seeds, self.move(task, task.fresh(seeds.init), seeds))

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The network as it is."""
        return task.ticket(level.mask, level.end, "as-is")


@dataclass(frozen=True)
class RandomPerturbation:
    """A uniform point of the same box (or ball) instead of projected SGD: the control arm of Xiong et al. 2023, Table 2."""

    perturbation: float = 1e-2
    shape: Shape = "box"
    reference: ClassVar[bool] = True
    together: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Short name for tables."""
        return f"random perturbation, {self.shape} {self.perturbation:g}"

    @classmethod
    def authors(cls) -> RandomPerturbation:
        """Nothing else to set."""
        return cls()

    @classmethod
    def scaled(cls, task: TaskView) -> RandomPerturbation:
        """Nothing else to set."""
        return cls()

    def move(self, task: TaskView, state: State, seeds: Seeds, mask: Mask | None = None) -> State:
        """``state`` with every weight redrawn from its box; removed weights stay removed."""
        start = weights_of(task, state, mask)
        drawn = random_point(start, self.perturbation, self.shape, generator(seeds.track, "perturbation"), mask)
        return {**state, **weights_of(task, drawn, mask)}

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level of density 1."""
        yield whole(task, densities, seeds, self.move(task, task.fresh(seeds.init), seeds))

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The network as it is."""
        return task.ticket(level.mask, level.end, "as-is")


@dataclass(frozen=True, eq=False)
class AtEnds:
    """Shares of the held weights: at an end of their box, where the projection acts; and with a box of one point, smaller than the spacing around W_0."""

    low: Mapping[str, torch.Tensor]
    high: Mapping[str, torch.Tensor]

    def __call__(self, params: Tensors) -> dict[str, float]:
        points = [(params[name], low, self.high[name]) for name, low in self.low.items()]
        count = sum(low.numel() for low in self.low.values())
        single = sum(int((low == high).sum()) for _, low, high in points)
        there = sum(int((((w == low) | (w == high)) & (low < high)).sum()) for w, low, high in points)
        return {"at_ends": there / count, "single_points": single / count}


def weights_of(task: TaskView, state: State, mask: Mask | None = None) -> dict[str, torch.Tensor]:
    """The parameters of a state, without the running statistics; removed ones are 0."""
    found = {name: tensor for name, tensor in state.items() if name not in task.layout.statistics}
    for name, keep in () if mask is None else mask.tensors.items():
        found[name] = torch.where(torch.from_numpy(keep).to(found[name].device), found[name], 0.0)
    return found


def whole(task: TaskView, densities: Sequence[float], seeds: Seeds, end: State) -> Level:
    """The level of density 1; InputError for another density."""
    if any(density != 1 for density in densities):
        raise InputError(
            "density", min(densities), "this is a dense network, of density 1; use Perturbed to search a mask in it"
        )
    return Level(1.0, task.dense(), task.fresh(seeds.init), end)
