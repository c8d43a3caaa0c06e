"""When signs flip during a training: how many flips per step, how far the signs are from the first ones, and when each weight settled on its last sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from strong_lth.core import Floats, InputError
from strong_lth.networks.mask import Mask
from strong_lth.tickets.hooks import Hooks, Phase, Tensors
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task_view import TaskView
from strong_lth.tickets.types import State

Row = dict[str, Any]


@dataclass(frozen=True, eq=False)
class SignFlips:
    """What the kept weights of all layers did with their signs.

    ``rows``: per recorded step ``flips`` (sign changes since the row before, per kept weight) and ``differ`` (share of kept weights whose sign is not the first one). ``last``: per kept weight
    the step of its last flip, 0 for none; in the order of the tensors, then of the index. ``counts``: flips per kept weight, in the same order.
    """

    rows: tuple[Row, ...]
    last: Floats
    counts: Floats

    @property
    def ever(self) -> float:
        """Share of kept weights that flipped at least once."""
        return float((self.last > 0).mean())

    def settled(self, share: float) -> int:
        """The first step after which the given share of the weights that ever flip does so no more; 0 where none does.

        Raises InputError for a share outside (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError("share", share, "give a fraction in (0, 1]")
        flipped = np.sort(self.last[self.last > 0])
        return int(flipped[max(0, int(np.ceil(share * flipped.size)) - 1)]) if flipped.size else 0


def sign_flips(
    view: TaskView, start: State, mask: Mask, recipe: Recipe, *, order: int, step: int = 0, every: int = 1
) -> tuple[State, SignFlips]:
    """Train ``start`` under ``mask`` by the recipe from optimiser step ``step``, and watch the signs of the kept weights; every step is counted, every ``every``-th and the last have a row.

    A weight that is exactly 0 keeps the sign that it had. Raises InputError for ``every`` below 1.
    """
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise InputError("every", every, "give a whole number >= 1")
    watch = Watch(start, mask, every, step, recipe.epochs * view.steps(recipe))
    trained = view.train(start, mask, Phase(recipe, Hooks(after_step=watch)), order=order, start=step)
    return trained.state, watch.found()


class Watch:
    """A hook that counts; it changes nothing."""

    def __init__(self, start: State, mask: Mask, every: int, step: int, last_step: int) -> None:
        self._keep = {name: torch.from_numpy(keep).to(start[name].device) for name, keep in mask.tensors.items()}
        self._first = torch.sign(self._kept(start))
        self._now = self._first.clone()
        self._last = torch.zeros_like(self._now, dtype=torch.int64)
        self._counts = torch.zeros_like(self._last)
        self._seen, self._step, self._every, self._stop = 0, step, every, last_step
        self._rows: list[Row] = []

    def __call__(self, params: Tensors, scalars: Tensors) -> None:
        """One step has been taken."""
        self._step += 1
        sign = torch.sign(self._kept(params))
        sign = torch.where(sign == 0, self._now, sign)
        flipped = (sign != self._now) & (self._now != 0)
        self._first = torch.where(self._first == 0, sign, self._first)
        self._now, self._counts = sign, self._counts + flipped
        self._last[flipped] = self._step
        if self._step % self._every == 0 or self._step == self._stop:
            total = int(self._counts.sum())
            size = max(1, self._now.numel())
            differ = float((self._now != self._first).double().mean()) if self._now.numel() else 0.0
            self._rows.append({"step": self._step, "flips": (total - self._seen) / size, "differ": differ})
            self._seen = total

    def found(self) -> SignFlips:
        """What was seen until now."""
        last, counts = (tensor.cpu().numpy().astype(np.float64) for tensor in (self._last, self._counts))
        return SignFlips(tuple(self._rows), last, counts)

    def _kept(self, values: Tensors) -> torch.Tensor:
        return torch.cat([values[name].detach()[keep] for name, keep in self._keep.items()])
