"""Linear algebra in float64 whose rounding errors are bounded outward, so that its results are statements about real numbers.

Standard model: a sum of n products, in any order and with or without fused operations, is off by at most gamma_n times the sum of the
magnitudes, gamma_n = n u / (1 - n u), u = 2^-53 (Higham, Accuracy and Stability of Numerical Algorithms, section 3.1), plus what underflow
loses, which ``GUARD`` dominates. A quantity x is enclosed as (center, radius): |x - center| <= radius.
"""

from __future__ import annotations

import math

import numpy as np

from strong_lth.core import Floats

Interval = tuple[Floats, Floats]  # (low, high)

UNIT = 2.0**-53
GUARD = 2.0**-1000  # per product; underflow loses 2^-1074, or 2^-1022 where subnormals are flushed


def gamma(terms: int) -> float:
    """An upper bound of gamma_n = n u / (1 - n u)."""
    return terms * UNIT / (1 - terms * UNIT) * (1 + 8 * UNIT)


def up(x: Floats | float) -> Floats:
    """The next double above: makes one rounded operation an upper bound."""
    return np.asarray(np.nextafter(x, np.inf))


def down(x: Floats | float) -> Floats:
    """The next double below: makes one rounded operation a lower bound."""
    return np.asarray(np.nextafter(x, -np.inf))


def inflate(total: Floats | float, terms: int) -> Floats:
    """An upper bound of a sum of ``terms`` nonnegative products, given its computed value.

    sum <= fl(sum) / (1 - gamma_n) <= fl(sum) (1 + 2 n u) while n u <= 1/4; the further units cover the roundings made here.
    """
    return np.asarray(np.asarray(total) * (1 + (terms + 5) * 2 * UNIT) + (terms + 5) * GUARD)


def sum_up(x: Floats, axis: int | None = None) -> Floats:
    """Upper bound of the sum of nonnegative numbers."""
    return inflate(x.sum(axis=axis), x.size if axis is None else x.shape[axis])


def magnitude(matrix: Floats, x: Floats) -> Floats:
    """Upper bound of |matrix| x for x >= 0, shape (rows,)."""
    return inflate(np.abs(matrix) @ x, matrix.shape[1])


def norm_up(x: Floats, axis: int | None = None) -> Floats:
    """Upper bound of the Euclidean norm, of all entries or along an axis; scaled by a power of two, so that squares do not overflow.

    >>> float(norm_up(np.array([3.0, 4.0]))) >= 5
    True
    """
    largest = float(np.max(np.abs(x), initial=0.0))
    if largest == 0.0 or not math.isfinite(largest):
        return np.asarray(np.abs(x).sum(axis=axis))
    scale = _power_of_two(largest)
    return np.asarray(up(np.sqrt(sum_up((x / scale) ** 2, axis))) * scale * (1 + 4 * UNIT))


