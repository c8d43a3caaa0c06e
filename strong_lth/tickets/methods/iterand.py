"""IteRand, iterative randomisation: Chijiwa, Yamaguchi, Ida, Umakoshi and Inoue, NeurIPS 2021 (arXiv 2106.09269)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch

from strong_lth.core import InputError
from strong_lth.tickets.hooks import Hooks, Phase
from strong_lth.tickets.methods.edge_popup import AUTHORS
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.scores import Popup, Scope, Selection, first_scores, frozen, magnitudes, searched, selection
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, State, Ticket, Untrained


@dataclass(frozen=True)
class IteRand:
    """Edge-popup in which, every ``every`` steps, each weight that is removed at that moment is drawn anew with probability ``probability``, by its law.

    The search sees more random weights than the network has at one time; no weight is ever trained. The momentum of the scores begins anew after each redraw (the authors keep it).
    ``every`` 0: a tenth of the search.

    Raises InputError for a probability outside [0, 1] and a negative ``every``.
    """

    every: int = 0
    probability: float = 0.1
    init: Init = "model"
    scope: Scope = "layer"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not 0 <= self.probability <= 1:
            raise InputError("IteRand.probability", self.probability, "give a number in [0, 1]")
        if self.every < 0:
            raise InputError("IteRand.every", self.every, "give steps >= 1, or 0 for a share of the search")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "IteRand"

    @classmethod
    def authors(cls) -> IteRand:
        """Every 300 steps with probability .1; the recipe is edge-popup's."""
        return cls(every=300, init="signed-constant", recipe=AUTHORS)

    @classmethod
    def scaled(cls, task: TaskView) -> IteRand:
        """A redraw in every tenth of the task's recipe, with probability .1."""
        every = max(1, math.ceil(task.recipe.epochs * task.steps_per_epoch / 10))
        return cls(every=every, init="signed-constant", recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            yield self._search(task, selection(task, kept, self.scope), seeds)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The untrained weights under the mask, as they are."""
        source = Untrained(seeds.init, self.init, redraws=level.notes["redraws"])
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes, source=source)

    def _search(self, task: TaskView, chosen: Selection, seeds: Seeds) -> Level:
        recipe = self.recipe or task.recipe
        total = recipe.epochs * task.steps(recipe)
        every = self.every or max(1, math.ceil(total / 10))
        weights = task.fresh(seeds.init, self.init)
        state: State = {**weights, **first_scores(task, weights, seeds.track, "random")}
        for number, start in enumerate(range(0, total, every)):
            if number > 0:
                weights = self._redrawn(task, weights, chosen(magnitudes(task, state)), number, seeds)
            phase = Phase(recipe, Hooks(effective=Popup(frozen(task, weights), tuple(task.layout.shapes), chosen)))
            state = task.train(state, None, phase, order=seeds.track, start=start, until=start + every).state
        notes = {"redraws": number, "every": every}
        return searched(task, weights, state, chosen.mask(magnitudes(task, state)), notes)

    def _redrawn(
        self, task: TaskView, weights: State, keep: dict[str, torch.Tensor], number: int, seeds: Seeds
    ) -> State:
        other, rng = task.fresh(seeds.init, self.init, number), generator(seeds.track, "scores", 2 * number + 1)
        out = dict(weights)
        for name, kept in keep.items():
            drawn = torch.from_numpy(rng.random(tuple(kept.shape)) < self.probability).to(kept.device)
            out[name] = torch.where(drawn & ~kept, other[name], weights[name])
        return out
