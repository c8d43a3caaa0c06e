"""From the checked theorem to the package: at the proved number of candidates every ticket is exact, and far below it many are not."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binomtest

import strong_lth as lth

PERTURBATION, DELTA, SEEDS = 0.01, 0.05, 1_000
WIDTHS = (2, 3, 1)
BLOCKS = 2 * sum(a * b for a, b in itertools.pairwise(WIDTHS))
DOMAIN = lth.Box(-1, 1)


def target() -> lth.Network:
    """A 2-3-1 ReLU network whose weights are multiples of 2^-40 and at most 1/2."""
    rng = np.random.default_rng(0)
    return lth.Network.from_arrays(
        [rng.integers(-(2**39), 2**39 + 1, (b, a)) * 2.0**-40 for a, b in itertools.pairwise(WIDTHS)]
    )


def ticket(network: lth.Network, width: int, seed: int) -> lth.Subnetwork:
    return lth.approximate(
        network,
        domain=DOMAIN,
        tol=0.0,
        first=lth.BalancedSigns(),
        perturbation=PERTURBATION,
        width=width,
        seed=seed,
        workers=1,
    )


def exact(network: lth.Network, strong: lth.Subnetwork) -> bool:
    """Whether every gadget equals its weight in rationals, by sums of our own over mask, weights and shifts."""
    for dense, part, layer in zip(network.dense, strong.source.layers, strong.layers, strict=True):
        for output, row in enumerate(dense.weight):
            for position, weight in enumerate(row):
                for sign in (1, -1):
                    units = [u for u in part.serving(position, sign) if layer.keep[output, u]]
                    total = sum((Fraction(float(part.even_weights[output, u])) for u in units), Fraction(0))
                    if layer.shift is not None:
                        moves = [Fraction(float(layer.shift[output, u])) for u in units]
                        assert all(abs(move) <= Fraction(PERTURBATION) for move in moves)
                        total += sum(moves, Fraction(0))
                    if part.serving(position, sign).size and total != sign * Fraction(float(weight)):
                        return False
    return True


@pytest.mark.slow
@pytest.mark.statistical
def test_the_checked_number_of_candidates_gives_exact_tickets() -> None:
    bound = lth.bounds.get("rss-contraction-checked")
    assert isinstance(bound, lth.Bound)
    width = lth.required_candidates(bound, tol=0.0, perturbation=PERTURBATION, delta=DELTA / BLOCKS)
    network = target()
    x = np.random.default_rng(1).uniform(-1, 1, (20, 2))
    failed = 0
    for seed in range(SEEDS):
        strong = ticket(network, width, seed)
        good = not strong.unserved
        if seed % 50 == 0:
            assert exact(network, strong) == good
            outputs = strong.to_torch()(_tensor(x)).detach().numpy()
            assert not good or np.abs(outputs - network(x)).max() <= 1e-14
        assert lth.verify_gadgets(network, strong).ok
        failed += not good
    assert width == 59
    assert failed == 0
    assert binomtest(failed, SEEDS, DELTA, alternative="greater").pvalue > 1e-3


@pytest.mark.statistical
def test_far_fewer_candidates_fail_often() -> None:
    network = target()
    failed = 0
    for seed in range(200):
        strong = ticket(network, 8, seed)
        failed += bool(strong.unserved)
        if seed < 10:
            assert exact(network, strong) == (not strong.unserved)
    assert binomtest(failed, 200, DELTA, alternative="greater").pvalue < 1e-3


def _tensor(x: np.ndarray) -> object:
    import torch

    return torch.from_numpy(x)
