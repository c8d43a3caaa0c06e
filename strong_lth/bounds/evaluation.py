"""What the rigorous formulas share: one scale, one grid of splits, and outward rounding."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from fractions import Fraction

import numpy as np

from strong_lth.bounds.types import Question
from strong_lth.core import Floats
from strong_lth.distributions import Law, Normal, ProductUniform, Scaled, half_width

# A split hands part of an allowance to each phase of a proof. Every split gives a valid bound, so the grid costs no rigour; its logit
# spacing of 0.01 costs less than a relative 1e-3 of the minimum. A fixed grid of fractions is what keeps the minimum monotone: raising tol
# or perturbation moves every point of the grid in its favourable direction.
FRACTIONS: Floats = 1 / (1 + np.exp(-np.linspace(-16, 16, 3201)))


def unit_question(question: Question, unit: float) -> tuple[float, float] | None:
    """(tol / unit, perturbation / unit), rounded down, if the targets lie in [-unit/2, unit/2]; else None.

    Scaling candidates, targets, tol and perturbation together changes nothing, so a theorem for U[-1, 1] serves U[-unit, unit].

    >>> unit_question(Question(10, tol=0.02), 2.0)
    (0.01, 0.0)
    """
    if 2 * question.reach > unit:
        return None
    return ratio_below(question.tol, unit), ratio_below(question.perturbation, unit)


def natural_unit(law: Law) -> float:
    """The half-width h for which h * density on [-h, h] is used: c for U[-c, c], the standard deviation of a normal law, 1/e for U V.

    Any h gives a valid theorem; these are the usual choices. Laws of another kind are taken as they are, h = 1.
    """
    width = half_width(law)
    if width is not None:
        return width
    if isinstance(law, Scaled):
        return natural_unit(law.law) * law.factor
    if isinstance(law, Normal):
        return law.std
    return 1 / math.e if isinstance(law, ProductUniform) else 1.0


def ratio_below(a: float, b: float) -> float:
    """The largest double <= a / b or the one below it, for a >= 0 and b > 0.

    >>> ratio_below(1.0, 4.0), ratio_below(0.1, 3.0) <= 0.1 / 3.0
    (0.25, True)
    """
    quotient = a / b
    if math.isinf(quotient):
        return sys.float_info.max
    return quotient if Fraction(quotient) * Fraction(b) <= Fraction(a) else math.nextafter(quotient, 0.0)


def contraction_failure(
    n: int,
    log_rate: float,
    constants: tuple[float, float],
    allowances: tuple[float, float],
    most: tuple[float, float] = (1.0, 1.0),
) -> float:
    """min over the allowances a > 0 of constant rate^n / min(a, most)^2, rounded up, at most 1: a theorem for tol and one for perturbation.

    Each theorem holds alone: a target missed with both allowances is missed with either one.

    >>> contraction_failure(2, math.log(0.5), (2.0, 1.0), (1.0, 0.0)) >= 0.5
    True
    """
    logs = [
        math.log(constant) - 2 * math.log(min(allowance, cap))
        for constant, allowance, cap in zip(constants, allowances, most, strict=True)
        if allowance > 0
    ]
    return upper_probability(n * log_rate + min(logs, default=math.inf), n)


def upper_probability(log_failure: float, n: int) -> float:
    """min(1, exp(log_failure)), enlarged by a relative 1e-12 + 1e-14 n, which exceeds the rounding error of n log(rho) + ...; never 0.

    The logarithm is then rounded up to a multiple of 2^-36, so that noise in its last bits does not disturb monotonicity.

    >>> upper_probability(-1.0, 10) > math.exp(-1.0), upper_probability(1.0, 10), upper_probability(-1e6, 10) > 0
    (True, 1.0, True)
    """
    log_upper = log_failure + 1e-12 + 1e-14 * n
    if log_upper >= 0:
        return 1.0
    return max(math.exp(math.ceil(log_upper * 2.0**36) * 2.0**-36), sys.float_info.min)


def in_groups(bound: Callable[[int], float], n: int, deepest: int) -> float:
    """``bound(n)`` for n <= ``deepest``; more candidates form independent groups, which must all fail.

    >>> 0.5**7 <= in_groups(lambda n: 0.5**n, 7, 4) <= 0.5**7 * 1.000001
    True
    """
    groups, rest = divmod(n, deepest)
    whole = bound(deepest) if groups else 1.0
    part = bound(rest) if rest else 1.0
    if groups and (whole == 0 or groups * math.log(whole) < -650):
        return math.exp(-650)
    return min(1.0, whole**groups * part * (1 + 1e-12))
