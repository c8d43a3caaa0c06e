"""Training recipes: optimiser, batch size and learning rate per step, as plain data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from strong_lth.core import Floats, InputError


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. ``weight_decay`` acts on every parameter, as in the published recipes.

    ``schedule``: "constant"; "cosine" to ``floor`` * lr; "steps", times ``drop`` at each of ``milestones`` (fractions of the epochs); "triangle", up during
    the first ``warmup`` epochs and linearly down to 0. With the other schedules ``warmup`` is a linear rise over that many epochs.

    Raises InputError for numbers outside their range.
    """

    epochs: int = 20
    lr: float = 0.1
    batch: int = 64
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["constant", "cosine", "steps", "triangle"] = "cosine"
    milestones: tuple[float, ...] = (0.5, 0.75)
    drop: float = 0.1
    floor: float = 0.0
    warmup: float = 0.0
    optimizer: Literal["sgd", "adam"] = "sgd"
    nesterov: bool = False

    def __post_init__(self) -> None:
        for name, low in (("epochs", 1), ("batch", 2)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < low:
                raise InputError(f"Recipe.{name}", repr(value), f"give a whole number >= {low}")
        for name in ("lr", "weight_decay", "warmup", "floor"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise InputError(f"Recipe.{name}", repr(value), "give a finite number >= 0")
        if not 0 <= self.momentum < 1:
            raise InputError("Recipe.momentum", repr(self.momentum), "give a number in [0, 1)")
        if self.schedule not in ("constant", "cosine", "steps", "triangle"):
            raise InputError("Recipe.schedule", repr(self.schedule), "use constant, cosine, steps or triangle")
        if self.optimizer not in ("sgd", "adam"):
            raise InputError("Recipe.optimizer", repr(self.optimizer), "use sgd or adam")
        if self.nesterov and self.momentum == 0:
            raise InputError("Recipe.nesterov", "momentum 0", "give a momentum above 0")


def learning_rates(recipe: Recipe, steps_per_epoch: int) -> Floats:
    """The learning rate of every step, shape (epochs * steps_per_epoch,).

    >>> learning_rates(Recipe(epochs=4, lr=1.0, schedule="steps"), 1).round(4)
    array([1.  , 1.  , 0.1 , 0.01])
    >>> learning_rates(Recipe(epochs=4, lr=1.0, schedule="constant", warmup=2), 1)
    array([0.5, 1. , 1. , 1. ])
    """
    total = recipe.epochs * steps_per_epoch
    step = np.arange(total, dtype=np.float64)
    rise = recipe.warmup * steps_per_epoch
    if recipe.schedule == "constant":
        factor = np.ones(total)
    elif recipe.schedule == "cosine":
        factor = recipe.floor + (1 - recipe.floor) * 0.5 * (1 + np.cos(np.pi * step / total))
    elif recipe.schedule == "steps":
        passed = sum((step >= mark * total).astype(np.int64) for mark in recipe.milestones)
        factor = np.asarray(recipe.drop, dtype=np.float64) ** passed
    else:
        factor = (total - step) / max(1.0, total - rise)
    if rise > 0:
        factor = np.where(step < rise, (step + 1) / rise, factor) if recipe.schedule == "triangle" else factor
        factor = factor if recipe.schedule == "triangle" else factor * np.minimum(1.0, (step + 1) / rise)
    return np.asarray(recipe.lr * np.minimum(factor, 1.0))
