"""Iterative magnitude pruning with rewinding: Frankle and Carbin 2019 (to init), Frankle et al. 2020 (to step k)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from strong_lth.core import InputError
from strong_lth.tickets.density import keep_largest, track_counts
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class IMP:
    """Train, remove the smallest ``per_round`` of the surviving weights of all layers together, put the rest back to step ``rewind``; repeat.

    ``recipe``: of every round; None is the task's. Rewinding to step k trains k steps once; every later training starts there with learning rate and order of the
    data of step k, and an empty optimiser, as in OpenLTH.
    """

    rewind: int = 0
    per_round: float = 0.2
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.rewind, bool) or not isinstance(self.rewind, int) or self.rewind < 0:
            raise InputError("IMP.rewind", repr(self.rewind), "give an optimiser step >= 0")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return f"IMP (rewind to {self.rewind})" if self.rewind else "IMP"

    @classmethod
    def authors(cls) -> IMP:
        """OpenLTH's ResNet-20 with rewinding to step 500: 160 epochs, lr .1 / 10 at one half and three quarters, batch 128, weight decay 1e-4."""
        return cls(rewind=500, recipe=Recipe(epochs=160, lr=0.1, batch=128, weight_decay=1e-4, schedule="steps"))

    @classmethod
    def scaled(cls, task: TaskView) -> IMP:
        """The task's recipe, rewinding to the same fraction of the training as ``authors``: 500 of 62,400 steps."""
        steps = task.steps_per_epoch * task.recipe.epochs
        return cls(rewind=max(1, round(steps * 500 / 62_400)), recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """Levels 1, .8, .64, ... and the requested densities."""
        recipe = self.recipe or task.recipe
        if self.rewind >= recipe.epochs * task.steps(recipe):
            raise InputError(
                "IMP.rewind", self.rewind, f"rewind to before the end, step {recipe.epochs * task.steps(recipe)}"
            )
        start, mask = task.fresh(seeds.init), task.dense()
        if self.rewind:
            start = task.train(start, mask, recipe, order=seeds.track, until=self.rewind).state
        end = start
        for kept in track_counts(task.layout.prunable, densities, self.per_round):
            if kept < mask.kept:
                mask = keep_largest(task.magnitudes(end), kept, mask)
            end = task.train(start, mask, recipe, order=seeds.track, start=self.rewind).state
            yield Level(mask.density, mask, start, end)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The rewound weights under the mask, to be trained by the task's recipe from step ``rewind``."""
        return task.ticket(
            level.mask, level.start, step=min(self.rewind, task.recipe.epochs * task.steps_per_epoch - 1)
        )
