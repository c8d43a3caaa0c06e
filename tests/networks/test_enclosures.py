"""Outward rounding, against exact rationals and matrices of known norm."""

from fractions import Fraction

import numpy as np
import pytest

from strong_lth.networks.enclosures import enclose, magnitude, norm_up, shift, spectral_norm_bound, sum_up

SCALES = [1.0, 1e-3, 2.0**-1000, 1e-160, 1e160, 2.0**1000]


def fractions(array):
    return [Fraction(x) for x in np.ravel(array).tolist()]


@pytest.mark.parametrize("n", [1, 2, 17, 400])
def test_sums_and_norms_are_upper_bounds_and_close(n):
    rng = np.random.default_rng(n)
    for exponent in (-280, -8, 0, 150):
        x = rng.random(n) * 10 ** rng.uniform(exponent - 3, exponent, n)
        total, squares = sum(fractions(x)), sum(f * f for f in fractions(x))
        assert total <= Fraction(float(sum_up(x))) <= total * (1 + Fraction(1, 10**11))
        norm = Fraction(float(norm_up(x)))
        assert squares <= norm**2 <= squares * (1 + Fraction(1, 10**11))


def test_enclosure_holds_for_every_point_and_for_entries_off_by_a_rounding():
    rng = np.random.default_rng(3)
    for _ in range(60):
        rows, n = rng.integers(1, 9, 2)
        weight, residual = rng.normal(size=(rows, n)), rng.normal(size=(rows, n)) * 10 ** rng.uniform(-18, 0)
        center, radius = rng.normal(size=n), rng.random(n) * 10 ** rng.uniform(-18, 0)
        bias = rng.normal(size=rows)
        middle, reach = shift(enclose(weight + residual, center, radius), (bias, 0.0))
        signs = rng.choice([-1, 0, 1], n)
        point = [c + int(s) * r for c, s, r in zip(fractions(center), signs, fractions(radius), strict=True)]
        for i in range(rows):
            exact = sum(
                (w + e) * z for w, e, z in zip(fractions(weight[i]), fractions(residual[i]), point, strict=True)
            )
            assert abs(exact + Fraction(bias[i]) - Fraction(middle[i])) <= Fraction(reach[i])


def test_magnitude_survives_underflow():
    small = np.full((1, 50), 2.0**-600)
    assert magnitude(small, np.full(50, 2.0**-600))[0] >= 50 * Fraction(1, 2**1200)


def known_matrices():
    """(matrix, exact squared norm)."""
    rng = np.random.default_rng(8)
    u, v = rng.integers(-9, 10, 7), rng.integers(-9, 10, 12)
    yield np.outer(u, v).astype(float), Fraction(int(u @ u) * int(v @ v))
    yield np.ones((30, 20)), Fraction(600)
    yield np.diag([3.0, -5.0, 1.0]), Fraction(25)
    hadamard = np.array([[1.0]])
    for _ in range(5):
        hadamard = np.block([[hadamard, hadamard], [hadamard, -hadamard]])
    yield hadamard, Fraction(32)
    yield hadamard[:12], Fraction(32)
    yield np.hstack([np.eye(6), 2 * np.eye(6)]), Fraction(5)
    yield np.array([[4.0, -3.0]]), Fraction(25)
    yield np.zeros((3, 2)), Fraction(0)


@pytest.mark.parametrize(("matrix", "square"), list(known_matrices()))
@pytest.mark.parametrize("scale", [1.0, 2.0**-500, 2.0**500])
def test_spectral_norm_of_known_matrices(matrix, square, scale):
    bound = Fraction(spectral_norm_bound(matrix * scale)) / Fraction(scale)
    assert square <= bound**2 <= square * (1 + Fraction(1, 10**9)) + Fraction(1, 2**500)
    assert spectral_norm_bound(matrix * scale) == pytest.approx(spectral_norm_bound(matrix.T * scale), rel=1e-9)


def test_spectral_norm_of_the_hilbert_matrix_exceeds_every_rayleigh_quotient():
    """||A||^2 >= |A x|^2 / |x|^2, taken exactly at a near-optimal x."""
    for n in (2, 5, 12):
        matrix = 1 / (np.arange(n)[:, None] + np.arange(n)[None, :] + 1.0)
        x = fractions(np.linalg.eigh(matrix)[1][:, -1])
        image = [sum(a * z for a, z in zip(fractions(row), x, strict=True)) for row in matrix]
        quotient = sum(y * y for y in image) / sum(z * z for z in x)
        assert quotient <= Fraction(spectral_norm_bound(matrix)) ** 2 <= quotient * (1 + Fraction(2, 10**9))


def test_spectral_norm_is_close_on_a_full_sized_layer():
    matrix = np.random.default_rng(1).normal(size=(120, 300))
    assert 1 <= spectral_norm_bound(matrix) / np.linalg.norm(matrix, 2) <= 1 + 1e-9


@pytest.mark.parametrize("scale", SCALES)
def test_spectral_norm_covers_the_entrywise_radius(scale):
    matrix = np.ones((4, 9)) * scale
    bound = spectral_norm_bound(matrix, 0.5 * scale)
    assert Fraction(9) <= Fraction(bound) / Fraction(scale) <= 9 * (1 + Fraction(1, 10**9))


def test_spectral_norm_holds_for_any_eigenvectors(monkeypatch):
    """The formula asks nothing of eigh: wrong vectors and values loosen the bound, never break it."""
    matrix = np.random.default_rng(2).normal(size=(6, 6))
    true = np.linalg.norm(matrix, 2)
    right = np.linalg.eigh
    for spoil in (
        lambda d, v: (d * 0, v),
        lambda d, v: (d, v * 0.5),
        lambda d, v: (d, v[:, ::-1]),
        lambda d, v: (-d, v),
    ):
        monkeypatch.setattr(np.linalg, "eigh", lambda a, spoil=spoil: spoil(*right(a)))
        assert spectral_norm_bound(matrix) >= true


def test_overflow_is_infinite_and_never_nan():
    assert spectral_norm_bound(np.array([[np.inf, 1.0], [1.0, 1.0]])) == np.inf
    assert spectral_norm_bound(np.array([[np.nan, 1.0], [1.0, 1.0]])) == np.inf
    assert spectral_norm_bound(np.full((3, 3), 1.7e308)) == np.inf
