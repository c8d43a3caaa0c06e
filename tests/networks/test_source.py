"""The source network is a function of its seed, and width n is contained in width n + 1."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from network_targets import random_target

import strong_lth as lth
from strong_lth.distributions import weight_grid
from strong_lth.streams import WordStream

FIRSTS = [lth.BalancedSigns(), lth.RandomSigns(), lth.Uniform(-1, 1)]


def draw(width, first=FIRSTS[0], *, low: float = -1, **more) -> lth.RandomSource:
    return lth.random_source(random_target(0), domain=lth.Box(low, 1), width=width, first=first, **({"seed": 7} | more))


@pytest.mark.parametrize("first", FIRSTS)
def test_width_n_is_contained_in_width_n_plus_one(first: lth.Law):
    narrow, wide = draw(3, first), draw(4, first)
    for small, large in zip(narrow.layers, wide.layers, strict=True):
        place = {
            (i, s, r): u
            for u, (i, s, r) in enumerate(zip(large.unit_input, large.unit_sign, large.unit_rank, strict=True))
        }
        columns = [place[key] for key in zip(small.unit_input, small.unit_sign, small.unit_rank, strict=True)]
        assert np.array_equal(small.even, large.even[:, columns])
        assert np.array_equal(small.odd, large.odd[columns])


@pytest.mark.parametrize("first", FIRSTS)
def test_dense_odd_matrix_holds_the_kept_weights(first: lth.Law):
    source = draw(3, first)
    for index, part in enumerate(source.layers):
        weight, bias = source.odd_matrix(index)
        full = weight if bias is None else np.column_stack([weight, bias])
        assert full.shape == (part.units, part.inputs + 1)
        assert np.array_equal(full[np.arange(part.units), part.unit_input], part.odd_kept)


def test_numbers_of_units_and_parameters():
    source = draw(3)
    assert [part.units for part in source.layers] == [3 * (2 * 4 + 1), 3 * (5 + 1)]
    assert source.parameters == 27 * 5 + 5 * 27 + 18 * 6 + 3 * 18
    assert [part.units for part in draw(3, FIRSTS[1]).layers] == [6 * 5, 6 * 6]
    assert [part.units for part in draw(3, low=0).layers] == [3 * 5, 3 * 6]


def test_the_published_network_has_26494776_parameters():
    target = lth.Network.from_arrays([np.zeros((500, 784)), np.zeros((10, 500))])
    source = lth.random_source(target, domain=lth.Box(0, 1), width=21, seed=0)
    assert source.parameters == 26_494_776


def test_weights_are_the_documented_words():
    source = draw(3)
    part = source.layers[1]
    unit = int(np.flatnonzero((part.unit_input == 2) & (part.unit_rank == 1))[0])
    words = WordStream(7).words(1, 2 * 2, 4, 3)
    assert np.array_equal(part.even[:, unit], (words >> np.uint64(23)).astype(np.int64) - 2**40)
    assert np.all(np.abs(part.even_weights) <= 1)


@pytest.mark.parametrize(
    "law", [lth.Uniform(-2, 2), lth.Uniform(-0.25, 0.25), lth.Normal(0, 2), lth.Scaled(lth.Uniform(-1, 1), 4)]
)
def test_laws_have_their_variance(law: lth.Law):
    grid, exponent = weight_grid(law, WordStream(1).words(0, 0, 0, 40_000))
    values = np.ldexp(grid.astype(float), -exponent)
    assert values.var() == pytest.approx(law.variance, rel=0.03)
    assert abs(values.mean()) <= 5 * np.sqrt(law.variance / 40_000)


def test_products_of_two_random_layers_are_exact():
    source = draw(4, FIRSTS[2])
    part = source.layers[0]
    for unit in range(part.units):
        exact = Fraction(part.odd_kept[unit]) * Fraction(part.even_weights[0, unit])
        assert Fraction(float(part.odd_kept[unit] * part.even_weights[0, unit])) == exact


def test_memory_is_refused_before_it_is_used():
    with pytest.raises(lth.BudgetError, match="largest uniform width that fits is") as caught:
        draw(10**9, memory=2**30)
    fits = int(str(caught.value).split("fits is ")[1].split(",")[0])
    assert 1000 < fits < 10**9


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"width": 0}, "width"),
        ({"width": [3]}, "width"),
        ({"width": 2.5}, "width"),
        ({"width": True}, "width"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "seed"),
        ({"first": lth.Normal()}, "first"),
        ({"law": lth.BalancedSigns()}, "law"),
        ({"law": lth.ProductUniform()}, "law"),
        ({"law": lth.Normal(), "first": lth.Uniform(-1, 1)}, "law"),
        ({"domain": lth.Box((0, 0), (1, 1))}, "Box.low"),
    ],
)
def test_bad_input_is_named(change: dict, word: str):
    settings = {"width": 3, "domain": lth.Box(0, 1), "seed": 0} | change
    with pytest.raises(lth.InputError, match=word):
        lth.random_source(random_target(0), **settings)


def test_moved_sources_stay_in_their_box_exactly():
    source = draw(3)
    original = [part.even_weights for part in source.layers]
    moved = source.moved([w + 0.001 for w in original], 0.0011)
    assert moved.perturbation_used == 0.0011
    worse = [w.copy() for w in original]
    worse[1][1, 4] += 0.001 + 2.0**-40
    with pytest.raises(lth.InputError, match="layer 2, row 1, column 4"):
        source.moved(worse, 0.001)
    for bad in (float("nan"), float("inf"), -1.0, "much"):
        with pytest.raises(lth.InputError, match="perturbation"):
            source.moved([w + 5 for w in original], bad)
    with pytest.raises(lth.InputError, match="shape"):
        source.moved([original[0], original[0]], 0.1)
    with pytest.raises(lth.InputError, match="one per target layer"):
        source.moved(original[:1], 0.1)
