"""Verdicts from measurements: where successive levels lie, and Ma et al.'s winning-ticket criteria."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strong_lth.core import InputError
from strong_lth.tickets.diagnostics.paths import Path, path
from strong_lth.tickets.diagnostics.weights import angular_distance
from strong_lth.tickets.states import masked
from strong_lth.tickets.task import Task
from strong_lth.tickets.types import Level

STABLE = 0.02  # Frankle et al. 2020: instability below 2 %
NEAR = 0.5  # angular distance, in units of a right angle


class Place(enum.Enum):
    """How two solutions lie to each other."""

    SAME_BASIN = "same basin"
    SAME_REGION = "same region, not the same basin"
    FAR = "far"


def place(barrier: float, angle: float, *, stable: float = STABLE, near: float = NEAR) -> Place:
    """No barrier: same basin. A barrier but a small angle: same region (Maene et al. 2021). Otherwise far.

    >>> place(0.0, 0.9).value, place(0.3, 0.2).value, place(0.3, 0.9).value
    ('same basin', 'same region, not the same basin', 'far')
    """
    if barrier < stable:
        return Place.SAME_BASIN
    return Place.SAME_REGION if angle < near else Place.FAR


@dataclass(frozen=True, eq=False)
class Step:
    """Two successive levels of a track: densities, the path between their ends, the angle on shared weights, and the verdict."""

    above: float
    below: float
    path: Path
    angle: float
    place: Place


def successive(task: Task, levels: Sequence[Level]) -> list[Step]:
    """Compare the end of every level with the end of the next."""
    if len(levels) < 2:
        raise InputError("levels", len(levels), "give at least two")
    steps = []
    for above, below in itertools.pairwise(levels):
        line = path(task, masked(above.end, above.mask), masked(below.end, below.mask))
        angle = angular_distance(above.end, below.end, above.mask, below.mask)
        steps.append(Step(above.density, below.density, line, angle, place(line.barrier, angle)))
    return steps


@dataclass(frozen=True)
class MaVerdict:
    """Which of the five conditions hold, and what follows: all five "jackpot", the first four "secondary prize"."""

    conditions: tuple[bool, bool, bool, bool, bool]

    @property
    def prize(self) -> str:
        """ "jackpot", "secondary prize" or "none"."""
        if all(self.conditions):
            return "jackpot"
        return "secondary prize" if all(self.conditions[:4]) else "none"


def ma_verdict(
    *,
    sparsity: float,
    ticket: Mapping[float, float],
    reinitialized: Mapping[float, float],
    dense: Mapping[float, float],
    well_trained: float,
    small_dense: float,
    similar: float = 0.005,
    gap: float = 0.005,
) -> MaVerdict:
    """Ma et al., NeurIPS 2021 (arXiv 2107.00166). ``ticket``, ``reinitialized`` and ``dense`` map a learning rate to a mean accuracy.

    (1) sparsity >= 0.6; (2) the small dense network is worse than the best ticket by more than ``gap``; (3) at some rate the ticket beats the reinitialized one at *any* rate
    by more than ``gap``; (4) at some rate it is within ``similar`` of the dense network at the same rate; (5) at some rate within ``similar`` of the well-trained one.
    The defaults are the paper's for CIFAR-10.

    >>> ma_verdict(sparsity=0.8, ticket={0.1: 0.92}, reinitialized={0.1: 0.90}, dense={0.1: 0.92}, well_trained=0.94, small_dense=0.9).prize
    'secondary prize'
    """
    if not ticket or not reinitialized or not set(ticket) & set(dense):
        raise InputError(
            "learning rates",
            "none in common",
            "give ticket and dense accuracies at common rates, and a reinitialized one",
        )
    best_other = max(reinitialized.values())
    return MaVerdict(
        (
            sparsity >= 0.6,
            max(ticket.values()) - small_dense > gap,
            any(value - best_other > gap for value in ticket.values()),
            any(dense[rate] - value <= similar for rate, value in ticket.items() if rate in dense),
            any(well_trained - value <= similar for value in ticket.values()),
        )
    )
