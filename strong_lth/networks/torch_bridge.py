"""Between this package and torch: read a target from a module, give a ticket back as one."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from strong_lth.core import Floats, InputError

if TYPE_CHECKING:
    from strong_lth.networks.subnetwork import Subnetwork

_PASSED_OVER = (nn.Flatten, nn.Identity, nn.Dropout)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")


class MaskedLinear(nn.Module):
    """x -> (weight * mask) x + bias * bias_mask; nothing is trainable."""

    weight: torch.Tensor
    mask: torch.Tensor
    bias: torch.Tensor | None
    bias_mask: torch.Tensor | None

    def __init__(self, weight: Floats, mask: np.ndarray, bias: Floats | None, bias_mask: np.ndarray | None) -> None:
        super().__init__()
        self.register_buffer("weight", torch.from_numpy(np.array(weight)))
        self.register_buffer("mask", torch.from_numpy(np.array(mask)))
        self.register_buffer("bias", None if bias is None else torch.from_numpy(np.array(bias)))
        self.register_buffer("bias_mask", None if bias_mask is None else torch.from_numpy(np.array(bias_mask)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (..., d_in) -> (..., d_out)."""
        bias = None if self.bias is None or self.bias_mask is None else self.bias * self.bias_mask
        return nn.functional.linear(x, self.weight * self.mask, bias)

    def extra_repr(self) -> str:
        return f"{self.weight.shape[1]} -> {self.weight.shape[0]}, kept {int(self.mask.sum())} of {self.mask.numel()}"


class Gain(nn.Module):
    """Multiplies by a power of two."""

    def __init__(self, exponent: int) -> None:
        super().__init__()
        self.exponent = exponent

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * math.ldexp(1.0, self.exponent)

    def extra_repr(self) -> str:
        return f"2^{self.exponent}"


def dense_layers(module: nn.Module) -> tuple[list[Floats], list[Floats | None]]:
    """Weights and biases of a module made of Linear and ReLU, in order, as exact doubles.

    Subclasses and modules with hooks are refused: their ``forward`` may compute anything.

    Raises InputError naming the first layer without counterpart, or an activation in the wrong place.
    """
    weights: list[Floats] = []
    biases: list[Floats | None] = []
    activated = True
    for name, layer in _flat("", module):
        if type(layer) is nn.Linear:
            if not activated:
                raise InputError(
                    f"layer {name!r}",
                    "Linear straight after Linear",
                    "put a ReLU between them, or multiply them into one",
                )
            weights.append(layer.weight.detach().cpu().double().numpy())
            biases.append(None if layer.bias is None else layer.bias.detach().cpu().double().numpy())
            activated = False
        elif type(layer) is nn.ReLU:
            if activated:
                raise InputError(f"layer {name!r}", "ReLU without a Linear before it", "start with a Linear layer")
            activated = True
        elif type(layer) not in _PASSED_OVER:
            raise InputError(
                f"layer {name!r}",
                type(layer).__name__,
                "use a Sequential of Linear and ReLU (Flatten, Identity, Dropout are passed over)",
            )
    if not weights or activated:
        raise InputError(
            "module", "no final Linear layer", "end with a Linear layer: the last layer of a target is linear"
        )
    return weights, biases


def _flat(prefix: str, module: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    if any(getattr(module, hooks) for hooks in _HOOKS):
        raise InputError(
            f"layer {prefix or 'module'!r}", "forward hooks", "remove them; they may change what the layer computes"
        )
    if type(module) is nn.Sequential:
        for name, child in module.named_children():
            yield from _flat(f"{prefix}.{name}" if prefix else name, child)
    else:
        yield prefix or type(module).__name__, module


def ticket_module(strong: Subnetwork) -> nn.Sequential:
    """The pruned source as ``nn.Sequential``: layers ``1`` .. ``2L`` with ReLU between them, then ``gain``."""
    masks = strong.mask().tensors
    parts: OrderedDict[str, nn.Module] = OrderedDict()
    for index, (part, ticket) in enumerate(zip(strong.source.layers, strong.layers, strict=True)):
        odd, even = str(2 * index + 1), str(2 * index + 2)
        weight, bias = strong.source.odd_matrix(index)
        parts[odd] = MaskedLinear(weight, masks[f"{odd}.weight"], bias, masks.get(f"{odd}.bias"))
        parts[f"{odd}_relu"] = nn.ReLU()
        moved = part.even_weights if ticket.shift is None else part.even_weights + ticket.shift
        parts[even] = MaskedLinear(moved, masks[f"{even}.weight"], None, None)
        if index + 1 < len(strong.layers):
            parts[f"{even}_relu"] = nn.ReLU()
    parts["gain"] = Gain(strong.scaling.gain)
    return nn.Sequential(parts).eval()
