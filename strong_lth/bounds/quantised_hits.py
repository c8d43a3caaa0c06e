"""Prediction for whole-number candidates: how often a subset reaches a whole number, or one within tol of the target, exactly."""

from __future__ import annotations

import math

import numpy as np

from strong_lth.bounds.gaussian import log_density_and_size, normal_grid
from strong_lth.bounds.types import Failure, Prediction, Question, Scope
from strong_lth.core import Reference, Verdict
from strong_lth.distributions import SignedIntegers

_POINTS = 1201


def failure(question: Question) -> Failure:
    """Predicted P(no subset sum is a whole number within tol of z): E_g exp(-(number of such whole numbers) 2^n phi(q) / sd), as ``each-target-local-law``.

    Candidates uniform on {-M, ..., -1, 1, ..., M}, sd^2 = n (M + 1)(2 M + 1) / 24, q = g - z / sd. 1 where no whole number lies within tol of z; 0 for |z| <= tol. For a
    Window: its end with the larger |z|. Within 0.02 for n >= 12. So an exact hit needs about lg M + lg(pi n / 6) / 2 + lg(1 / failure) candidates.
    NOT_APPLICABLE for other laws and with a perturbation.

    >>> from strong_lth.core import Point
    >>> round(1 - failure(Question(14, tol=0.5, law=SignedIntegers(256), targets=Point(100))), 3)
    0.982
    """
    if not isinstance(question.law, SignedIntegers) or question.perturbation > 0:
        return Verdict.NOT_APPLICABLE
    z, tol = question.reach, question.tol
    if z <= tol:
        return 0.0
    numbers = math.floor(z + tol) - math.ceil(z - tol) + 1
    if question.n == 0 or numbers <= 0:
        return 1.0
    g, weight = normal_grid(question.n, _POINTS)
    log_density, _ = log_density_and_size(question.n, question.law.variance, g, np.array(z))
    hits = numbers * np.exp(np.minimum(log_density, 600.0))
    return min(1.0, float(np.exp(-hits) @ weight))


PREDICTION = Prediction(
    id="quantised-hits",
    title="Whole-number candidates hit a whole number exactly",
    reference=Reference("strong_lth", "local law; setting of Kumar and Natale 2025"),
    scope=Scope.EACH_TARGET,
    status="asymptotic, agrees with simulation",
    formula=failure,
)
