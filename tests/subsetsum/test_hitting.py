"""Hitting times against the covering decision, and the bands around their distribution."""

from __future__ import annotations

import numpy as np
import pytest

from strong_lth.core import BudgetError, InputError
from strong_lth.distributions import Normal, ProductUniform, Scaled, Uniform
from strong_lth.stats import binomial_p_value, dkw_half_width
from strong_lth.streams import trial_generator
from strong_lth.subsetsum import covers, failure_curve, hitting_times
from strong_lth.subsetsum.hitting import BLOCK, ROUND


def least_covering(x: np.ndarray, tol: float, perturbation: float, window: tuple[float, float]) -> int:
    for n in range(1, len(x) + 1):
        if covers(x[:n], tol, perturbation, window):
            return n
    return -1


@pytest.mark.parametrize(
    ("law", "tol", "perturbation", "window"),
    [
        (Uniform(-1, 1), 0.05, 0.0, (-1.0, 1.0)),
        (Uniform(-1, 1), 1e-3, 0.0, (-0.5, 0.5)),
        (Uniform(-1, 1), 0.0, 0.01, (-0.5, 0.5)),
        (Uniform(-1, 1), 0.01, 0.002, (0.25, 0.25)),
        (Scaled(Normal(0.0, 0.5), 2.0), 0.02, 0.0, (-0.5, 0.5)),
        (ProductUniform(), 0.01, 0.0, (0.0, 1.0)),
        (Uniform(0, 1), 0.01, 0.0, (-0.005, 0.3)),
    ],
)
def test_times_are_the_least_covering_prefix(
    law: object, tol: float, perturbation: float, window: tuple[float, float]
) -> None:
    times = hitting_times(law, tol, perturbation, window, trials=BLOCK + 20, seed=3)
    for block in (0, 1):
        x = law.sample(trial_generator(3, block), (BLOCK, ROUND))
        x = np.rint(x * 2.0**45) * 2.0**-45  # a coarser grid than that of the times: no answer is so near
        for row in range(20):
            time = int(times[block * BLOCK + row])
            assert least_covering(x[row], tol, perturbation, window) == (time if time <= ROUND else -1)


def test_times_do_not_depend_on_workers_or_on_later_trials() -> None:
    seen: list[tuple[int, int]] = []
    one = hitting_times(Uniform(-1, 1), 0.01, trials=1000, seed=5, workers=1, progress=lambda *done: seen.append(done))
    assert np.array_equal(one, hitting_times(Uniform(-1, 1), 0.01, trials=1000, seed=5, workers=3))
    assert np.array_equal(one[:300], hitting_times(Uniform(-1, 1), 0.01, trials=300, seed=5))
    assert not np.array_equal(one, hitting_times(Uniform(-1, 1), 0.01, trials=1000, seed=6))
    few = [hitting_times(Uniform(-1, 1), 1e-6, trials=20, seed=5, workers=w) for w in (1, 2)]  # a few trials at a time
    assert np.array_equal(*few)
    assert np.array_equal(few[0][:3], hitting_times(Uniform(-1, 1), 1e-6, trials=3, seed=5))
    assert seen[-1] == (1000, 1000)
    assert one[:8].tolist() == [9, 12, 16, 11, 9, 10, 10, 11]


def test_smaller_demands_are_met_earlier_trial_by_trial() -> None:
    base = hitting_times(Uniform(-1, 1), 0.01, trials=500, seed=1)
    for other in (
        hitting_times(Uniform(-1, 1), 0.02, trials=500, seed=1),
        hitting_times(Uniform(-1, 1), 0.01, 1e-3, trials=500, seed=1),
        hitting_times(Uniform(-1, 1), 0.01, window=(-0.25, 0.25), trials=500, seed=1),
    ):
        assert (other <= base).all()
        assert (other < base).any()


