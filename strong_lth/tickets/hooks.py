"""The five places where a method may act on the one training loop, and the phases a training consists of."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from strong_lth.core import Floats
from strong_lth.tickets.recipe import Recipe

Tensors = Mapping[str, torch.Tensor]


class Signal(enum.Enum):
    """What ``on_epoch`` answers."""

    CONTINUE = "continue"
    NEXT_PHASE = "next phase"
    STOP = "stop"


@dataclass(frozen=True)
class EpochRow:
    """What is known after one epoch: mean training loss, share of right answers while training, density of the mask (1 without one) and, where someone asked, loss and accuracy on the validation split and watched numbers."""

    phase: int
    epoch: int
    steps: int
    lr: float
    train_loss: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None
    watched: Mapping[str, float] = field(default_factory=dict)
    train_accuracy: float | None = None
    density: float | None = None


@dataclass(frozen=True, eq=False)
class Hooks:
    """Callables of the training loop. Those of a step touch tensors only.

    * ``effective(params, scalars)``: the parameters the network computes with (gradients flow through it).
    * ``penalty(params, scalars)``: a scalar added to the loss.
    * ``before_step(params, gradients, scalars)``: changes gradients in place.
    * ``after_step(params, scalars)``: changes parameters in place; the mask is applied after it.
    * ``on_epoch(rows)``: a pure function of the rows of this phase so far, newest last.

    ``scalars`` holds a value per step of the phase; the loop puts the current ones, and "lr", into 0-d tensors on the device. ``watch(params)`` returns
    numbers to record after each epoch.

    A hook that is a function of a module, or a frozen dataclass with ``__call__``, makes a training that can be stored; a closure or lambda does not.
    """

    effective: Callable[[Tensors, Tensors], Tensors] | None = None
    penalty: Callable[[Tensors, Tensors], torch.Tensor] | None = None
    before_step: Callable[[Tensors, Tensors, Tensors], None] | None = None
    after_step: Callable[[Tensors, Tensors], None] | None = None
    on_epoch: Callable[[tuple[EpochRow, ...]], Signal] | None = None
    watch: Callable[[Tensors], Mapping[str, float]] | None = None
    scalars: Mapping[str, Floats] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Phase:
    """A recipe with hooks; ``Recipe.epochs`` is its length unless ``on_epoch`` ends it earlier."""

    recipe: Recipe
    hooks: Hooks = field(default_factory=Hooks)
    notes: Mapping[str, Any] = field(default_factory=dict)
