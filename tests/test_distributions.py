"""Candidate laws: densities bounded from below for certain, samples and grids that follow the law."""

from __future__ import annotations

import dataclasses
import json
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from strong_lth.core import InputError
from strong_lth.distributions import (
    BalancedSigns,
    Law,
    Normal,
    ProductUniform,
    RandomSigns,
    Scaled,
    SignedIntegers,
    Tabulated,
    Triangular,
    Uniform,
    half_width,
    is_portable,
    law_from_record,
    law_record,
    weight_grid,
)
from strong_lth.streams import WordStream

LAWS: list[Law] = [
    Uniform(),
    Uniform(0.25, 3),
    Normal(),
    Normal(0.5, 0.1),
    ProductUniform(),
    RandomSigns(),
    BalancedSigns(),
    Scaled(Normal(), 0.3),
    Scaled(Scaled(Uniform(-1, 1), 3), 0.7),
    Scaled(ProductUniform(), 2),
    Triangular(1.5),
    Tabulated((0.3, 0.7, 1.1), (1, 3, 7)),
    SignedIntegers(9),
]
named = pytest.mark.parametrize("law", LAWS, ids=repr)


@named
def test_samples_follow_the_law(law: Law) -> None:
    assert isinstance(law, Law)
    sample = law.sample(np.random.default_rng(0), (100, 300))
    assert sample.shape == (100, 300)
    assert sample.dtype == np.float64
    low, high = law.support
    assert np.all((sample >= low) & (sample <= high))
    mean = {"Uniform(low=0.25, high=3.0)": 1.625, "Normal(mean=0.5, std=0.1)": 0.5}.get(repr(law), 0.0)
    assert sample.mean() == pytest.approx(mean, abs=5 * math.sqrt(law.variance / sample.size))
    assert np.mean((sample - mean) ** 2) == pytest.approx(law.variance, rel=0.05)
    again = law.sample(np.random.default_rng(0), (100, 300))
    assert np.array_equal(sample, again)


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("law", "cdf"),
    [
        (Uniform(0.25, 3), reference.uniform(0.25, 2.75).cdf),
        (Scaled(Normal(0.5, 0.1), 2), reference.norm(1, 0.2).cdf),
        (ProductUniform(), lambda t: 0.5 + t / 2 * (1 - np.log(np.maximum(np.abs(t), 1e-300)))),
    ],
    ids=["uniform", "normal", "product"],
)
def test_samples_pass_kolmogorov_smirnov(law: Law, cdf: object) -> None:
    sample = law.sample(np.random.default_rng(1), 5000)
    assert reference.kstest(sample, cdf).pvalue > 1e-3
    assert reference.kstest(sample * 1.1 + 0.01, cdf).pvalue < 1e-3  # negative control


@given(a=st.floats(-100, 100), b=st.floats(-100, 100), factor=st.floats(1e-3, 1e3))
def test_uniform_density_is_a_lower_bound_in_exact_rationals(a: float, b: float, factor: float) -> None:
    if a == b:
        return
    low, high = min(a, b), max(a, b)
    exact = 1 / (Fraction(high) - Fraction(low))
    if exact > 10**300:
        return
    law = Uniform(low, high)
    density = law.lower_density(low, high)
    assert 0 < density <= exact
    assert density == pytest.approx(float(exact), rel=1e-15)
    scaled = Scaled(law, factor).lower_density(low * factor, high * factor)
    assert Fraction(scaled) <= exact / Fraction(factor)


def test_uniform_density_where_the_width_is_rounded() -> None:
    law = Uniform(-1, 1 + 2**-52)  # the width rounds to 2, but is larger
    assert Fraction(law.lower_density(-1, 1)) <= 1 / (2 + Fraction(1, 2**52))
    assert Uniform().lower_density(-1, 1) == 0.5
    assert Uniform().lower_density(-1.001, 0) == 0.0
    assert Scaled(Uniform(-3, 3), 2).lower_density(-6, 6) == pytest.approx(1 / 12, rel=1e-15)
    assert Scaled(Uniform(-3, 3), 2).lower_density(-6, 6.001) == 0.0
    assert Scaled(Normal(), 2).lower_density(-math.inf, 0) == 0.0


