"""Published methods made explicit, and the predictions with questions of their own: exact oracles, simulations of the same event, negative controls."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

from strong_lth import validate
from strong_lth.bounds import BOUNDS, ESTIMATES, Constants, Question, Scope, get
from strong_lth.bounds.fixed_size import TRIED, hits, limit, overlaps
from strong_lth.bounds.irwin_hall import density, near
from strong_lth.bounds.number_partitioning import perfect_partition, smallest_difference
from strong_lth.bounds.saddlepoint import instance_failure, log_sums_near
from strong_lth.bounds.smallest_error import error_quantile, scale_free_quantile
from strong_lth.core import InputError, Point, Verdict, Window
from strong_lth.distributions import Normal, ProductUniform, RandomSigns, Scaled, SignedIntegers, Uniform
from strong_lth.stats import binomial_p_value, dkw_band
from strong_lth.streams import trial_generator
from strong_lth.subsetsum import solve_batch

LEVEL = 1e-3


# -- sums of uniform candidates ----------------------------------------------------------------------------------------


def tail(m: int, x: Fraction) -> Fraction:
    """P(sum of m U[-1, 1] <= x) by inclusion and exclusion, in rationals."""
    if m == 0:
        return Fraction(int(x >= 0))
    terms = ((-1) ** j * math.comb(m, j) * max((x + m - 2 * j) / 2, Fraction(0)) ** m for j in range(m + 1))
    return min(sum(terms, Fraction(0)) / math.factorial(m), Fraction(1))


@pytest.mark.parametrize("m", [1, 2, 3, 5, 12, 30])
def test_sums_agree_with_rational_arithmetic(m: int) -> None:
    for center, radius in [(0.0, 0.25), (0.3, 1e-9), (0.7, 0.01), (1.5, 0.5), (-2.5, 3.0), (float(m), 0.5)]:
        low, high = Fraction(center) - Fraction(radius), Fraction(center) + Fraction(radius)
        exact = float(tail(m, high) - tail(m, low))
        assert float(near(m, np.array(center), radius)) == pytest.approx(exact, rel=1e-12, abs=1e-300)
    x = np.linspace(-m, m, 41)
    assert density(m, x) == pytest.approx(density(m, -x)[::1], rel=1e-12) or m == 1
    assert np.all(np.diff(density(m, np.linspace(0, m, 60))) <= 1e-15)


# -- subsets of one size -----------------------------------------------------------------------------------------------


def grid_overlaps(size: int, levels: int, low: int, high: int) -> list[Fraction]:
    """q_0 .. q_size when each candidate is uniform on {-levels, ..., levels}, and a hit is a sum in [low, high]: by convolution, exactly."""
    step = [Fraction(1, 2 * levels + 1)] * (2 * levels + 1)

    def law(m: int) -> dict[int, Fraction]:
        out = {0: Fraction(1)}
        for _ in range(m):
            new: dict[int, Fraction] = {}
            for s, p in out.items():
                for j, q in enumerate(step):
                    new[s + j - levels] = new.get(s + j - levels, Fraction(0)) + p * q
            out = new
        return out

    def hit(m: int, shift: int) -> Fraction:
        return sum((p for s, p in law(m).items() if low <= s + shift <= high), Fraction(0))

    return [sum((p * hit(size - i, s) ** 2 for s, p in law(i).items()), Fraction(0)) for i in range(size + 1)]


@pytest.mark.parametrize(("size", "z", "tol"), [(1, 0.25, 0.25), (2, 0.25, 0.125), (2, 0.75, 0.5), (3, 0.5, 0.25)])
def test_overlaps_are_the_limit_of_a_grid(size: int, z: float, tol: float) -> None:
    errors = []
    for levels in (4, 8, 16) if size == 3 else (8, 16, 32):
        scale = levels + 0.5  # cells of width 1 around the whole numbers fill [-1, 1]
        low, high = math.ceil((z - tol) * scale), math.floor((z + tol) * scale)
        _, joint = overlaps(size, (low + high) / 2 / scale, (high - low + 1) / 2 / scale)
        exact = grid_overlaps(size, levels, low, high)
        errors.append(max(abs(float(e) / q - 1) for e, q in zip(exact, joint, strict=True)))
    assert errors[-1] < 0.02
    assert max(errors) < 1e-12 or errors[0] / errors[-1] > 3.5  # the error falls at least like the width of a cell


def test_overlaps_by_hand() -> None:
    """k = 2, r -> 0: a shared candidate y leaves |z - y| <= 1, probability 1 - z/2, so q_1 / q_0 = (1 - z/2) (1/4) / (1/2 - z/4)^2 = 1 / (1 - z/2)."""
    for z in (0.0, 0.3, 1.0):
        single, joint = overlaps(2, z, 1e-9)
        assert joint[1] / single**2 == pytest.approx(1 / (1 - z / 2), rel=1e-6)
        assert single == pytest.approx(2e-9 * (0.5 - z / 4), rel=1e-6)


def test_moments_agree_with_simulation() -> None:
    n, size, z, tol, trials = 10, 4, 0.4, 0.05, 4000
    chosen = [list(c) for c in itertools.combinations(range(n), size)]
    draws = Uniform(-1, 1).sample(trial_generator(1, 0), (trials, n))
    counts = (np.abs(draws[:, chosen].sum(axis=2) - z) <= tol).sum(axis=1)
    mean, ratio = hits(n, size, z, tol)
    error = counts.std() / math.sqrt(trials)
    assert abs(counts.mean() - mean) < 4 * error
    second = float((counts.astype(float) ** 2).mean())
    spread = float((counts.astype(float) ** 2).std()) / math.sqrt(trials)
    assert abs(second - ratio * mean**2) < 4 * spread
    assert abs(second - 1.2 * ratio * mean**2) > 4 * spread  # negative control
    assert binomial_p_value(int((counts > 0).sum()), trials, 1 / ratio, alternative="less") > LEVEL


def test_the_limit_of_the_second_moment() -> None:
    assert limit(0.6) == pytest.approx(0.8)
    for density_of_kept, size in [(1 / 3, 20), (0.5, 24)]:
        n = round(size / density_of_kept)
        _, ratio = hits(n, size, 0.0, 1e-3)
        assert 1 / ratio == pytest.approx(limit(density_of_kept), abs=0.02)
    for bad in (-0.1, 1.0):
        with pytest.raises(InputError, match="density"):
            limit(bad)
    for n, size, z, tol in [
        (5, 6, 0.1, 0.1),
        (50, 25, 0.1, 0.1),
        (5, 0, 0.1, 0.1),
        (5, 2, 0.1, 0.0),
        (5, 2, math.nan, 0.1),
    ]:
        with pytest.raises(InputError):
            hits(n, size, z, tol)


def test_fixed_size_is_monotone_where_it_is_proved() -> None:
    bound = get("fixed-size")
    for tol, perturbation in [(0.01, 0.0), (1e-3, 1e-3), (0.2, 0.1)]:
        values = [bound.failure(n, tol, perturbation) for n in range(41)]
        assert all(b <= a for a, b in itertools.pairwise(values))
        across = [bound.failure(20, tol, perturbation, targets=Point(z)) for z in np.linspace(0.21, 1.5, 20)]
        assert all(b >= a - 1e-9 for a, b in itertools.pairwise(across))
        assert bound.failure(20, tol, perturbation) == bound.failure(20, tol, perturbation, targets=Point(-0.5))
    # the ratio q_i / q_0 behind it falls in tol, but for 0.3 % at tolerances of the size of the law
    for size in (2, 4, 7):
        ratios = []
        for tol in np.geomspace(1e-3, 1.5, 30):
            single, joint = overlaps(size, 0.5, float(tol))
            ratios.append(joint[size // 2] / single**2)
        assert all(b <= a * 1.003 for a, b in itertools.pairwise(ratios))
    assert TRIED == 12
    assert bound.failure(20, 1e-300) == bound.failure(20, 1e-160) == 1.0


@pytest.mark.statistical
@pytest.mark.parametrize(("n", "tol", "perturbation"), [(12, 0.05, 0.0), (12, 0.0, 0.02)])
def test_fixed_size_and_counting_are_checked_against_exact_solves(n: int, tol: float, perturbation: float) -> None:
    setting = {"n": n, "tol": tol, "perturbation": perturbation, "targets": Point(0.4), "trials": 2000, "seed": 3}
    result = validate.check(get("fixed-size"), **setting)  # type: ignore[arg-type]
    assert result.verdict is Verdict.CONSISTENT
    few = validate.check(get("counting"), **(setting | {"n": 4}))  # type: ignore[arg-type]
    assert few.verdict is Verdict.CONSISTENT
    assert few.claimed is not None
    assert 0.05 < few.claimed < few.missed / few.trials


# -- first moment ------------------------------------------------------------------------------------------------------


def test_counting_agrees_with_exact_probabilities() -> None:
    """Against 1 - sum of exact hit probabilities in rationals: never above, and close where tolerances are small."""
    for n, tol, z in [(5, 0.01, 0.5), (8, 1e-4, 0.3), (4, 0.05, 0.9)]:
        value = get("counting").failure(n, tol, targets=Point(z))
        low, high = Fraction(z) - Fraction(tol), Fraction(z) + Fraction(tol)
        exact = 1 - sum(math.comb(n, k) * (tail(k, high) - tail(k, low)) for k in range(1, n + 1))
        assert 0 < Fraction(value) <= exact
        assert value == pytest.approx(float(exact), abs=0.03)


def test_counting_knows_its_laws() -> None:
    bound = get("counting")
    assert bound.failure(6, 0.01, law=Normal(0, 2), targets=Point(1.0)) == pytest.approx(
        bound.failure(6, 0.005, law=Normal(), targets=Point(0.5)), rel=1e-12
    )
    assert bound.failure(6, 0.01, law=Scaled(Normal(), 2), targets=Point(1.0)) == pytest.approx(
        bound.failure(6, 0.005, law=Normal(), targets=Point(0.5)), rel=1e-12
    )
    assert bound.failure(6, 0.01, law=Normal(1, 1)) is Verdict.NOT_APPLICABLE
    assert bound.failure(6, 0.01, law=ProductUniform()) is Verdict.NOT_APPLICABLE
    assert bound.failure(0, 0.01) == pytest.approx(1.0)
    assert bound.failure(3, 0.5) == 0.0
    missed = Normal().sample(trial_generator(2, 0), (3000, 5))
    sums = np.zeros((3000, 1))
    for k in range(5):
        sums = np.concatenate([sums, sums + missed[:, k : k + 1]], axis=1)
    count = int((np.abs(sums - 0.5).min(axis=1) > 0.02).sum())
    claimed = bound.failure(5, 0.02, law=Normal())
    assert isinstance(claimed, float)
    assert binomial_p_value(count, 3000, claimed, alternative="less") > LEVEL
    assert binomial_p_value(count, 3000, min(1, claimed + 0.2), alternative="less") < LEVEL


def test_cited_bounds_say_that_they_are() -> None:
    ours = {"strong_lth"}  # asymptotic statements with proofs
    for bound in BOUNDS:
        if bound.constants is Constants.UNSPECIFIED and bound.reference.source not in ours:
            assert bound.status.startswith("cited")
    assert get("natale2024-each").scope is Scope.EACH_TARGET
    assert get("becchetti2022").failure(100, 0.01, targets=Window(-1, 1)) is Verdict.INCONCLUSIVE
    assert get("kumar2025").failure(20, 0.5) is Verdict.NOT_APPLICABLE
    for targets, tol, perturbation in [(Point(300), 0.5, 0.0), (Point(100), 1.0, 0.0), (Point(100), 0.5, 0.1)]:
        law = SignedIntegers(256)
        assert get("kumar2025").failure(20, tol, perturbation, law=law, targets=targets) is Verdict.NOT_APPLICABLE


# -- predictions with a question of their own --------------------------------------------------------------------------


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "target"), [(Uniform(-1, 1), 0.3), (Uniform(-1, 1), 1.0), (Normal(), 0.3)])
def test_smallest_errors_of_samples_are_exponential_by_the_saddlepoint(law: Uniform | Normal, target: float) -> None:
    """exp(-rate error) is uniform: Kolmogorov distance within the 99.9 % band plus 0.02, which rates off by a fifth are not."""
    n, trials = 16, 1500
    draws = law.sample(trial_generator(5, 0), (trials, n))
    errors = solve_batch(draws, np.full(trials, target), workers=1).errors
    levels = np.sort([instance_failure(x, target, error) for x, error in zip(draws, errors, strict=True)])
    steps = np.arange(1, trials + 1) / trials
    allowed = dkw_band(trials, alpha=LEVEL) + 0.02

    def distance(values: np.ndarray) -> float:
        return float(max(np.abs(steps - values).max(), np.abs(steps - 1 / trials - values).max()))

    assert distance(levels) < allowed
    assert distance(levels**1.6) > allowed


def test_saddlepoint_counts_sums_and_their_sizes() -> None:
    x = np.random.default_rng(1).uniform(-1, 1, 18)
    sums, sizes = np.zeros(1), np.zeros(1)
    for value in x:
        sums, sizes = np.concatenate([sums, sums + value]), np.concatenate([sizes, sizes + 1])
    for z in (-2.0, 0.3, 1.0):
        inside = np.abs(sums - z) <= 0.05
        log_density, kept = log_sums_near(x, z)
        assert math.exp(log_density) == pytest.approx(inside.sum() / 0.1, rel=0.03)
        assert kept == pytest.approx(sizes[inside].mean(), rel=0.02)
        assert log_sums_near(-x, -z)[0] == pytest.approx(log_density, rel=1e-9)
        assert log_sums_near(4 * x, 4 * z)[0] == pytest.approx(log_density - math.log(4), rel=1e-9)
    assert log_sums_near(x, 100.0) == (-math.inf, np.count_nonzero(x > 0))
    assert instance_failure(x, 100.0, 0.1) == 1.0
    assert instance_failure(x, 0.01, 0.02) == 0.0
    assert instance_failure(x, 0.3, 0.0, 1e-7) < instance_failure(x, 0.3, 0.0, 1e-8) < 1
    assert 0 <= instance_failure(x, float(np.maximum(x, 0).sum()) - 1e-12, 1e-9) <= 1
    for bad in (np.zeros(3), np.ones(1), np.ones((2, 2)), np.array([1.0, math.nan])):
        with pytest.raises(InputError, match="candidates"):
            log_sums_near(bad, 0.3)
    with pytest.raises(InputError, match="target"):
        log_sums_near(x, math.inf)


@pytest.mark.statistical
@pytest.mark.parametrize(("law", "n"), [(Uniform(-1, 1), 16), (Normal(), 16), (Uniform(-3, 3), 14)])
def test_quantiles_of_the_smallest_error(law: Uniform | Normal, n: int) -> None:
    trials = 6000
    errors = solve_batch(
        law.sample(trial_generator(6, 0), (trials, n)), np.full(trials, 0.3 * math.sqrt(3 * law.variance)), workers=1
    ).errors
    for quantile in (0.25, 0.5, 0.75):
        predicted = error_quantile(n, quantile, law=law)
        below = [int((errors <= predicted * factor).sum()) for factor in (0.92, 1.08)]
        assert binomial_p_value(below[0], trials, quantile) > LEVEL  # not even 8 % below it would be too many
        assert binomial_p_value(below[1], trials, quantile, alternative="less") > LEVEL
        assert binomial_p_value(int((errors <= predicted / 1.3).sum()), trials, quantile, alternative="less") < LEVEL


def test_constants_of_the_quantiles() -> None:
    assert error_quantile(16) * 2**16 / 4 == pytest.approx(0.3778, abs=1e-4)
    assert error_quantile(16, law=Normal()) * 2**16 / 4 == pytest.approx(0.6544, abs=1e-4)
    assert error_quantile(16, law=Uniform(-2, 2)) == pytest.approx(2 * error_quantile(16))
    values = [scale_free_quantile(q) for q in (0.01, 0.1, 0.5, 0.9, 0.99)]
    assert values == sorted(values)
    for bad in ({"n": 0}, {"n": 10, "quantile": 1.0}, {"n": 10, "law": RandomSigns()}):
        with pytest.raises(InputError):
            error_quantile(**bad)  # type: ignore[arg-type]


@pytest.mark.statistical
def test_perfect_partitions_and_smallest_differences() -> None:
    n, trials = 14, 1500
    rng = trial_generator(7, 0)
    for bits, slack in [(11, 0.03), (12, 0.03), (13, 0.03)]:
        numbers = rng.integers(1, 2**bits + 1, (trials, n)).astype(np.float64)
        found = solve_batch(numbers, numbers.sum(axis=1) / 2, tol=0.5, objective="any", workers=1)
        perfect, predicted = int(found.solved.sum()), perfect_partition(n, bits)
        assert binomial_p_value(perfect, trials, predicted + slack) > LEVEL
        assert binomial_p_value(perfect, trials, predicted - slack, alternative="less") > LEVEL
        assert binomial_p_value(perfect, trials, predicted - 0.1) < LEVEL
    draws = rng.uniform(-1, 1, (trials, n))
    half = solve_batch(draws, draws.sum(axis=1) / 2, workers=1).errors
    below = int((2 * half <= smallest_difference(n, 1 / 3)).sum())  # sum of signs times x = 2 (subset sum - total / 2)
    assert binomial_p_value(below, trials, 0.56) > LEVEL
    assert binomial_p_value(below, trials, 0.44, alternative="less") > LEVEL
    assert perfect_partition(9, 1) > 0.9999
    assert smallest_difference(10, 1.0, 0.9) > smallest_difference(10, 1.0)
    for call in (
        lambda: perfect_partition(0, 3),
        lambda: perfect_partition(3, 0),
        lambda: smallest_difference(3, 0.0),
        lambda: smallest_difference(3, 1.0, 0.0),
    ):
        with pytest.raises(InputError):
            call()


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("n", "levels", "target", "tol"), [(12, 128, 50, 0.5), (14, 1024, 300, 0.0001), (10, 128, 40.5, 1.5)]
)
def test_quantised_hits(n: int, levels: int, target: float, tol: float) -> None:
    trials, law = 3000, SignedIntegers(levels)
    predicted = get("quantised-hits").failure(n, tol, law=law, targets=Point(target))
    assert isinstance(predicted, float)
    draws = law.sample(trial_generator(8, 0), (trials, n))
    missed = int(
        (~solve_batch(draws, np.full(trials, float(target)), tol=tol, objective="any", workers=1).solved).sum()
    )
    assert binomial_p_value(missed, trials, min(1.0, predicted + 0.02)) > LEVEL
    assert binomial_p_value(missed, trials, max(0.0, predicted - 0.02), alternative="less") > LEVEL
    assert binomial_p_value(missed, trials, predicted / 2 - 0.02 if predicted > 0.1 else 1e-4) < LEVEL


def test_quantised_hits_at_the_edges() -> None:
    law, hits_of = SignedIntegers(64), get("quantised-hits")
    assert hits_of.failure(12, 0.4, law=law, targets=Point(20.5)) == 1.0  # no whole number within tol
    assert hits_of.failure(12, 0.5, law=law, targets=Point(20.5)) < 0.2
    assert hits_of.failure(0, 0.5, law=law, targets=Point(3)) == 1.0
    assert hits_of.failure(0, 3.5, law=law, targets=Point(3)) == 0.0
    assert hits_of.failure(12, 0.5) is Verdict.NOT_APPLICABLE
    assert hits_of.failure(12, 0.5, 0.1, law=law, targets=Point(3)) is Verdict.NOT_APPLICABLE
    values = [hits_of.failure(n, 0.5, law=law, targets=Point(20)) for n in range(4, 30)]
    assert all(b <= a for a, b in itertools.pairwise(values))
    assert hits_of.formula(Question(12, 0.5, law=law, targets=Window(-20, 5))) == values[8]


def test_estimates_are_functions_of_what_they_ask() -> None:
    for estimate in ESTIMATES:
        code = estimate.function.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        assert list(names) == estimate.asks.split(", ")
