"""Edge-popup: Ramanujan, Wortsman, Kembhavi, Farhadi and Rastegari, CVPR 2020 (arXiv 1911.13299), after the authors' code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from strong_lth.tickets.hooks import Hooks, Phase
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.scores import Popup, Scope, Start, first_scores, frozen, magnitudes, searched, selection
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, Ticket, Untrained

AUTHORS = Recipe(epochs=100, lr=0.1, batch=128, momentum=0.9, weight_decay=1e-4, schedule="cosine")


@dataclass(frozen=True)
class EdgePopup:
    """Train a score per weight; the network computes with the weights of the largest |score|, exactly density * n of them in every layer (``scope`` "global": of all layers together).

    The gradient of a score is that of its weight times the weight, whether it is kept or not (straight-through). Weights stay as drawn from ``init``, so the ticket is a strong one and is
    used as it is. ``scores``: where they start. ``recipe`` None is the task's own.

    Raises InputError when a layer would keep nothing, and when the scores of a layer are all equal.
    """

    init: Init = "model"
    scope: Scope = "layer"
    scores: Start = "random"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name for tables."""
        parts = [part for part in (self.init, self.scope, self.scores) if part not in ("model", "layer", "random")]
        return f"edge-popup ({', '.join(parts)})" if parts else "edge-popup"

    @classmethod
    def authors(cls) -> EdgePopup:
        """CIFAR settings: signed constant, SGD .1 with cosine, 100 epochs, batch 128, momentum .9, weight decay 1e-4."""
        return cls(init="signed-constant", recipe=AUTHORS)

    @classmethod
    def scaled(cls, task: TaskView) -> EdgePopup:
        """Signed constant and the task's recipe."""
        return cls(init="signed-constant", recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            chosen = selection(task, kept, self.scope)
            weights = task.fresh(seeds.init, self.init)
            start = first_scores(task, weights, seeds.track, self.scores)
            hook = Popup(frozen(task, weights), tuple(task.layout.shapes), chosen)
            chosen.mask(start)
            phase = Phase(self.recipe or task.recipe, Hooks(effective=hook))
            end = task.train({**weights, **start}, None, phase, order=seeds.track).state
            yield searched(task, weights, end, chosen.mask(magnitudes(task, end)))

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The untrained weights under the mask, as they are."""
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes, source=Untrained(seeds.init, self.init))
