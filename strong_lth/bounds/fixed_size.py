"""Subsets of one size k: the second-moment bound of Natale et al. 2024, exact at finite n for uniform candidates."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from strong_lth.bounds.irwin_hall import SLACK, density, integral, near
from strong_lth.bounds.types import Bound, Constants, Direction, Failure, Question, Scope, whole
from strong_lth.core import Floats, InputError, Reference, Verdict
from strong_lth.distributions import half_width

TRIED = 12  # largest size that ``failure`` tries; larger ones pay only below failure probabilities that this bound never reaches
_NOTHING = 1e-140  # chances whose squares leave the range of doubles count as none
_LARGEST = 24  # the cost grows like the fourth power of the size


def hits(n: int, size: int, z: float, tol: float) -> tuple[float, float]:
    """(EY, EY^2 / (EY)^2) for Y = number of subsets of exactly ``size`` of n candidates U[-1, 1] with |sum - z| <= tol.

    EY = C(n, k) q_0^(1/2), EY^2 / (EY)^2 = sum_i w_i q_i / q_0, where w_i = C(k, i) C(n - k, k - i) / C(n, k) and q_i is the probability that two subsets that share i
    candidates both hit. q_i integrates the Irwin-Hall density f_i times a squared probability, piecewise polynomials. Infinite ratio where no subset can hit (chances below 1e-140 count as none).
    As n grows with k = alpha n, the ratio tends to 1 / ``limit(alpha)`` where EY is large.

    Raises InputError unless 1 <= size <= min(n, 24), tol > 0 and z is finite.

    >>> mean, ratio = hits(20, 5, 0.3, 0.01)
    >>> round(mean, 2), round(1 / ratio, 4)
    (90.7, 0.9391)
    """
    n = whole("n", n, least=1)
    if not 1 <= whole("size", size, least=1) <= min(n, _LARGEST):
        raise InputError("size", size, f"give a number from 1 to {min(n, _LARGEST)}")
    if not (math.isfinite(tol) and tol > 0 and math.isfinite(z)):
        raise InputError("tol", tol, "give a finite tolerance > 0 and a finite target")
    single, joint = overlaps(size, float(z), float(tol))
    total = math.comb(n, size)
    if single < _NOTHING:
        return total * single, math.inf
    shares = [math.comb(size, i) * math.comb(n - size, size - i) / total for i in range(size + 1)]
    return total * single, math.fsum(w * q / single**2 for w, q in zip(shares, joint, strict=True))


def limit(density: float) -> float:
    """The limit sqrt(1 - density^2) of (EY)^2 / EY^2 for subsets of ``density`` n of n candidates, EY -> infinity.

    Raises InputError for a density outside [0, 1).

    >>> limit(0.6)
    0.8
    """
    if not 0 <= density < 1:
        raise InputError("density", density, "give a share in [0, 1)")
    return math.sqrt(1 - density**2)


@lru_cache(maxsize=1024)
def overlaps(size: int, z: float, tol: float) -> tuple[float, tuple[float, ...]]:
    """(P(one subset hits), (q_0, ..., q_size)): see ``hits``."""
    single = float(near(size, np.array(z), tol))
    joint = [single**2]
    joint += [_joint(shared, size - shared, z, tol) for shared in range(1, size)]
    return single, (*joint, single)


def _joint(shared: int, own: int, z: float, tol: float) -> float:
    """E P(|Y + sum of own more - z| <= tol | Y)^2 for Y a sum of ``shared`` candidates: a piecewise polynomial of degree shared - 1 + 2 own."""
    knots = np.arange(-own, own + 1, 2)
    ends = np.concatenate([np.arange(-shared, shared + 1, 2), z - tol - knots, z + tol - knots])

    def integrand(y: Floats) -> Floats:
        return density(shared, y) * near(own, z - y, tol) ** 2

    return float(integral(integrand, np.unique(np.clip(ends, -shared, shared)), own + (shared + 1) // 2))


def failure(question: Question) -> Failure:
    """Upper bound of P(z missed) for one fixed z: the least over k of 1 - (EY_k)^2 / EY_k^2, by Cauchy-Schwarz, with tol + k perturbation for subsets of size k.

    k up to 12. For each k it falls in n and grows with |z|, so the worst target of a Window is the farthest. It never vanishes: 1 - limit(k/n) and more is left, which
    makes it the choice for few subsets at moderate delta only. U[-c, c]; NOT_APPLICABLE for other laws. Source: proofs/docs/fixed-size.md.

    >>> failure(Question(27, tol=0.01)) < 0.05 < failure(Question(20, tol=0.01))
    True
    """
    width = half_width(question.law)
    if width is None:
        return Verdict.NOT_APPLICABLE
    if question.reach <= question.tol:
        return 0.0
    z, least = question.reach / width, 1.0
    for size in range(1, min(question.n, TRIED) + 1):
        radius = (question.tol + size * question.perturbation) / width * (1 - 1e-15)
        if radius <= 0:
            continue
        _, ratio = hits(question.n, size, z, radius)
        least = min(least, 1 - (1 - SLACK) / ratio)
    return least


BOUND = Bound(
    id="fixed-size",
    title="Subsets of one size: second moment, exact at finite n",
    reference=Reference("strong_lth", "proofs/docs/fixed-size.md"),
    direction=Direction.SUFFICIENT,
    scope=Scope.EACH_TARGET,
    constants=Constants.EXPLICIT,
    status="proved on paper",
    proof="fixed-size",
    formula=failure,
)
