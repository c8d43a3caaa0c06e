"""Where SGD goes relative to a box around its start: per tensor and step, without a projection or with one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from strong_lth.core import InputError
from strong_lth.projection import check_radius
from strong_lth.tickets.boxes import Stay
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import State

QUANTILES = {"median": 0.5, "p90": 0.9, "p99": 0.99}
Row = dict[str, Any]


def drift(
    view: TaskView,
    start: State,
    recipe: Recipe,
    *,
    order: int,
    perturbations: Sequence[float] = (),
    hook: Stay | None = None,
    every: int = 1,
) -> tuple[State, list[Row]]:
    """Train by the recipe (under the projection ``hook`` if there is one) and record step 1, every ``every``-th after it, and the last; returns the end and one row per such step and tensor.

    ``reached``: largest |w_s - w_0| of all steps s <= t; ``largest``, ``median``, ``p90``, ``p99`` of |w_t - w_0|; ``leaving eps``: share of weights outside the box of half-width eps; ``active``: share that the projection moved in this step; ``cosine``
    between w_{t-1} - w_0 and the gradient of step t (None while nothing has moved): negative where the gradient step goes on outward.

    Raises InputError for ``every`` below 1 and a negative or NaN perturbation.
    """
    if every < 1:
        raise InputError("every", every, "give a whole number >= 1")
    for size in perturbations:
        check_radius(size)
    last = recipe.epochs * view.steps(recipe)
    watch = _Watch({name: tensor.clone() for name, tensor in start.items()}, tuple(perturbations), hook, every, last)
    phase = Phase(recipe, Hooks(before_step=watch.before, after_step=watch.after))
    return view.train(start, None, phase, order=order).state, watch.rows


def smallest_box(rows: Sequence[Row]) -> float:
    """The smallest eps whose box held every weight at every step: the largest of all distances, as a double that is not below it."""
    largest = max((row["reached"] for row in rows), default=0.0)
    return math.nextafter(largest, math.inf) if largest > 0 else 0.0


class _Watch:
    """Two hooks that share what they have seen."""

    def __init__(
        self, start: State, perturbations: tuple[float, ...], hook: Stay | None, every: int, last: int
    ) -> None:
        self._start, self._sizes, self._hook, self._every, self._last = start, perturbations, hook, every, last
        self._step = 0
        self._reached = {name: torch.zeros((), dtype=torch.float64) for name in start}
        self._cosines: dict[str, float | None] = {}
        self.rows: list[Row] = []

    def before(self, params: Tensors, gradients: Tensors, scalars: Tensors) -> None:
        self._step += 1
        if self._due:
            self._cosines = {
                name: _cosine(params[name] - self._start[name], slope) for name, slope in gradients.items()
            }

    def after(self, params: Tensors, scalars: Tensors) -> None:
        active = dict.fromkeys(params, 0.0)
        if self._hook is not None:
            free = {name: tensor.clone() for name, tensor in params.items()} if self._due else {}
            self._hook(params, scalars)
            active |= {name: _share(tensor != params[name]) for name, tensor in free.items()}
        for name, tensor in params.items():
            moved = (tensor.double() - self._start[name].double()).abs().reshape(-1)
            self._reached[name] = torch.maximum(self._reached[name].to(moved.device), moved.max())
            if not self._due:
                continue
            ordered = moved.sort().values
            places = {what: min(moved.numel() - 1, int(q * moved.numel())) for what, q in QUANTILES.items()}
            self.rows.append(
                {
                    "step": self._step,
                    "tensor": name,
                    "weights": moved.numel(),
                    "reached": float(self._reached[name]),
                    "largest": float(ordered[-1]),
                    **{what: float(ordered[place]) for what, place in places.items()},
                    **{f"leaving {size:g}": _share(moved > size) for size in self._sizes},
                    "active": active[name],
                    "cosine": self._cosines.get(name),
                }
            )

    @property
    def _due(self) -> bool:
        return (self._step - 1) % self._every == 0 or self._step == self._last


def _share(chosen: torch.Tensor) -> float:
    return float(chosen.double().mean())


def _cosine(a: torch.Tensor, b: torch.Tensor) -> float | None:
    size = float(a.double().norm() * b.double().norm())
    return float((a.double() * b.double()).sum()) / size if size > 0 else None