@given(
    mean=st.floats(-3, 3), std=st.floats(0.05, 5), low=st.floats(-2, 2), width=st.floats(0, 2), inside=st.floats(0, 1)
)
def test_normal_density_is_a_lower_bound(mean: float, std: float, low: float, width: float, inside: float) -> None:
    bound = Normal(mean, std).lower_density(low, low + width)
    log_density = reference.norm.logpdf(low + inside * width, mean, std)
    assert bound == 0 or math.log(bound) <= log_density + 1e-13


def test_normal_density_is_tight() -> None:
    assert Normal().lower_density(-1, 1) == pytest.approx(math.exp(-0.5) / math.sqrt(2 * math.pi), rel=1e-12)
    assert Normal().lower_density(-1, 1) < math.exp(-0.5) / math.sqrt(2 * math.pi)
    assert Normal(0, 1).lower_density(36, 37) == pytest.approx(reference.norm.pdf(37), rel=1e-10)
    assert Normal(0, 1e-3).lower_density(-1, 1) == 0.0


def test_product_density() -> None:
    law = ProductUniform()
    for low, high in [(-0.5, 0.2), (-1 / math.e, 1 / math.e), (0.1, 0.999999)]:
        far = max(abs(low), abs(high))
        assert law.lower_density(low, high) == pytest.approx(math.log(1 / far) / 2, rel=1e-9)
        assert law.lower_density(low, high) < -math.log(far) / 2
    assert law.lower_density(-1, 1) == law.lower_density(0.5, 1.5) == 0.0


def test_signs_have_no_density() -> None:
    assert RandomSigns().lower_density(-1, 1) == BalancedSigns().lower_density(-1, 1) == 0.0
    signs = BalancedSigns().sample(np.random.default_rng(0), 5)
    assert signs.tolist() == [1, -1, 1, -1, 1]


def test_half_width() -> None:
    assert half_width(Uniform(-3, 3)) == 3
    assert half_width(Scaled(Scaled(Uniform(-1, 1), 2), 4)) == 8
    assert half_width(Uniform(-1, 2)) is None
    assert half_width(Scaled(Normal(), 2)) is None
    assert half_width(RandomSigns()) is None


# -- weights -----------------------------------------------------------------------------------------------------------


def test_weight_grids() -> None:
    words = WordStream(0).words(0, 0, 0, 5000)
    whole, exponent = weight_grid(Uniform(-1, 1), words)
    assert exponent == 40
    assert whole.dtype == np.int64
    doubled, doubled_exponent = weight_grid(Scaled(Uniform(-1, 1), 2), words)
    assert np.array_equal(whole, doubled)
    assert doubled_exponent == 39
    coarse, coarse_exponent = weight_grid(Uniform(-0.5, 0.5), words, coarse=True)
    assert coarse_exponent == 25
    assert np.abs(coarse).max() <= 2**24
    signs, sign_exponent = weight_grid(RandomSigns(), words)
    assert sign_exponent == 0
    assert set(signs.tolist()) == {-1, 1}


@pytest.mark.statistical
@pytest.mark.parametrize(
    ("law", "cdf"),
    [
        (Uniform(-1, 1), reference.uniform(-1, 2).cdf),
        (Uniform(-4, 4), reference.uniform(-4, 8).cdf),
        (Uniform(-0.3, 0.7), reference.uniform(-0.3, 1).cdf),
        (Normal(0.1, 0.5), reference.norm(0.1, 0.5).cdf),
        (Scaled(Normal(), 3), reference.norm(0, 3).cdf),
    ],
    ids=lambda value: repr(value) if isinstance(value, Law) else "",
)
@pytest.mark.parametrize("coarse", [False, True])
def test_weights_follow_the_law(law: Law, cdf: object, coarse: bool) -> None:
    whole, exponent = weight_grid(law, WordStream(3).words(0, 0, 0, 4000), coarse=coarse)
    weights = whole * 2.0**-exponent
    assert reference.kstest(weights, cdf).pvalue > 1e-3
    assert reference.kstest(weights * 1.15, cdf).pvalue < 1e-3  # negative control


