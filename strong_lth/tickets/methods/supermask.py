"""Bernoulli supermasks: Zhou, Lan, Liu and Yosinski, NeurIPS 2019 (arXiv 1905.01067)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.randomness import torch_seed
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.scores import Scope, first_scores, frozen, searched, selection, straight_through
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, State, Ticket, Untrained


@dataclass(frozen=True)
class Supermask:
    """A probability sigmoid(score) per weight; every step keeps each weight with its probability, and the gradient goes straight through to it.

    The ticket keeps the most probable weights, exactly as many as asked; the note ``expected_density`` is where the probabilities settled. Scores start around log(density / (1 - density)), so that the expected density is about the requested one (the authors
    start at 0 and let the density go where it goes).
    """

    init: Init = "model"
    scope: Scope = "layer"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "Bernoulli supermask"

    @classmethod
    def authors(cls) -> Supermask:
        """SGD with learning rate 100 for 2,000 epochs; the signed constant; batch 128, no decay and a constant rate are ours."""
        return cls(
            init="signed-constant",
            recipe=Recipe(epochs=2000, lr=100.0, batch=128, momentum=0.9, weight_decay=0.0, schedule="constant"),
        )

    @classmethod
    def scaled(cls, task: TaskView) -> Supermask:
        """Signed constant; the task's recipe at the authors' learning rate, without decay."""
        return cls(init="signed-constant", recipe=replace(task.recipe, lr=100.0, weight_decay=0.0))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        recipe, names = self.recipe or Supermask.scaled(task).recipe or task.recipe, tuple(task.layout.shapes)
        steps = np.arange(recipe.epochs * task.steps(recipe), dtype=np.float64)
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            chosen = selection(task, kept, self.scope)
            weights = task.fresh(seeds.init, self.init)
            share = min(kept / task.layout.prunable, 1 - 2**-10)
            level = math.log(share / (1 - share))
            start = {name: level + score for name, score in first_scores(task, weights, seeds.track, "random").items()}
            toss = Tossed(frozen(task, weights), names, torch_seed(seeds.track, "scores") % 2**31)
            phase = Phase(recipe, Hooks(effective=toss, scalars={"step": steps}))
            end = task.train({**weights, **start}, None, phase, order=seeds.track).state
            settled = sum(float(torch.sigmoid(end[name]).sum()) for name in names) / task.layout.prunable
            mask = chosen.mask({name: end[name] for name in names})
            yield searched(task, weights, end, mask, {"expected_density": settled})

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The untrained weights under the mask, as they are."""
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes, source=Untrained(seeds.init, self.init))


@dataclass(frozen=True, eq=False)
class Tossed:
    """``effective``: weight * [coin < sigmoid(score)], with fresh coins in every step."""

    weights: State
    names: tuple[str, ...]
    seed: int

    def __call__(self, params: Tensors, scalars: Tensors) -> dict[str, torch.Tensor]:
        used = dict(self.weights)
        for place, name in enumerate(self.names):
            chance = torch.sigmoid(params[name])
            keep = coins(chance, scalars["step"], self.seed + place) < chance.detach()
            used[name] = self.weights[name] * straight_through(keep, chance)
        return used


def coins(like: torch.Tensor, step: torch.Tensor, seed: int) -> torch.Tensor:
    """Numbers in [0, 1) that are a function of (seed, step, index): two rounds of the 32-bit finaliser of MurmurHash3, in 64-bit integers.

    Good enough for noise in a search; nothing statistical is concluded from them.

    >>> tosses = coins(torch.zeros(1000), torch.tensor(3.0), 1)
    >>> bool(tosses.min() >= 0), bool(tosses.max() < 1), round(float(tosses.mean()), 1)
    (True, True, 0.5)
    """
    index = torch.arange(like.numel(), dtype=torch.int64, device=like.device)
    mixed = _mix(_mix(step.long() + 0x9E3779B1 * (seed + 1)) + index)
    return ((mixed >> 8).to(torch.float32) * 2.0**-24).view(like.shape)


def _mix(value: torch.Tensor) -> torch.Tensor:
    value = value & 0xFFFFFFFF
    value = ((value ^ (value >> 16)) * 0x85EBCA6B) & 0xFFFFFFFF
    value = ((value ^ (value >> 13)) * 0xC2B2AE35) & 0xFFFFFFFF
    return value ^ (value >> 16)
