"""Labelled images resident on the device as uint8, and the order in which a training sees them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from strong_lth.core import InputError
from strong_lth.datasets import Dataset
from strong_lth.tickets.randomness import generator, torch_seed

Augment = Literal["none", "crop-flip"]
PAD = 4


@dataclass(frozen=True, eq=False)
class Images:
    """Pixels uint8 (N, channels, height, width) and labels (N,) on one device; the network sees (pixel - mean) / std per channel."""

    pixels: torch.Tensor
    labels: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor

    def __len__(self) -> int:
        return int(self.labels.numel())

    def inputs(self, pixels: torch.Tensor) -> torch.Tensor:
        """Normalised float32 images."""
        return (pixels.float() - self.mean) / self.std


def make_images(pixels: np.ndarray, labels: np.ndarray, mean: np.ndarray, std: np.ndarray, device: str) -> Images:
    """Copy arrays to the device; nothing of the arrays is kept."""

    def channels(values: np.ndarray) -> torch.Tensor:
        return torch.tensor(values, dtype=torch.float32, device=device).view(1, -1, 1, 1)

    return Images(
        torch.tensor(pixels, device=device),
        torch.tensor(labels.astype(np.int64), device=device),
        channels(mean),
        channels(std),
    )


def channel_moments(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation per channel; a constant channel gets 1."""
    values = pixels.astype(np.float64)
    std = values.std(axis=(0, 2, 3))
    return values.mean(axis=(0, 2, 3)), np.where(std > 0, std, 1.0)


def split(dataset: Dataset, validation: float) -> tuple[np.ndarray, np.ndarray]:
    """Indices (training, validation) of the training images: of every class the same fraction, drawn once for a task, never per run.

    Raises InputError for a fraction outside (0, 1), or one that leaves a class without image on either side.
    """
    if not 0 < validation < 1:
        raise InputError("validation", validation, "give a fraction strictly between 0 and 1")
    rng = generator(0, "split")
    chosen = np.zeros(len(dataset.train_labels), dtype=bool)
    for label in range(len(dataset.classes)):
        members = np.flatnonzero(dataset.train_labels == label)
        count = round(validation * len(members))
        if not 0 < count < len(members):
            raise InputError(
                "validation", validation, f"class {label} has {len(members)} images; leave some on both sides"
            )
        chosen[rng.permutation(members)[:count]] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def batches(
    images: Images, size: int, order: int, epoch: int, augment: Augment
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Full batches of one epoch, pixels as uint8 and labels; the order is a function of (order, epoch) alone. The last, incomplete batch is left out.

    Raises InputError when not one batch is full.
    """
    if size > len(images):
        raise InputError("batch", size, f"give at most {len(images)}, the number of training images")
    permutation = torch.from_numpy(generator(order, "order", epoch).permutation(len(images))).to(images.pixels.device)
    pixels, labels = images.pixels[permutation], images.labels[permutation]
    if augment == "crop-flip":
        pixels = crop_flip(pixels, torch_seed(order, "augment", epoch))
    for start in range(0, len(images) - size + 1, size):
        yield pixels[start : start + size], labels[start : start + size]


def crop_flip(pixels: torch.Tensor, seed: int) -> torch.Tensor:
    """Each image shifted by up to 4 pixels (zeros outside) and mirrored with probability 1/2."""
    count, _, height, width = pixels.shape
    source = torch.Generator().manual_seed(seed)
    shift = torch.randint(0, 2 * PAD + 1, (2, count, 1), generator=source).to(pixels.device)
    mirrored = (torch.rand(count, 1, generator=source) < 0.5).to(pixels.device)
    rows = shift[0] + torch.arange(height, device=pixels.device)
    columns = shift[1] + torch.arange(width, device=pixels.device)
    columns = torch.where(mirrored, columns.flip(1), columns)
    padded = torch.nn.functional.pad(pixels, (PAD, PAD, PAD, PAD))
    index = torch.arange(count, device=pixels.device).view(-1, 1, 1)
    return padded.permute(0, 2, 3, 1)[index, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
