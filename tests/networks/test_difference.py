"""Certified bounds hold, and found errors are attained, on random small networks evaluated in exact rationals."""

import itertools
from fractions import Fraction

import numpy as np
import pytest
from network_pairs import Pair, contains, exact_gap, exact_layers, random_pair, sample, violations

from strong_lth.core import Ball, Box, InputError
from strong_lth.networks.difference import LayerPair, difference_bounds, search_difference
from strong_lth.networks.difference_interval import relu_gap

METHODS = {"mixed-l2", "difference-interval", "joint-zonotope"}


def ticket(weight, residual, bias=None, rounding=0.0, minus=None):
    weight = np.asarray(weight, dtype=float)
    zeros = np.zeros(len(weight))
    return LayerPair(weight, zeros if bias is None else bias, residual, minus, zeros, rounding)


def interesting_points(pair: Pair, rng: np.random.Generator, found: np.ndarray) -> np.ndarray:
    """The found point and the worst of many sampled ones, in floating point."""
    points = sample(pair.domain, pair.dim, rng, 200)
    errors = [0.0] * len(points)
    h, g = points.T, points.T
    for number, layer in enumerate(pair.layers):
        if number:
            h, g = np.maximum(h, 0), np.maximum(g, 0)
        minus = layer.residual if layer.residual_negative is None else layer.residual_negative
        g = (layer.weight + layer.residual) @ np.maximum(g, 0) + (layer.weight + minus) @ np.minimum(g, 0)
        g = g + (layer.bias + layer.bias_residual)[:, None]
        h = layer.weight @ h + layer.bias[:, None]
        errors = np.abs(g - h).max(0)
    return np.vstack([found, points[np.argsort(-errors)[:2]], points[:1]])


@pytest.mark.parametrize("block", range(8))
def test_no_error_exceeds_a_bound_and_every_found_error_is_real(block):
    rng = np.random.default_rng([block, 20])
    for _ in range(80):
        pair = random_pair(rng)
        found, point = search_difference(pair.layers, pair.domain, restarts=8, steps=6, seed=block)
        assert contains(pair.domain, point)
        assert 0 <= Fraction(found) <= max(abs(d) for d in exact_gap(pair.exact, point.tolist()))
        assert violations(pair, difference_bounds, interesting_points(pair, rng, point)) == []
        bounds = difference_bounds(pair.layers, pair.domain)
        assert set(bounds) == METHODS
        assert all(found <= bound.max() for bound in bounds.values())


@pytest.mark.parametrize("domain", [Box(-1, 1), Box(0, 1), Ball(2.0), Ball(1.0, 3.0)])
def test_equal_networks_certify_to_rounding_level(domain):
    rng = np.random.default_rng(5)
    shapes = [(30, 20), (30, 30), (4, 30)]
    layers = [ticket(rng.normal(size=s) * s[1] ** -0.5, np.zeros(s), rng.normal(size=s[0])) for s in shapes]
    assert all(bound.max() <= 1e-12 for bound in difference_bounds(layers, domain).values())
    assert search_difference(layers, domain, restarts=4, steps=2)[0] == 0


@pytest.mark.parametrize("widths", [(1, 1), (4, 3), (6, 5, 1), (9, 4, 7, 3)])
def test_the_all_ones_example_attains_the_product_bound(widths):
    """W_l = a_l 11^T / sqrt(d d'), E_l = eta_l 11^T, x = R 1 / sqrt(d): error R (prod (a_l + e_l) - prod a_l), e_l = eta_l sqrt(d d')."""
    radius, layers, larger, product = 1.5, [], 1.0, 1.0
    for number, (inputs, outputs) in enumerate(itertools.pairwise(widths)):
        a, eta, root = 0.7 + number, 0.01, (inputs * outputs) ** 0.5
        layers.append(ticket(np.full((outputs, inputs), a / root), np.full((outputs, inputs), eta)))
        larger, product = larger * (a + eta * root), product * a
    attained = radius * (larger - product) / widths[-1] ** 0.5  # each output has an equal share of the norm
    bound = difference_bounds(layers, Ball(radius))["mixed-l2"].max()
    assert attained * (1 - 1e-12) <= bound <= attained * (1 + 1e-9)
    found, _ = search_difference(layers, Ball(radius))
    assert attained * (1 - 1e-6) <= found <= bound


