"""One generator per purpose: numbers drawn for one thing never depend on how many were drawn for another."""

from __future__ import annotations

import numpy as np

from strong_lth.streams import trial_generator

PURPOSES = (
    "init",
    "split",
    "order",
    "augment",
    "mask",
    "alpha",
    "signs",
    "interpolate",
    "planted",
    "batch",
    "perturbation",
    "scores",
)


def generator(seed: int, purpose: str, index: int = 0) -> np.random.Generator:
    """The generator of (seed, purpose, index); ``index`` is an epoch, a round ...

    >>> a, b = generator(0, "order", 3), generator(0, "mask", 3)
    >>> bool(a.random() == generator(0, "order", 3).random()), bool(a.random() == b.random())
    (True, False)
    """
    return trial_generator(seed, (PURPOSES.index(purpose) << 40) + index)


def torch_seed(seed: int, purpose: str, index: int = 0) -> int:
    """A seed for a torch generator, from the same family."""
    return int(generator(seed, purpose, index).integers(2**63 - 1))
