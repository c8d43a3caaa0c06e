"""The one training loop. Every method trains through it; the five hooks are the only way to change what it does."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn
from torch.func import functional_call

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.hooks import EpochRow, Phase, Signal
from strong_lth.tickets.images import Augment, Images, batches
from strong_lth.tickets.layout import state_of
from strong_lth.tickets.recipe import Recipe, learning_rates
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


def keep_tensors(mask: Mask | None, device: str) -> dict[str, torch.Tensor]:
    """The mask as float32 factors on the device."""
    return (
        {}
        if mask is None
        else {name: torch.tensor(keep, dtype=torch.float32, device=device) for name, keep in mask.tensors.items()}
    )


def masked(state: State, mask: Mask | None) -> dict[str, torch.Tensor]:
    """The state with +0 in place of every removed weight (a product would leave -0, another bit pattern)."""
    if mask is None:
        return dict(state)
    keep = {name: torch.from_numpy(mask.tensors[name]).to(state[name].device) for name in mask.tensors}
    return {name: torch.where(keep[name], tensor, 0.0) if name in keep else tensor for name, tensor in state.items()}


def on_device(state: State, device: torch.device | str) -> dict[str, torch.Tensor]:
    """The state with every tensor on the device."""
    return {name: tensor.to(device) for name, tensor in state.items()}


def load_state(module: nn.Module, state: State, keep: Mapping[str, torch.Tensor]) -> None:
    """Put a state, masked, into the module."""
    with torch.no_grad():
        own = module.state_dict(keep_vars=True)
        for name, tensor in own.items():
            tensor.copy_(state[name] * keep[name] if name in keep else state[name])


def score(module: nn.Module, images: Images, size: int = 1000) -> tuple[float, float]:
    """(cross-entropy, accuracy) of the module in evaluation mode."""
    module.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for pixels, labels in zip(images.pixels.split(size), images.labels.split(size), strict=True):
            output = module(images.inputs(pixels))
            loss += float(nn.functional.cross_entropy(output, labels, reduction="sum"))
            right += int((output.argmax(dim=1) == labels).sum())
    return loss / len(images), right / len(images)


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
    report: Report | None = None,
) -> Trained:
    """Train ``state`` under ``mask`` through the phases; masked weights and their momentum are zero after every step.

    ``start`` and ``until`` are optimiser steps of the first phase: a training from ``start`` sees the learning rates and batches that a whole one would see from there on. Epoch e draws
    its batches from (``order``, ``first_epoch`` + e). The optimiser starts empty and lives through all phases of one kind.

    Raises DivergedError, with epoch and learning rate, when the loss is not finite, and InputError for a batch larger than the data.
    """
    _warm_up()
    device = images.pixels.device
    keep = keep_tensors(mask, str(device))
    load_state(module, state, keep)
    params = dict(module.named_parameters())
    optimizer: torch.optim.Optimizer | None = None
    rows: list[EpochRow] = []
    steps = epochs = 0
    fraction, began, signal = 0.0, time.perf_counter(), Signal.CONTINUE
    for index, phase in enumerate(phases):
        recipe, hooks = phase.recipe, phase.hooks
        per_epoch = max(1, len(images) // recipe.batch)
        rates = learning_rates(recipe, per_epoch)
        scalars = {name: torch.zeros((), device=device) for name in ("lr", *hooks.scalars)}
        optimizer = _optimizer(optimizer, params, recipe)
        stop = len(rates) if index > 0 or until is None else until
        mine: list[EpochRow] = []
        for epoch in range(start // per_epoch if index == 0 else 0, recipe.epochs):
            module.train()
            total, seen, first = torch.zeros((), device=device), 0, epoch * per_epoch
            for step, (x, y) in enumerate(
                batches(images, recipe.batch, order, first_epoch + epochs + epoch, augment), first
            ):
                if index == 0 and step < start:
                    continue
                if step >= stop:
                    break
                for name, values in hooks.scalars.items():
                    scalars[name].fill_(float(values[step]))
                scalars["lr"].fill_(float(rates[step]))
                for group in optimizer.param_groups:
                    group["lr"] = float(rates[step])
                optimizer.zero_grad(set_to_none=True)
                used = None if hooks.effective is None else dict(hooks.effective(params, scalars))
                output = module(x) if used is None else functional_call(module, used, (x,))
                loss = nn.functional.cross_entropy(output, y)
                (loss if hooks.penalty is None else loss + hooks.penalty(params, scalars)).backward()
                with torch.no_grad():
                    if hooks.before_step is not None:
                        hooks.before_step(params, {n: p.grad for n, p in params.items() if p.grad is not None}, scalars)
                    optimizer.step()
                    if hooks.after_step is not None:
                        hooks.after_step(params, scalars)
                    _apply(keep, params, optimizer)
                    total += loss.detach()
                seen += 1
            if seen == 0:
                break
            steps, fraction = steps + seen, fraction + seen / per_epoch
            mean = float(total) / seen
            if not math.isfinite(mean):
                raise DivergedError(
                    "recipe.lr",
                    float(rates[step]),
                    f"the loss was {mean} in epoch {epoch + 1} of phase {index + 1}; lower the learning rate",
                )
            row = EpochRow(index, epoch, steps, float(rates[min(step, len(rates) - 1)]), mean)
            if hooks.on_epoch is not None:
                row = _validated(row, *score(module, validation))
            if hooks.watch is not None:
                with torch.no_grad():
                    row = _watched(row, hooks.watch(params))
            mine.append(row)
            if report is not None:
                report(row)
            signal = Signal.CONTINUE if hooks.on_epoch is None else hooks.on_epoch(tuple(mine))
            if signal is not Signal.CONTINUE:
                break
        epochs += recipe.epochs
        rows += mine
        if signal is Signal.STOP:
            break
    return Trained(masked(state_of(module), mask), tuple(rows), Cost(fraction, steps, time.perf_counter() - began))


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


def _optimizer(
    old: torch.optim.Optimizer | None, params: Mapping[str, torch.Tensor], recipe: Recipe
) -> torch.optim.Optimizer:
    """The optimiser of a recipe; an old one of the same kind goes on with its momentum."""
    kind = torch.optim.SGD if recipe.optimizer == "sgd" else torch.optim.Adam
    if not isinstance(old, kind):
        if recipe.optimizer == "adam":
            return torch.optim.Adam(params.values(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True)
        return torch.optim.SGD(
            params.values(),
            lr=recipe.lr,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.nesterov,
            fused=True,
        )
    for group in old.param_groups:
        group["weight_decay"] = recipe.weight_decay
        if recipe.optimizer == "sgd":
            group.update(momentum=recipe.momentum, nesterov=recipe.nesterov)
    return old


def _apply(
    keep: Mapping[str, torch.Tensor], params: Mapping[str, torch.Tensor], optimizer: torch.optim.Optimizer
) -> None:
    """Zero the masked weights and what the optimiser remembers about them."""
    for name, factor in keep.items():
        params[name].mul_(factor)
        for memory in optimizer.state[params[name]].values():
            if isinstance(memory, torch.Tensor) and memory.shape == factor.shape:
                memory.mul_(factor)


def _validated(row: EpochRow, loss: float, accuracy: float) -> EpochRow:
    return EpochRow(row.phase, row.epoch, row.steps, row.lr, row.train_loss, loss, accuracy, row.watched)


def _watched(row: EpochRow, numbers: Mapping[str, float]) -> EpochRow:
    watched = {name: float(value) for name, value in numbers.items()}
    return EpochRow(
        row.phase, row.epoch, row.steps, row.lr, row.train_loss, row.validation_loss, row.validation_accuracy, watched
    )