def test_trials_beyond_the_limit_and_trivial_ones() -> None:
    times = hitting_times(Uniform(0, 1), 0.01, window=(-0.5, 0.5), trials=5, limit=32)
    assert times.tolist() == [-1] * 5
    assert hitting_times(Uniform(0, 1), 0.5, trials=5).tolist() == [0] * 5
    curve = failure_curve(times)
    assert curve.failure.tolist() == [1.0]


def test_rows_that_need_more_than_one_round_of_candidates() -> None:
    times = hitting_times(Uniform(-1 / 16, 1 / 16), 0.01, window=(-0.9, 0.9), trials=30, seed=2, limit=192)
    assert times.min() > ROUND
    x = np.empty((BLOCK, 0))
    generator = trial_generator(2, 0)
    for _ in range(6):
        x = np.concatenate([x, Uniform(-1 / 16, 1 / 16).sample(generator, (BLOCK, ROUND))], axis=1)
    for row in range(5):
        assert times[row] == least_covering(x[row], 0.01, 0.0, (-0.9, 0.9))


@pytest.mark.statistical
def test_bands_hold_for_all_n_at_once() -> None:
    truth = failure_curve(hitting_times(Uniform(-1, 1), 0.05, trials=60_000, seed=11), n=range(2, 16)).failure
    times = hitting_times(Uniform(-1, 1), 0.05, trials=40_000, seed=12).reshape(200, 200)
    for method in ("dkw", "clopper-pearson"):
        missed = 0
        for few in times:
            curve = failure_curve(few, n=range(2, 16), confidence=0.9, method=method)
            missed += bool(((truth < curve.low) | (curve.high < truth)).any())
        assert binomial_p_value(missed, 200, 0.1) > 1e-3
        narrow = [failure_curve(few, n=range(2, 16), confidence=1e-3, method=method) for few in times]
        beyond = sum(bool(((truth < c.low) | (c.high < truth)).any()) for c in narrow)
        assert binomial_p_value(beyond, 200, 0.1) < 1e-3  # a band too narrow is noticed


def test_dkw_is_the_printed_formula() -> None:
    assert dkw_half_width(200, confidence=0.9) == pytest.approx(np.sqrt(np.log(20) / 400), rel=1e-15)
    assert dkw_half_width(1) == 1.0
    for bad in ({"trials": 0}, {"trials": 10, "confidence": 1.0}):
        with pytest.raises(InputError):
            dkw_half_width(**bad)


def test_malformed_input_is_refused_by_name() -> None:
    law = Uniform(-1, 1)
    for name, call in {
        "tol": lambda: hitting_times(law, 0.0),
        "window": lambda: hitting_times(law, 0.1, window=(1, 0)),
        "trials": lambda: hitting_times(law, 0.1, trials=0),
        "seed": lambda: hitting_times(law, 0.1, seed=-1),
        "limit": lambda: hitting_times(law, 0.1, limit=0),
        "perturbation": lambda: hitting_times(law, 0.1, -1.0),
        "times": lambda: failure_curve([0.5]),
        "method": lambda: failure_curve([3], method="normal"),
        "n": lambda: failure_curve([3], n=[-1]),
        "name the places": lambda: failure_curve([10**15]),
        "unequal": lambda: failure_curve([[1], [1, 2]]),
        "law": lambda: hitting_times("uniform", 0.1),
        "a law of": lambda: hitting_times(Uniform, 0.1),
        "from 1 to": lambda: hitting_times(law, 0.1, limit=10**400),
        "smaller limit": lambda: hitting_times(law, 1e-300),
    }.items():
        with pytest.raises(InputError, match=name):
            call()
    with pytest.raises(BudgetError, match="MiB"):
        hitting_times(law, 1e-5, trials=1, budget=1 << 12)
    for trials in (10**15, 10**25):  # refused before the times are allocated
        with pytest.raises(BudgetError, match="fewer trials"):
            hitting_times(law, 0.1, trials=trials)
    with pytest.raises(BudgetError, match=r"8193 times .* 0 MiB"):
        hitting_times(law, 0.1, trials=8193, budget=1 << 12)
