"""The settings of a perturbation as plain data, for configurations and the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from strong_lth.core import InputError
from strong_lth.projection import check_radius
from strong_lth.tickets.boxes import Shape
from strong_lth.tickets.method import TicketMethod
from strong_lth.tickets.methods.perturbed import Perturbed
from strong_lth.tickets.methods.projected_sgd import ProjectedSGD, RandomPerturbation


@dataclass(frozen=True)
class BoxSettings:
    """Size and shape of the perturbation, and the method that searches a mask ``then`` (or, in the order "after", first).

    Raises InputError for a negative or NaN perturbation.
    """

    perturbation: float = 1e-2
    shape: Shape = "box"
    then: str | None = None
    order: Literal["before", "after"] = "before"

    def __post_init__(self) -> None:
        check_radius(self.perturbation)

    def applied(self, method: TicketMethod, search: Callable[[str], TicketMethod]) -> TicketMethod:
        """The method with these settings; ``search`` makes a method from its name. InputError for one that has no box."""
        if not isinstance(method, ProjectedSGD | RandomPerturbation):
            raise InputError(
                "perturbation",
                f"{self.perturbation:g} for {method.name}",
                "use it with projected-sgd or random-perturbation",
            )
        held = replace(method, perturbation=self.perturbation, shape=self.shape)
        return held if self.then is None else Perturbed(held, search(self.then), self.order)
