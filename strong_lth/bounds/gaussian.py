"""What both predictions share: the laws they cover, and the Gaussian profile of the subset sums.

The 2^n subset sums of given candidates are spread like a normal density around M = sum(x) / 2 with variance V = sum(x^2) / 4. Averaged over
the candidates, V is n s^2 / 4 for a law of variance s^2, and M = g sqrt(V) with g standard normal.
"""

from __future__ import annotations

import math

import numpy as np

from strong_lth.core import Floats
from strong_lth.distributions import Law, Normal, ProductUniform, Scaled, half_width


def law_variance(law: Law) -> float | None:
    """Variance of a centred law that the predictions cover, else None: U[-c, c], N(0, s^2) and, as a central-limit law, a product of uniforms.

    >>> law_variance(Normal(0, 2)), law_variance(Normal(1, 2))
    (4.0, None)
    """
    if isinstance(law, Scaled):
        inner = law_variance(law.law)
        return None if inner is None else inner * law.factor**2
    centred = half_width(law) is not None or (isinstance(law, Normal) and law.mean == 0)
    return law.variance if centred or isinstance(law, ProductUniform) else None


def normal_grid(n: int, points: int) -> tuple[Floats, Floats]:
    """Values g and weights of a trapezoidal rule for E f(g), g standard normal, wide enough for 2^n subsets."""
    edge = 10 + math.sqrt(2 * n * math.log(2))
    g = np.linspace(-edge, edge, points)
    return g, np.exp(-g * g / 2) * ((g[1] - g[0]) / math.sqrt(2 * math.pi))


def log_density_and_size(n: int, variance: float, g: Floats, z: Floats) -> tuple[Floats, Floats]:
    """ln(2^n * density of the sums at z) and the mean number of kept candidates of the subsets that reach z; both broadcast over (g, z)."""
    sd = math.sqrt(n * variance / 4)
    q = g - z / sd
    log_density = n * math.log(2) - q * q / 2 - math.log(sd * math.sqrt(2 * math.pi))
    return log_density, np.clip((n - g * q) / 2, 0, n)


def range_failure(n: int, perturbation: float, distance: Floats) -> Floats:
    """P(no kept sum reaches beyond ``distance``) for candidates U[-1, 1]: a lower bound of P(z missed), distance = |z| - tol >= 0.

    ((1 - eps)/2)^n L_n(-distance / (1 - eps)) with the Laguerre polynomial L_n, for eps = perturbation < 1; exact while distance <= 1 + eps
    and cut there. The largest reachable sum is sum (x + eps)^+; each term is 0 with probability (1 - eps)/2, else U[0, 1 + eps].
    0 for eps >= 1.
    """
    if perturbation >= 1:
        return np.zeros_like(distance)
    c = np.clip(distance, 0, 1 + perturbation)
    # sum over j of C(n, j) ((1 - eps)/2)^(n - j) (c/2)^j / j!, every term non-negative
    stay = math.log((1 - perturbation) / 2)
    j = np.arange(n + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])
    log_terms = log_factorial[n] - 2 * log_factorial[j] - log_factorial[n - j] + (n - j) * stay
    with np.errstate(divide="ignore", invalid="ignore", under="ignore"):
        powers = np.where(j == 0, 0.0, j * np.log(c[..., None] / 2))
        total = np.exp(log_terms + powers).sum(axis=-1)
    return np.asarray(np.minimum(total, 1.0), dtype=np.float64)