def ball_of(low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Center and radius of intervals [low, high]."""
    center = low / 2 + high / 2
    return center, up(np.maximum(high - center, center - low))


def ends_of(center: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Intervals that contain [center - radius, center + radius]."""
    return down(center - radius), up(center + radius)


def enclose(matrix: Floats, center: Floats, radius: Floats) -> tuple[Floats, Floats]:
    """Enclosure of M x for |x - center| <= radius, where each entry of M may be off the given one by two roundings.

    |M x - fl(M c)| <= |M| (r + gamma_{n+5} (|c| + r)).
    """
    slack = gamma(matrix.shape[1] + 5)
    return matrix @ center, magnitude(matrix, up(radius + up(slack * up(np.abs(center) + radius))))


def image(matrix: Floats, low: Floats, high: Floats) -> Interval:
    """Ends of M x for low <= x <= high, where each entry of M may be off the given one by two roundings.

    Positive and negative entries meet their own ends: an end that is 0 for want of terms stays 0, up to the underflow guard.
    """
    positive, negative = np.maximum(matrix, 0.0), np.minimum(matrix, 0.0)
    slack = gamma(matrix.shape[1] + 8)
    far_low, far_high = up(slack * np.abs(low)), up(slack * np.abs(high))
    off_low = up(magnitude(positive, far_low) + magnitude(negative, far_high))
    off_high = up(magnitude(positive, far_high) + magnitude(negative, far_low))
    return add((positive @ low + negative @ high, positive @ high + negative @ low), (-off_low, off_high))


def add(first: Interval, *others: Interval) -> Interval:
    """Ends of a sum."""
    low, high = first
    for other in others:
        low, high = down(low + other[0]), up(high + other[1])
    return low, high


def shift(enclosure: tuple[Floats, Floats], *others: tuple[Floats, Floats | float]) -> tuple[Floats, Floats]:
    """Enclosure of a sum of enclosed quantities."""
    center, radius = enclosure
    for other, extra in others:
        center = center + other
        radius = up(up(radius + extra) + up(UNIT * np.abs(center)))
    return center, np.asarray(radius)


def spectral_norm_bound(matrix: Floats, radius: Floats | float = 0.0) -> float:
    """A rigorous upper bound of ||A||_2 over all A with |A - matrix| <= radius entrywise.

    The least of the Frobenius norm, sqrt(||A||_1 ||A||_inf), and, with G ~ A^T A (or A A^T, the smaller) and V, D from ``eigh(G)``,

        ||A||^2 <= max|D| (1 + ||V^T V - I||_F) + ||G - V D V^T||_F + gamma_m || |A|^T |A| ||_F,

    each float product and norm inflated outward; to this is added ||radius||_F. The formula holds for any V and D, so nothing is
    assumed of ``eigh``. Infinity if an entry is not finite.

    >>> bound = spectral_norm_bound(np.array([[3.0, 0.0], [4.0, 5.0]]))
    >>> 45**0.5 <= bound <= 45**0.5 * (1 + 1e-12)
    True
    """
    if matrix.size == 0:
        return 0.0
    if not np.isfinite(matrix).all():
        return math.inf
    largest = float(np.abs(matrix).max())
    scale = _power_of_two(largest) if largest else 1.0
    a = matrix / scale
    with np.errstate(all="ignore"):
        mixed = math.sqrt(_largest(sum_up(np.abs(a), 0)) * _largest(sum_up(np.abs(a), 1))) * (1 + 4 * UNIT)
        bound = min(float(norm_up(a)), mixed) if largest else 0.0
        if largest and min(a.shape) > 1:
            tall = a if a.shape[0] >= a.shape[1] else a.T
            bound = min(bound, math.sqrt(_gram_bound(tall)) * (1 + 4 * UNIT))
        spread = norm_up(np.broadcast_to(np.asarray(radius, dtype=np.float64), matrix.shape))
        return float(up(bound * scale + float(spread)))


def _gram_bound(a: Floats) -> float:
    """Upper bound of ||a||_2^2 for a tall matrix with entries up to 1 in size."""
    rows, n = a.shape
    gram = a.T @ a
    try:
        values, vectors = np.linalg.eigh(gram)
    except np.linalg.LinAlgError:
        return math.inf
    squares = sum_up(vectors**2, 0)  # ||v_k||^2
    rebuilt = (vectors * values) @ vectors.T
    # each computed product P Q is off by at most gamma |P| |Q|, whose Frobenius norm is at most ||P||_F ||Q||_F (or column by column)
    off_orthogonal = norm_up(vectors.T @ vectors - np.eye(n)) * (1 + 4 * UNIT) + gamma(n + 2) * sum_up(squares)
    off_gram = norm_up(gram - rebuilt) * (1 + 4 * UNIT) + gamma(n + 4) * sum_up(np.abs(values) * squares)
    off_product = gamma(rows + 2) * sum_up(sum_up(a**2, 0))
    total = float(_largest(np.abs(values)) * (1 + off_orthogonal) + off_gram + off_product)
    return math.inf if math.isnan(total) else total * (1 + 16 * UNIT) + 64 * GUARD


def _largest(x: Floats) -> float:
    return float(np.max(x))


def _power_of_two(x: float) -> float:
    """The power of two at or below a positive number, kept away from the ends of the range so that dividing by it is exact."""
    return 2.0 ** max(min(math.frexp(x)[1] - 1, 900), -900)
