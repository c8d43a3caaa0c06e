"""The unpruned network, trained by the task's recipe: the reference row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from strong_lth.core import InputError
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class Dense:
    """All weights kept; density 1 is the only one it has."""

    reference: ClassVar[bool] = True
    together: ClassVar[bool] = True

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "dense"

    @classmethod
    def authors(cls) -> Dense:
        """Nothing to set."""
        return cls()

    @classmethod
    def scaled(cls, task: TaskView) -> Dense:
        """Nothing to set."""
        return cls()

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level, the initial network; InputError for a density below 1."""
        if any(density != 1 for density in densities):
            raise InputError("density", min(densities), "the dense network has density 1")
        start = task.fresh(seeds.init)
        yield Level(1.0, task.dense(), start, start)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """Train it by the task's recipe."""
        return task.ticket(level.mask, level.start)
