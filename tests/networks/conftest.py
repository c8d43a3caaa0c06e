"""Small targets and domains that the network tests share."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import strong_lth as lth


def random_target(
    seed: int, widths: tuple[int, ...] = (4, 5, 3), *, bias: bool = True, size: float = 0.4
) -> lth.Network:
    rng = np.random.default_rng(seed)
    weights = [rng.normal(0, size, (out, into)) for into, out in itertools.pairwise(widths)]
    biases = [rng.normal(0, size / 2, out) if bias else None for out in widths[1:]]
    return lth.Network.from_arrays(weights, biases)


@pytest.fixture
def target() -> lth.Network:
    return random_target(0)


@pytest.fixture
def strong(target: lth.Network) -> lth.Subnetwork:
    return lth.approximate(target, domain=lth.Box(-1, 1), tol=0.3, perturbation=1e-3, width=20, seed=5)
