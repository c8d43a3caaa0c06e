"""Tolerances per weight keep their promise, and the promise is tight."""

from __future__ import annotations

import numpy as np
import pytest

import strong_lth as lth
from strong_lth.networks.tolerances import allot, chains

from .conftest import random_target


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("domain", [lth.Box(0, 1), lth.Box(-1, 1), lth.Ball(0.7, 0.2)])
def test_no_error_within_the_tolerances_exceeds_tol(seed: int, domain: lth.Box | lth.Ball):
    rng = np.random.default_rng(seed)
    widths = tuple(int(w) for w in rng.integers(1, 6, rng.integers(2, 5)))
    network = random_target(seed, widths, bias=bool(seed % 2))
    tol = 10.0 ** rng.uniform(-3, 0.5)
    found = allot(network, domain, tol, [layer.weight.size for layer in network.dense])
    assert found.a_priori <= tol
    low, high = domain.ends(widths[0])
    x = rng.uniform(low, high, (300, widths[0]))
    if isinstance(domain, lth.Ball):
        offset = x - domain.point(widths[0])
        x = domain.point(widths[0]) + offset * np.minimum(
            1, domain.radius / np.linalg.norm(offset, axis=1, keepdims=True)
        )
    for kind in ("signs", "same sign", "uniform"):
        weights, biases = [], []
        for layer, eta in zip(network.dense, found.weight_tol, strict=True):
            draw = {
                "signs": rng.choice([-1, 1], layer.shape),
                "same sign": np.ones(layer.shape),
                "uniform": rng.uniform(-1, 1, layer.shape),
            }[kind]
            weights.append(layer.weight + eta * draw)
            biases.append(
                None
                if layer.bias is None
                else layer.bias + eta * (1 if kind == "same sign" else rng.choice([-1, 1], layer.shape[0]))
            )
        other = lth.Network.from_arrays(weights, biases)
        assert np.abs(other(x) - network(x)).max() <= tol * (1 + 1e-12)


def test_the_chain_is_attained():
    """All-ones example of the propagation theorem: both chains are equalities up to their stated rounding."""
    network = lth.Network.from_arrays([np.full((13, 7), 0.3), np.full((5, 13), 0.2), np.full((3, 5), 0.7)])
    eta = [1e-3, 2e-3, 5e-4]
    moved = lth.Network.from_arrays([layer.weight + e for layer, e in zip(network.dense, eta, strict=True)])
    x = np.full(7, 2.5)
    true = float(np.abs(moved(x) - network(x)).max())
    sup = chains(network, lth.Box(0, 2.5))["sup-norm"](eta)
    euclid = chains(network, lth.Box(2.5, 2.5))["L2"](eta)
    assert true <= sup <= true * (1 + 1e-7)
    assert true <= euclid <= true * (1 + 1e-6)


def test_shares_of_the_error_are_proportional_to_the_cost():
    network = random_target(1, (6, 8, 3), bias=False)
    counts = [48, 24]
    found = allot(network, lth.Box(0, 1), 1e-6, counts)
    chain = chains(network, lth.Box(0, 1))[found.chain]
    alone = [chain([eta if i == j else 0.0 for j, eta in enumerate(found.weight_tol)]) for i in range(2)]
    assert alone[0] / sum(alone) == pytest.approx(48 / 72, rel=1e-3)
    assert sum(alone) == pytest.approx(1e-6, rel=1e-3)


def test_no_other_shares_are_cheaper():
    network = random_target(2, (5, 9, 4), bias=True)
    counts = np.array([54.0, 40.0])
    tol = 0.5
    found = allot(network, lth.Box(-1, 1), tol, counts)
    chain = chains(network, lth.Box(-1, 1))[found.chain]
    best = counts @ np.log(found.weight_tol)
    for factor in np.geomspace(0.1, 10, 41):
        trial = np.array(found.weight_tol) * [factor, 1]
        low, high = 0.0, 100.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if chain(trial * middle) <= tol else (low, middle)
        assert counts @ np.log(trial * low) <= best + 1e-3
