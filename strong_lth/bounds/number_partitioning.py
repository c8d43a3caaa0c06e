"""Prediction for number partitioning: the sharp window of perfect partitions, and the smallest difference of two sides."""

from __future__ import annotations

import math

from strong_lth.bounds.estimate import Estimate
from strong_lth.bounds.shapes import positive
from strong_lth.bounds.types import Scope, whole
from strong_lth.core import InputError, Reference


def perfect_partition(n: int, bits: float) -> float:
    """Predicted P(n whole numbers, uniform on 1 .. 2^bits, split into two parts whose sums differ by at most 1).

    1 - (e^-a + e^(-2 a)) / 2 with a = sqrt(3 / (2 pi)) 2^-(bits - n + lg(n) / 2): the total is even or odd with equal probability, a difference of 0 or of 1
    wanted. Too high by O(1/n), at most 0.03 from n = 14 on. The window of Borgs, Chayes and Pittel (2001); the law derived by strong_lth.

    Raises InputError for n < 1 or bits <= 0.

    >>> [round(perfect_partition(14, bits), 3) for bits in (11, 12, 13)]
    [0.86, 0.647, 0.416]
    """
    n = whole("n", n, least=1)
    exponent = n - positive("bits", bits) - math.log2(n) / 2
    a = math.sqrt(3 / (2 * math.pi)) * 2.0 ** min(exponent, 40.0)
    return 1 - (math.exp(-a) + math.exp(-2 * a)) / 2


def smallest_difference(n: int, second_moment: float, quantile: float = 0.5) -> float:
    """Predicted quantile of min over signs of |sum +- x_i| for n candidates with E x^2 = ``second_moment``: exponential with mean sqrt(2 pi n E x^2) / 2^n.

    Given the candidates, put their mean square for E x^2. Medians are 1 to 3 % accurate for n >= 10.

    Raises InputError for n < 1, a second moment <= 0 and a quantile outside (0, 1).

    >>> f"{smallest_difference(20, 1 / 3):.3e}"
    '4.278e-06'
    """
    n = whole("n", n, least=1)
    if not 0 < quantile < 1:
        raise InputError("quantile", quantile, "give a number strictly between 0 and 1")
    mean = math.sqrt(2 * math.pi * n * positive("second_moment", second_moment)) * 2.0**-n
    return -math.log1p(-quantile) * mean


ESTIMATE = Estimate(
    id="number-partitioning",
    title="Number partitioning: probability of a perfect partition of n numbers of m bits",
    asks="n, bits",
    reference=Reference("Borgs, Chayes and Pittel 2001", "window (abstract); explicit law by strong_lth"),
    scope=Scope.EACH_TARGET,
    status="asymptotic, agrees with simulation",
    function=perfect_partition,
)
