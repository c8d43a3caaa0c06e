"""Scaling keeps the function and finds the least gain."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import strong_lth as lth
from strong_lth.networks.scaling import Scaling, balance

from .conftest import random_target


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("widths", [(3, 1), (2, 3, 2), (2, 2, 2, 1)])
def test_function_is_unchanged_and_weights_fit(seed: int, widths: tuple[int, ...]):
    network = random_target(seed, widths, size=2.0)
    scaling = balance(network, 0.5)
    scaled = scaling.apply(network)
    assert max(np.abs(layer.weight).max() for layer in scaled.dense) <= 0.5
    assert max(np.abs(layer.offset).max() for layer in scaled.dense) <= 0.5
    x = np.random.default_rng(seed).normal(size=(20, widths[0]))
    np.testing.assert_allclose(2.0**scaling.gain * scaled(x), network(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("seed", range(12))
def test_the_gain_is_the_least_one(seed: int):
    network = random_target(seed, (2, 2, 2), size=1.5)
    gain = balance(network, 0.5).gain
    if gain == 0:
        return
    for rows in itertools.product(range(-12, 7), repeat=2):
        smaller = Scaling((np.array(rows),), gain - 1).apply(network)
        fits = all(np.abs(d.weight).max() <= 0.5 and np.abs(d.offset).max() <= 0.5 for d in smaller.dense)
        assert not fits, f"rows {rows} fit with a smaller gain"


def test_exact_powers_of_two_need_no_more_than_they_must():
    network = lth.Network.from_arrays([[[0.5]], [[0.5]]])
    assert balance(network, 0.5).gain == 0
    assert balance(lth.Network.from_arrays([[[np.nextafter(0.5, 1)]], [[0.5]]]), 0.5).gain == 1


def test_zero_weights_and_dead_neurons_do_not_matter():
    network = lth.Network.from_arrays([[[0.0, 0.0], [4.0, 0.0]], [[0.0, 0.0], [3.0, 0.0]]])
    scaled = balance(network, 0.5).apply(network)
    assert all(np.all(np.isfinite(layer.weight)) and np.abs(layer.weight).max() <= 0.5 for layer in scaled.dense)