@pytest.mark.parametrize("law", [ProductUniform(), BalancedSigns(), Scaled(RandomSigns(), 2)], ids=repr)
def test_laws_without_a_place_in_the_even_matrices(law: Law) -> None:
    with pytest.raises(InputError, match=r"^law: "):
        weight_grid(law, WordStream(0).words(0, 0, 0, 4))


@pytest.mark.parametrize("law", [Normal(0, 1000), Uniform(-3000.5, 3000.5), Normal(2000, 1)], ids=repr)
def test_weights_too_large_for_the_grid_are_refused_not_cut(law: Law) -> None:
    with pytest.raises(InputError, match="1024"):
        weight_grid(law, WordStream(0).words(0, 0, 0, 4))


def test_portable_laws() -> None:
    assert is_portable(Uniform(-2, 2))
    assert is_portable(RandomSigns())
    assert is_portable(BalancedSigns())
    assert not is_portable(Uniform(-0.3, 0.3))
    assert not is_portable(Normal())


# -- records -----------------------------------------------------------------------------------------------------------


@named
def test_records_survive_a_file(law: Law) -> None:
    assert law_from_record(json.loads(json.dumps(law_record(law)))) == law


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"law": "Cauchy"},
        {"law": "Uniform", "low": "0x1p0"},
        {"law": "Uniform", "low": 1, "high": 2},
        {"law": "Uniform", "low": "nan", "high": "0x1p0"},
        {"law": "Uniform", "low": "0x1p9999", "high": "0x1p0"},
        {"law": "Normal", "mean": "0x0p0", "std": "-0x1p0"},
        {"law": "RandomSigns", "extra": "0x0p0"},
        {"law": "Scaled", "of": {"law": "Uniform"}, "factor": "0x1p0"},
        {"law": "Scaled", "of": {"law": "RandomSigns"}, "factor": "0x1.0000000000000p+0", "extra": 1},
        {"law": "Scaled", "of": [], "factor": "0x1p0"},
        {"law": "Tabulated", "widths": ["0x1p0"], "weights": "0x1p0"},
        {"law": "Tabulated", "widths": [1.0], "weights": [1.0]},
        {"law": "SignedIntegers", "levels": "0x1p3"},
        {"law": "SignedIntegers", "levels": True},
        "Uniform",
        None,
    ],
)
def test_foreign_records_are_refused(record: object) -> None:
    with pytest.raises(InputError, match="law record"):
        law_from_record(record)  # type: ignore[arg-type]


def test_foreign_laws_are_not_recorded() -> None:
    class Odd:
        pass

    with pytest.raises(InputError, match=r"^law: "):
        law_record(Odd())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind", "arguments"),
    [
        ("Uniform", Uniform, (1, 1)),
        ("Uniform", Uniform, (0, math.inf)),
        ("Uniform", Uniform, (math.nan, 1)),
        ("Normal", Normal, (0, 0)),
        ("Normal", Normal, (math.nan, 1)),
        ("Scaled", Scaled, (Uniform(), -1)),
        ("Scaled", Scaled, (Uniform(), math.nan)),
    ],
)
def test_bad_parameters_are_refused(name: str, kind: type, arguments: tuple[object, ...]) -> None:
    with pytest.raises(InputError, match=f"^{name}"):
        kind(*arguments)


@named
def test_laws_are_frozen(law: Law) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        law.low = 0.0  # type: ignore[attr-defined]
    assert hash(law) == hash(law_from_record(law_record(law)))
