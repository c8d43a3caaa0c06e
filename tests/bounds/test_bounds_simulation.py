"""The event simulated is the event bounded: exact coverage by unions of intervals against every bound and prediction.

The oracle below shares nothing with the library: it keeps the set of served targets as a union of intervals, one candidate at a time.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from strong_lth.bounds import get
from strong_lth.core import Point
from strong_lth.distributions import Law, Normal, Uniform
from strong_lth.stats import binomial_p_value
from strong_lth.streams import trial_generator

LEVEL = 1e-3
Intervals = list[tuple[float, float]]


def merged(intervals: Intervals) -> Intervals:
    out: Intervals = []
    for low, high in sorted(intervals):
        if out and low <= out[-1][1]:
            out[-1] = (out[-1][0], max(high, out[-1][1]))
        else:
            out.append((low, high))
    return out


def served(candidates: np.ndarray, tol: float, perturbation: float) -> Intervals:
    """All targets within tol of a perturbed subset sum: the union over S of [sum - r, sum + r], r = tol + perturbation |S|."""
    union = [(-tol, tol)]
    for x in candidates.tolist():
        union = merged([*union, *((low + x - perturbation, high + x + perturbation) for low, high in union)])
    return union


def all_targets_missed(candidates: np.ndarray, tol: float, perturbation: float) -> bool:
    return not any(low <= -0.5 and high >= 0.5 for low, high in served(candidates, tol, perturbation))


def point_missed(candidates: np.ndarray, tol: float, perturbation: float, z: float) -> bool:
    """By plain enumeration of all subsets."""
    sums, sizes = np.zeros(1), np.zeros(1)
    for x in candidates:
        sums, sizes = np.concatenate([sums, sums + x]), np.concatenate([sizes, sizes + 1])
    return bool(np.all(np.abs(sums - z) > tol + perturbation * sizes))


def count_missed(
    n: int, tol: float, perturbation: float, trials: int, *, law: Law | None = None, z: float | None = None, seed: int
) -> int:
    law = law or Uniform(-1, 1)
    draws = (law.sample(trial_generator(seed, trial), n) for trial in range(trials))
    if z is None:
        return sum(all_targets_missed(x, tol, perturbation) for x in draws)
    return sum(point_missed(x, tol, perturbation, z) for x in draws)


def test_oracles_agree_with_enumeration() -> None:
    rng = np.random.default_rng(0)
    for _ in range(60):
        n, tol, perturbation = int(rng.integers(1, 7)), rng.uniform(0.001, 0.1), rng.choice([0.0, 0.02])
        x = rng.uniform(-1, 1, n)
        for z in rng.uniform(-1, 1, 20):
            errors = [
                abs(sum(subset) - z) - perturbation * size
                for size in range(n + 1)
                for subset in itertools.combinations(x.tolist(), size)
            ]
            assert point_missed(x, tol, perturbation, z) == (min(errors) > tol)
            inside = any(low <= z <= high for low, high in served(x, tol, perturbation))
            assert inside == (min(errors) <= tol)


# bound, n, tol, perturbation, trials, exact number missed: at these n the bound says something (it is below 1)
BOUNDED = [
    ("rss-contraction", 7, 0.4, 0.0, 10_000, 278),
    ("rss-contraction", 16, 0.2, 0.0, 10_000, 4),
    ("rss-contraction", 9, 0.2, 0.3, 10_000, 13),
    ("rss-contraction", 9, 0.0, 0.5, 10_000, 6),
    ("rss-contraction-checked", 11, 0.4, 0.0, 10_000, 23),
    ("rss-contraction-checked", 16, 0.0, 0.3, 10_000, 0),
    ("rss-martingale-kl", 8, 0.4, 0.0, 10_000, 139),
    ("rss-martingale-kl", 9, 0.0, 0.5, 10_000, 6),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("id", "n", "tol", "perturbation", "trials", "pinned"), BOUNDED)
def test_all_targets_bounds_are_not_exceeded(
    id: str, n: int, tol: float, perturbation: float, trials: int, pinned: int
) -> None:
    bound = get(id).failure(n, tol, perturbation)
    assert isinstance(bound, float)
    assert bound < 1
    missed = count_missed(n, tol, perturbation, trials, seed=1)
    assert missed == pinned
    assert binomial_p_value(missed, trials, bound) > LEVEL


@pytest.mark.statistical
def test_martingale_bound_for_normal_candidates() -> None:
    bound = get("rss-martingale-kl").failure(24, 0.4, law=Normal())
    assert isinstance(bound, float)
    assert bound < 0.9
    missed = count_missed(24, 0.4, 0.0, 300, law=Normal(), seed=2)
    assert missed == 0
    assert binomial_p_value(missed, 300, bound) > LEVEL


@pytest.mark.statistical
def test_negative_control_growth_by_doubling_is_refuted() -> None:
    """P <= (1/2)^n, as if each candidate halved the uncovered part and nothing had to be started or closed: refuted at the same setting."""
    missed = count_missed(7, 0.4, 0.0, 10_000, seed=1)
    assert binomial_p_value(missed, 10_000, 0.5**7) < LEVEL


@pytest.mark.statistical
def test_volume_bound_is_sure() -> None:
    volume = get("volume")
    for n, tol, perturbation in [(3, 0.05, 0.0), (5, 0.01, 0.001), (4, 0.0, 0.01)]:
        assert volume.failure(n, tol, perturbation) == 1.0
        assert count_missed(n, tol, perturbation, 200, seed=3) == 200
    # not vacuous: where the bound says nothing, coverage does happen
    assert volume.failure(6, 0.05) == 0.0
    assert count_missed(6, 0.1, 0.0, 200, seed=3) < 200


# law, n, tol, perturbation, trials, exact number missed, relative accuracy that the prediction states
COVERED = [
    (Uniform(-1, 1), 10, 0.02, 0.0, 4000, 839, 0.2),
    (Uniform(-1, 1), 12, 0.01, 0.0, 4000, 476, 0.2),
    (Uniform(-1, 1), 12, 0.0, 0.002, 4000, 519, 0.2),
    (Normal(0, 1), 12, 0.01, 0.0, 4000, 630, 0.2),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "n", "tol", "perturbation", "trials", "pinned", "accuracy"), COVERED)
def test_covering_prediction_is_as_accurate_as_it_says(
    law: Law, n: int, tol: float, perturbation: float, trials: int, pinned: int, accuracy: float
) -> None:
    predicted = get("all-targets-covering").failure(n, tol, perturbation, law=law)
    assert isinstance(predicted, float)
    missed = count_missed(n, tol, perturbation, trials, law=law, seed=4)
    assert missed == pinned
    assert binomial_p_value(missed, trials, predicted * (1 + accuracy)) > LEVEL
    assert binomial_p_value(missed, trials, predicted * (1 - accuracy), alternative="less") > LEVEL
    # negative control: a prediction off by a factor of two is told apart, on either side
    assert binomial_p_value(missed, trials, predicted / 2) < LEVEL
    assert binomial_p_value(missed, trials, predicted * 2, alternative="less") < LEVEL


EACH = [
    (Uniform(-1, 1), 0.3, 12, 0.002, 0.0, 6000, 488, 0.15),
    (Uniform(-1, 1), -0.5, 12, 0.0, 5e-4, 6000, 468, 0.15),
    (Normal(0, 1), 0.3, 13, 0.002, 0.0, 6000, 303, 0.15),
]


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "z", "n", "tol", "perturbation", "trials", "pinned", "accuracy"), EACH)
def test_each_target_prediction_is_as_accurate_as_it_says(
    law: Law, z: float, n: int, tol: float, perturbation: float, trials: int, pinned: int, accuracy: float
) -> None:
    predicted = get("each-target-local-law").failure(n, tol, perturbation, law=law, targets=Point(z))
    assert isinstance(predicted, float)
    missed = count_missed(n, tol, perturbation, trials, law=law, z=z, seed=5)
    assert missed == pinned
    assert binomial_p_value(missed, trials, predicted * (1 + accuracy)) > LEVEL
    assert binomial_p_value(missed, trials, predicted * (1 - accuracy), alternative="less") > LEVEL
    assert binomial_p_value(missed, trials, predicted / 2) < LEVEL
    assert binomial_p_value(missed, trials, predicted * 2, alternative="less") < LEVEL


@pytest.mark.statistical
def test_all_targets_bounds_hold_for_each_target() -> None:
    bound = get("rss-contraction").failure(8, 0.4, targets=Point(0.5))
    assert isinstance(bound, float)
    missed = count_missed(8, 0.4, 0.0, 2000, z=0.5, seed=6)
    assert missed == 13
    assert binomial_p_value(missed, 2000, bound) > LEVEL
