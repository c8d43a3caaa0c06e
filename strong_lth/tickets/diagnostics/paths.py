"""Error along straight lines between networks: barriers, instability, and the path between trained and initial normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import nn

from strong_lth.core import Floats, InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.images import Images
from strong_lth.tickets.layout import Layout
from strong_lth.tickets.states import load_state, masked, score
from strong_lth.tickets.task import Task, build, prepared, view
from strong_lth.tickets.types import State, Ticket

Statistics = Literal["re-estimated", "interpolated"]
Part = Literal["train", "validation"]
POINTS = 30


@dataclass(frozen=True, eq=False)
class Path:
    """Error and loss at ``points`` in [0, 1] of a straight line; ``statistics`` and ``part`` say how normalisations and images were chosen.

    ``distance`` is the Euclidean distance of the ends over all parameters.
    """

    points: Floats
    error: Floats
    loss: Floats
    distance: float
    statistics: Statistics
    part: Part

    @property
    def barrier(self) -> float:
        """The largest error on the path minus the mean error of its ends (Frankle et al. 2020), at least 0."""
        return max(0.0, float(self.error.max() - (self.error[0] + self.error[-1]) / 2))

    @property
    def loss_barrier(self) -> float:
        """The largest excess of the loss over the line between its ends (Adnan et al. 2025), at least 0."""
        return max(0.0, float((self.loss - (1 - self.points) * self.loss[0] - self.points * self.loss[-1]).max()))

    @property
    def midpoint(self) -> float:
        """The error halfway minus the mean error of the ends."""
        return float(np.interp(0.5, self.points, self.error) - (self.error[0] + self.error[-1]) / 2)


def path(
    task: Task,
    first: State,
    last: State,
    *,
    points: int = POINTS,
    statistics: Statistics = "re-estimated",
    part: Part = "validation",
) -> Path:
    """Evaluate (1 - a) first + a last for ``points`` values of a.

    Parameters are interpolated; running statistics of BatchNorm are interpolated too, or re-estimated at every point as the cumulative moments of the clean training
    part. Give states that are already masked. Raises InputError for two equal states: a barrier of a network with itself is 0 and says nothing.
    """
    if points < 3:
        raise InputError("points", points, "give at least 3")
    _check_choice(statistics, part)
    module, plan = build(task, 0), prepared(task)
    learned = {name for name, _ in module.named_parameters()}
    distance = float(sum(float((first[name] - last[name]).square().sum()) for name in learned)) ** 0.5
    if distance == 0:
        raise InputError("states", "the same network twice", "give two different networks")
    line = np.linspace(0.0, 1.0, points)
    states = [{name: _mix(first[name], last[name], float(a)) for name in first} for a in line]
    error, loss = _scores(module, states, plan.training, _images(task, part), statistics)
    return Path(line, error, loss, distance, statistics, part)


def instability(
    task: Task,
    ticket: Ticket,
    orders: tuple[int, int],
    *,
    points: int = POINTS,
    statistics: Statistics = "re-estimated",
    part: Part = "validation",
) -> Path:
    """Train two copies of a ticket that differ in the order of the data alone, and follow the line between their ends (Frankle et al. 2020).

    Its ``barrier`` is the instability; below 0.02 the authors call the ticket stable.
    """
    if orders[0] == orders[1]:
        raise InputError("orders", orders, "give two different seeds")
    looking = view(task)
    ends = [
        looking.train(ticket.state, ticket.mask, task.recipe, order=order, start=ticket.step).state for order in orders
    ]
    return path(task, ends[0], ends[1], points=points, statistics=statistics, part=part)


def normalisation_path(
    task: Task,
    state: State,
    mask: Mask,
    *,
    points: int = POINTS,
    statistics: Statistics = "re-estimated",
    part: Part = "validation",
) -> Path:
    """From the trained normalisation (0) to the initial one, gamma 1 and beta 0 (1), all other weights fixed: the path that AWS keeps low.

    With ``statistics`` "interpolated" the running statistics are those of the state at every point.
    Raises InputError for a model without normalisation.
    """
    layout: Layout = prepared(task).layout
    if not layout.scales:
        raise InputError("model", "no normalisation", "give a model with BatchNorm, LayerNorm or GroupNorm")
    kept = masked(state, mask)
    initial = dict(kept)
    initial |= {name: torch.ones_like(kept[name]) for name in layout.scales}
    initial |= {name: torch.zeros_like(kept[name]) for name in layout.offsets}
    return path(task, kept, initial, points=points, statistics=statistics, part=part)


def reestimate(module: nn.Module, images: Images, size: int = 500) -> None:
    """Replace the running statistics of every BatchNorm by the cumulative moments over ``images``."""
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
    if not norms:
        return
    momenta = [norm.momentum for norm in norms]
    module.train()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch: the plain average over batches
    with torch.no_grad():
        for pixels in _equal_batches(images.pixels, size):
            module(images.inputs(pixels))
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    module.eval()


def _equal_batches(pixels: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Batches of nearly equal size, so that the average over batches is nearly that over images."""
    return list(torch.tensor_split(pixels, max(1, -(-len(pixels) // size))))


def _scores(
    module: nn.Module, states: Sequence[State], training: Images, images: Images, statistics: Statistics
) -> tuple[Floats, Floats]:
    error, loss = [], []
    for state in states:
        load_state(module, state, {})
        if statistics == "re-estimated":
            reestimate(module, training)
        value, accuracy = score(module, images)
        error.append(1 - accuracy)
        loss.append(value)
    return np.array(error), np.array(loss)


def _mix(first: torch.Tensor, last: torch.Tensor, share: float) -> torch.Tensor:
    return (1 - share) * first + share * last if first.is_floating_point() else first


def _images(task: Task, part: Part) -> Images:
    return prepared(task).training if part == "train" else prepared(task).validation


def _check_choice(statistics: str, part: str) -> None:
    if statistics not in ("re-estimated", "interpolated"):
        raise InputError("statistics", repr(statistics), "use re-estimated or interpolated")
    if part not in ("train", "validation"):
        raise InputError("part", repr(part), "use train or validation")
