"""States and masks on a device: put them into a module, take them out, score what is there."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from strong_lth.networks.mask import Mask
from strong_lth.tickets.images import Images
from strong_lth.tickets.types import State


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
    """(cross-entropy, accuracy) of the module in evaluation mode, in the precision of its weights."""
    module.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for pixels, labels in zip(images.pixels.split(size), images.labels.split(size), strict=True):
            output = module(images.inputs(pixels))
            loss += float(nn.functional.cross_entropy(output, labels, reduction="sum"))
            right += int((output.argmax(dim=1) == labels).sum())
    return loss / len(images), right / len(images)
