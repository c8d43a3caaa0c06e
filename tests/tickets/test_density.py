"""Counts and masks: exact, stable under ties, never jumping over a requested density."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from strong_lth.networks import Mask
from strong_lth.tickets import density


@given(st.integers(1, 10**8), st.floats(1e-9, 1))
def test_a_count_is_the_nearest(prunable, value):
    if value * prunable + 0.5 < 1:
        with pytest.raises(ValueError, match="density"):
            density.kept_count(value, prunable)
    else:
        assert abs(density.kept_count(value, prunable) - value * prunable) <= 0.5


@given(st.integers(50, 10**6), st.lists(st.floats(0.02, 1), min_size=1, max_size=4))
def test_a_track_goes_down_by_a_fifth_at_most_and_meets_every_density(prunable, densities):
    counts = density.track_counts(prunable, densities)
    assert counts[0] == prunable
    assert {density.kept_count(d, prunable) for d in densities} <= set(counts)
    assert counts[-1] == min(density.kept_count(d, prunable) for d in densities)
    assert all(b < a and a - b <= max(1, 0.2 * a + 0.5) for a, b in itertools.pairwise(counts))


def test_the_grid_without_stops_is_the_published_one():
    counts = density.track_counts(10**6, [0.8**15])
    assert len(counts) == 16
    assert [round(c / 1e4, 2) for c in (counts[5], counts[10], counts[15])] == [32.77, 10.74, 3.52]


@given(st.lists(st.integers(0, 3), min_size=1, max_size=40), st.data())
def test_the_largest_are_kept_and_ties_go_to_the_first(values, data):
    kept = data.draw(st.integers(0, len(values)))
    at = data.draw(st.integers(0, len(values)))
    flat = torch.tensor(values, dtype=torch.float32)
    mask = density.keep_largest({"a": flat[:at], "b": flat[at:]}, kept)
    expected = np.zeros(len(values), dtype=bool)
    expected[sorted(range(len(values)), key=lambda i: (-values[i], i))[:kept]] = True
    assert np.array_equal(np.concatenate([mask.tensors["a"], mask.tensors["b"]]), expected)


def test_only_the_living_are_ranked():
    alive = Mask({"a": np.array([False, True, True, False])})
    mask = density.keep_largest({"a": torch.tensor([9.0, 1.0, 2.0, 8.0])}, 1, alive)
    assert mask.tensors["a"].tolist() == [False, False, True, False]
    with pytest.raises(ValueError, match="from 0 to 2 weights"):
        density.keep_largest({"a": torch.ones(4)}, 3, alive)
    with pytest.raises(ValueError, match="NaN"):
        density.keep_largest({"a": torch.tensor([1.0, float("nan")])}, 1)


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 500), min_size=1), st.data())
def test_layer_counts_are_exact_and_fit(sizes, data):
    kept = data.draw(st.integers(0, sum(sizes.values())))
    weights = {name: data.draw(st.floats(0.01, 10)) for name in sizes}
    for chosen in (None, weights):
        counts = density.layer_counts(sizes, kept, chosen)
        assert sum(counts.values()) == kept
        assert all(0 <= counts[name] <= sizes[name] for name in sizes)
    even = density.layer_counts(sizes, kept)
    assert all(abs(even[name] - sizes[name] * kept / sum(sizes.values())) < 1 + 1e-9 for name in sizes)


def test_erk_favours_small_layers():
    shapes = {"small": (8, 3, 3, 3), "large": (64, 64, 3, 3)}
    sizes = {"small": 216, "large": 36864}
    counts = density.layer_counts(sizes, 3000, density.erk_weights(shapes))
    raw = {"small": 17 / 216, "large": 134 / 36864}
    assert counts["small"] / sizes["small"] == pytest.approx(
        min(1, counts["large"] / sizes["large"] * raw["small"] / raw["large"]), abs=0.01
    )


def test_random_masks_are_uniform_and_exact():
    masks = [density.random_mask({"a": (4, 5)}, {"a": 7}, np.random.default_rng(i)).tensors["a"] for i in range(400)]
    assert all(mask.sum() == 7 for mask in masks)
    share = np.mean(masks, axis=0)  # each cell kept with probability .35; 400 draws, standard error .024
    assert np.abs(share - 0.35).max() < 4.5 * 0.024
