"""The growing penalty on weights to be removed, shared by RST and UniLTH, and what to watch while it acts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from strong_lth.networks.mask import Mask
from strong_lth.tickets.hooks import Tensors
from strong_lth.tickets.types import State


def removed_tensors(mask: Mask, like: State) -> dict[str, torch.Tensor]:
    """1 where a weight is to be removed and 0 elsewhere, on the device of ``like``."""
    return {
        name: torch.tensor(~keep, dtype=like[name].dtype, device=like[name].device)
        for name, keep in mask.tensors.items()
    }


@dataclass(frozen=True, eq=False)
class WeightPush:
    """Adds lambda * w to the gradient of every weight to be removed: the gradient of lambda / 2 * ||(1 - m) w||^2."""

    removed: Mapping[str, torch.Tensor]

    def __call__(self, params: Tensors, gradients: Tensors, scalars: Tensors) -> None:
        for name, gone in self.removed.items():
            gradients[name].addcmul_(params[name] * gone, scalars["lambda"])


@dataclass(frozen=True, eq=False)
class RemovedMagnitude:
    """The largest, over layers, ratio of mean magnitudes: weights to be removed over weights kept."""

    removed: Mapping[str, torch.Tensor]

    def __call__(self, params: Tensors) -> dict[str, float]:
        worst = 0.0
        for name, gone in self.removed.items():
            size, count = params[name].abs(), float(gone.sum())
            if 0 < count < gone.numel():
                kept = float((size * (1 - gone)).sum()) / (gone.numel() - count)
                worst = max(worst, float((size * gone).sum()) / count / kept if kept > 0 else float("inf"))
        return {"removed_over_kept": worst}
