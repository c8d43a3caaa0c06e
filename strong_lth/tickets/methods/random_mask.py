"""Random masks on a fresh network: the control of every claim about a mask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from strong_lth.core import InputError
from strong_lth.tickets.density import erk_weights, layer_counts, random_mask
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class RandomMask:
    """A uniformly random mask with a given density per layer, on an untrained network.

    ``layers``: "uniform" (the same density in every layer), "erk" (Erdos-Renyi-Kernel), or a method, whose own densities per layer are used
    (the control for that method; its search is charged).
    """

    layers: Literal["uniform", "erk"] | TicketMethod = "uniform"
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if isinstance(self.layers, str) and self.layers not in ("uniform", "erk"):
            raise InputError("RandomMask.layers", repr(self.layers), 'use "uniform", "erk" or a method')

    @property
    def name(self) -> str:
        """Short name for tables."""
        return f"random ({self.layers if isinstance(self.layers, str) else 'layers of ' + self.layers.name})"

    @classmethod
    def authors(cls) -> RandomMask:
        """The same density in every layer."""
        return cls()

    @classmethod
    def scaled(cls, task: TaskView) -> RandomMask:
        """The same density in every layer."""
        return cls()

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, without training."""
        if isinstance(self.layers, str):
            weights = erk_weights(task.layout.shapes) if self.layers == "erk" else None
            plans = [
                layer_counts(task.layout.sizes, kept, weights)
                for kept in sorted({task.kept(d) for d in densities}, reverse=True)
            ]
            yield from (self._level(task, plan, seeds) for plan in plans)
        else:
            for level in self.layers.track(task, densities, seeds):
                yield self._level(task, {name: int(keep.sum()) for name, keep in level.mask.tensors.items()}, seeds)

    def _level(self, task: TaskView, counts: dict[str, int], seeds: Seeds) -> Level:
        mask = random_mask(task.layout.shapes, counts, generator(seeds.track, "mask"))
        start = task.fresh(seeds.init)
        return Level(mask.density, mask, start, start)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The untrained network under the mask, to be trained by the task's recipe."""
        return task.ticket(level.mask, level.start)
