"""Rewinding to init under stable training: Maene, Li and Moens 2021 (arXiv 2106.06955)."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.density import keep_largest, track_counts
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, State, Ticket


@dataclass(frozen=True, eq=False)
class Repulsion:
    """strength / R * sum over r of cos^2 between the weights and the r-th earlier optimum, on the weights alive now. Negative strength attracts."""

    names: tuple[str, ...]
    earlier: torch.Tensor  # (R, prunable), zero where a weight is removed now
    strength: float

    def __call__(self, params: Tensors, scalars: Tensors) -> torch.Tensor:
        now = torch.cat([params[name].reshape(-1) for name in self.names])
        # removed weights of `now` are zero, so its norm is that of the living ones
        cosines = self.earlier @ now / (self.earlier.norm(dim=1) * now.norm()).clamp_min(1e-12)
        return self.strength * cosines.square().mean()


@dataclass(frozen=True)
class StableRewinding:
    """IMP to init with training made stable: a larger batch at the same learning rate and the same epochs (fewer steps), and optionally a linear warm-up.

    ``batch`` 0 is the ``scaled`` one. ``repulsion`` > 0 pushes each training away from *all* earlier optima, < 0 attracts it (the paper uses 2 and -1); the penalty is
    that of ``Repulsion``. The ticket is the end of its last round, used as it is: trained by another recipe than this one it would not be what the paper describes.
    """

    batch: int = 0
    warmup: float = 0.0
    repulsion: float = 0.0
    per_round: float = 0.2
    recipe: Recipe | None = None
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if self.batch < 0 or not math.isfinite(self.repulsion):
            raise InputError(
                "StableRewinding",
                f"batch {self.batch}, repulsion {self.repulsion}",
                "give batch >= 0 and a finite repulsion",
            )

    @property
    def name(self) -> str:
        """Short name for tables."""
        force = "" if self.repulsion == 0 else ", repelled" if self.repulsion > 0 else ", attracted"
        return f"stable rewinding{force}"

    @classmethod
    def authors(cls) -> StableRewinding:
        """ResNet-20 on CIFAR-10: batch 1024, SGD .9, lr .1 / 10 at epochs 56 and 71 of 85, weight decay 1e-5."""
        recipe = Recipe(epochs=85, lr=0.1, weight_decay=1e-5, schedule="steps", milestones=(56 / 85, 71 / 85))
        return cls(batch=1024, recipe=recipe)

    @classmethod
    def scaled(cls, task: TaskView) -> StableRewinding:
        """The paper's batch / data, 1024 of 50,000, but at least 8 images; otherwise the task's recipe."""
        return cls(batch=max(8, round(task.training_images * 1024 / 50_000)), recipe=task.recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """Levels 1, .8, .64, ... and the requested densities."""
        batch = self.batch or StableRewinding.scaled(task).batch
        base = self.recipe or task.recipe
        recipe = replace(base, batch=batch, warmup=self.warmup or base.warmup)
        start, mask = task.fresh(seeds.init), task.dense()
        optima: list[State] = []
        for kept in track_counts(task.layout.prunable, densities, self.per_round):
            if optima:
                mask = keep_largest(task.magnitudes(optima[-1]), kept, mask)
            hooks = (
                Hooks(penalty=repulsion(task, mask, optima, self.repulsion)) if optima and self.repulsion else Hooks()
            )
            optima.append(task.train(start, mask, Phase(recipe, hooks), order=seeds.track).state)
            yield Level(mask.density, mask, start, optima[-1])

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The trained ticket."""
        return task.ticket(level.mask, level.end, "as-is", notes=level.notes)


def repulsion(task: TaskView, mask: Mask, optima: Sequence[State], strength: float) -> Repulsion:
    """The penalty against earlier optima, restricted to the weights that ``mask`` keeps."""
    names = tuple(task.layout.shapes)
    keep = torch.from_numpy(np.concatenate([mask.tensors[name].reshape(-1) for name in names]))
    rows = torch.stack([torch.cat([state[name].reshape(-1) for name in names]) for state in optima])
    return Repulsion(names, rows * keep.to(rows.device), strength)
