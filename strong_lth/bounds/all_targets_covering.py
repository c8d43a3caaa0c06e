"""Prediction for all targets of a window: the expected number of gaps in the Boolean model of the subset sums."""

from __future__ import annotations

import numpy as np

from strong_lth.bounds import volume
from strong_lth.bounds.gaussian import law_variance, log_density_and_size, normal_grid, range_failure
from strong_lth.bounds.types import Failure, Prediction, Question, Scope
from strong_lth.core import Floats, Reference, Verdict, Window
from strong_lth.distributions import half_width

_POINTS = 1201  # nodes of the average over the candidates
_TARGETS = 41  # nodes of the integral over the window


def failure(question: Question) -> Failure:
    """Predicted P(some z in [a, b] is missed) = 1 - E_g exp(-G), with the number of gaps expected for a given g = M / sd

        G = exp(-Lambda(a)) + integral over [a, b] of rho exp(-Lambda) dz,   rho = 2^n phi(q) / sd,   Lambda = 2 rho (tol + perturbation k),

    q = g - z / sd, sd^2 = n s^2 / 4, k = (n - g q) / 2 cut to [0, n]; for U[-c, c] not less than the exact probability that the farther end
    of the window is out of range. No fitted constant. 10 to 20 % accurate for n >= 10 and probabilities from 0.005 to 0.3; within one
    candidate on n. 1 where the volume bound excludes coverage. NOT_APPLICABLE for a single Point and unless the law is U[-c, c], N(0, s^2) or a product of two uniforms.

    >>> round(failure(Question(16, tol=0.0, perturbation=1e-4)), 4)
    0.1887
    """
    variance = law_variance(question.law)
    if variance is None or not isinstance(question.targets, Window):
        return Verdict.NOT_APPLICABLE
    if question.reach <= question.tol:
        return 0.0
    if volume.failure(question) == 1.0:
        return 1.0
    g, weight = normal_grid(question.n, _POINTS)
    z = np.linspace(question.targets.low, question.targets.high, _TARGETS)
    log_rho, kept = log_density_and_size(question.n, variance, g[:, None], z)
    with np.errstate(divide="ignore", over="ignore", under="ignore"):
        log_hits = log_rho + np.log(2 * (question.tol + question.perturbation * kept))
        hits = np.exp(np.minimum(log_hits, 700.0))
        gaps = np.exp(-hits[:, 0]) + np.exp(np.minimum(log_rho - hits, 700.0)) @ _trapezoid(z)
        missed = float(-np.expm1(-gaps) @ weight)
    return min(1.0, max(missed, _out_of_range(question)))


def _trapezoid(z: Floats) -> Floats:
    weight = np.full(z.size, (z[-1] - z[0]) / (z.size - 1))
    weight[[0, -1]] /= 2
    return weight


def _out_of_range(question: Question) -> float:
    width = half_width(question.law)
    if width is None:
        return 0.0
    distance = np.array([(question.reach - question.tol) / width])
    return float(range_failure(question.n, question.perturbation / width, distance)[0])


PREDICTION = Prediction(
    id="all-targets-covering",
    title="Covering probability of the window by the subset sums",
    reference=Reference("strong_lth", "expected gaps of a Boolean model, averaged over the candidates"),
    scope=Scope.ALL_TARGETS,
    status="asymptotic, agrees with simulation",
    formula=failure,
)
