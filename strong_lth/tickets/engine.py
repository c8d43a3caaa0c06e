"""The one training loop. Every method trains through it; the five hooks are the only way to change what it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import torch
from torch import nn

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets import processes
from strong_lth.tickets.backend import Backend
from strong_lth.tickets.capture import Recorder, Take, record_cuda_graph, recorded
from strong_lth.tickets.hooks import EpochRow, Hooks, Phase, Signal
from strong_lth.tickets.images import Augment, Images, batches
from strong_lth.tickets.learners import Alone, Learner, Stacked
from strong_lth.tickets.memory import naming_the_batch_that_fits
from strong_lth.tickets.optimizers import forget, make_optimizer, memories, rate_tensor
from strong_lth.tickets.progress import Checkpoint, Progress
from strong_lth.tickets.recipe import Recipe, learning_rates
from strong_lth.tickets.states import keep_tensors, masked, score
from strong_lth.tickets.types import Cost, State

Report = Callable[[EpochRow], None]


class DivergedError(InputError):
    """The training loss is no longer finite."""


@dataclass(frozen=True, eq=False)
class Trained:
    """The state after a training, one row per epoch, and the cost."""

    state: State
    rows: tuple[EpochRow, ...]
    cost: Cost


@dataclass(frozen=True, eq=False)
class Job:
    """One training: what starts, under which mask, how, and in which order of the data.

    ``start`` and ``until`` are optimiser steps of the first phase: a training from ``start`` sees the learning rates and batches that a whole one would see from there on. Epoch e draws
    its batches from (``order``, ``first_epoch`` + e).
    """

    state: State
    mask: Mask | None
    phases: tuple[Phase, ...]
    order: int
    first_epoch: int = 0
    start: int = 0
    until: int | None = None


def train(
    module: nn.Module,
    images: Images,
    validation: Images,
    state: State,
    mask: Mask | None,
    phases: Sequence[Phase],
    *,
    order: int,
    first_epoch: int = 0,
    start: int = 0,
    until: int | None = None,
    augment: Augment = "none",
    backend: Backend | None = None,
    report: Report | None = None,
    checkpoint: Checkpoint | None = None,
    record: Recorder = record_cuda_graph,
) -> Trained:
    """Train ``state`` under ``mask`` through the phases; masked weights and their momentum are zero after every step.

    See ``Job`` for ``start``, ``until`` and ``first_epoch``. The optimiser starts empty and lives through all phases of one kind. A ``checkpoint`` with progress in it is gone on
    with, to the identical end.

    Raises DivergedError, with epoch and learning rate, when the loss is not finite, and InputError for a batch larger than the data, or one that does not fit into memory
    (naming one that does).
    """
    backend = backend or Backend()
    job = Job(state, mask, tuple(phases), order, first_epoch, start, until)
    with naming_the_batch_that_fits(module, images, [phase.recipe.batch for phase in phases], backend):
        learner = Alone(module, images, backend)
        return _train(learner, module, images, validation, [job], augment, backend, [report], checkpoint, record)[0]


def train_together(
    module: nn.Module,
    images: Images,
    jobs: Sequence[Job],
    *,
    augment: Augment = "none",
    backend: Backend | None = None,
    reports: Sequence[Report | None] | None = None,
    record: Recorder = record_cuda_graph,
) -> list[Trained]:
    """Several trainings as one: their tensors stacked, their steps taken together. Each ends where ``train`` would have ended it, up to rounding.

    Raises InputError for trainings that cannot be stacked (see ``stackable``).
    """
    if len({stackable(job) for job in jobs}) != 1 or stackable(jobs[0]) is None:
        raise InputError(
            "jobs", "trainings of different form", "stack trainings with equal recipes and without on_epoch"
        )
    backend = backend or Backend()
    learner = Stacked(module, images, backend, len(jobs))
    return _train(learner, module, images, images, jobs, augment, backend, reports or [None] * len(jobs), None, record)


def stackable(job: Job) -> tuple[object, ...] | None:
    """Equal for trainings that can be stacked: the same recipes, steps and places of hooks. None: not with any (an ``on_epoch`` may end it earlier than the others)."""
    if any(phase.hooks.on_epoch is not None for phase in job.phases):
        return None
    forms = [(phase.recipe, tuple(sorted(phase.hooks.scalars))) for phase in job.phases]
    return (*forms, job.start, job.until, job.mask is None)


def _train(
    learner: Learner,
    module: nn.Module,
    images: Images,
    validation: Images,
    jobs: Sequence[Job],
    augment: Augment,
    backend: Backend,
    reports: Sequence[Report | None],
    checkpoint: Checkpoint | None,
    record: Recorder,
) -> list[Trained]:
    if backend.graph and processes.count() > 1:
        raise InputError(
            "backend.graph",
            f"True in {processes.count()} processes",
            "capture steps in one process, or train one network in several without capture",
        )
    _warm_up()
    device, job, many = images.pixels.device, jobs[0], range(len(jobs))
    keeps = [keep_tensors(job.mask, str(device)) for job in jobs]
    keep = {name: learner.join([one[name] for one in keeps]) for name in keeps[0]}
    learner.load([job.state for job in jobs], keep)
    rate = rate_tensor(device)
    densities = [1.0 if one.mask is None else one.mask.density for one in jobs]
    optimizer: torch.optim.Optimizer | None = None
    rows: list[list[EpochRow]] = [[] for _ in many]
    steps = epochs = begin = resumed = 0
    fraction, seconds, began, signal = 0.0, 0.0, time.perf_counter(), Signal.CONTINUE
    progress = None if checkpoint is None else checkpoint.load()
    if progress is not None:
        learner.load([progress.state], {})
        first = replace(job.phases[progress.phase].recipe, optimizer="adam" if progress.kind == "adam" else "sgd")
        optimizer = make_optimizer(None, learner.params, first, rate)
        for (name, what), memory in progress.memory.items():
            optimizer.state[learner.params[name]][what] = memory.to(device)
        rows, resumed, begin = [list(progress.rows)], progress.phase, progress.epoch
        steps, fraction, seconds = progress.cost.steps, progress.cost.epochs, progress.cost.seconds
        epochs = sum(phase.recipe.epochs for phase in job.phases[:resumed])
    for index, phase in enumerate(job.phases):
        if index < resumed:
            continue
        recipe, hooks = phase.recipe, [one.phases[index].hooks for one in jobs]
        per_epoch = max(1, len(images) // recipe.batch)
        rates = learning_rates(recipe, per_epoch)
        optimizer = make_optimizer(optimizer, learner.params, recipe, rate)
        part = processes.share(recipe.batch)
        step = _Step(learner, optimizer, keep, hooks, rates, rate, device)
        take: Take = step.take
        if backend.graph:
            sample = images.pixels[part], images.labels[part]
            take = recorded(step, record, *(learner.join([one] * len(jobs)).clone() for one in sample))
        stop = len(rates) if index > 0 or job.until is None else job.until
        mine: list[list[EpochRow]] = [[row for row in rows[one] if row.phase == index] for one in many]
        rows = [[row for row in rows[one] if row.phase < index] for one in many]
        initial = begin or (job.start // per_epoch if index == 0 else 0)
        begin = 0
        for epoch in range(initial, recipe.epochs):
            step.clear()
            seen = number = 0
            every = [
                batches(images, recipe.batch, one.order, one.first_epoch + epochs + epoch, augment) for one in jobs
            ]
            for number, together in enumerate(zip(*every, strict=True), epoch * per_epoch):
                if index == 0 and number < job.start:
                    continue
                if number >= stop:
                    break
                pixels, labels = (learner.join([pair[side][part] for pair in together]) for side in (0, 1))
                step.set(number)
                take(pixels, labels)
                seen += 1
            if seen == 0:
                break
            last = float(rates[min(number, len(rates) - 1)])
            steps, fraction = steps + seen, fraction + seen / per_epoch
            processes.from_first(module.buffers())
            losses, right = step.totals()
            for one in many:
                mean = losses[one] / seen
                if not math.isfinite(mean):
                    raise DivergedError(
                        "recipe.lr",
                        last,
                        f"the loss was {mean} in epoch {epoch + 1} of phase {index + 1}; lower the learning rate",
                    )
                row = EpochRow(
                    index,
                    epoch,
                    steps,
                    last,
                    mean,
                    train_accuracy=right[one] / (seen * recipe.batch),
                    density=densities[one],
                )
                if hooks[one].on_epoch is not None:
                    loss, accuracy = score(module, validation)
                    row = replace(row, validation_loss=loss, validation_accuracy=accuracy)
                if (watch := hooks[one].watch) is not None:
                    with torch.no_grad():
                        numbers = watch(learner.parts(learner.params)[one])
                    row = replace(row, watched={name: float(value) for name, value in numbers.items()})
                mine[one].append(row)
                if (report := reports[one]) is not None:
                    report(row)
            on_epoch = hooks[0].on_epoch
            signal = Signal.CONTINUE if on_epoch is None else on_epoch(tuple(mine[0]))
            if checkpoint is not None and signal is not Signal.STOP:
                over = signal is Signal.NEXT_PHASE or epoch + 1 == recipe.epochs
                if not over or index + 1 < len(job.phases):
                    place = (index + 1, 0) if over else (index, epoch + 1)
                    spent = Cost(fraction, steps, seconds + time.perf_counter() - began)
                    checkpoint.save(_progress(learner, optimizer, recipe, place, (*rows[0], *mine[0]), spent))
            if signal is not Signal.CONTINUE:
                break
        epochs += recipe.epochs
        rows = [old + new for old, new in zip(rows, mine, strict=True)]
        if signal is Signal.STOP:
            break
    cost = Cost(fraction, steps, (seconds + time.perf_counter() - began) / len(jobs))
    return [
        Trained(masked(state, one.mask), tuple(made), cost)
        for state, one, made in zip(learner.states(), jobs, rows, strict=True)
    ]


class _Step:
    """One optimiser step of one phase. ``take`` touches tensors only, at fixed addresses, so that it can be captured; ``set`` brings in what changes from step to step."""

    def __init__(
        self,
        learner: Learner,
        optimizer: torch.optim.Optimizer,
        keep: Mapping[str, torch.Tensor],
        hooks: Sequence[Hooks],
        rates: object,
        rate: torch.Tensor,
        device: torch.device,
    ) -> None:
        self._learner, self._optimizer, self._keep, self._hooks, self._rate = learner, optimizer, keep, hooks, rate
        names = ("lr", *sorted(hooks[0].scalars))
        tables = [
            [torch.as_tensor(rates if name == "lr" else one.scalars[name], dtype=torch.float64) for one in hooks]
            for name in names
        ]
        length = min(len(table) for columns in tables for table in columns)
        columns = [learner.join([table[:length] for table in part]).movedim(-1, 0) for part in tables]
        self._values = torch.stack(columns, dim=1).float().to(device)  # (steps, scalars) or (steps, scalars, networks)
        self._rates = torch.as_tensor(rates, dtype=rate.dtype).to(device)
        self._row = torch.zeros_like(self._values[0])
        self._scalars = {name: self._row[place] for place, name in enumerate(names)}
        shape = () if learner.count == 1 else (learner.count,)
        self._loss = torch.zeros(shape, device=device)
        self._right = torch.zeros(shape, dtype=torch.int64, device=device)
        learner.training()  # before a step is recorded: scoring may have left the network in evaluation mode
        self._forward = learner.forward(hooks)

    def set(self, number: int) -> None:
        """The learning rate and scalars of a step, from one place of the device to another."""
        self._rate.copy_(self._rates[number])
        self._row.copy_(self._values[number])

    def take(self, pixels: torch.Tensor, labels: torch.Tensor) -> None:
        """Forward, backward, hooks, optimiser, mask."""
        learner, params = self._learner, self._learner.params
        self._optimizer.zero_grad(set_to_none=True)
        objective, losses, right = self._forward(pixels, labels, self._scalars)
        objective.backward()
        with torch.no_grad():
            own, values = learner.parts(params), learner.parts(self._scalars)
            if any(hook.before_step is not None for hook in self._hooks):
                gradients = learner.parts({n: p.grad for n, p in params.items() if p.grad is not None})
                for hook, mine, slopes, scalars in zip(self._hooks, own, gradients, values, strict=True):
                    if hook.before_step is not None:
                        hook.before_step(mine, slopes, scalars)
            self._optimizer.step()
            if any(hook.after_step is not None for hook in self._hooks):
                for hook, mine, scalars in zip(self._hooks, own, values, strict=True):
                    if hook.after_step is not None:
                        hook.after_step(mine, scalars)
            forget(self._keep, params, self._optimizer)
            self._loss += losses
            self._right += right

    def changing(self) -> list[torch.Tensor]:
        """Every tensor that ``take`` changes and a replay must find unchanged."""
        memory = [tensor for _, _, tensor in memories(self._optimizer, self._learner.params)]
        return [*self._learner.changing(), *memory, self._loss, self._right]

    def clear(self) -> None:
        """Before an epoch."""
        self._learner.training()
        self._loss.zero_()
        self._right.zero_()

    def totals(self) -> tuple[list[float], list[int]]:
        """(sum of the losses, right answers) of each network over the epoch: the one place where the host waits for the device."""
        losses = processes.summed(self._loss.clone()) / processes.count()
        return losses.reshape(-1).tolist(), processes.summed(self._right.clone()).reshape(-1).tolist()


def _progress(
    learner: Learner,
    optimizer: torch.optim.Optimizer,
    recipe: Recipe,
    place: tuple[int, int],
    rows: tuple[EpochRow, ...],
    cost: Cost,
) -> Progress:
    memory = {(name, what): tensor for name, what, tensor in memories(optimizer, learner.params)}
    return Progress(learner.states()[0], memory, recipe.optimizer, *place, rows, cost)


def planned_cost(images: int, phases: Sequence[Phase], start: int, until: int | None) -> Cost:
    """The cost of a training that runs to its end, in epochs and steps."""
    steps, epochs = 0, 0.0
    for index, phase in enumerate(phases):
        per_epoch = max(1, images // phase.recipe.batch)
        total = phase.recipe.epochs * per_epoch
        count = total if index > 0 else (total if until is None else min(until, total)) - start
        steps, epochs = steps + count, epochs + count / per_epoch
    return Cost(epochs, steps)


@lru_cache(maxsize=1)
def _warm_up() -> None:
    """Load what torch's optimisers load on their first step, so that no training is charged for it."""
    parameter = torch.zeros(1, requires_grad=True)
    parameter.sum().backward()
    torch.optim.SGD([parameter], lr=0.0, fused=True).step()
