"""The range bound: a target beyond all kept sums is missed. Few of the candidates may point its way."""

from __future__ import annotations

from fractions import Fraction
from math import comb, factorial, nextafter

from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import half_width


def failure(question: Question) -> Failure:
    """Lower bound of P(z missed), z the farthest target, candidates i.i.d. U[-1, 1], 0 <= eps = perturbation < 1, c = |z| - tol cut to [0, 1 + eps]:

        ((1 - eps)/2)^n L_n(-c / (1 - eps)) = sum_j C(n, j) ((1 - eps)/2)^(n - j) (c/2)^j / j!,    L_n the Laguerre polynomial.

    The largest reachable sum is sum (x_i + eps)^+; each term is 0 with probability (1 - eps)/2, else U[0, 1 + eps]. Exact rationals up to
    n = 400, rounded down; 0 beyond, for |z| <= tol and for eps >= 1. U[-c, c] is scaled; NOT_APPLICABLE for other laws.

    >>> round(failure(Question(8, tol=0.4, perturbation=0.1)), 4)
    0.0035
    """
    width = half_width(question.law)
    if width is None:
        return Verdict.NOT_APPLICABLE
    unit = Fraction(width)
    eps = Fraction(question.perturbation) / unit
    c = min((Fraction(question.reach) - Fraction(question.tol)) / unit, 1 + eps)
    if c <= 0 or eps >= 1 or question.n > 400:
        return 0.0
    n = question.n
    # on a grid of 2^-60, rounded to the safe side, so that the powers stay short
    stay, move = (Fraction(int(x * 2**59), 2**60) for x in (1 - eps, c))
    total = sum(comb(n, j) * stay ** (n - j) * move**j / factorial(j) for j in range(n + 1))
    return max(nextafter(float(total), 0.0), 0.0)


BOUND = Bound(
    id="range",
    title="Range: all sums may fall short of the target",
    reference=Reference("strong_lth", "proofs/docs/range.md"),
    direction=Direction.NECESSARY,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="range",
    formula=failure,
)
