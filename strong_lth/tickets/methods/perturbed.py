"""A search for a mask in a network that was moved inside a box first, or the reverse order: Xiong, Liao and Kyrillidis, AISTATS 2023, Tables 1 to 3."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

import torch

from strong_lth.core import InputError
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.methods.edge_popup import EdgePopup
from strong_lth.tickets.methods.projected_sgd import ProjectedSGD, RandomPerturbation, weights_of
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Init, Level, Seeds, State, Ticket


@dataclass(frozen=True)
class Perturbed:
    """``order`` "before": ``move`` the initial weights, then ``search`` a mask among the moved ones. "after": search first, then move the kept weights under the mask.

    The ticket is used as it is, so its weights are at most ``move.perturbation`` away from the random ones. ``search`` must leave weights alone; with random masks it is the control without a search.

    Raises InputError for another order, and for a search whose tickets have weights of their own.
    """

    move: ProjectedSGD | RandomPerturbation = field(default_factory=ProjectedSGD)
    search: TicketMethod = field(default_factory=EdgePopup)
    order: Literal["before", "after"] = "before"
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.order not in ("before", "after"):
            raise InputError("Perturbed.order", repr(self.order), "use before or after")

    @property
    def name(self) -> str:
        """Short name for tables."""
        first, second = (self.move, self.search) if self.order == "before" else (self.search, self.move)
        return f"{first.name}, then {second.name}"

    @property
    def init(self) -> Init:
        """The law of the weights that are moved: that of the search, which would draw them itself."""
        law: Init = getattr(self.search, "init", "model")
        return law

    @classmethod
    def authors(cls) -> Perturbed:
        """Weights U[-1/2, 1/2]; projected SGD at .03 for 100 epochs, edge-popup at .1 with cosine for 50. Batch, momentum and decay are ours."""
        popup = Recipe(epochs=50, lr=0.1, batch=128, momentum=0.0, weight_decay=0.0, schedule="cosine")
        return cls(ProjectedSGD.authors(), EdgePopup(init="uniform", recipe=popup))

    @classmethod
    def scaled(cls, task: TaskView) -> Perturbed:
        """Both by the task's recipe."""
        return cls(ProjectedSGD.scaled(task), EdgePopup.scaled(task))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """The levels of the search; ``end`` is the state that is used."""
        start = task.fresh(seeds.init, self.init)
        if self.order == "before":
            start = self.move.move(task, start, seeds)
        view = task.beginning_with(seeds.init, start)
        for level in self.search.track(view, densities, seeds):
            found = self.search.ticket(level, view, seeds)
            self._check(task, found, start)
            end = found.state if self.order == "before" else self.move.move(task, found.state, seeds, found.mask)
            yield replace(level, start=found.state, end=end)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The state under its mask, as it is."""
        return task.ticket(level.mask, level.end, "as-is")

    def _check(self, task: TaskView, found: Ticket, start: State) -> None:
        for name, tensor in weights_of(task, found.state).items():
            keep = found.mask.tensors.get(name)
            same = tensor == start[name]
            if not bool((same if keep is None else same | ~torch.from_numpy(keep).to(same.device)).all()):
                raise InputError(
                    "search", f"{self.search.name}, which changes {name}", "give a search that leaves the weights alone"
                )
