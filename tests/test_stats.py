"""Counts: exact intervals and tests against plain sums of the binomial law."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from strong_lth.core import InputError
from strong_lth.stats import binomial_p_value, clopper_pearson, dkw_band, sign_flip_p_value


def at_least(successes: int, trials: int, p: Fraction) -> float:
    """P(X >= successes), X ~ Bin(trials, p), in exact rationals."""
    terms = (math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(successes, trials + 1))
    return float(sum(terms, Fraction(0)))


@settings(max_examples=60, deadline=None)
@given(trials=st.integers(0, 60), share=st.floats(0, 1), p=st.fractions(0, 1, max_denominator=50))
def test_p_values_are_binomial_tails(trials: int, share: float, p: Fraction) -> None:
    successes = round(share * trials)
    greater = binomial_p_value(successes, trials, float(p))
    less = binomial_p_value(successes, trials, float(p), alternative="less")
    assert greater == pytest.approx(at_least(successes, trials, p), rel=1e-9, abs=1e-300)
    assert less == pytest.approx(1 - at_least(successes + 1, trials, p), rel=1e-9, abs=1e-12)


def test_p_values_keep_tiny_tails() -> None:
    assert binomial_p_value(50, 50, 0.01) == pytest.approx(1e-100, rel=1e-9)
    assert binomial_p_value(0, 50, 0.99, alternative="less") == pytest.approx(1e-100, rel=1e-6)
    assert binomial_p_value(1, 10**6, 0.0) == 0.0
    assert binomial_p_value(10**6, 10**6, 1.0) == 1.0


@settings(max_examples=60, deadline=None)
@given(trials=st.integers(1, 80), share=st.floats(0, 1), confidence=st.sampled_from([0.9, 0.95, 0.999]))
def test_interval_ends_solve_their_equations(trials: int, share: float, confidence: float) -> None:
    successes, tail = round(share * trials), (1 - confidence) / 2
    low, high = clopper_pearson(successes, trials, confidence=confidence)
    assert 0 <= low <= successes / trials <= high <= 1
    if successes > 0:
        assert binomial_p_value(successes, trials, low) == pytest.approx(tail, rel=1e-6)
    if successes < trials:
        assert binomial_p_value(successes, trials, high, alternative="less") == pytest.approx(tail, rel=1e-6)


@pytest.mark.parametrize("p", [0.003, 0.1, 0.5, 0.97])
def test_interval_covers_at_least_as_often_as_it_says(p: float) -> None:
    """The coverage probability itself, summed over all outcomes: no sampling."""
    trials = 40
    weights = [math.comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(trials + 1)]
    covered = sum(
        w for k, w in enumerate(weights) if clopper_pearson(k, trials)[0] <= p <= clopper_pearson(k, trials)[1]
    )
    assert covered >= 0.95
    too_narrow = sum(
        w
        for k, w in enumerate(weights)
        if clopper_pearson(k, trials, confidence=0.3)[0] <= p <= clopper_pearson(k, trials, confidence=0.3)[1]
    )
    assert p == 0.003 or too_narrow < 0.95


def test_known_intervals() -> None:
    assert clopper_pearson(0, 10) == pytest.approx((0.0, 0.3084971), abs=1e-7)
    assert clopper_pearson(10, 10) == pytest.approx((0.6915029, 1.0), abs=1e-7)
    assert clopper_pearson(8, 10) == pytest.approx((0.4439045, 0.9747893), abs=1e-7)
    assert clopper_pearson(0, 0) == (0.0, 1.0)


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("successes", lambda: clopper_pearson(11, 10)),
        ("successes", lambda: clopper_pearson(-1, 10)),
        ("successes", lambda: binomial_p_value(True, 10, 0.5)),
        ("trials", lambda: clopper_pearson(1, 10.0)),  # type: ignore[arg-type]
        ("confidence", lambda: clopper_pearson(1, 10, confidence=1.0)),
        ("probability", lambda: binomial_p_value(1, 10, 1.5)),
        ("probability", lambda: binomial_p_value(1, 10, math.nan)),
        ("alternative", lambda: binomial_p_value(1, 10, 0.5, alternative="unequal")),
    ],
)
def test_bad_input_is_named(name: str, call: Callable[[], object]) -> None:
    with pytest.raises(InputError, match=f"^{name}: "):
        call()


@pytest.mark.parametrize(("successes", "probability"), [(3, 0.5), (9, 0.5), (5, 0.5), (0, 0.2), (10, 0.9)])
def test_two_sided_p_values_double_the_smaller_side(successes: int, probability: float) -> None:
    sides = [binomial_p_value(successes, 10, probability, alternative=side) for side in ("less", "greater")]
    both = binomial_p_value(successes, 10, probability, alternative="two-sided")
    assert both == min(1.0, 2 * min(sides))


@pytest.mark.statistical
def test_the_band_holds_the_whole_distribution_function() -> None:
    """500 samples of 40 uniform numbers at alpha = 0.2: the band may miss at most that often, and the inequality is not idle."""
    rng, half = np.random.default_rng(3), dkw_band(40, alpha=0.2)
    steps = np.arange(41) / 40
    missed = 0
    for _ in range(500):
        x = np.sort(rng.random(40))
        missed += bool(max((x - steps[:-1]).max(), (steps[1:] - x).max()) > half)
    assert binomial_p_value(missed, 500, 0.2) > 1e-3
    assert missed > 40
    assert dkw_band(4000) == pytest.approx(dkw_band(40) / 10)


@pytest.mark.parametrize(("trials", "alpha"), [(0, 0.1), (True, 0.1), (10, 0.0), (10, 1.0)])
def test_a_band_without_trials_or_level_is_refused(trials: int, alpha: float) -> None:
    with pytest.raises(InputError, match=r"^(trials|alpha): "):
        dkw_band(trials, alpha=alpha)


def test_sign_flips_are_an_exact_test():
    rng = np.random.default_rng(0)
    values = rng.normal(size=7)
    for sign in (1, -1):
        sums = [np.dot(sign * values, signs) for signs in itertools.product((1, -1), repeat=7)]
        expected = np.mean(np.array(sums) >= sign * values.sum() - 1e-12)
        assert sign_flip_p_value(values, alternative="greater" if sign > 0 else "less") == expected
    assert sign_flip_p_value([1.0] * 8) == 2**-8
    assert sign_flip_p_value([0.0] * 8) == 1.0
    level = np.mean([sign_flip_p_value(rng.normal(size=6)) <= 0.05 for _ in range(400)])
    assert level < 0.09  # a valid test: 0.047 is its exact level
    for bad in ([], [float("nan")], [1.0] * 21):
        with pytest.raises(InputError, match="differences"):
            sign_flip_p_value(bad)
    with pytest.raises(InputError, match="alternative"):
        sign_flip_p_value([1.0], alternative="both")
