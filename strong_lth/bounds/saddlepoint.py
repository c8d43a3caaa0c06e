"""Prediction for one given sample of candidates: how many subset sums lie near a target, by a second-order saddlepoint."""

from __future__ import annotations

import math

import numpy as np

from strong_lth.bounds.estimate import Estimate
from strong_lth.bounds.types import Scope, check_allowance
from strong_lth.core import Floats, InputError, Reference


def log_sums_near(candidates: Floats, target: float) -> tuple[float, float]:
    """(ln of the number of subset sums per unit length at the target, mean number of kept candidates of the subsets that reach it).

    With K(t) = sum ln((1 + e^(t x)) / 2), K'(t) = z, p_i = 1 / (1 + e^(-t x_i)) and v_i = x_i^2 p_i (1 - p_i): the density of a random subset sum at z is
    exp(K - t z) / sqrt(2 pi K'') (1 + K4 / (8 K''^2) - 5 K3^2 / (24 K''^3)), times 2^n sums; the mean size is sum p_i. (-inf, n or 0) for targets out of
    reach. O(n) per Newton step. At target 0 the empty set is counted too.

    Raises InputError for candidates that are no vector of at least two finite numbers that are not all 0.

    >>> log_density, kept = log_sums_near(np.array([0.5, -0.25, 0.75, 0.3, -0.6, 0.9]), 0.3)
    >>> round(math.exp(log_density), 1), round(kept, 2)
    (27.3, 2.63)
    """
    x = np.asarray(candidates, dtype=np.float64)
    if x.ndim != 1 or x.size < 2 or not np.all(np.isfinite(x)) or not np.any(x):
        raise InputError("candidates", f"shape {x.shape}", "give a vector of at least two finite numbers, not all 0")
    if not math.isfinite(target):
        raise InputError("target", target, "give a finite number")
    size = float(np.abs(x).max())
    x, z = x / size, target / size
    low, high = float(np.minimum(x, 0).sum()), float(np.maximum(x, 0).sum())
    if not low < z < high:
        return -math.inf, float(np.count_nonzero(x > 0) if z >= high else np.count_nonzero(x < 0))
    t = _tilt(x, z)
    p = 1 / (1 + np.exp(np.clip(-t * x, -700, 700)))
    q = 1 - p
    k2 = float((x**2 * p * q).sum())
    k3 = float((x**3 * p * q * (q - p)).sum())
    k4 = float((x**4 * p * q * (1 - 6 * p * q)).sum())
    correction = max(
        1 + k4 / (8 * k2**2) - 5 * k3**2 / (24 * k2**3), 0.1
    )  # near the ends of the range the expansion fails
    log_mean = float(np.logaddexp(0, t * x).sum())  # n ln 2 + K(t)
    return log_mean - t * z - 0.5 * math.log(2 * math.pi * k2) + math.log(correction) - math.log(size), float(p.sum())


def instance_failure(candidates: Floats, target: float, tol: float, perturbation: float = 0.0) -> float:
    """Predicted P(target missed | candidates) = exp(-Lambda), Lambda = 2 (sums per unit length) (tol + perturbation (mean number kept)).

    So the smallest error is exponential with rate 2 exp(``log_sums_near``): for a given sample the answer is fixed, and the law is that of targets near this one.
    Kolmogorov distance below 0.02 from n = 14 on, for targets away from the ends of the range. 0 for |target| <= tol (the empty set).

    Raises InputError for bad parameters.

    >>> round(instance_failure(np.random.default_rng(0).uniform(-1, 1, 16), 0.3, 1e-5), 3)
    0.692
    """
    check_allowance(tol, perturbation)
    log_density, kept = log_sums_near(candidates, target)
    if abs(target) <= tol:
        return 0.0
    allowance = 2 * (tol + perturbation * kept)
    log_hits = log_density + math.log(allowance) if allowance > 0 else -math.inf
    return math.exp(-math.exp(min(log_hits, 700.0)))


def _tilt(x: Floats, z: float) -> float:
    """t with sum x_i / (1 + e^(-t x_i)) = z: Newton inside a bracket, as the sum grows with t."""
    low, high, t = -1.0, 1.0, 0.0

    def mean(t: float) -> Floats:
        return np.asarray(x / (1 + np.exp(np.clip(-t * x, -700, 700))))

    while mean(low).sum() > z and low > -1e6:
        low *= 2
    while mean(high).sum() < z and high < 1e6:
        high *= 2
    for _ in range(100):
        value = mean(t)
        gap = float(value.sum()) - z
        low, high = (low, t) if gap > 0 else (t, high)
        slope = float((value * (x - value)).sum())
        step = t - gap / slope if slope > 0 else (low + high) / 2
        new = step if low < step < high else (low + high) / 2
        if abs(new - t) <= 1e-14 * (1 + abs(t)):
            return new
        t = new
    return t


ESTIMATE = Estimate(
    id="saddlepoint",
    title="Local law of the smallest error of one given sample, second-order saddlepoint",
    asks="candidates, target, tol, perturbation",
    reference=Reference("strong_lth", "Poisson limit of subset sums, given the candidates"),
    scope=Scope.EACH_TARGET,
    status="asymptotic, agrees with simulation",
    function=instance_failure,
)
