"""What the tensors of a model are: prunable weights, classifier, normalisation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import nn

from strong_lth.core import InputError

NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
PRUNABLE = (nn.Linear, nn.Conv1d, nn.Conv2d)


@dataclass(frozen=True)
class Layout:
    """Names of the tensors of a model by role; ``shapes`` are those of the prunable weights, in model order.

    ``scales`` and ``offsets`` are gamma and beta of the normalisations, ``statistics`` their buffers, ``biases`` all biases outside classifier and normalisation.
    """

    shapes: Mapping[str, tuple[int, ...]]
    classifier: tuple[str, ...]
    scales: tuple[str, ...]
    offsets: tuple[str, ...]
    statistics: tuple[str, ...]
    biases: tuple[str, ...]
    parameters: int

    @property
    def sizes(self) -> dict[str, int]:
        """Prunable weights per tensor."""
        return {name: math.prod(shape) for name, shape in self.shapes.items()}

    @property
    def prunable(self) -> int:
        """Number of prunable weights."""
        return sum(self.sizes.values())

    @property
    def normalisation(self) -> tuple[str, ...]:
        """Parameters and buffers of every normalisation."""
        return (*self.scales, *self.offsets, *self.statistics)


def layout_of(module: nn.Module, prunable: Sequence[str] | None = None) -> Layout:
    """Read a model. By default every convolution and linear weight is prunable, except the last linear layer, the classifier.

    Raises InputError for a model without prunable weights and for a name in ``prunable`` that is no such weight.
    """
    kinds = dict(module.named_modules())
    linear = [name for name, part in kinds.items() if isinstance(part, nn.Linear)]
    last = linear[-1] if linear else None
    weights = {_join(name, "weight"): part.weight for name, part in kinds.items() if isinstance(part, PRUNABLE)}
    names = list(weights) if prunable is None else list(prunable)
    if prunable is None and last is not None:
        names.remove(_join(last, "weight"))
    for name in names:
        if name not in weights:
            raise InputError(
                "prunable",
                repr(name),
                f"name weights of linear or convolution layers: {', '.join(weights) or 'there are none'}",
            )
    if not names:
        raise InputError(
            "model", "no prunable layer", "give a model with a convolution or linear layer besides its classifier"
        )
    norms = {name: part for name, part in kinds.items() if isinstance(part, NORMALISATIONS)}
    affine = {name for name, part in norms.items() if getattr(part, "weight", None) is not None}
    own = {name for name, _ in module.named_parameters()}
    classifier = (
        ()
        if last is None
        else tuple(n for n in (_join(last, "weight"), _join(last, "bias")) if n in own and n not in names)
    )
    offsets = tuple(n for n in (_join(name, "bias") for name in _affine_names(norms, affine)) if n in own)
    return Layout(
        shapes={name: tuple(weights[name].shape) for name in names},
        classifier=classifier,
        scales=tuple(_join(name, "weight") for name in _affine_names(norms, affine)),
        offsets=offsets,
        statistics=tuple(_join(name, key) for name, part in norms.items() for key, _ in part.named_buffers()),
        biases=tuple(n for n in _own_order(module) if n.endswith("bias") and n not in classifier and n not in offsets),
        parameters=sum(parameter.numel() for parameter in module.parameters()),
    )


def state_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """A copy of every parameter and buffer, contiguous whatever memory format the module uses."""
    return {
        name: tensor.detach().clone(memory_format=torch.contiguous_format)
        for name, tensor in module.state_dict().items()
    }


def _affine_names(norms: Mapping[str, nn.Module], affine: set[str]) -> list[str]:
    """Normalisations with gamma and beta, in model order."""
    return [name for name in norms if name in affine]


def _own_order(module: nn.Module) -> list[str]:
    """Parameter names, in model order."""
    return [name for name, _ in module.named_parameters()]


def _join(name: str, leaf: str) -> str:
    return f"{name}.{leaf}" if name else leaf
