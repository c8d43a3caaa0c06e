"""Published and independently computed numbers, and the formulas against plain re-evaluations."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.special import eval_laguerre
from scipy.stats import norm

from strong_lth.bounds import each_target_failures, get, predicted_candidates, required_candidates
from strong_lth.bounds.gaussian import range_failure
from strong_lth.bounds.rss_contraction import _splits as contraction_splits
from strong_lth.bounds.xiong2023 import stage_exponent
from strong_lth.core import InputError, Point, Window
from strong_lth.distributions import Law, Normal, ProductUniform, RandomSigns, Uniform

# tol, perturbation: volume | covering at delta = .1, .01 | martingale at .1, .01 (U[-1, 1], all targets of [-1/2, 1/2])
TABLE = [
    (0.05, 0, 4, (10, 13), (37, 49)),
    (0.01, 0, 6, (13, 16), (48, 62)),
    (1e-3, 0, 9, (17, 20), (63, 78)),
    (1e-4, 0, 13, None, (78, 94)),
    (1e-5, 0, 16, (24, 28), (92, 109)),
    (0.01, 0.001, 6, (12, 15), (48, 61)),
    (0.01, 0.01, 5, (10, 13), (46, 59)),
    (0.01, 0.05, 3, (8, 11), (38, 50)),
    (0.01, 0.1, 3, (7, 11), (33, 44)),
    (1e-3, 1e-2, 5, (10, 14), (50, 64)),
    (1e-4, 1e-3, 8, (14, 17), (65, 80)),
    (0, 0.1, 3, (7, 11), (33, 45)),
    (0, 0.01, 5, (10, 14), (51, 64)),
    (0, 1e-3, 8, (14, 17), (66, 81)),
    (0, 1e-4, 10, (17, 21), (80, 97)),
    (0, 0.5, 1, None, (18, 26)),
]


def needed(id: str, tol: float, perturbation: float, delta: float, law: Law = Uniform(-1, 1)) -> int:  # noqa: B008
    n = required_candidates(get(id), tol=tol, perturbation=perturbation, delta=delta, law=law)
    assert isinstance(n, int)
    return n


@pytest.mark.parametrize(("tol", "perturbation", "volume", "covering", "martingale"), TABLE)
def test_table_of_needed_candidates(
    tol: float, perturbation: float, volume: int, covering: tuple[int, int] | None, martingale: tuple[int, int]
) -> None:
    assert needed("volume", tol, perturbation, 0.1) == volume
    for delta, n in zip((0.1, 0.01), martingale, strict=True):
        assert needed("rss-martingale-kl", tol, perturbation, delta) == n
    if covering is not None:
        for delta, n in zip((0.1, 0.01), covering, strict=True):
            assert abs(needed("all-targets-covering", tol, perturbation, delta) - n) <= 1


@pytest.mark.parametrize(
    ("tol", "perturbation", "numbers"),
    [
        (0.01, 0, (84, 105, 125)),
        (1e-3, 0, (103, 125, 146)),
        (1e-5, 0, (138, 162, 185)),
        (0, 0.01, (88, 108, 128)),
        (0, 0.1, (64, 83, 100)),
    ],
)
def test_martingale_at_small_delta(tol: float, perturbation: float, numbers: tuple[int, ...]) -> None:
    assert tuple(needed("rss-martingale-kl", tol, perturbation, d) for d in (1e-4, 1e-6, 1e-8)) == numbers


def test_martingale_for_normal_candidates() -> None:
    for tol, perturbation, numbers in [(0.01, 0, (103, 133)), (1e-3, 0, (135, 168)), (0, 0.01, (108, 139))]:
        assert tuple(needed("rss-martingale-kl", tol, perturbation, d, Normal()) for d in (0.1, 0.01)) == numbers


def test_contraction_beats_the_martingale_at_the_stated_places() -> None:
    assert needed("rss-contraction", 0.01, 0, 0.01) == 51
    assert needed("rss-contraction-checked", 0.01, 0, 0.01) == 51
    assert needed("rss-contraction-checked", 1e-5, 0, 1e-8) == 147
    for tol, n in [(0.1, 29), (0.03, 38), (0.01, 45), (0.003, 54), (0.001, 61)]:
        assert needed("rss-contraction-checked", tol, 0, 0.05) == n
    for perturbation, n in [(0.1, 33), (0.01, 49), (0.001, 65)]:
        assert needed("rss-contraction-checked", 0, perturbation, 0.05) == n


# -- the contraction formula -------------------------------------------------------------------------------------------


def contraction(n: int, e: float, g: float, k: float) -> float:
    rate = (3 - k) / 4 if k <= g else 0.75
    return rate**n * (1 - 2 * e) / (2 * e + k) * (1 - g + k) / g


def test_contraction_is_below_its_simplest_case_and_every_split() -> None:
    bound = get("rss-contraction")
    rng = np.random.default_rng(0)
    for tol in (0.3, 0.1, 0.01, 1e-4):
        for n in (5, 30, 60, 200):
            value = bound.failure(n, tol)
            assert value <= 2 * 0.75**n / tol**2 * (1 + 1e-9)
            assert value <= contraction(n, tol / 2, tol / 2, 0.0) * (1 + 1e-9)
    for _ in range(300):
        n, tol, perturbation = int(rng.integers(20, 90)), 10 ** rng.uniform(-4, -0.4), 10 ** rng.uniform(-4, -0.3)
        e, k = tol * rng.random(), perturbation * rng.random()
        value = bound.failure(n, tol, perturbation)
        assert value <= contraction(n, e, tol - e, k) * (1 + 1e-3)
        if tol + perturbation - k < 1:
            assert value <= contraction(n, 0.0, tol + perturbation - k, k) * (1 + 1e-3)


@pytest.mark.parametrize(
    ("n", "tol", "perturbation"),
    [(45, 0.01, 0.0), (45, 0.01, 0.001), (49, 0.01, 0.01), (40, 0.0, 0.1), (30, 0.05, 0.1)],
)
def test_contraction_is_the_minimum_over_splits(n: int, tol: float, perturbation: float) -> None:
    ks = np.append(np.linspace(0, perturbation, 401), (tol + perturbation) / 2)
    ks = ks[ks <= perturbation]
    splits = [(e, tol - e, k) for e in np.linspace(0, tol, 402)[1:-1] for k in (*ks[::40], min(perturbation, tol - e))]
    splits += [(0.0, tol + perturbation - k, k) for k in ks[ks > 0]]
    least = min(contraction(n, *map(float, split)) for split in splits if split[1] > 0 and 2 * split[0] + split[2] > 0)
    assert get("rss-contraction").failure(n, tol, perturbation) == pytest.approx(least, rel=2e-3)


def test_at_half_the_window_the_empty_set_suffices() -> None:
    for id in ("rss-contraction", "rss-martingale-kl"):
        assert get(id).failure(0, 0.5) == 0.0
        assert get(id).failure(0, 0.499) == 1.0
    assert get("all-targets-covering").failure(3, 0.5) == 0.0
    assert get("each-target-local-law").failure(0, 0.31, targets=Point(0.3)) == 0.0


def test_stage_exponent_as_printed_and_as_proved() -> None:
    assert stage_exponent(100, 0.5, 10) == pytest.approx(90 * 1.5**2 / (8 * 2.5**2))
    assert stage_exponent(100, 0.5, 10, printed=True) == pytest.approx(90 * 1.5**2 / (8 * 2.5))
    with pytest.raises(InputError, match="perturbation"):
        stage_exponent(10, 1.5)
    with pytest.raises(InputError, match="slack"):
        stage_exponent(10, 0.5, 11)


def test_values_are_rounded_outward() -> None:
    """In exact rationals: the value is not below the formula at the split it chose, nor below the machine-checked constants."""
    rng = np.random.default_rng(3)
    for _ in range(40):
        n, tol, perturbation = int(rng.integers(30, 200)), 10 ** rng.uniform(-6, -0.5), 10 ** rng.uniform(-6, -0.5)
        value = Fraction(get("rss-contraction").failure(n, tol, perturbation))
        splits = zip(*(array.tolist() for array in contraction_splits(tol, perturbation)), strict=True)
        e, _, k = min(splits, key=lambda split: log_contraction(n, *split))
        g = Fraction(tol) - Fraction(e) if e > 0 else Fraction(tol) + Fraction(perturbation) - Fraction(k)
        if e == 0 and k == (tol + perturbation) / 2:
            g = max(g, Fraction(k))
        rate = (3 - Fraction(k)) / 4 if k <= g else Fraction(3, 4)
        exact = rate**n * (1 - 2 * Fraction(e)) / (2 * Fraction(e) + Fraction(k)) * (1 - g + Fraction(k)) / g
        assert value >= min(exact, 1)
        assert value <= exact * Fraction(1 + 1e-10)
        checked = Fraction(get("rss-contraction-checked").failure(n, tol))
        assert checked >= min(1, Fraction(201, 100) * Fraction(3, 4) ** n / Fraction(tol) ** 2)


def log_contraction(n: int, e: float, g: float, k: float) -> float:
    rate = (3 - k) / 4 if k <= g else 0.75
    return n * math.log(rate) + math.log((1 - 2 * e) / (2 * e + k) * (1 - g + k) / g)


# -- predictions -------------------------------------------------------------------------------------------------------

# law, n, perturbation, tol: covering prediction | simulation (all targets of [-1/2, 1/2])
COVERING = [
    (Uniform(), 10, 0, 0.02, 0.1914, 0.2198),
    (Uniform(), 12, 0.002, 0, 0.1303, 0.1220),
    (Uniform(), 12, 0, 0.01, 0.1165, 0.1172),
    (Uniform(), 14, 5e-4, 5e-4, 0.1179, 0.1155),
    (Uniform(), 14, 0, 0.003, 0.1303, 0.1255),
    (Uniform(), 16, 1e-4, 0, 0.1891, 0.1680),
    (Uniform(), 16, 0, 0.001, 0.1206, 0.1040),
    (Uniform(), 14, 0.01, 0.01, 0.0052, 0.0070),
    (Uniform(), 8, 0.01, 0.01, 0.2778, 0.3202),
    (Uniform(), 16, 0, 0.01, 0.0073, 0.0072),
    (Uniform(), 8, 0.05, 0.01, 0.0630, 0.0818),
    (Normal(), 12, 0, 0.01, 0.1656, 0.1698),
    (Normal(), 14, 5e-4, 5e-4, 0.1542, 0.1370),
]


@pytest.mark.parametrize(("law", "n", "perturbation", "tol", "predicted", "simulated"), COVERING)
def test_covering_examples(
    law: Law, n: int, perturbation: float, tol: float, predicted: float, simulated: float
) -> None:
    value = get("all-targets-covering").failure(n, tol, perturbation, law=law)
    assert value == pytest.approx(predicted, rel=0.03)
    assert value == pytest.approx(simulated, rel=0.3)


# z = .3; n, perturbation, tol: prediction | simulation
EACH = [
    (Uniform(), 12, 0, 0.05, 2.18e-3, 2.33e-3),
    (Uniform(), 14, 1e-3, 1e-3, 6.43e-3, 5.49e-3),
    (Uniform(), 16, 0, 0.01, 6.98e-4, 6.43e-4),
    (Normal(), 16, 0, 0.01, 9.95e-4, 7.04e-4),
    (Uniform(), 12, 0.01, 0.01, 3.69e-3, 3.20e-3),
]


@pytest.mark.parametrize(("law", "n", "perturbation", "tol", "predicted", "simulated"), EACH)
def test_each_target_examples(
    law: Law, n: int, perturbation: float, tol: float, predicted: float, simulated: float
) -> None:
    value = get("each-target-local-law").failure(n, tol, perturbation, law=law, targets=Point(0.3))
    assert value == pytest.approx(predicted, rel=0.005)
    assert value == pytest.approx(simulated, rel=0.45)


def test_quantiles_of_the_limit_law() -> None:
    """P(min error > s u_n) -> E exp(-s exp(-g^2/2)): the known quantiles, from the prediction itself at z = 0 and large n."""
    n, variance = 40, 1 / 3
    unit = math.sqrt(math.pi * n * variance / 2) / 2 ** (n + 1)
    for q, s in {0.1: 0.15025, 0.25: 0.41663, 0.5: 1.04434, 0.75: 2.28652, 0.9: 4.61818}.items():
        missed = each_target_failures(n, s * unit, 0.0, Uniform(), np.array([1e-9]))[0]
        assert 1 - missed == pytest.approx(q, abs=1e-5)
    median = get("each-target-local-law").failure(20, 0.3778 * math.sqrt(20) / 2**20, targets=Point(1e-3))
    assert median == pytest.approx(0.5, abs=1e-3)


def test_range_failure_is_the_laguerre_formula() -> None:
    for n, perturbation in [(1, 0.0), (8, 0.1), (10, 0.1), (16, 0.5), (30, 0.999)]:
        c = np.array([0.01, 0.2, 0.4])
        expected = ((1 - perturbation) / 2) ** n * eval_laguerre(n, -c / (1 - perturbation))
        assert range_failure(n, perturbation, c) == pytest.approx(np.minimum(expected, 1), rel=1e-10)
    assert range_failure(8, 0.1, np.array([0.29]))[0] == pytest.approx(9.04e-3, rel=2e-3)
    assert range_failure(5, 1.0, np.array([0.3]))[0] == 0.0
    assert range_failure(0, 0.1, np.array([0.3]))[0] == 1.0
    # in the range regime the prediction is the range bound
    assert (
        get("each-target-local-law").failure(10, 0.1, 0.1, targets=Point(0.5))
        == range_failure(10, 0.1, np.array([0.4]))[0]
    )


def plain_each_target(n: int, tol: float, perturbation: float, variance: float, z: float) -> float:
    """The formula of the prediction, with another grid."""
    sd = math.sqrt(n * variance / 4)
    g = np.linspace(-13, 13, 5201)
    q = g - z / sd
    kept = np.clip(n / 2 - g * q / 2, 0, n)
    hits = 2 * 2.0**n * norm.pdf(q) / sd * (tol + perturbation * kept)
    return float((norm.pdf(g) * np.exp(-hits)).sum() * (g[1] - g[0]))


@pytest.mark.parametrize("law", [Uniform(-0.54, 0.54), Normal(0, 0.5), ProductUniform()])
@pytest.mark.parametrize(("n", "tol", "perturbation"), [(8, 0.02, 0.01), (21, 0.01, 0.0), (30, 1e-5, 1e-4)])
def test_vectorised_failures(law: Law, n: int, tol: float, perturbation: float) -> None:
    z = np.random.default_rng(1).uniform(-0.5, 0.5, 3000).reshape(30, 100)
    fast = each_target_failures(n, tol, perturbation, law, z)
    assert fast.shape == z.shape
    assert np.all(fast[np.abs(z) <= tol] == 0)
    single = get("each-target-local-law")
    for row, column in [(0, 0), (7, 7), (29, 99), (15, 50)]:
        target = float(z[row, column])
        exact = single.failure(n, tol, perturbation, law=law, targets=Point(target))
        assert fast[row, column] == pytest.approx(exact, rel=1e-3)
        if abs(target) > tol:
            plain = plain_each_target(n, tol, perturbation, law.variance, target)
            assert exact == pytest.approx(plain, rel=1e-4) or exact > plain  # or the range bound is larger
    assert np.array_equal(fast, each_target_failures(n, tol, perturbation, law, -z))


def test_predicted_candidates() -> None:
    law = Uniform(-1, 1)
    z = np.random.default_rng(2).normal(0, 0.0255, (1000, 397))
    n = predicted_candidates(z, tol=0.01, law=law)
    total = lambda m: each_target_failures(m, 0.01, 0.0, law, z).sum()  # noqa: E731
    assert total(n) <= math.log(2) < total(n - 1)
    assert n <= 26  # 397,000 targets of that spread, each with candidates of its own, were measured to need 23
    assert n >= 21
    careful = predicted_candidates(z, tol=0.01, law=law, delta=0.01)
    assert total(careful) <= -math.log1p(-0.01) < total(careful - 1)
    assert careful > n
    assert predicted_candidates(z, tol=0.01, perturbation=0.05, law=law) < n
    assert predicted_candidates(np.array([0.001, -0.002]), tol=0.01, law=law) == 0
    for name, call in {
        "targets": lambda: predicted_candidates(np.array([]), tol=0.1, law=law),
        "delta": lambda: predicted_candidates(z[0], tol=0.1, law=law, delta=1.5),
        "limit": lambda: predicted_candidates(z[0], tol=1e-6, law=law, limit=5),
        "law": lambda: predicted_candidates(z[0], tol=0.1, law=RandomSigns()),
        "z": lambda: predicted_candidates(np.array([math.nan]), tol=0.1, law=law),
        "tol": lambda: each_target_failures(5, 0.0, 0.0, law, z[0]),
        "n": lambda: each_target_failures(-5, 0.1, 0.0, law, z[0]),
    }.items():
        with pytest.raises(InputError, match=f"^{name}: "):
            call()


def test_volume_counts_the_length_of_the_window() -> None:
    volume = get("volume")
    assert volume.failure(3, 1 / 16) == 0.0  # 2^3 * 2 / 16 = 1: exactly enough
    assert volume.failure(3, math.nextafter(1 / 16, 0)) == 1.0
    assert volume.failure(2, 0.125, targets=Window(0.0, 1.0)) == 0.0
    assert volume.failure(2, 0.125, targets=Window(-1.0, 1.0), law=RandomSigns()) == 1.0
    assert volume.failure(0, 1e-9, targets=Window(0.3, 0.3)) == 0.0
