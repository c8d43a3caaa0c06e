"""UniLTH and UniDLTH, in our own reading of an abstract (OpenReview CJl2S0w1mbq, 2022): formula, patience and ceilings were never published.

Train without a penalty until the validation loss stalls, then apply a growing penalty and prune by magnitude, repeatedly. ``UniLTH`` takes the weights to be
removed from the magnitudes, ``UniDLTH`` from a random mask drawn beforehand. Every number here is ours, none the authors'.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.density import keep_largest
from strong_lth.tickets.hooks import EpochRow, Hooks, Phase, Signal
from strong_lth.tickets.methods.rst import Growth, nested_masks, ramp_values, shortest_ramp, transformation
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, State, Ticket


@dataclass(frozen=True)
class Patience:
    """Ends a training when the validation loss has not improved by ``min_delta`` for ``epochs`` epochs."""

    epochs: int
    min_delta: float

    def __call__(self, rows: tuple[EpochRow, ...]) -> Signal:
        best, since = math.inf, 0
        for row in rows:
            loss = math.inf if row.validation_loss is None else row.validation_loss
            best, since = (loss, 0) if loss < best - self.min_delta else (best, since + 1)
        return Signal.STOP if since >= self.epochs else Signal.CONTINUE


@dataclass(frozen=True)
class UniSettings:
    """What both readings share: ``cycles``, the patience of the first phase, and the growing penalty; ``recipe`` None and ``ramp`` 0 are the ``scaled`` ones.

    ``restart_patience`` waits for a stall before every cycle, not only before the first.

    Raises InputError for fewer than one cycle or epoch of patience.
    """

    cycles: int = 3
    patience: int = 3
    min_delta: float = 0.0
    growth: Growth = "square"
    ceiling: float = 1.0
    ramp: int = 0
    restart_patience: bool = False
    recipe: Recipe | None = None

    def __post_init__(self) -> None:
        if self.cycles < 1 or self.patience < 1:
            raise InputError("cycles, patience", f"{self.cycles}, {self.patience}", "give whole numbers >= 1")

    @classmethod
    def scaled(cls, task: TaskView) -> UniSettings:
        """Constant learning rate a tenth of the task's; at most the task's epochs before the penalty; the shortest ramp that still removes."""
        recipe = replace(task.recipe, lr=task.recipe.lr / 10, schedule="constant", warmup=0.0, optimizer="sgd")
        return cls(recipe=recipe, ramp=shortest_ramp(recipe, 1.0, "square"))


@dataclass(frozen=True)
class UniLTH:
    """Our reading of the abstract. A: train dense until the validation loss stalls. B: lambda grows as (t / ramp)^p on the weights to be removed. C: prune by
    magnitude. B and C repeat ``cycles`` times, A too with ``restart_patience``; then finetune by the task's recipe.

    After cycle c the fraction kept is density^(c / cycles). Weights are not rewound.
    """

    settings: UniSettings = field(default_factory=UniSettings)
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "UniLTH (our reading)"

    @classmethod
    def authors(cls) -> UniLTH:
        """The authors published no settings; these are our defaults, and not theirs."""
        return cls()

    @classmethod
    def scaled(cls, task: TaskView) -> UniLTH:
        """See ``UniSettings.scaled``."""
        return cls(UniSettings.scaled(task))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        for kept in _counts(task, densities):
            yield _search(self.settings, task, kept, seeds, None)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The weights as they are, under the mask, to be finetuned by the task's recipe."""
        return task.ticket(level.mask, level.end, notes=level.notes)


@dataclass(frozen=True)
class UniDLTH:
    """Our reading of the abstract: like ``UniLTH``, with a random mask drawn before the first step (nested over the cycles, equal density per layer)."""

    settings: UniSettings = field(default_factory=UniSettings)
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "UniDLTH (our reading)"

    @classmethod
    def authors(cls) -> UniDLTH:
        """The authors published no settings; these are our defaults, and not theirs."""
        return cls()

    @classmethod
    def scaled(cls, task: TaskView) -> UniDLTH:
        """See ``UniSettings.scaled``."""
        return cls(UniSettings.scaled(task))

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a search of its own."""
        for kept in _counts(task, densities):
            masks = list(nested_masks(task, kept, self.settings.cycles, seeds))
            yield _search(self.settings, task, kept, seeds, masks)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The weights as they are, under the mask, to be finetuned by the task's recipe."""
        return task.ticket(level.mask, level.end, notes=level.notes)


def _counts(task: TaskView, densities: Sequence[float]) -> list[int]:
    return sorted({task.kept(density) for density in densities}, reverse=True)


def _search(method: UniSettings, task: TaskView, kept: int, seeds: Seeds, given: list[Mask] | None) -> Level:
    recipe = method.recipe or UniSettings.scaled(task).recipe or task.recipe
    lambdas = ramp_values(
        method.ramp or shortest_ramp(recipe, method.ceiling, method.growth), 0, method.ceiling, method.growth
    )
    start = state = task.fresh(seeds.init)
    mask, epochs = task.dense(), 0
    stalls: list[int] = []
    counts: list[int] = []
    for cycle in range(1, method.cycles + 1):
        if cycle == 1 or method.restart_patience:
            waiting = Phase(
                replace(recipe, epochs=task.recipe.epochs), Hooks(on_epoch=Patience(method.patience, method.min_delta))
            )
            trained = task.train(state, mask, waiting, order=seeds.track, first_epoch=epochs)
            state, epochs = trained.state, epochs + task.recipe.epochs
            stalls.append(len(trained.rows))
        chosen = given[cycle - 1] if given is not None else _smallest_go(task, state, mask, kept, cycle / method.cycles)
        phase = transformation(task, recipe, chosen, lambdas)
        state = task.train(state, mask, phase, order=seeds.track, first_epoch=epochs, until=len(lambdas)).state
        mask, epochs = chosen, epochs + phase.recipe.epochs
        counts.append(mask.kept)
    notes = {
        "patience": method.patience,
        "min_delta": method.min_delta,
        "power": method.growth,
        "lambda_max": method.ceiling,
        "stalled_after_epochs": stalls,
        "sparsity_per_cycle": [1 - count / task.layout.prunable for count in counts],
        "rewound_to": None,  # never: the abstract does not say, we go on
    }
    return Level(mask.density, mask, start, state, notes=notes)


def _smallest_go(task: TaskView, state: State, mask: Mask, kept: int, share: float) -> Mask:
    """The largest weights that are alive; their number is prunable * density^share, and ``kept`` at the end."""
    total = task.layout.prunable
    count = kept if share == 1 else max(kept, round(total * (kept / total) ** share))
    return keep_largest(task.magnitudes(state), count, mask)
