"""Gem-Miner, in our own reading: Sreenivasan et al., Rare Gems, NeurIPS 2022 (arXiv 2202.12002)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import torch

from strong_lth.core import InputError
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.scores import Scope, Selection, frozen, magnitudes, searched, selection, straight_through
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, State, Ticket, Untrained


@dataclass(frozen=True)
class GemMiner:
    """Scores p in [0, 1], rounded at 1/2 in the forward pass (straight-through), with a penalty that pulls them down, and periodic freezing.

    The penalty is ``strength`` * mean p^2 ("l2") or mean p ("l1"). Scores start uniform in [0, 1]. In period c of ``periods`` at most the density^(c / periods) n largest scores count, and after it the
    others are 0 for good, so the requested density is exact at the end. Rounding, penalty and freezing are the authors'; start, number of periods and schedule are ours. They finetune what they
    find; here the untrained ticket is scored. The note ``rounded_down`` counts kept weights whose score is below 1/2.

    Raises InputError for another penalty, a negative strength or no period.
    """

    periods: int = 5
    penalty: Literal["l1", "l2"] = "l2"
    strength: float = 1e-2
    init: Init = "model"
    scope: Scope = "layer"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.penalty not in ("l1", "l2"):
            raise InputError("GemMiner.penalty", repr(self.penalty), "use l1 or l2")
        if self.periods < 1:
            raise InputError("GemMiner.periods", self.periods, "give a whole number >= 1")
        if not (math.isfinite(self.strength) and self.strength >= 0):
            raise InputError("GemMiner.strength", self.strength, "give a finite number >= 0")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "Gem-Miner (our reading)"

    @classmethod
    def authors(cls) -> GemMiner:
        """150 epochs as in their comparison; the other numbers are our defaults, and not theirs."""
        return cls(init="signed-constant", recipe=Recipe(epochs=150, lr=0.1, batch=128, weight_decay=0.0))

    @classmethod
    def scaled(cls, task: TaskView) -> GemMiner:
        """Signed constant; the task's recipe without weight decay, at five times its learning rate, because scores move within [0, 1]."""
        return cls(init="signed-constant", recipe=replace(task.recipe, lr=5 * task.recipe.lr, weight_decay=0.0))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            yield self._search(task, kept, seeds)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The untrained weights under the mask, as they are."""
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes, source=Untrained(seeds.init, self.init))

    def _search(self, task: TaskView, kept: int, seeds: Seeds) -> Level:
        recipe, names, total = (
            self.recipe or GemMiner.scaled(task).recipe or task.recipe,
            tuple(task.layout.shapes),
            task.layout.prunable,
        )
        selection(task, kept, self.scope)  # refuses an empty layer before anything is trained
        weights, rng = task.fresh(seeds.init, self.init), generator(seeds.track, "scores", 1)
        state, alive = dict(weights), task.dense()
        for name, shape in task.layout.shapes.items():
            state[name] = torch.from_numpy(rng.random(shape)).to(weights[name].device, weights[name].dtype)
        every = math.ceil(recipe.epochs * task.steps(recipe) / self.periods)
        for period in range(self.periods):
            count = round(total * (kept / total) ** ((period + 1) / self.periods))
            chosen = selection(task, kept if period + 1 == self.periods else max(kept, count), self.scope)
            hooks = Hooks(
                effective=Rounded(frozen(task, weights), names, chosen),
                penalty=Pull(names, self.strength / total, 1 if self.penalty == "l1" else 2),
                after_step=Clamp(names),
            )
            begin, end = period * every, (period + 1) * every
            state = dict(
                task.train(state, alive, Phase(recipe, hooks), order=seeds.track, start=begin, until=end).state
            )
            alive = chosen.mask(magnitudes(task, state))
        low = sum(int((state[n][torch.from_numpy(alive.tensors[n]).to(state[n].device)] < 0.5).sum()) for n in names)
        return searched(task, weights, state, alive, {"rounded_down": low, "periods": self.periods})


@dataclass(frozen=True, eq=False)
class Rounded:
    """``effective``: weight * [score >= 1/2 and among the selected]."""

    weights: State
    names: tuple[str, ...]
    selection: Selection

    def __call__(self, params: Tensors, scalars: Tensors) -> dict[str, torch.Tensor]:
        scores = {name: params[name] for name in self.names}
        used = dict(self.weights)
        for name, keep in self.selection(scores).items():
            used[name] = self.weights[name] * straight_through(keep & (scores[name] >= 0.5), scores[name])
        return used


@dataclass(frozen=True)
class Pull:
    """``penalty``: strength * sum of p^power."""

    names: tuple[str, ...]
    strength: float
    power: int

    def __call__(self, params: Tensors, scalars: Tensors) -> torch.Tensor:
        return self.strength * torch.stack([(params[name] ** self.power).sum() for name in self.names]).sum()


@dataclass(frozen=True)
class Clamp:
    """``after_step``: scores back into [0, 1]."""

    names: tuple[str, ...]

    def __call__(self, params: Tensors, scalars: Tensors) -> None:
        for name in self.names:
            params[name].clamp_(0, 1)