def test_one_layer_is_certified_exactly_by_every_method_on_a_box():
    rng = np.random.default_rng(0)
    plus, minus = rng.normal(size=(2, 3, 5))
    layers = [ticket(rng.normal(size=(3, 5)), plus, minus=minus)]
    low, high = np.array([-1, -2, 0.5, -3, -1]), np.array([1, 1, 2, -1, 0.25])
    above = np.maximum(np.where(high >= 0, plus, minus) * high, np.where(low >= 0, plus, minus) * low)
    below = np.minimum(np.where(high >= 0, plus, minus) * high, np.where(low >= 0, plus, minus) * low)
    crossing = (low < 0) & (high > 0)
    top = np.where(crossing, np.maximum(above, 0), above).sum(1)
    bottom = np.where(crossing, np.minimum(below, 0), below).sum(1)
    exact = np.maximum(abs(top), abs(bottom))
    domain = Box(tuple(low), tuple(high))
    bounds = difference_bounds(layers, domain)
    for bound in bounds.values():
        assert bound == pytest.approx(exact, rel=1e-12)
    assert search_difference(layers, domain)[0] == pytest.approx(exact.max(), rel=1e-12)


def test_a_ball_is_not_replaced_by_its_box():
    rng = np.random.default_rng(1)
    residual = rng.normal(size=(2, 50))
    bounds = difference_bounds([ticket(np.zeros((2, 50)), residual)], Ball(1.0))
    for bound in bounds.values():
        assert bound == pytest.approx(np.linalg.norm(residual, axis=1), rel=1e-12)


def test_relu_gap_is_the_exact_range():
    rng = np.random.default_rng(4)
    for _ in range(300):
        low, gap_low = rng.normal(size=2)
        high, gap_high = low + rng.random() * 2, gap_low + rng.random() * 2
        slope = float(rng.choice([0, 0.25, 0.5, 0.75, 1]))
        least, most = (float(x[0]) for x in relu_gap(*(np.array([x]) for x in (low, high, gap_low, gap_high)), slope))
        h = np.concatenate([np.linspace(low, high, 60), np.clip([0.0], low, high)])
        d = np.concatenate([np.linspace(gap_low, gap_high, 60), np.clip([0.0, -low, -high], gap_low, gap_high)])
        values = np.maximum(h[:, None] + d, 0) - np.maximum(h, 0)[:, None] - slope * d
        assert least <= values.min() + 1e-15
        assert values.max() - 1e-15 <= most
        assert (least, most) == pytest.approx((values.min(), values.max()), abs=1e-12)


def test_later_methods_never_lose_to_the_intervals_they_start_from():
    rng = np.random.default_rng(11)
    for _ in range(50):
        pair = random_pair(rng, smallest=-4)
        bounds = difference_bounds(pair.layers, pair.domain)
        assert np.all(bounds["joint-zonotope"] <= bounds["difference-interval"] * (1 + 1e-15) + 2.0**-130)


def test_the_zonotope_keeps_what_cancels():
    """Two equal hidden errors, subtracted by the second layer: intervals add them, shared symbols do not."""
    first = ticket([[1.0], [1.0]], np.array([[0.1], [0.1]]), np.ones(2))
    second = ticket([[1.0, -1.0]], np.zeros((1, 2)))
    bounds = difference_bounds([first, second], Box(0, 1))
    assert bounds["difference-interval"][0] >= 0.1
    assert bounds["joint-zonotope"][0] <= 1e-12


