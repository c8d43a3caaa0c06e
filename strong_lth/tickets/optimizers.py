"""Optimisers whose whole memory exists before the first step, with the learning rate in a tensor: what a captured step needs, and the same bits without capture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from strong_lth.tickets.recipe import Recipe

Params = Mapping[str, torch.Tensor]


def rate_tensor(device: torch.device) -> torch.Tensor:
    """A 0-d learning rate: float64 on a CPU (as precise as a python number), float32 on a GPU, whose fused kernels read nothing else."""
    return torch.zeros((), dtype=torch.float64 if device.type == "cpu" else torch.float32, device=device)


def make_optimizer(
    old: torch.optim.Optimizer | None, params: Params, recipe: Recipe, rate: torch.Tensor
) -> torch.optim.Optimizer:
    """The optimiser of a recipe, reading its learning rate from ``rate`` at every step; an old one of the same kind goes on with its momentum.

    Momentum starts as zeros that are there before the first step: an optimiser that made it lazily would make it anew at every replay of a captured step.
    """
    kind = torch.optim.SGD if recipe.optimizer == "sgd" else torch.optim.Adam
    if isinstance(old, kind):
        for group in old.param_groups:
            group["weight_decay"] = recipe.weight_decay
            if recipe.optimizer == "sgd":
                group.update(momentum=recipe.momentum, nesterov=recipe.nesterov)
        _allocate(old, params)
        return old
    if recipe.optimizer == "adam":
        made: torch.optim.Optimizer = torch.optim.Adam(
            params.values(),
            lr=rate,
            weight_decay=recipe.weight_decay,
            fused=True,
            capturable=rate.device.type == "cuda",
        )
    else:
        made = torch.optim.SGD(
            params.values(),
            lr=rate,
            momentum=recipe.momentum,
            weight_decay=recipe.weight_decay,
            nesterov=recipe.nesterov,
            fused=True,
        )
    _allocate(made, params)
    return made


def _allocate(optimizer: torch.optim.Optimizer, params: Params) -> None:
    for parameter in params.values():
        memory = optimizer.state[parameter]
        if isinstance(optimizer, torch.optim.Adam):
            if not memory:
                memory["step"] = torch.zeros((), dtype=torch.float32, device=parameter.device)
                memory["exp_avg"], memory["exp_avg_sq"] = torch.zeros_like(parameter), torch.zeros_like(parameter)
        elif memory.get("momentum_buffer") is None and optimizer.param_groups[0]["momentum"]:
            memory["momentum_buffer"] = torch.zeros_like(parameter)


def memories(optimizer: torch.optim.Optimizer, params: Params) -> Iterator[tuple[str, str, torch.Tensor]]:
    """Everything the optimiser remembers: (parameter, what, tensor)."""
    for name, parameter in params.items():
        for key, memory in optimizer.state[parameter].items():
            if isinstance(memory, torch.Tensor):
                yield name, key, memory


def forget(keep: Params, params: Params, optimizer: torch.optim.Optimizer) -> None:
    """Zero the masked weights and what the optimiser remembers about them."""
    for name, factor in keep.items():
        params[name].mul_(factor)
        for memory in optimizer.state[params[name]].values():
            if isinstance(memory, torch.Tensor) and memory.shape == factor.shape:
                memory.mul_(factor)
