"""Early stopping as regularisation, on a quadratic: the statement behind UniLTH's first phase, in the textbook form.

Gradient descent from 0 on L(w) = 1/2 (w - w*)^T H (w - w*) with H of eigenvalues l and step eps reaches, after tau steps, (1 - (1 - eps l)^tau) w* along each eigenvector; the
minimum of L(w) + alpha / 2 ||w||^2 is l / (l + alpha) w*. They are equal where (1 - eps l)^tau = alpha / (l + alpha), and for small eps l and l / alpha this says tau ~ 1 / (eps alpha).
Source: Goodfellow, Bengio and Courville, Deep Learning (2016), section 7.8. Whether UniLTH's authors state the same is unknown: only their abstract is public.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from strong_lth.core import Floats, InputError


def stopped(eigenvalues: ArrayLike, step: float, steps: int) -> Floats:
    """1 - (1 - step * l)^steps: the fraction of w* that gradient descent has reached, per eigenvalue.

    Raises InputError for step * l outside (0, 1).

    >>> stopped([1.0, 0.1], 0.1, 10).round(4)
    array([0.6513, 0.0956])
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if not np.all((step * values > 0) & (step * values < 1)):
        raise InputError("step", step, "give a step with 0 < step * eigenvalue < 1")
    return np.asarray(-np.expm1(steps * np.log1p(-step * values)))


def shrunk(eigenvalues: ArrayLike, alpha: float) -> Floats:
    """l / (l + alpha): the fraction of w* at the minimum with the penalty alpha / 2 ||w||^2.

    >>> shrunk([1.0, 0.1], 0.1).round(4)
    array([0.9091, 0.5   ])
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    return np.asarray(values / (values + alpha))


def equivalent_steps(eigenvalue: float, step: float, alpha: float) -> float:
    """The number of steps at which both agree along one eigenvector: log(alpha / (l + alpha)) / log(1 - step * l).

    >>> round(equivalent_steps(1e-4, 0.1, 0.01), 2), 1 / (0.1 * 0.01)
    (995.03, 1000.0)
    """
    if not (alpha > 0 and 0 < step * eigenvalue < 1):
        raise InputError("alpha, step", f"{alpha}, {step}", "give alpha > 0 and 0 < step * eigenvalue < 1")
    return math.log(alpha / (eigenvalue + alpha)) / math.log1p(-step * eigenvalue)


def gap_bound(eigenvalues: ArrayLike, step: float, alpha: float) -> Floats:
    """x^2 / 2 + x d / (1 - d), x = l / alpha, d = step * l: how far the fraction reached at 1 / (step alpha) steps may lie above the one of the penalty; never below it.

    Proof id: early-stopping. Raises InputError for step * l outside (0, 1) and for alpha <= 0.

    >>> gap_bound([0.01], 0.1, 0.1).round(4)
    array([0.0051])
    """
    values = np.asarray(eigenvalues, dtype=np.float64)
    if not (alpha > 0 and np.all((step * values > 0) & (step * values < 1))):
        raise InputError("alpha, step", f"{alpha}, {step}", "give alpha > 0 and 0 < step * eigenvalue < 1")
    ratio, moved = values / alpha, step * values
    return np.asarray(ratio**2 / 2 + ratio * moved / (1 - moved))
