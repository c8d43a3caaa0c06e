"""Bounds against exact solves: verdicts, error rates, quantifiers, and a planted wrong constant."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from strong_lth.bounds import BOUNDS, Direction, Scope, get
from strong_lth.core import InputError, Point, Verdict, Window
from strong_lth.distributions import Normal, Uniform
from strong_lth.stats import binomial_p_value
from strong_lth.validate import check, window_missed

CONTRACTION = get("rss-contraction")
SETTING = {"n": 7, "tol": 0.4, "seed": 5}  # where about 2.8 % of the samples miss a target


def claiming(probability: float, **changes):
    return replace(CONTRACTION, id="planted", formula=lambda question: probability, **changes)


def test_a_valid_bound_is_consistent_and_clear_cases_end_early():
    result = check(CONTRACTION, n=45, tol=0.01, perturbation=0.001, trials=2000, seed=1)
    assert (result.verdict, result.missed) == (Verdict.CONSISTENT, 0)
    assert result.trials < 2000
    assert result.high <= result.claimed


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.id)
@pytest.mark.parametrize(("n", "tol", "perturbation"), [(7, 0.4, 0.0), (4, 0.02, 0.0), (16, 0.1, 0.1)])
def test_no_listed_bound_is_refuted(bound, n, tol, perturbation):
    result = check(bound, n=n, tol=tol, perturbation=perturbation, trials=256, seed=11)
    assert result.verdict is not Verdict.REFUTED, result


def test_a_wrong_necessary_bound_is_refuted_by_one_trial_if_it_claims_certainty():
    volume = get("volume")
    certain = check(volume, n=5, tol=0.01, trials=200, seed=1)
    assert (certain.verdict, certain.missed, certain.trials) == (Verdict.CONSISTENT, 200, 200)
    assert check(volume, n=6, tol=0.01, trials=200, seed=1).verdict is Verdict.VACUOUS
    wrong = replace(volume, formula=lambda question: 1.0)
    refuted = check(wrong, n=24, tol=0.1, trials=200, seed=1)
    assert (refuted.verdict, refuted.trials) == (Verdict.REFUTED, 64)
    partly = replace(volume, formula=lambda question: 0.5)
    assert check(partly, n=24, tol=0.1, trials=200, seed=1).verdict is Verdict.REFUTED
    assert check(partly, n=4, tol=0.1, trials=200, seed=1).verdict is Verdict.CONSISTENT


def test_verdicts_that_need_no_trial():
    assert check(CONTRACTION, n=5, tol=0.01, trials=100, seed=1).verdict is Verdict.VACUOUS
    foreign = check(CONTRACTION, n=50, tol=0.01, law=Uniform(0, 1), trials=100, seed=1)
    assert (foreign.verdict, foreign.trials, foreign.claimed) == (Verdict.NOT_APPLICABLE, 0, None)
    assert check(get("xiong2023-theorem1-printed"), n=50, tol=0.01, trials=9, seed=1).verdict is Verdict.INCONCLUSIVE
    assert check(get("volume"), n=5, tol=0.01, targets=Point(0.3), trials=9, seed=1).verdict is Verdict.NOT_APPLICABLE


def test_too_few_trials_are_inconclusive():
    result = check(claiming(1e-6), n=45, tol=0.01, trials=100, seed=1)
    assert (result.verdict, result.trials) == (Verdict.INCONCLUSIVE, 100)
    assert result.low <= 1e-6 <= result.high


def test_the_quantifier_decides_the_event():
    """One target in the window is easier than all of them: a number between the two probabilities is true of one event and false of the other."""
    between = 0.012
    each = claiming(between, scope=Scope.EACH_TARGET)
    every = claiming(between)
    assert check(each, n=9, tol=0.2, targets=Point(0.1), trials=4000, seed=2).verdict is Verdict.CONSISTENT
    every_result = check(every, n=9, tol=0.2, targets=Window(-0.5, 0.5), trials=4000, seed=2)
    assert every_result.verdict is Verdict.REFUTED
    assert "one sample" in every_result.event
    worst = check(each, n=9, tol=0.2, targets=Window(-0.25, 0.5), trials=64, seed=2)
    assert worst.event == "the target 0.5 is missed"


@pytest.mark.statistical
def test_the_false_alarm_rate_is_as_stated():
    """The exact probability itself as the bound, alpha = 0.2: n = 1, z = 0.5, tol = 0.1 is missed with probability 0.9. 300 checks."""
    truth, alpha, repeats = 0.9, 0.2, 300
    for direction in Direction:
        exact = claiming(truth, scope=Scope.EACH_TARGET, direction=direction)
        verdicts = [
            check(exact, n=1, tol=0.1, targets=Point(0.5), trials=512, seed=seed, alpha=alpha).verdict
            for seed in range(repeats)
        ]
        wrong = verdicts.count(Verdict.REFUTED)
        assert binomial_p_value(wrong, repeats, alpha) > 1e-3
        assert binomial_p_value(wrong, repeats, alpha / 20, alternative="less") > 1e-3  # and the level is not idle
    off = claiming(truth - 0.1, scope=Scope.EACH_TARGET)
    assert check(off, n=1, tol=0.1, targets=Point(0.5), trials=512, seed=0, alpha=alpha).verdict is Verdict.REFUTED


@given(
    st.lists(st.integers(-8, 8), min_size=1, max_size=7),
    st.integers(0, 4),
    st.integers(0, 2),
    st.integers(-6, 6),
    st.integers(0, 6),
)
def test_the_window_is_missed_exactly_if_a_target_is(values, tol, perturbation, low, length):
    """On whole numbers, against all subsets: coverage can change only at ends of intervals, so quarters decide."""
    x = np.array(values, dtype=float)
    ends = [
        (sum(subset) - tol - perturbation * size, sum(subset) + tol + perturbation * size)
        for size in range(len(values) + 1)
        for subset in itertools.combinations(values, size)
    ]
    spots = np.arange(4 * low, 4 * (low + length) + 1) / 4
    missed = not all(any(a <= spot <= b for a, b in ends) for spot in spots)
    assert window_missed(x, tol, perturbation, Window(low, low + length)) == missed


def test_trials_do_not_depend_on_how_many_there_are():
    short = check(claiming(0.0291), **SETTING, trials=300, alpha=1e-12)
    long = check(claiming(0.0291), **SETTING, trials=301, alpha=1e-12)
    assert 0 <= long.missed - short.missed <= 1
    normal = check(claiming(0.5), n=7, tol=0.4, law=Normal(), trials=64, seed=5)
    assert normal.missed != check(claiming(0.5), **SETTING, trials=64).missed


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"trials": 0}, "trials"),
        ({"alpha": 0.0}, "alpha"),
        ({"seed": -1}, "seed"),
        ({"tol": 0.0}, "tol"),
        ({"n": -1}, "n"),
        ({"targets": 0.3}, "targets"),
    ],
)
def test_bad_parameters_are_refused_by_name(change, named):
    with pytest.raises(InputError, match=f"^{named}"):
        check(CONTRACTION, **{**SETTING, "trials": 64} | change)


def test_a_prediction_is_refused():
    with pytest.raises(InputError, match="prediction"):
        check(get("all-targets-covering"), n=9, tol=0.1, trials=64, seed=1)
