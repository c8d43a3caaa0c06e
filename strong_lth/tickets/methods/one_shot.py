"""One training, one pruning by magnitude."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from strong_lth.core import InputError
from strong_lth.tickets.density import keep_largest
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class OneShotMagnitude:
    """Train dense, keep the largest weights of all layers together, go on from the initial weights ("initial") or from the trained ones ("trained").

    ``recipe``: of the dense training; None is the task's. Renda et al. 2020 call these one-shot rewinding to 0 and one-shot learning-rate rewinding.
    """

    weights: Literal["initial", "trained"] = "initial"
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.weights not in ("initial", "trained"):
            raise InputError("OneShotMagnitude.weights", repr(self.weights), 'use "initial" or "trained"')

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "one-shot" if self.weights == "initial" else "one-shot, weights kept"

    @classmethod
    def authors(cls) -> OneShotMagnitude:
        """OpenLTH's ResNet-20: 160 epochs, lr .1 / 10 at one half and three quarters, batch 128, weight decay 1e-4."""
        return cls(recipe=Recipe(epochs=160, lr=0.1, batch=128, weight_decay=1e-4, schedule="steps"))

    @classmethod
    def scaled(cls, task: TaskView) -> OneShotMagnitude:
        """The task's recipe."""
        return cls(recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, all from one dense training."""
        start = task.fresh(seeds.init)
        end = task.train(start, task.dense(), self.recipe or task.recipe, order=seeds.track).state
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            mask = keep_largest(task.magnitudes(end), kept)
            yield Level(mask.density, mask, start, end)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """Initial or trained weights under the mask, to be trained by the task's recipe."""
        return task.ticket(level.mask, level.start if self.weights == "initial" else level.end)
