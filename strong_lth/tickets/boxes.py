"""The projections of ``strong_lth.projection`` as hooks of the training loop, bit for bit, in the type of each tensor (float32, float64, bfloat16)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.networks.mask import Mask
from strong_lth.projection import (
    Format,
    ball_slack,
    box_ends,
    check_radius,
    relative_radius,
    single_points,
    tree_sum,
)
from strong_lth.tickets.hooks import Tensors
from strong_lth.tickets.types import State

Shape = Literal["box", "relative", "ball"]
Radius = float | Mapping[str, float]


@dataclass(frozen=True, eq=False)
class StayInBox:
    """An ``after_step`` hook: every weight goes to the nearest point of its box [low, high]. Weights without an entry are free."""

    low: Mapping[str, torch.Tensor]
    high: Mapping[str, torch.Tensor]

    def __call__(self, params: Tensors, scalars: Tensors) -> None:
        for name, low in self.low.items():
            params[name].copy_(clip(params[name], low, self.high[name]))


@dataclass(frozen=True, eq=False)
class StayInBall:
    """An ``after_step`` hook: all listed weights together stay within ``radius`` of ``center`` in the Euclidean norm."""

    center: Mapping[str, torch.Tensor]
    radius: float

    def __call__(self, params: Tensors, scalars: Tensors) -> None:
        flat = torch.cat([params[name].reshape(-1) for name in self.center])
        whole = torch.cat([tensor.reshape(-1) for tensor in self.center.values()])
        parts = clip_to_ball(flat, whole, self.radius).split([tensor.numel() for tensor in self.center.values()])
        for (name, tensor), part in zip(self.center.items(), parts, strict=True):
            params[name].copy_(part.reshape(tensor.shape))


Stay = StayInBox | StayInBall


def stay(center: State, perturbation: Radius, shape: Shape = "box") -> Stay:
    """The hook that keeps the listed weights around ``center``: |w - w_0| <= eps ("box"), <= eps |w_0| ("relative"), or ||w - w_0||_2 <= eps over all of them ("ball").

    ``perturbation``: one number, or one per tensor (then only those tensors are held; not for the ball).

    Raises InputError for a negative or NaN perturbation, an unknown tensor, and a positive perturbation so small that the box of every non-zero weight holds one point.
    """
    if shape not in get_args(Shape):
        raise InputError("shape", repr(shape), f"use one of {', '.join(get_args(Shape))}")
    radii = perturbation if isinstance(perturbation, Mapping) else dict.fromkeys(center, perturbation)
    for name, radius in radii.items():
        check_radius(radius)
        if name not in center:
            raise InputError("perturbation", f"a tensor {name}", f"name tensors of {', '.join(center)}")
    held = {name: center[name].detach() for name in center if name in radii}
    if shape == "ball" and isinstance(perturbation, Mapping):
        raise InputError("perturbation", "one number per tensor", "give one radius for the ball of all weights")
    low, high, free = {}, {}, 0
    for name, tensor in held.items():  # no weight of a ball can leave the box of its radius
        low[name], high[name], _ = ends(tensor, radii[name], "box" if shape == "ball" else shape)
        free += int(((low[name] < high[name]) & (tensor != 0)).sum())
    nonzero = sum(int(tensor.count_nonzero()) for tensor in held.values())
    if any(radius > 0 for radius in radii.values()) and nonzero > 0 == free:
        raise InputError(
            "perturbation",
            perturbation,
            "raise it above the spacing of the weights' format around W_0, or give 0: the box of every non-zero weight holds one point",
        )
    return StayInBall(held, float(next(iter(radii.values())))) if shape == "ball" else StayInBox(low, high)


def ends(center: torch.Tensor, radius: float, shape: Shape = "box") -> tuple[torch.Tensor, torch.Tensor, int]:
    """``box_ends`` for a tensor, on its device and in its type, and how many boxes hold one point only."""
    values, kind = _array(center)
    low, high = box_ends(values, relative_radius(values, radius) if shape == "relative" else radius, kind)
    back = [torch.from_numpy(end.copy()).to(center.device, center.dtype) for end in (low, high)]
    return back[0], back[1], single_points(low, high)


def clip(weights: torch.Tensor, low: torch.Tensor, high: torch.Tensor) -> torch.Tensor:
    """``projection.clip`` for tensors."""
    return torch.where(weights <= low, low, torch.where(weights >= high, high, weights))


def clip_to_ball(weights: torch.Tensor, center: torch.Tensor, radius: float) -> torch.Tensor:
    """``projection.clip_to_ball`` for tensors of one type; without a transfer from the device."""
    if radius == 0:
        return center.clone()
    step = weights.double() - center.double()
    share = step.abs() / torch.full((), radius, dtype=torch.float64, device=step.device)
    squares = tree_sum((share * share).reshape(-1))
    slack = ball_slack(step.numel())
    scale = torch.div(torch.full_like(squares, 1 - slack), squares.sqrt())  # number / tensor would round twice
    reach = torch.nan_to_num(step.abs() * scale, nan=0.0)  # a step beyond all doubles has scale 0
    high = _last_below(center, reach)
    low = -_last_below(-center, reach)
    moved = torch.where((step > 0) & (high != center), high, torch.where((step < 0) & (low != center), low, center))
    return torch.where((squares <= 1 - slack) | ~torch.isfinite(weights).all(), weights, moved)


def random_point(
    center: State, perturbation: Radius, shape: Shape, rng: np.random.Generator, mask: Mask | None = None
) -> dict[str, torch.Tensor]:
    """A uniform point of the box (or of the ball) around every listed weight, in its type; the other tensors of ``center`` as they are. Weights that ``mask`` removes take no part of the ball."""
    hook = stay(center, perturbation, shape)
    names = list(hook.low if isinstance(hook, StayInBox) else hook.center)
    drawn = {name: tensor.clone() for name, tensor in center.items()}
    radii = perturbation if isinstance(perturbation, Mapping) else dict.fromkeys(names, perturbation)
    if shape == "ball":
        ends = np.cumsum([center[name].numel() for name in names])
        kept = {} if mask is None else mask.tensors
        inside = np.concatenate([np.ravel(kept.get(name, np.ones(tuple(center[name].shape)))) for name in names])
        direction = rng.standard_normal(int(ends[-1])) * inside
        count = max(1, int(np.count_nonzero(inside)))
        scale = float(radii[names[0]]) * rng.random() ** (1 / count) / math.sqrt(float(direction @ direction) or 1.0)
        steps = np.split(direction * scale, ends[:-1])
    for index, name in enumerate(names):
        values, _ = _array(center[name])
        whole = values.astype(np.float64)
        if shape == "ball":
            step = steps[index].reshape(whole.shape)
        else:
            step = rng.uniform(-1, 1, whole.shape) * radii[name] * (np.abs(whole) if shape == "relative" else 1.0)
        drawn[name] = torch.from_numpy(whole + step).to(center[name].device, center[name].dtype)
    hook(drawn, {})
    return drawn


def _last_below(center: torch.Tensor, radius: torch.Tensor) -> torch.Tensor:
    """The largest number of the type of ``center`` that is <= center + radius, exactly."""
    a = center.double()
    total = a + radius
    part = total - a
    error = (a - (total - part)) + (radius - part)
    found = total.to(center.dtype)
    value = found.double()
    above = (value > total) | ((value == total) & (error < 0)) | value.isinf()
    return torch.where(above, torch.nextafter(found, torch.full_like(found, -math.inf)), found)


def _array(tensor: torch.Tensor) -> tuple[np.ndarray[Any, Any], Format]:
    """A tensor as the numpy form takes it; InputError for a type without a box."""
    kind = str(tensor.dtype).removeprefix("torch.")
    if kind not in get_args(Format):
        raise InputError("weights", kind, "give float32, float64 or bfloat16 tensors")
    values = tensor.detach().cpu()
    return (values.float() if kind == "bfloat16" else values).numpy(), cast(Format, kind)
