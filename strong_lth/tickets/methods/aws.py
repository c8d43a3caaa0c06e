"""AWS, "A Winning Sign": Oh, Baik and Lee, ICLR 2025 (arXiv 2504.05357), after the authors' code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from strong_lth.core import InputError
from strong_lth.tickets.continued import continued_track
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket


@dataclass(frozen=True)
class InterpolatedNormalisation:
    """The network with gamma' = alpha + (1 - alpha) gamma and beta' = (1 - alpha) beta: alpha = 1 is the initial normalisation, 0 the trained one."""

    scales: tuple[str, ...]
    offsets: tuple[str, ...]

    def __call__(self, params: Tensors, scalars: Tensors) -> dict[str, torch.Tensor]:
        alpha = scalars["alpha"]
        used = dict(params)
        for name in self.scales:
            used[name] = alpha + (1 - alpha) * params[name]
        for name in self.offsets:
            used[name] = (1 - alpha) * params[name]
        return used


@dataclass(frozen=True)
class AWS:
    """Learning-rate rewinding at a constant learning rate, with one alpha ~ U[0, ``largest_alpha``) per minibatch interpolating all normalisations.

    No barrier shall arise between the trained and the initial normalisation, so that the signs alone carry the ticket (``SignTransfer``).
    ``dense_recipe`` is the dense warm-up, ``recipe`` that of each round; None is the ``scaled`` one. ``largest_alpha`` 0 is LRR.

    Refuses a model without normalisation with InputError.
    """

    per_round: float = 0.2
    recipe: Recipe | None = None
    dense_recipe: Recipe | None = None
    largest_alpha: float = 1.0
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.largest_alpha <= 1:
            raise InputError("AWS.largest_alpha", self.largest_alpha, "give a number in [0, 1]")

    @property
    def name(self) -> str:
        """Short name for tables."""
        return "AWS"

    @classmethod
    def authors(cls) -> AWS:
        """CIFAR-100, ResNet-50: 10 dense epochs, 10 per round, SGD, constant lr .1, momentum .9, weight decay 5e-4, batch 128."""
        recipe = Recipe(epochs=10, lr=0.1, batch=128, momentum=0.9, weight_decay=5e-4, schedule="constant")
        return cls(recipe=recipe, dense_recipe=recipe)

    @classmethod
    def scaled(cls, task: TaskView) -> AWS:
        """As in ``authors`` a tenth of the final epochs per round, but at least 4, at the task's learning rate, held constant."""
        recipe = replace(task.recipe, epochs=max(4, task.recipe.epochs // 10), schedule="constant", warmup=0.0)
        return cls(recipe=recipe, dense_recipe=recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """Levels 1, .8, .64, ... and the requested densities."""
        if not task.layout.scales:
            raise InputError(
                "model",
                f"{task.name}, which has no normalisation",
                "AWS needs one with BatchNorm, LayerNorm or GroupNorm",
            )
        scaled = AWS.scaled(task)
        recipe = self.recipe or scaled.recipe or task.recipe
        dense = self.dense_recipe or self.recipe or recipe

        def phase(number: int) -> Phase:
            chosen = dense if number == 0 else recipe
            alpha = (
                generator(seeds.track, "alpha", number).random(chosen.epochs * task.steps(chosen)) * self.largest_alpha
            )
            hook = InterpolatedNormalisation(task.layout.scales, task.layout.offsets)
            return Phase(chosen, Hooks(effective=hook, scalars={"alpha": alpha}))

        return continued_track(task, densities, seeds, self.per_round, phase)

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The subnetwork itself, trained on by the task's recipe with alpha = 0."""
        return task.ticket(level.mask, level.end)
