"""Planted unsound bounds that the soundness check of tests/networks/test_difference.py must catch."""

from dataclasses import replace

import numpy as np
import pytest
from network_pairs import Pair, exact_layers, random_pair, sample, violations

from strong_lth.core import Box
from strong_lth.networks.difference import LayerPair, difference_bounds, search_difference


def no_fresh_error_in_the_last_layer(layers, domain):
    """d' = (W + E) d: the last layer passes errors on but makes none."""
    *before, last = layers
    quiet = np.zeros_like
    last = LayerPair(last.weight + last.residual, last.bias, quiet(last.weight), None, quiet(last.bias), 0.0)
    return difference_bounds([*before, last], domain)


def no_inherited_error(layers, domain):
    """E h alone: the last layer is exact in front."""
    quiet = [
        replace(p, residual=p.residual * 0, residual_negative=None, bias_residual=p.bias * 0, rounding=0.0)
        for p in layers
    ]
    return difference_bounds([*quiet[:-1], layers[-1]], domain)


def no_negative_inputs(layers, domain):
    """The residual for negative inputs is forgotten."""
    return difference_bounds([replace(layers[0], residual_negative=None), *layers[1:]], domain)


def no_rounding_of_residuals(layers, domain):
    """Stored residuals are taken for the true ones."""
    return difference_bounds([replace(layer, rounding=0.0) for layer in layers], domain)


def no_bias_error(layers, domain):
    return difference_bounds([replace(layer, bias_residual=layer.bias * 0) for layer in layers], domain)


def a_few_roundings_short(layers, domain):
    """One-layer bounds are attained at a corner, so even this must show."""
    return {name: bound * (1 - 1e-12) for name, bound in difference_bounds(layers, domain).items()}


def half_the_domain(layers, domain):
    half = Box(domain.low, tuple((a + b) / 2 for a, b in zip(*domain.ends(layers[0].weight.shape[1]), strict=True)))
    return difference_bounds(layers, half) if isinstance(domain, Box) else difference_bounds(layers, domain)


PLANTED = [
    no_fresh_error_in_the_last_layer,
    no_inherited_error,
    no_negative_inputs,
    no_rounding_of_residuals,
    no_bias_error,
    a_few_roundings_short,
    half_the_domain,
]


def caught(bounds, count=80):
    """Methods of a planted bound that exact evaluation refutes on random pairs over boxes."""
    rng = np.random.default_rng(99)
    broken = set()
    for _ in range(count):
        pair = random_pair(rng, smallest=-6)
        if isinstance(pair.domain, Box):
            _, point = search_difference(pair.layers, pair.domain, restarts=8, steps=6)
            points = np.vstack([point, sample(pair.domain, pair.dim, rng, 3)])
            broken.update(violations(pair, bounds, points))
    return broken


@pytest.mark.parametrize("planted", PLANTED)
def test_an_unsound_bound_is_caught_in_every_method(planted):
    assert caught(planted) == {"mixed-l2", "difference-interval", "joint-zonotope"}


def test_the_true_bounds_pass_the_same_check():
    assert caught(difference_bounds) == set()


def test_summing_copies_before_bounding_is_caught():
    """Depth L + 1: two copies of x, off by +eta and -eta, enter with weights 0.9 and -0.9. Their summed weight is 0, their error is not."""
    eta = 2.0**-7
    copies = LayerPair(np.ones((2, 1)), np.zeros(2), np.array([[eta], [-eta]]), None, np.zeros(2), 0.0)
    merge = LayerPair(np.array([[0.9, -0.9]]), np.zeros(1), np.zeros((1, 2)), None, np.zeros(1), 0.0)
    pair = Pair([copies, merge], exact_layers([copies, merge]), Box(0, 1))

    def summed(layers, domain):
        first, second = layers
        residual = np.abs(first.residual).max(0, keepdims=True)
        one = LayerPair(np.ones((1, 1)), np.zeros(1), residual, None, np.zeros(1), 0.0)
        weight = second.weight.sum(1, keepdims=True)
        two = LayerPair(weight, np.zeros(1), np.zeros((1, 1)), None, np.zeros(1), 0.0)
        return difference_bounds([one, two], domain)

    points = np.array([[0.0], [1.0]])
    assert violations(pair, summed, points) == ["mixed-l2", "difference-interval", "joint-zonotope"]
    assert violations(pair, difference_bounds, points) == []
