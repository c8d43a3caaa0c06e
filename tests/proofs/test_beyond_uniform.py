"""The theorems for other windows and laws, held against exact solves of their own event; each with a control that fails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from strong_lth.bounds import get, rss_density, rss_scaled
from strong_lth.core import Point, Window
from strong_lth.distributions import Normal, ProductUniform
from strong_lth.stats import binomial_p_value

LEVEL = 1e-3
Draw = Callable[[np.random.Generator, int], np.ndarray]


def missed(candidates: np.ndarray, moves: np.ndarray, tol: float, reach: float) -> bool:
    """Whether some |z| <= reach is served by no subset: unions of intervals, one candidate at a time."""
    low, high = np.array([-tol]), np.array([tol])
    for x, e in zip(candidates, moves, strict=True):
        low, high = np.concatenate([low, low + x - e]), np.concatenate([high, high + x + e])
        order = np.argsort(low)
        low, high = low[order], np.maximum.accumulate(high[order])
        first = np.concatenate([[True], low[1:] > high[:-1]])
        low, high = low[first], high[np.append(np.flatnonzero(first)[1:] - 1, -1)]
    inside = np.searchsorted(low, -reach, side="right") - 1
    return bool(inside < 0 or high[inside] < reach)


def share(draw: Draw, n: int, tol: float, perturbation: float, reach: float, *, seed: int, trials: int = 300) -> int:
    rng = np.random.default_rng(seed)
    count = 0
    for _ in range(trials):
        drawn = draw(rng, n)
        x, e = (drawn, np.ones(n)) if drawn.ndim == 1 else drawn
        count += missed(x, e * perturbation, tol, reach)
    return count


@pytest.mark.statistical
@pytest.mark.parametrize(("tol", "perturbation"), [(0.1, 0.0), (0.0, 0.1)])
def test_wide_targets(tol: float, perturbation: float) -> None:
    bound = get("rss-wide")
    for n in (26, 30, 34):
        count = share(lambda rng, n: rng.uniform(-1, 1, n), n, tol, perturbation, 1.0, seed=n)
        claimed = bound.failure(n, tol, perturbation, targets=Window(-1, 1))
        assert binomial_p_value(count, 300, float(claimed), alternative="greater") > LEVEL
    few = share(lambda rng, n: rng.uniform(-1, 1, n), 6, tol, perturbation, 1.0, seed=6)
    assert binomial_p_value(few, 300, float(bound.failure(34, tol, perturbation, targets=Window(-1, 1)))) < LEVEL
    assert bound.failure(40, 0.1, targets=Point(1.0)) == bound.failure(40, 0.1, targets=Window(-1, 1))


@pytest.mark.statistical
@pytest.mark.parametrize("n", [56, 64])
def test_known_factors(n: int) -> None:
    """Factors mixed from 1/2 and 1, the worst kind; a shift moves the candidate by its factor times as much."""

    def mixed(rng: np.random.Generator, n: int) -> np.ndarray:
        factors = np.where(np.arange(n) % 2, 0.5, 1.0)
        return np.stack([factors * rng.uniform(-1, 1, n), factors])

    for tol, perturbation in ((0.1, 0.0), (0.0, 0.1)):
        count = share(mixed, n, tol, perturbation, 0.25, seed=n)
        claimed = rss_scaled.for_factors(0.5, n, tol, perturbation)
        assert claimed < 1
        assert binomial_p_value(count, 300, claimed, alternative="greater") > LEVEL
        few = share(mixed, 4, tol, perturbation, 0.25, seed=4)
        assert binomial_p_value(few, 300, claimed, alternative="greater") < LEVEL
    random = share(lambda rng, n: ProductUniform().sample(rng, n), 60, 0.1, 0.0, 0.25, seed=60)
    product = get("rss-scaled").failure(120, 0.1, law=ProductUniform(), targets=Window(-0.25, 0.25))
    assert random <= 300 * float(product)


def mixture(weight: float) -> Draw:
    """With this probability U[-1, 1], else one fixed atom far away: not symmetric, no density, any mass outside [-1, 1]."""

    def draw(rng: np.random.Generator, n: int) -> np.ndarray:
        return np.where(rng.random(n) < weight, rng.uniform(-1, 1, n), 7.0)

    return draw


@pytest.mark.statistical
def test_any_dense_law() -> None:
    for p, draw in ((0.25, mixture(0.5)), (Normal().lower_density(-1, 1), lambda rng, n: rng.normal(size=n))):
        for n in (60, 70):
            claimed = rss_density.for_density(p, n, 0.1)
            assert claimed < 1
            count = share(draw, n, 0.1, 0.0, 0.5, seed=n)
            assert binomial_p_value(count, 300, claimed, alternative="greater") > LEVEL
        few = share(draw, 6, 0.1, 0.0, 0.5, seed=6)
        assert binomial_p_value(few, 300, rss_density.for_density(p, 60, 0.1), alternative="greater") < LEVEL


@pytest.mark.statistical
def test_a_hole_in_the_law_breaks_it() -> None:
    """Half of the mass of U[-1, 1] moved out of [-1/4, 1/4] leaves that density elsewhere, but a law of multiples of 1/2 misses targets for ever."""
    count = share(lambda rng, n: rng.integers(-2, 3, n) / 2.0, 80, 0.1, 0.0, 0.5, seed=1, trials=20)
    assert count == 20
    assert rss_density.for_density(0.2, 80, 0.1) < 0.05  # what a density of 1/5 in place of five atoms would promise
