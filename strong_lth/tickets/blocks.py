"""Residual blocks of the zoo. A shortcut is the identity, or a 1x1 convolution with BatchNorm2d where the shape changes."""

from __future__ import annotations

from typing import ClassVar

import torch
from torch import nn


def shortcut(inside: int, outside: int, stride: int) -> nn.Module:
    """The other way round a block."""
    if stride == 1 and inside == outside:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside))


def unit(inside: int, outside: int, size: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    """A convolution that keeps height and width (before the stride), with BatchNorm2d."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2, groups=groups, bias=False), nn.BatchNorm2d(outside)
    )


class BasicBlock(nn.Module):
    """Two 3x3 convolutions."""

    expansion: ClassVar[int] = 1

    def __init__(self, inside: int, size: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(unit(inside, size, 3, stride), nn.ReLU(), unit(size, size, 3))
        self.shortcut = shortcut(inside, size, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, inside, H, W) -> (B, size, H / stride, W / stride)."""
        return torch.relu(self.body(x) + self.shortcut(x))


class Bottleneck(nn.Module):
    """1x1, 3x3 (with the stride) and 1x1 convolutions; four times ``size`` channels come out."""

    expansion: ClassVar[int] = 4

    def __init__(self, inside: int, size: int, stride: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            unit(inside, size, 1), nn.ReLU(), unit(size, size, 3, stride), nn.ReLU(), unit(size, 4 * size, 1)
        )
        self.shortcut = shortcut(inside, 4 * size, stride)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, inside, H, W) -> (B, 4 size, H / stride, W / stride)."""
        return torch.relu(self.body(x) + self.shortcut(x))


class InvertedResidual(nn.Module):
    """1x1 expansion, depthwise 3x3 and 1x1 projection; at stride 1 with a shortcut, without activation at the end."""

    def __init__(self, inside: int, outside: int, expansion: int, stride: int) -> None:
        super().__init__()
        wide = expansion * inside
        self.body = nn.Sequential(
            unit(inside, wide, 1),
            nn.ReLU(),
            unit(wide, wide, 3, stride, groups=wide),
            nn.ReLU(),
            unit(wide, outside, 1),
        )
        self.shortcut = shortcut(inside, outside, 1) if stride == 1 else None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x (B, inside, H, W) -> (B, outside, H / stride, W / stride)."""
        return self.body(x) if self.shortcut is None else self.body(x) + self.shortcut(x)
