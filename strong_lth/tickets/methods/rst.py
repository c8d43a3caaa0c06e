"""RST, dual lottery tickets: Bai, Wang, Tao, Li and Fu, ICLR 2022 (arXiv 2203.04248), after the authors' code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from strong_lth.core import Floats, InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.density import layer_counts
from strong_lth.tickets.hooks import Hooks, Phase
from strong_lth.tickets.pushing import RemovedMagnitude, WeightPush, removed_tensors
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import Level, Seeds, Ticket

Growth = Literal["linear", "square", "cubic"]
_POWERS = {"linear": 1, "square": 2, "cubic": 3}
_FORCE = 10.0  # least sum over the ramp of lr * lambda / (1 - momentum): a removed weight shrinks by about e^-10

_LONGEST = 10_000_000  # steps of a ramp


@dataclass(frozen=True)
class RST:
    """Draw a random mask first, then push information out of the weights to be removed by a growing penalty while the *whole* network trains; prune; finetune.

    The gradient of a weight to be removed gains lambda * w. lambda grows from 0 to ``ceiling`` during ``ramp`` steps (linearly, or as the square or cube) and
    stays there for ``hold`` steps. The mask has the same density in every layer. Weights are never rewound.

    ``cycles`` > 1 is the iterative form: after cycle c the sparsity is 1 - (1 - s)^(c / cycles), masks are nested, lambda starts from 0 and the optimiser empty.
    Earlier removed weights stay under the penalty; ``delete`` also sets them to 0 for good (the authors' default does not). ``penalty`` False is the control
    arm: the same dense epochs, then the same random mask. ``recipe`` (None: the ``scaled`` one) gives optimiser and constant learning rate; its epochs are not used.
    ``ramp`` 0 is the shortest that still removes at this recipe and ceiling, with the hold of ``scaled`` unless one is given.
    """

    cycles: int = 1
    ramp: int = 0
    hold: int = 0
    ceiling: float = 1.0
    growth: Growth = "linear"
    recipe: Recipe | None = None
    penalty: bool = True
    delete: bool = False
    reference: ClassVar[bool] = False
    together: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if self.growth not in _POWERS:
            raise InputError("RST.growth", repr(self.growth), "use linear, square or cubic")
        if self.cycles < 1 or self.ramp < 0 or self.hold < 0:
            raise InputError(
                "RST",
                f"cycles {self.cycles}, ramp {self.ramp}, hold {self.hold}",
                "give cycles >= 1 and no negative length",
            )
        if not (math.isfinite(self.ceiling) and self.ceiling > 0):
            raise InputError("RST.ceiling", self.ceiling, "give a finite number above 0")

    @property
    def name(self) -> str:
        """Short name for tables."""
        kind = f"RST-{self.cycles}" if self.cycles > 1 else "RST"
        return kind if self.penalty else f"{kind} without penalty"

    @classmethod
    def authors(cls) -> RST:
        """One-shot defaults: lambda + 1e-4 every 5 iterations up to 1, then 40,000 more; SGD, lr .001, momentum .9, batch 64, weight decay 5e-4."""
        recipe = Recipe(epochs=1, lr=1e-3, batch=64, momentum=0.9, weight_decay=5e-4, schedule="constant")
        return cls(ramp=50_000, hold=40_000, recipe=recipe)

    @classmethod
    def authors_iterative(cls) -> RST:
        """RST-Iter-5 of the authors' page: lambda + 1e-4 every iteration, then 10,000 more, five times."""
        return replace(cls.authors(), cycles=5, ramp=10_000, hold=10_000)

    @classmethod
    def scaled(cls, task: TaskView, cycles: int = 1, growth: Growth = "linear") -> RST:
        """The authors' ceiling at a tenth of the task's learning rate, and the shortest ramp that still removes: sum of lr * lambda / (1 - momentum) >= 10.

        The hold keeps the authors' ratio to the ramp, 4 to 5 (1 to 1 with cycles).
        """
        recipe = _recipe(task)
        ramp = shortest_ramp(recipe, 1.0, growth)
        return cls(cycles=cycles, ramp=ramp, hold=_hold(ramp, cycles), growth=growth, recipe=recipe)

    def track(self, task: TaskView, densities: Sequence[float], seeds: Seeds) -> Iterator[Level]:
        """One level per density, each with a transformation of its own."""
        for kept in sorted({task.kept(density) for density in densities}, reverse=True):
            yield self._level(task, kept, seeds)

    def _level(self, task: TaskView, kept: int, seeds: Seeds) -> Level:
        recipe = self.recipe or _recipe(task)
        ramp = self.ramp or shortest_ramp(recipe, self.ceiling, self.growth)
        hold = self.hold if self.ramp or self.hold else _hold(ramp, self.cycles)
        lambdas = ramp_values(ramp, hold, self.ceiling, self.growth) * float(self.penalty)
        start = state = task.fresh(seeds.init)
        mask, epochs = task.dense(), 0
        notes: list[dict[str, float]] = []
        for cycle, chosen in enumerate(nested_masks(task, kept, self.cycles, seeds)):
            alive = mask if self.delete else None
            phase, mask = transformation(task, recipe, chosen, lambdas), chosen
            trained = task.train(state, alive, phase, order=seeds.track, first_epoch=epochs, until=len(lambdas))
            state, epochs = trained.state, epochs + phase.recipe.epochs
            notes += [{"cycle": cycle, "epoch": row.epoch, **row.watched} for row in trained.rows]
        return Level(
            mask.density, mask, start, state, notes={"removed_over_kept": notes, "steps_per_cycle": len(lambdas)}
        )

    def ticket(self, level: Level, task: TaskView, seeds: Seeds) -> Ticket:
        """The transformed weights under the mask, to be finetuned by the task's recipe."""
        return task.ticket(level.mask, level.end, notes=level.notes)


def _recipe(task: TaskView) -> Recipe:
    return replace(task.recipe, lr=task.recipe.lr / 10, schedule="constant", warmup=0.0, optimizer="sgd")


def _hold(ramp: int, cycles: int) -> int:
    return ramp if cycles > 1 else math.ceil(0.8 * ramp)


def ramp_values(ramp: int, hold: int, ceiling: float, growth: Growth) -> Floats:
    """lambda of every step: ceiling * (t / ramp)^p for t = 1 .. ramp, then the ceiling ``hold`` times.

    >>> ramp_values(4, 2, 1.0, "square")
    array([0.0625, 0.25  , 0.5625, 1.    , 1.    , 1.    ])
    """
    rise = (np.arange(1, ramp + 1) / ramp) ** _POWERS[growth]
    return np.asarray(ceiling * np.concatenate([rise, np.ones(hold)]))


def shortest_ramp(recipe: Recipe, ceiling: float, growth: Growth) -> int:
    """The least number of steps whose lr * lambda / (1 - momentum) sum to 10.

    Raises InputError for a learning rate that would take more than ten million steps.

    >>> shortest_ramp(Recipe(lr=0.01), 1.0, "linear")
    199
    """
    unit = recipe.lr * ceiling / (1 - recipe.momentum)
    if unit * _LONGEST < _FORCE * (_POWERS[growth] + 1):
        raise InputError(
            "recipe.lr",
            recipe.lr,
            "give a larger one; at this one a growing penalty removes nothing in ten million steps",
        )
    steps = max(1, math.floor(_FORCE * (_POWERS[growth] + 1) / unit) - _POWERS[growth] - 1)
    while unit * float(ramp_values(steps, 0, 1.0, growth).sum()) < _FORCE:
        steps += 1
    return steps


def nested_masks(task: TaskView, kept: int, cycles: int, seeds: Seeds) -> Iterator[Mask]:
    """Random masks with equal density per layer; the last keeps ``kept``, and each removes from the one before.

    After cycle c of N the layer with n weights, k of them kept in the end, keeps n (k / n)^(c / N), rounded.
    """
    final = layer_counts(task.layout.sizes, kept)
    orders = {name: generator(seeds.track, "mask").permutation(size) for name, size in task.layout.sizes.items()}
    for cycle in range(1, cycles + 1):
        parts = {}
        for name, shape in task.layout.shapes.items():
            size, last = task.layout.sizes[name], final[name]
            share = (last / size) ** (cycle / cycles) if last else float(cycle < cycles)
            keep = np.zeros(size, dtype=bool)
            keep[orders[name][: last if cycle == cycles else max(last, round(size * share))]] = True
            parts[name] = keep.reshape(shape)
        yield Mask(parts)


def transformation(task: TaskView, recipe: Recipe, mask: Mask, lambdas: Floats) -> Phase:
    """Training of all weights with the penalty on those outside ``mask``, long enough for every lambda."""
    epochs = math.ceil(len(lambdas) / task.steps(recipe))
    padded = np.concatenate([lambdas, np.full(epochs * task.steps(recipe) - len(lambdas), lambdas[-1])])
    removed = removed_tensors(mask, task.like)
    hooks = Hooks(before_step=WeightPush(removed), watch=RemovedMagnitude(removed), scalars={"lambda": padded})
    return Phase(replace(recipe, epochs=epochs), hooks)