def test_norms_win_on_a_deep_net_over_a_large_box():
    rng = np.random.default_rng(7)
    shapes = [(32, 10), (32, 32), (32, 32), (32, 32), (3, 32)]
    layers = [ticket(rng.normal(size=s) * (2 / s[1]) ** 0.5, rng.uniform(-1e-3, 1e-3, s)) for s in shapes]
    bounds = {name: bound.max() for name, bound in difference_bounds(layers, Box(-1, 1)).items()}
    assert min(bounds, key=bounds.get) == "mixed-l2"


@pytest.mark.parametrize("size", [1e120, 1e300])
def test_overflow_gives_infinity_never_nan(size):
    layers = [ticket(np.full((3, 3), size), np.full((3, 3), 1.0), minus=np.full((3, 3), -size)) for _ in range(4)]
    for domain in (Box(-size, size), Ball(size), Ball(1e308), Box(-1.7e308, 1.7e308)):
        bounds = difference_bounds(layers, domain)
        assert all(np.isposinf(bound).all() for bound in bounds.values())
        found, point = search_difference(layers, domain, restarts=4, steps=3)
        assert found == 0 or np.isfinite(found)
        assert contains(domain, point)


def test_search_depends_on_its_arguments_alone_and_uses_given_starts():
    rng = np.random.default_rng(9)
    layers = [ticket(rng.normal(size=s), 0.1 * rng.normal(size=s)) for s in ((8, 6), (2, 8))]
    once, again = (search_difference(layers, Box(-1, 1), seed=3) for _ in range(2))
    assert once[0] == again[0]
    assert np.array_equal(once[1], again[1])
    start = once[1]
    started, _ = search_difference(layers, Box(-1, 1), seed=4, restarts=1, steps=0, starts=start)
    assert started >= once[0] * (1 - 1e-12)
    outside, point = search_difference(layers, Ball(0.5), starts=np.full((1, 6), 100.0))
    assert contains(Ball(0.5), point)
    assert outside > 0


def test_search_comes_close_on_a_small_net():
    """Against a fine grid over a box of two coordinates."""
    rng = np.random.default_rng(12)
    layers = [
        ticket(rng.normal(size=s), 0.05 * rng.normal(size=s), rng.normal(size=s[0])) for s in ((9, 2), (9, 9), (2, 9))
    ]
    axis = np.linspace(-1, 1, 41)
    grid = np.array(np.meshgrid(axis, axis)).reshape(2, -1).T
    best, _ = search_difference(layers, Box(-1, 1), restarts=1, steps=0, starts=grid)
    assert search_difference(layers, Box(-1, 1))[0] >= 0.97 * best


def test_bad_layers_are_refused_by_name():
    good = ticket(np.ones((2, 3)), np.zeros((2, 3)))
    with pytest.raises(InputError, match="layers: got an empty sequence"):
        difference_bounds([], Box(0, 1))
    with pytest.raises(InputError, match="layer 2 with 3 inputs after 2 outputs"):
        difference_bounds([good, good], Box(0, 1))
    with pytest.raises(InputError, match=r"residual: got shape \(3, 2\)"):
        ticket(np.ones((2, 3)), np.zeros((3, 2)))
    with pytest.raises(InputError, match="weight: got NaN or infinity"):
        ticket(np.full((2, 3), np.nan), np.zeros((2, 3)))
    with pytest.raises(InputError, match="rounding"):
        ticket(np.ones((2, 3)), np.zeros((2, 3)), rounding=-1.0)
    with pytest.raises(InputError, match=r"Box\.low: got 2 coordinates"):
        difference_bounds([good], Box((0, 0), (1, 1)))
    with pytest.raises(InputError, match="starts"):
        search_difference([good], Box(0, 1), starts=np.zeros((1, 2)))


def test_exact_evaluation_knows_both_halves():
    layer = ticket([[2.0]], np.array([[0.5]]), minus=np.array([[-0.25]]))
    assert exact_gap(exact_layers([layer]), [2.0]) == [1]
    assert exact_gap(exact_layers([layer]), [-2.0]) == [Fraction(1, 2)]
