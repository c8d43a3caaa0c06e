"""What a ticket method is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Protocol, Self

from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


class TicketMethod(Protocol):
    """A way to find tickets: one file in ``methods/``, one line in ``METHODS``.

    ``track`` yields at least one level per requested density, exactly at it, densest first; other levels in between are allowed. ``ticket`` turns a
    level into what is evaluated. Both see a ``TaskView``, which knows no test data and does all training.
    """

    reference: ClassVar[bool]  # True: shown once, at the density it has, not at those requested
    together: ClassVar[
        bool
    ]  # True: one track passes through all densities; False: each density is a track, and a cost, of its own

    @classmethod
    def authors(cls) -> Self:
        """The published settings."""
        ...

    @classmethod
    def scaled(cls, task: TaskView) -> Self:
        """Settings of the same proportions for a smaller task."""
        ...

    @property
    def name(self) -> str:
        """Short name for tables; unique among the methods of one comparison."""
        ...

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """Levels at the requested densities."""
        ...

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The ticket of one level."""
        ...
