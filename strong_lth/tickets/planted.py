"""A planted task: the label depends on a few pixels only, so a method's mask can be compared with the truth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from strong_lth.core import InputError
from strong_lth.datasets import Dataset
from strong_lth.networks.mask import Mask
from strong_lth.tickets.models import mlp_bn
from strong_lth.tickets.randomness import generator
from strong_lth.tickets.recipe import Recipe
from strong_lth.tickets.task import Task

FIRST = "1.weight"


@dataclass(frozen=True, eq=False)
class Planted:
    """The task, and which of its pixels matter."""

    task: Task
    relevant: NDArray[np.bool_]


def planted(
    seed: int = 0,
    *,
    pixels: int = 40,
    relevant: int = 6,
    hidden: int = 32,
    images: int = 1600,
    recipe: Recipe | None = None,
) -> Planted:
    """Uniform random pixels; the class is the octant of three sums, each of ``relevant`` / 3 pixels of its own. No other pixel carries any information.

    The model is mlp-bn with one hidden layer; its first layer is the only prunable one, so the right mask keeps the columns of the relevant pixels.

    Raises InputError unless ``relevant`` is a multiple of 3 and at most ``pixels``.
    """
    if relevant <= 0 or relevant % 3 or relevant > pixels:
        raise InputError("relevant", relevant, f"give a multiple of 3 from 3 to {pixels}")
    rng = generator(seed, "planted")
    chosen = rng.permutation(pixels)[:relevant]
    values = rng.integers(0, 256, (2 * images, 1, 1, pixels), dtype=np.uint8)
    sums = values[:, 0, 0, chosen].reshape(2 * images, 3, -1).astype(np.float64).mean(axis=2) > 127.5
    labels = (sums * np.array([1, 2, 4])).sum(axis=1).astype(np.uint8)
    data = Dataset(
        name=f"planted-{seed}",
        train_images=values[:images],
        train_labels=labels[:images],
        test_images=values[images:],
        test_labels=labels[images:],
        classes=tuple("abcdefgh"),
        status="unknown",
        hashes={},
        source="drawn",
    )
    module = partial(mlp_bn, (1, 1, pixels), 8, (hidden,))
    task = Task(data=data, model=module, name="planted", prunable=(FIRST,), recipe=recipe or Recipe(epochs=15))
    return Planted(task, np.isin(np.arange(pixels), chosen))


def recovery(problem: Planted, mask: Mask) -> float:
    """Share of the kept weights that look at a relevant pixel; a random mask gets relevant / pixels, a perfect one 1."""
    keep = mask.tensors[FIRST]
    return float(keep[:, problem.relevant].sum() / keep.sum())
