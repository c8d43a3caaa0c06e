"""What every trained-ticket method speaks: seeds, costs, levels, tickets and outcomes.

A *level* is one density of a pruning track, with the full state (weights, normalisation, buffers) before and after its training. A *ticket* is a mask with the
state that it starts from. A method makes both; the harness checks them, counts their cost and scores them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask

State = Mapping[str, torch.Tensor]
"""Parameters and buffers of a model by name; never changed in place."""


class ContractError(ValueError):
    """A method broke the rules of the comparison: a wrong density, a mask outside the prunable set, a look at the test data."""


@dataclass(frozen=True)
class Seeds:
    """Three independent seeds: ``init`` of the weights, ``order`` of the final training, ``track`` of everything a method draws while it searches.

    >>> Seeds.of(2)
    Seeds(init=6, order=7, track=8)
    """

    init: int
    order: int
    track: int

    @classmethod
    def of(cls, seed: int) -> Seeds:
        """The three seeds of run number ``seed``; two runs share none."""
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**60:
            raise InputError("seed", repr(seed), "give a whole number from 0 to 2^60 - 1")
        return cls(3 * seed, 3 * seed + 1, 3 * seed + 2)

    def source(self) -> Seeds:
        """Seeds of a network that lends its mask and signs to another one: its init differs from ``init``."""
        return Seeds(init=self.track, order=self.order, track=self.track)


@dataclass(frozen=True)
class Cost:
    """Training spent: passes over the training part, optimiser steps, seconds of wall time."""

    epochs: float = 0.0
    steps: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.epochs + other.epochs, self.steps + other.steps, self.seconds + other.seconds)

    def __sub__(self, other: Cost) -> Cost:
        return Cost(self.epochs - other.epochs, self.steps - other.steps, self.seconds - other.seconds)


Init = Literal["model", "uniform", "kaiming", "signed-constant"]
"""Laws of untrained weights: the model's own, U[-1/2, 1/2], Kaiming normal, +-sqrt(2 / fan_in)."""


@dataclass(frozen=True)
class Untrained:
    """Where all weights of a strong ticket come from: a law and a seed; the harness draws them again and compares bit for bit.

    ``redraws``: removed weights were drawn anew up to so many times. ``binary``: a prunable weight is the sign of the drawn one times one number per tensor.
    """

    seed: int
    init: Init = "model"
    redraws: int = 0
    binary: bool = False


@dataclass(frozen=True, eq=False)
class Level:
    """One density of a track: the mask, and the full states before (``start``) and after (``end``) the training under that mask.

    ``cost`` is everything spent until ``end``; the harness fills it in.
    """

    density: float
    mask: Mask
    start: State
    end: State
    cost: Cost = Cost()
    notes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ticket:
    """A mask and the state it starts from.

    ``use``: "train" (by the task's recipe, from optimiser step ``step`` of its schedule) or "as-is". ``cost`` is what *finding* it took; the harness
    fills it in. ``source``: of a strong ticket, whose weights were never trained.
    """

    model: str
    mask: Mask
    state: State
    use: Literal["as-is", "train"] = "train"
    cost: Cost = Cost()
    notes: Mapping[str, Any] = field(default_factory=dict)
    step: int = 0
    source: Untrained | None = None

    @property
    def density(self) -> float:
        """Kept / prunable."""
        return self.mask.density


@dataclass(frozen=True, eq=False)
class Outcome:
    """How a ticket did: accuracy and cross-entropy on the test and validation images after the last epoch, what its training cost, and the final state."""

    accuracy: float
    loss: float
    validation_accuracy: float
    validation_loss: float
    density: float
    kept: int
    prunable: int
    parameters: int
    cost: Cost
    state: State
