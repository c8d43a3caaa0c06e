"""biprop, multi-prize tickets: Diffenderfer and Kailkhura, ICLR 2021 (arXiv 2103.09377)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.methods.edge_popup import AUTHORS
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.scores import (
    Scope,
    Selection,
    first_scores,
    frozen,
    magnitudes,
    searched,
    selection,
    straight_through,
)
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, State, Ticket, Untrained
from strong_lth.tickets.untrained import binarised


@dataclass(frozen=True)
class Biprop:
    """Edge-popup on binary weights: a kept weight w counts as alpha sign(w), alpha the mean |w| of the kept weights of its tensor.

    Signs stay as drawn and alpha follows from the mask, so nothing is trained but scores. The gradient treats alpha as a constant.
    """

    init: Init = "model"
    scope: Scope = "layer"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "biprop"

    @classmethod
    def authors(cls) -> Biprop:
        """Kaiming normal and the recipe of edge-popup, on whose code theirs is built."""
        return cls(init="kaiming", recipe=AUTHORS)

    @classmethod
    def scaled(cls, task: TaskView) -> Biprop:
        """Kaiming normal and the task's recipe."""
        return cls(init="kaiming", recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        names = tuple(task.layout.shapes)
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            chosen = selection(task, kept, self.scope)
            weights = task.fresh(seeds.init, self.init)
            start = first_scores(task, weights, seeds.track, "random")
            phase = Phase(self.recipe or task.recipe, Hooks(effective=Binary(frozen(task, weights), names, chosen)))
            end = task.train({**weights, **start}, None, phase, order=seeds.track).state
            mask = chosen.mask(magnitudes(task, end))
            signs = {n: binarised(weights[n], torch.from_numpy(mask.tensors[n]).to(weights[n].device)) for n in names}
            yield searched(task, {**weights, **signs}, end, mask)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The signs under the mask, times alpha, as they are."""
        source = Untrained(seeds.init, self.init, binary=True)
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes, source=source)


@dataclass(frozen=True, eq=False)
class Binary:
    """``effective``: alpha sign(w) keep."""

    weights: State
    names: tuple[str, ...]
    selection: Selection

    def __call__(self, params: Tensors, scalars: Tensors) -> dict[str, torch.Tensor]:
        scores = {name: params[name].abs() for name in self.names}
        used = dict(self.weights)
        for name, keep in self.selection(scores).items():
            weight = self.weights[name]
            alpha = (weight.abs() * keep).sum() / keep.sum().clamp(min=1)
            used[name] = alpha * torch.where(weight < 0, -1.0, 1.0) * straight_through(keep, scores[name])
        return used
